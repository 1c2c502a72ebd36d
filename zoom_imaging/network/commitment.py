"""Storage commitment, push model (PS3.4 annex J): we say which objects we hold, whole, on disk.

The sender asks with N-ACTION and gets N-EVENT-REPORT: on the association that it asked on if it
keeps that open, else on a new one to the port that the allow-list names.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.peer import DimsePeer
from zoom_imaging.network.tls import Tls

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_log = logging.getLogger("zoom_imaging.network")
_REQUEST_ACTION = 1
_KEPT_OPEN_SECONDS = 1.0
"""A sender that ends its association within this time does not wait for the report on it."""
_PAUSES_SECONDS = (0.0, 2.0, 10.0)
"""Before each attempt to reach the sender."""


class Failure(IntEnum):
    """Why an object is not committed (PS3.3 C.14.1.1)."""

    PROCESSING = 0x0110
    NOT_HERE = 0x0112
    OTHER_CLASS = 0x0119


class Refusal(IntEnum):
    """Why a request is not answered with a report."""

    INVALID_ARGUMENT = 0x0115
    NO_SUCH_ACTION = 0x0123


@dataclass(frozen=True)
class Report:
    """What an N-EVENT-REPORT says: event type 1 (all are held) or 2 (some are not)."""

    information: Dataset
    committed: int
    failed: int

    @property
    def event_type(self) -> int:
        """1 without failures, else 2."""
        return 2 if self.failed else 1


def report_on(request: Dataset, inbox: Inbox) -> Report:
    """Look for each object of the request. KeyError where the request lacks what it must have."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    held, failures = [], []
    for reference in request["ReferencedSOPSequence"].value:
        item = Dataset()
        # Elements as they came: a UID that is none is still told back.
        for keyword in ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID"):
            item.add(deepcopy(reference[keyword]))
        failure = _failure(inbox, reference)
        if failure is None:
            held.append(item)
        else:
            item.FailureReason = int(failure)
            failures.append(item)
    information = Dataset()
    information.add(deepcopy(request["TransactionUID"]))
    if held:
        information.ReferencedSOPSequence = Items(held)
    if failures:
        information.FailedSOPSequence = Items(failures)
    return Report(information, len(held), len(failures))


def _failure(inbox: Inbox, reference: Dataset) -> Failure | None:
    found = inbox.find(str(reference.ReferencedSOPInstanceUID))
    if found is None:
        return Failure.NOT_HERE
    _, header = found
    if header.sop_class_uid != str(reference.ReferencedSOPClassUID):
        return Failure.OTHER_CLASS
    return None


class Commitment:
    """Handles N-ACTION, and reports from threads of its own."""

    def __init__(
        self,
        inbox: Inbox,
        aet: str,
        listener: Callable[[Any], DimsePeer | None],
        say: Callable[[str], None],
        tls: Tls,
    ) -> None:
        self._context = tls.calling() if tls.authority else None
        self._inbox = inbox
        self._aet = aet
        self._listener = listener
        self._say = say
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def __call__(self, event: Any) -> tuple[int, Dataset | None]:
        """Handler for pynetdicom of `EVT_N_ACTION`."""
        if event.action_type != _REQUEST_ACTION:
            return int(Refusal.NO_SUCH_ACTION), None
        try:
            report = report_on(event.action_information, self._inbox)
        except Exception:  # whatever a peer may write into a request
            _log.warning("a request for storage commitment cannot be read", exc_info=True)
            return int(Refusal.INVALID_ARGUMENT), None
        thread = threading.Thread(target=self._deliver, args=(event.assoc, report), daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()
        return 0x0000, None

    def end(self, seconds: float) -> None:
        """Let reports go out that are under way, but wait for no further attempt."""
        self._ending.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _deliver(self, assoc: Any, report: Report) -> None:
        peer = self._listener(assoc)
        title = assoc.requestor.ae_title.strip()
        try:
            done = self._on_same(assoc, report) or (peer is not None and self._on_new(peer, report))
        except Exception:
            _log.exception("a report of storage commitment failed")
            done = False
        outcome = "reported" if done else "could not be reported"
        if not done and peer is None:
            outcome += f" (its port is not known: --allow {title}@HOST:PORT names it)"
        self._say(
            f"{title}: storage commitment of {report.committed} objects, "
            f"{report.failed} not held here, {outcome}"
        )

    def _on_same(self, assoc: Any, report: Report) -> bool:
        # The report must follow the answer to the request, and not meet a release half-way:
        # so wait until this is an association that is kept open.
        deadline = time.monotonic() + _KEPT_OPEN_SECONDS
        while time.monotonic() < deadline:
            if not assoc.is_established or self._ending.wait(0.02):
                return False
        return assoc.is_established and _sent(assoc, report)

    def _on_new(self, peer: DimsePeer, report: Report) -> bool:
        from pynetdicom import AE, build_role
        from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

        entity = AE(self._aet)
        entity.add_requested_context(StorageCommitmentPushModel)
        entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 10
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        tls = (self._context, peer.host) if self._context else None
        for pause in _PAUSES_SECONDS:
            if pause and self._ending.wait(pause):
                return False
            assoc = entity.associate(
                peer.host, peer.port, ae_title=peer.aet, ext_neg=[role], tls_args=tls
            )
            if assoc.is_established:
                try:
                    if _sent(assoc, report):
                        return True
                finally:
                    assoc.release()
        return False


def _sent(assoc: Any, report: Report) -> bool:
    from pynetdicom.sop_class import (  # type: ignore[attr-defined]
        StorageCommitmentPushModel,
        StorageCommitmentPushModelInstance,
    )

    status, _ = assoc.send_n_event_report(
        report.information,
        report.event_type,
        StorageCommitmentPushModel,
        StorageCommitmentPushModelInstance,
    )
    return bool("Status" in status and status.Status == 0x0000)
