"""What became of every object that a PACS offered: JSON lines, one appended for each outcome.

The last line of an object counts. A line that was cut by a kill is passed over: its object is
found in the folder, or is fetched again. There are UIDs in it, but no names and no patient ids.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TextIO

from zoom_imaging.errors import OutputError
from zoom_imaging.network.search import Instance


class State(StrEnum):
    """How an object that was offered ended."""

    FETCHED = "fetched"
    PRESENT = "there already"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one object; `path` is its file, `reason` why it is not there or odd."""

    instance: Instance
    state: State
    path: Path | None = None
    size_bytes: int = 0
    reason: str = ""


class Manifest:
    """The file, read once and then appended to. OutputError where that cannot be done."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        try:
            content = path.read_bytes() if path.exists() else b""
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: TextIO = path.open("a", encoding="ascii", newline="\n")
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({error.strerror})",
                remedy="name another file with --manifest",
            ) from error
        if content and not content.endswith(b"\n"):
            self._stream.write("\n")
        self._records = dict(_records(content))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def whole_file(self, sop_instance_uid: str) -> Path | None:
        """The file of an object that was fetched, if it is still there in its full size."""
        record = self._records.get(sop_instance_uid, {})
        name, size = record.get("path"), record.get("bytes")
        if not name or not isinstance(name, str) or record.get("state") == State.FAILED:
            return None
        path = self._folder / name
        try:
            return path if path.is_file() and path.stat().st_size == size else None
        except OSError:
            return None

    def add(self, outcome: Outcome, source: str) -> None:
        """Append a line; it is handed to the system at once."""
        instance = outcome.instance
        record = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "source": source,
            "state": outcome.state.value,
            "reason": outcome.reason,
            "study_instance_uid": instance.study_instance_uid,
            "series_instance_uid": instance.series_instance_uid,
            "sop_instance_uid": instance.sop_instance_uid,
            "sop_class_uid": instance.sop_class_uid,
            "path": None if outcome.path is None else outcome.path.name,
            "bytes": outcome.size_bytes,
        }
        try:
            self._stream.write(json.dumps(record, allow_nan=False) + "\n")
            self._stream.flush()
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror})") from error
        self._records[instance.sop_instance_uid] = record


def default_path(folder: Path) -> Path:
    """Beside the folder, so that a run over the folder does not meet it."""
    whole = Path(os.path.abspath(folder))
    return whole.with_name(f"{whole.name or 'root'}.fetched.jsonl")


def _records(content: bytes) -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in content.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("sop_instance_uid"), str):
            found[record["sop_instance_uid"]] = record
    return found
