"""What the commands for single files share: their inputs, their output, and how they end."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from glob import glob
from pathlib import Path
from typing import Any, TextIO

_log = logging.getLogger("zoom_imaging.commands")


class Exit(IntEnum):
    """How a command ends; the worst of its files decides."""

    OK = 0
    """Every file was read, or refused with a reason."""
    NO_MODEL = 1
    USAGE = 2
    UNEXPECTED = 3
    """An unexpected error, whose traceback went to stderr."""


@contextlib.contextmanager
def results_only() -> Iterator[TextIO]:
    """Give the real stdout to results; whatever a library prints goes to stderr."""
    results = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        yield results
    results.flush()


def dump(content: Mapping[str, Any]) -> str:
    """One line of strict ASCII JSON."""
    return json.dumps(content, allow_nan=False)


def number(value: float | None, digits: int) -> float | None:
    """A finite number, rounded; None for everything else."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def input_files(named: Sequence[Path]) -> Iterator[Path]:
    """Every named file, and every file inside a named folder in the order of their paths.

    A name that is not there and has wildcards stands for what it matches (a shell may not have
    expanded it). Links inside a folder are not followed into other folders.
    """
    for path in _expanded(named):
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path, followlinks=False):
            folders.sort()
            for name in sorted(names):
                yield Path(folder) / name


def _expanded(named: Sequence[Path]) -> Iterator[Path]:
    for path in named:
        text = os.fspath(path)
        matches = [] if os.path.lexists(path) else sorted(glob(text, recursive=True))
        yield from map(Path, matches) if matches else [path]


def bytes_of(path: Path) -> bytes:
    """The content of a file; UnreadableError with its name where it cannot be had."""
    from zoom_imaging.errors import UnreadableError
    from zoom_imaging.ingest.source import LARGEST_FILE_BYTES, open_regular
    from zoom_imaging.ingest.text import path_text

    try:
        with open_regular(os.fspath(path)) as stream:
            content = stream.read(LARGEST_FILE_BYTES + 1)
    except UnreadableError as error:
        raise UnreadableError(f"{path_text(path)}: {error.reason}") from error
    except OSError as error:
        raise UnreadableError(
            f"{path_text(path)} cannot be read ({error.strerror or type(error).__name__})"
        ) from error
    if len(content) > LARGEST_FILE_BYTES:
        raise UnreadableError(
            f"{path_text(path)} is too large",
            expected=f"at most {LARGEST_FILE_BYTES} bytes",
            found="more",
        )
    return content


def sop_instance_uid(content: bytes) -> str:
    """As stored, also where the file is damaged behind it; "" where none can be read."""
    from zoom_imaging.ingest.header import parse

    try:
        header = parse(content).header
    except Exception:
        _log.exception("the header could not be parsed")
        return ""
    return header.sop_instance_uid if header is not None else ""


def unexpected(path: str, error: Exception) -> str:
    """Log an error that nobody foresaw; the sentence that stands in the results."""
    _log.error("unexpected error while reading %s", path, exc_info=error)
    return f"{path}: an unexpected error ({type(error).__name__}); please report it"
