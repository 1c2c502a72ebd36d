"""A whole set of results into a folder, or none of it.

Everything is first written and flushed into `DIR/.staging`, then a note says that it is complete,
then each part is renamed into place. A run that is killed before the note leaves the earlier
results; one that is killed after it is completed by `recover` at the start of the next run.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from zoom_imaging.endpoints.cell import flag_cell, number_cell
from zoom_imaging.endpoints.column import Column, Kind
from zoom_imaging.errors import OutputError
from zoom_imaging.ingest.text import text_cell

STAGING_NAME = ".staging"
NOTE_NAME = "complete.json"
_REPLACED = "replaced-"

Value = str | float | bool | None
Row = Mapping[str, Value]


def write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """UTF-8, LF, comma, every cell by its column's kind; OutputError names the path."""
    with writing(path), path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        writer.writerows(
            [format_cell(column, row[column.name]) for column in columns] for row in rows
        )


def format_cell(column: Column, value: Value) -> str:
    """A value as its column writes it; ValueError where the value is not of the column's kind."""
    if value is None:
        return ""
    if column.kind is Kind.FLAG and isinstance(value, bool):
        return flag_cell(value)
    if column.kind in {Kind.DECIMAL, Kind.INTEGER} and isinstance(value, int | float):
        return number_cell(value, column.decimals)
    if column.kind in {Kind.TEXT, Kind.CODE} and isinstance(value, str):
        return text_cell(value)
    raise ValueError(f"column {column.name}: expected {column.kind.value}, found {value!r}")


def write_json_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """One strict JSON object a line, in UTF-8; OutputError names the path."""
    dumps = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    write_text(path, (f"{dumps(record)}\n" for record in records))


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Pieces of one text, in UTF-8; OutputError names the path."""
    with writing(path), path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(pieces)


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """One strict, indented JSON object; OutputError names the path."""
    with writing(path), path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


@contextmanager
def result_set(folder: Path) -> Iterator[Path]:
    """Give an empty staging folder; when the block ends well, its parts replace those of `folder`.

    Whatever goes wrong inside the block leaves the earlier results untouched.
    """
    staging = folder / STAGING_NAME
    with writing(staging):
        _discard(staging)
        staging.mkdir(parents=True)
    try:
        yield staging
        with writing(staging):
            _flush_tree(staging)
            parts = sorted(entry.name for entry in staging.iterdir())
            write_json(staging / NOTE_NAME, {"parts": parts})
            _flush_folder(staging)
    except BaseException:
        with suppress(OSError):
            _discard(staging)
        raise
    with writing(folder):
        _put_in_place(folder, parts)


def recover(folder: Path) -> bool:
    """Finish or drop what an earlier run left staged; True if results were put in place."""
    staging = folder / STAGING_NAME
    if not staging.exists():
        return False
    with writing(folder):
        try:
            parts = json.loads((staging / NOTE_NAME).read_text(encoding="utf-8"))["parts"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            _discard(staging)
            return False
        _put_in_place(folder, parts)
    return True


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system says into an OutputError that names the path and the cause."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(path)
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise OutputError(
            f"{where} cannot be written: "
            + ("no space left on the device" if full else error.strerror or type(error).__name__),
            remedy="free some space and run again; the earlier results are as they were"
            if full
            else "check the folder's permissions",
        ) from error


def _put_in_place(folder: Path, parts: Sequence[str]) -> None:
    staging = folder / STAGING_NAME
    for part in parts:
        staged, final = staging / Path(part).name, folder / Path(part).name
        if not staged.exists():  # already in place: the renaming was interrupted after it
            continue
        if final.is_dir() and not final.is_symlink():
            aside = staging / f"{_REPLACED}{final.name}"
            _discard(aside)
            final.rename(aside)
        os.replace(staged, final)
    _flush_folder(folder)
    _discard(staging)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        # The note goes first: a half-deleted staging folder must not look complete.
        (path / NOTE_NAME).unlink(missing_ok=True)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(os.path.join(parent, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot flush a folder
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
