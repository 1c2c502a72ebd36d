"""What the commands for the DICOM network share: how they end, and the packages that they need."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib import util

import typer

from zoom_imaging.errors import ConfigurationError, ZoomImagingError


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


def quiet_library() -> None:
    """The library's own log shows what peers send; what matters is told in our words."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
