"""What the commands for the DICOM network share: how they end, and the packages that they need."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.errors import ConfigurationError, ZoomImagingError

if TYPE_CHECKING:
    from zoom_imaging.network.peer import DimsePeer, WebPeer
    from zoom_imaging.network.tls import Tls

OwnCertificate = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="PEM", help="Our certificate, for TLS.")
]
OwnKey = Annotated[
    Path | None, typer.Option("--tls-key", metavar="PEM", help="The key of our certificate.")
]
PacsAuthority = Annotated[
    Path | None,
    typer.Option(
        "--tls-ca", metavar="PEM", help="Speak TLS; who signed the certificate of AET@HOST:PORT."
    ),
]


class NetworkExit(IntEnum):
    """How a command of the network ends."""

    OK = 0
    UNREACHABLE = 1
    """The PACS cannot be reached, or the folder cannot be written: nothing was done."""
    USAGE = 2
    SOME_FAILED = 3


@contextmanager
def network_command(*packages: str) -> Iterator[None]:
    """What goes wrong is one sentence on stderr and an exit code."""
    try:
        for package in packages:
            if util.find_spec(package) is None:
                raise ConfigurationError(
                    f"this needs {package}", remedy="pip install 'zoom_imaging[pacs]'"
                )
        yield
    except ZoomImagingError as error:
        typer.echo(f"Error: {error.reason}", err=True)
        usage = isinstance(error, ConfigurationError)
        raise typer.Exit(NetworkExit.USAGE if usage else NetworkExit.UNREACHABLE) from error


def tls_for(
    peer: DimsePeer | WebPeer, authority: Path | None, certificate: Path | None, key: Path | None
) -> Tls:
    """TLS of the classic network; ConfigurationError where it was asked for a DICOMweb service."""
    from zoom_imaging.network.peer import WebPeer
    from zoom_imaging.network.tls import Tls

    tls = Tls(authority, certificate, key)
    if tls and isinstance(peer, WebPeer):
        raise ConfigurationError(
            "--tls-ca, --tls-cert and --tls-key are for AET@HOST:PORT",
            remedy="write https:// for DICOMweb, and name the site's own authority in "
            "REQUESTS_CA_BUNDLE",
        )
    return tls


def quiet_library() -> None:
    """The library's own log shows what peers send; what matters is told in our words."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
