"""The answer to one C-STORE request: the object goes into the inbox, the sender gets a status.

Statuses are those of the Storage Service Class (PS3.4 B.2.3). A success is said only when the
object is on the disk.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoom_imaging.ingest.header import parse
from zoom_imaging.ingest.text import visible
from zoom_imaging.network.inbox import Inbox, Keeping

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_log = logging.getLogger("zoom_imaging.network")
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_LONGEST_COMMENT = 64


class Arrival(StrEnum):
    """What became of an object that was sent to us."""

    STORED = "stored"
    HELD = "already there"
    CONFLICTING = "conflicting"
    REFUSED = "refused"


class Status(IntEnum):
    """Answers to a C-STORE request."""

    SUCCESS = 0x0000
    NOT_AUTHORISED = 0x0124
    OUT_OF_RESOURCES = 0xA700
    OTHER_OBJECT = 0xA900
    CONFLICTING = 0xB000
    CANNOT_UNDERSTAND = 0xC000
    CANNOT_STORE = 0xC001


@dataclass(frozen=True)
class Received:
    """One object that was sent to us; `path` only where it was kept."""

    sop_instance_uid: str
    study_instance_uid: str
    arrival: Arrival
    status: Status
    reason: str = ""
    path: Path | None = None
    size_bytes: int = 0

    def answer(self) -> Dataset:
        """Status and comment for the sender."""
        from pydicom.dataset import Dataset

        answer = Dataset()
        answer.Status = int(self.status)
        if self.reason:
            answer.ErrorComment = self.reason[:_LONGEST_COMMENT]
        return answer


class Storing:
    """Handles C-STORE; `wanted` limits it to objects that we asked for."""

    def __init__(
        self,
        inbox: Inbox,
        told: Callable[[Any, Received], None],
        wanted: Callable[[str], bool] = lambda _uid: True,
    ) -> None:
        self._inbox = inbox
        self._told = told
        self._wanted = wanted

    def __call__(self, event: Any) -> Dataset:
        """Handler for pynetdicom of `EVT_C_STORE`."""
        received = self._store(event)
        self._told(event.assoc, received)
        return received.answer()

    def _store(self, event: Any) -> Received:
        uid = str(event.request.AffectedSOPInstanceUID)
        if not self._wanted(uid):
            return _refused(uid, Status.NOT_AUTHORISED, "this object was not asked for")
        try:
            content = event.encoded_dataset()
        except Exception:
            _log.exception("an object could not be taken out of its message")
            return _refused(uid, Status.CANNOT_UNDERSTAND, "the data set cannot be read")
        return store(self._inbox, uid, content)


def store(inbox: Inbox, uid: str, content: bytes) -> Received:
    """Keep the file `content`, which the sender says to be the object `uid`.

    A damaged data set with the right UID is kept: it is what the archive holds, and the run names
    it as unreadable.
    """
    try:
        header = parse(content).header
    except Exception:  # a file may hold anything
        _log.exception("the header of an object could not be parsed")
        header = None
    if header is None or not header.sop_instance_uid:
        return _refused(uid, Status.CANNOT_UNDERSTAND, "no SOP Instance UID in the data set")
    if header.sop_instance_uid != visible(uid):
        return _refused(uid, Status.OTHER_OBJECT, "the data set has another SOP Instance UID")
    study = header.study_instance_uid
    try:
        kept = inbox.keep(uid, content)
    except OSError as error:
        full = error.errno in _FULL
        status = Status.OUT_OF_RESOURCES if full else Status.CANNOT_STORE
        reason = "the disk is full" if full else f"cannot be written ({error.strerror})"
        return _refused(uid, status, reason, study)
    arrival, status, reason = {
        Keeping.NEW: (Arrival.STORED, Status.SUCCESS, ""),
        Keeping.HELD: (Arrival.HELD, Status.SUCCESS, ""),
        Keeping.CONFLICTING: (
            Arrival.CONFLICTING,
            Status.CONFLICTING,
            "other content is here under this UID: both are kept",
        ),
    }[kept.keeping]
    return Received(uid, study, arrival, status, reason, kept.path, kept.size_bytes)


def _refused(uid: str, status: Status, reason: str, study: str = "") -> Received:
    return Received(uid, study, Arrival.REFUSED, status, reason)
