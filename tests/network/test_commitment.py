"""Storage commitment: a sender may delete only what we say that we hold."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from zoom_imaging.network.peer import AllowedPeer

from .made import CR, DX, dicom, thing, uid
from .talk import calling, free_port, store

TRANSACTION = uid(555)
_LONGEST_SECONDS = 60


@dataclass
class Desk:
    """Where the sender waits for reports."""

    come: threading.Event = field(default_factory=threading.Event)
    types: list[int] = field(default_factory=list)
    reports: list[Dataset] = field(default_factory=list)

    def handle(self, event):
        self.types.append(event.event_type)
        self.reports.append(event.event_information)
        self.come.set()
        return 0x0000, None

    def wait(self) -> tuple[int, Dataset]:
        assert self.come.wait(_LONGEST_SECONDS)
        return self.types[0], self.reports[0]


@pytest.fixture
def desk():
    return Desk()


def ask(assoc, *references: tuple[str, str]) -> int:
    request = Dataset()
    request.TransactionUID = TRANSACTION
    items = []
    for sop_class, sop_instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
        items.append(item)
    request.ReferencedSOPSequence = Sequence(items)
    return send_action(assoc, request)


def send_action(assoc, request: Dataset, action: int = 1) -> int:
    status, _ = assoc.send_n_action(
        request, action, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    return int(status.Status)


KINDS = ((DX, ExplicitVRLittleEndian), (StorageCommitmentPushModel, ExplicitVRLittleEndian))


def test_what_is_held_is_committed_on_the_same_association(post, desk):
    """The sender keeps its association open, and gets the report there."""
    handlers = [(evt.EVT_N_EVENT_REPORT, desk.handle)]
    with calling(post.port, *KINDS, handlers=handlers) as assoc:
        store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(thing(1)))
        assert ask(assoc, (DX, uid(1))) == 0x0000
        event_type, report = desk.wait()
    assert event_type == 1
    assert report.TransactionUID == TRANSACTION
    assert [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence] == [uid(1)]
    assert "FailedSOPSequence" not in report


def test_what_is_not_held_is_named_with_its_reason(post, desk):
    """Not there, of another class, or damaged since: each is in the list of failures."""
    handlers = [(evt.EVT_N_EVENT_REPORT, desk.handle)]
    with calling(post.port, *KINDS, handlers=handlers) as assoc:
        for number in (1, 2, 3):
            store(assoc, DX, uid(number), ExplicitVRLittleEndian, dicom(thing(number)))
        damaged = post.inbox.folder / f"{uid(3)}.dcm"
        damaged.write_bytes(damaged.read_bytes()[:-500])
        assert ask(assoc, (DX, uid(1)), (CR, uid(2)), (DX, uid(3)), (DX, uid(4))) == 0x0000
        event_type, report = desk.wait()
    assert event_type == 2
    assert [item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence] == [uid(1)]
    failures = {
        item.ReferencedSOPInstanceUID: item.FailureReason for item in report.FailedSOPSequence
    }
    assert failures == {uid(2): 0x0119, uid(3): 0x0112, uid(4): 0x0112}


def test_a_sender_that_hangs_up_is_called_back(post_office, desk):
    """The report goes to the port that the allow-list names, on a new association."""
    port = free_port()
    listener = AE("SCANNER")
    listener.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    server = listener.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, desk.handle)]
    )
    try:
        post = post_office(AllowedPeer("SCANNER", "127.0.0.1", port))
        with calling(post.port, *KINDS) as assoc:
            store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(thing(1)))
            assert ask(assoc, (DX, uid(1))) == 0x0000
        event_type, report = desk.wait()
    finally:
        server.shutdown()
    assert event_type == 1
    assert report.TransactionUID == TRANSACTION


def test_a_report_that_cannot_be_delivered_is_told(post, desk):
    """Without a port in the allow-list there is nobody to call back, and the log says so."""
    with calling(post.port, *KINDS) as assoc:
        assert ask(assoc, (DX, uid(1))) == 0x0000
    post.receiver.stop()
    (line,) = [line for line in post.said if "commitment" in line]
    assert "could not be reported" in line
    assert "--allow SCANNER@HOST:PORT" in line


def test_a_request_that_is_none_is_refused(post):
    with calling(post.port, *KINDS) as assoc:
        assert send_action(assoc, without_references()) == 0x0115
        assert send_action(assoc, without_references(), action=2) == 0x0123


def without_references() -> Dataset:
    request = Dataset()
    request.TransactionUID = TRANSACTION
    return request
