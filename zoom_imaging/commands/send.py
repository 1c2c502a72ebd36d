"""`send`: DICOM files, such as the structured reports of a run, to a PACS.

Exit 0: all were taken; 1: the PACS cannot be reached; 2: usage; 3: some failed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.commands.inputs import bytes_of, input_files
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
    from zoom_imaging.network.peer import DimsePeer, WebPeer
    from zoom_imaging.network.sending import Destination, Outgoing
    from zoom_imaging.network.tls import Tls


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help="What to send.")],
    *,
    to: Annotated[str, typer.Option(metavar="URL|AET@HOST:PORT", help="DICOMweb service or PACS.")],
    aet: Annotated[str, typer.Option(metavar="TITLE", help="Our application entity title.")] = (
        "ZOOM"
    ),
    authority: PacsAuthority = None,
    certificate: OwnCertificate = None,
    key: OwnKey = None,
) -> None:
    """Send DICOM files to a PACS (STOW-RS or C-STORE); the outcome of each is told.

    Name and password of a DICOMweb service come from ZOOM_PACS_USER and ZOOM_PACS_PASSWORD, a token
    from ZOOM_PACS_TOKEN.
    """
    with network_command("pynetdicom", "dicomweb_client"):
        from zoom_imaging.errors import ConfigurationError
        from zoom_imaging.network.peer import application_entity, parse_peer

        peer, title = parse_peer(to), application_entity(aet)
        destination = _destination(peer, title, tls_for(peer, authority, certificate, key))
        quiet_library()
        paths = list(input_files(files))
        if not paths:
            raise ConfigurationError("there is no file to send")
        sendable, failed = _sendable(paths)
        sent = 0
        for outcome in destination.send(sendable):
            sent += outcome.done
            failed += not outcome.done
            word = "sent" if outcome.done else "failed"
            _say(outcome.path, f"{word}: {outcome.reason}" if outcome.reason else word)
        typer.echo(f"{sent} files sent, {failed} failed")
        raise typer.Exit(NetworkExit.SOME_FAILED if failed else NetworkExit.OK)


def _destination(peer: DimsePeer | WebPeer, title: str, tls: Tls) -> Destination:
    from zoom_imaging.network.dimse import Caller
    from zoom_imaging.network.peer import WebPeer
    from zoom_imaging.network.sending import DimseDestination, WebDestination

    if isinstance(peer, WebPeer):
        from zoom_imaging.network.web import Credentials, WebArchive

        return WebDestination(WebArchive(peer, Credentials.from_environment()).send, bytes_of)
    return DimseDestination(Caller(peer, title, tls), bytes_of)


def _sendable(paths: Sequence[Path]) -> tuple[list[Outgoing], int]:
    """What can be sent, and how many files cannot, which is told."""
    from zoom_imaging.errors import InputError
    from zoom_imaging.network.sending import outgoing

    sendable, failed = [], 0
    for path in paths:
        try:
            sendable.append(outgoing(path, bytes_of(path)))
        except InputError as error:
            failed += 1
            _say(path, f"failed: {error.reason}")
    return sendable, failed


def _say(path: Path, what: str) -> None:
    from zoom_imaging.ingest.text import path_text

    typer.echo(f"{path_text(os.fspath(path))}: {what}")
