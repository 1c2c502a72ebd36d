"""`receive`: takes films and reports over the DICOM network into a folder, until it is ended.

Exit 0 after SIGTERM or Ctrl+C; 1: it cannot listen or write; 2: usage.
"""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from zoom_imaging.commands.network import OwnCertificate, OwnKey, network_command, quiet_library

DEFAULT_PORT = 11112


def command(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder that the objects go into.")],
    aet: Annotated[str, typer.Option(metavar="TITLE", help="Our application entity title.")] = (
        "ZOOM"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = (
        DEFAULT_PORT
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AET[@HOST[:PORT]]",
            help="Who may send; PORT is where storage commitment is reported. Needed unless the "
            "address is of this machine alone.",
        ),
    ] = None,
    certificate: OwnCertificate = None,
    key: OwnKey = None,
    authority: Annotated[
        Path | None,
        typer.Option(
            "--tls-ca", metavar="PEM", help="Who must have signed the certificate of a caller."
        ),
    ] = None,
) -> None:
    """Receive films and reports from scanners and archives (C-STORE, storage commitment)."""
    with network_command("pynetdicom"):
        from zoom_imaging.errors import ConfigurationError
        from zoom_imaging.network.inbox import Inbox
        from zoom_imaging.network.peer import application_entity, is_loopback, parse_allowed
        from zoom_imaging.network.receiver import Listening, Receiver
        from zoom_imaging.network.tls import Tls

        allowed = tuple(parse_allowed(one) for one in allow or ())
        if not allowed and not is_loopback(host):
            raise ConfigurationError(
                f"on {host} other machines could write into {out}",
                remedy="name those that may with --allow AET@HOST",
            )
        tls = Tls(authority, certificate, key)
        if tls:
            tls.answering()  # refused before a folder is made
        listening = Listening(application_entity(aet), host, port, allowed, tls)
        quiet_library()
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        with Receiver(listening, Inbox(out), _say) as receiver:
            _say(f"{listening.aet} listens on {host} port {receiver.port} for {out}")
            ending.wait()
            _say("ending")


def _say(line: str) -> None:
    typer.echo(f"{datetime.now().isoformat(timespec='seconds')} {line}")
