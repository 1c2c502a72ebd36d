"""DICOM files to a PACS, by C-STORE or STOW-RS; what became of each file is told.

A compressed file goes as it is or not at all. An uncompressed one may be written in another
uncompressed encoding where the PACS takes no other.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from zoom_imaging.errors import InputError, NetworkError, NotDicomError, UnreadableError
from zoom_imaging.ingest.catalogue import Disposition
from zoom_imaging.ingest.header import parse
from zoom_imaging.network.dimse import Caller, reason_of, status_code
from zoom_imaging.network.transfer import MOST_CONTEXTS, contexts_to_send

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_WARNINGS = range(0xB000, 0xC000)
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True)
class Outgoing:
    """A file that may go: what an association must be opened for."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


@dataclass(frozen=True)
class Sent:
    """What became of one file; `reason` says why it did not go, or what the PACS remarked."""

    path: Path
    sop_instance_uid: str
    done: bool
    reason: str = ""


class Destination(Protocol):
    """A PACS that takes files. NetworkError where it cannot be reached at all."""

    def send(self, files: Sequence[Outgoing]) -> Iterator[Sent]:
        """Send each file; the outcomes come as they are known."""
        ...


Reader = Callable[[Path], bytes]


def outgoing(path: Path, content: bytes) -> Outgoing:
    """What must be known of a file; InputError for one that cannot be sent."""
    if content[128:132] != b"DICM":
        raise NotDicomError(f"{path.name} is no DICOM file: nothing was sent")
    parsed = parse(content)
    header = parsed.header
    if parsed.problem is Disposition.UNREADABLE or header is None or not header.sop_instance_uid:
        raise UnreadableError(f"{path.name}: {parsed.reason or 'it has no SOP Instance UID'}")
    if header.sop_class_uid == MEDIA_DIRECTORY:
        raise InputError(f"{path.name} is a DICOMDIR, which no PACS takes")
    return Outgoing(path, header.sop_class_uid, header.sop_instance_uid, header.transfer_syntax_uid)


class DimseDestination:
    """C-STORE, with as few associations as the kinds of files allow."""

    def __init__(self, caller: Caller, read: Reader) -> None:
        self._caller = caller
        self._read = read

    def send(self, files: Sequence[Outgoing]) -> Iterator[Sent]:
        """Send each file. NetworkError if not even the first association can be opened."""
        waiting = list(files)
        while waiting:
            pairs = dict.fromkeys((one.sop_class_uid, one.transfer_syntax_uid) for one in waiting)
            chosen = set(islice(pairs, MOST_CONTEXTS))
            batch = [
                one for one in waiting if (one.sop_class_uid, one.transfer_syntax_uid) in chosen
            ]
            waiting = [
                one for one in waiting if (one.sop_class_uid, one.transfer_syntax_uid) not in chosen
            ]
            yield from self._batch(batch, sorted(chosen))

    def _batch(self, batch: Sequence[Outgoing], pairs: Iterable[tuple[str, str]]) -> Iterator[Sent]:
        contexts = contexts_to_send(pairs)
        with ExitStack() as stack:
            assoc = stack.enter_context(self._caller.association(contexts))
            for one in batch:
                if not assoc.is_established:
                    # It was lost with the file before; the next one gets a new association.
                    try:
                        assoc = stack.enter_context(self._caller.association(contexts))
                    except NetworkError as error:
                        yield Sent(one.path, one.sop_instance_uid, False, error.reason)
                        continue
                yield _stored(assoc, one, self._read)


class WebDestination:
    """STOW-RS, a request for each file."""

    def __init__(self, store: Callable[[bytes], str], read: Reader) -> None:
        self._store = store
        self._read = read

    def send(self, files: Sequence[Outgoing]) -> Iterator[Sent]:
        """Send each file. NetworkError if the service does not even answer for the first."""
        answered = False
        for one in files:
            try:
                reason = self._store(self._read(one.path))
            except NetworkError as error:
                if not answered:
                    raise
                reason = error.reason
            except InputError as error:
                reason = error.reason
            answered = True
            yield Sent(one.path, one.sop_instance_uid, not reason, reason)


def _stored(assoc: Any, one: Outgoing, read: Reader) -> Sent:
    import pydicom

    def failed(reason: str) -> Sent:
        return Sent(one.path, one.sop_instance_uid, False, reason)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            status = assoc.send_c_store(pydicom.dcmread(io.BytesIO(read(one.path))))
    except InputError as error:
        return failed(error.reason)
    except ValueError:
        return failed("the PACS takes no objects of this kind in this transfer syntax")
    except Exception as error:  # what a library may meet in a file
        return failed(f"it cannot be sent ({type(error).__name__})")
    if status_code(status) is None and assoc.is_established:
        assoc.abort()  # half open: the answer to the next file would be waited for in vain
    return _answered(one, status)


def _answered(one: Outgoing, status: Dataset) -> Sent:
    """What the status of a C-STORE answer means."""
    code = status_code(status)
    if code is None:
        return Sent(one.path, one.sop_instance_uid, False, "the PACS has ended the association")
    if code == 0:
        return Sent(one.path, one.sop_instance_uid, True)
    if code in _WARNINGS:
        comment = str(status.get("ErrorComment", "") or f"0x{code:04X}")
        return Sent(one.path, one.sop_instance_uid, True, f"taken with a warning: {comment}")
    reason = f"the PACS refused it: {reason_of(code, status)}"
    return Sent(one.path, one.sop_instance_uid, False, reason)
