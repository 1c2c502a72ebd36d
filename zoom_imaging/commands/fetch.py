"""`fetch`: films and reports from a PACS into the input folder; a second call fetches the rest.

Exit 0: all that is offered is there; 1: the PACS cannot be reached; 2: usage; 3: some failed.
"""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.commands.network import (
    NetworkExit,
    OwnCertificate,
    OwnKey,
    PacsAuthority,
    network_command,
    quiet_library,
    tls_for,
)

if TYPE_CHECKING:
    from zoom_imaging.network.dimse import Caller
    from zoom_imaging.network.fetching import Archive
    from zoom_imaging.network.inbox import Inbox

DEFAULT_PORT = 11112


class Retrieve(StrEnum):
    """How the classic network brings objects."""

    MOVE = "move"
    GET = "get"


def command(
    *,
    source: Annotated[
        str,
        typer.Option("--from", metavar="URL|AET@HOST:PORT", help="DICOMweb service or PACS."),
    ],
    into: Annotated[Path, typer.Option(metavar="DIR", help="Folder that the objects go into.")],
    study_date: Annotated[
        str, typer.Option(metavar="A-B", help="Days such as 20250101-20251231; one end may lack.")
    ] = "",
    modality: Annotated[
        list[str] | None, typer.Option(metavar="DX", help="Modality of the series; repeatable.")
    ] = None,
    patient_id: Annotated[
        str, typer.Option(metavar="PATTERN", help="Patient ID; * and ? are wildcards.")
    ] = "",
    study_uid: Annotated[
        list[str] | None, typer.Option(metavar="UID", help="One study; repeatable.")
    ] = None,
    retrieve: Annotated[
        Retrieve, typer.Option(help="C-MOVE (the PACS must know our address) or C-GET.")
    ] = Retrieve.MOVE,
    aet: Annotated[str, typer.Option(metavar="TITLE", help="Our application entity title.")] = (
        "ZOOM"
    ),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where we receive what C-MOVE brings.")
    ] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to receive on (default: every one).")] = "",
    authority: PacsAuthority = None,
    certificate: OwnCertificate = None,
    key: OwnKey = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON lines of what is there (default: DIR.fetched.jsonl)."
        ),
    ] = None,
) -> None:
    """Fetch films and reports from a PACS (DICOMweb, C-MOVE or C-GET).

    Name and password of a DICOMweb service come from ZOOM_PACS_USER and ZOOM_PACS_PASSWORD, a token
    from ZOOM_PACS_TOKEN.
    """
    with network_command("pynetdicom", "dicomweb_client"), ExitStack() as stack:
        from zoom_imaging.network.fetching import fetch
        from zoom_imaging.network.inbox import Inbox
        from zoom_imaging.network.manifest import Manifest, default_path
        from zoom_imaging.network.peer import WebPeer, application_entity, parse_peer
        from zoom_imaging.network.search import Search, parse_days

        first, last = parse_days(study_date)
        search = Search(
            first_day=first,
            last_day=last,
            modalities=tuple(modality or ()),
            patient_id=patient_id,
            study_uids=tuple(study_uid or ()),
        )
        peer, title = parse_peer(source), application_entity(aet)
        tls = tls_for(peer, authority, certificate, key)
        quiet_library()
        archive: Archive
        if isinstance(peer, WebPeer):
            from zoom_imaging.network.web import Credentials, WebArchive

            archive = WebArchive(peer, Credentials.from_environment())
            inbox = Inbox(into)
        else:
            from zoom_imaging.network.dimse import Caller, MoveArchive

            caller = Caller(peer, title, tls)
            if tls and retrieve is Retrieve.MOVE:
                tls.answering()  # refused before a folder is made
            inbox = Inbox(into)
            archive = _classic(caller, retrieve, host, port, inbox)
            if isinstance(archive, MoveArchive):
                stack.enter_context(archive.receiver)
        records = stack.enter_context(Manifest(manifest or default_path(into), into))
        summary = fetch(archive, search, inbox, records, typer.echo, source=str(peer))
        typer.echo(f"{summary}. What became of each is in {records.path}")
        raise typer.Exit(NetworkExit.SOME_FAILED if summary.failed else NetworkExit.OK)


def _classic(
    caller: Caller,
    retrieve: Retrieve,
    host: str,
    port: int,
    inbox: Inbox,
) -> Archive:
    from zoom_imaging.network.dimse import GetArchive, MoveArchive
    from zoom_imaging.network.peer import is_loopback
    from zoom_imaging.network.receiver import Listening

    if retrieve is Retrieve.GET:
        return GetArchive(caller)
    address = host or ("127.0.0.1" if is_loopback(caller.peer.host) else "0.0.0.0")
    return MoveArchive(caller, inbox, Listening(caller.aet, address, port, tls=caller.tls))
