"""What a scanner or archive meets when it sends to us."""

from __future__ import annotations

import errno
import os
import socket
import time

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless
from pynetdicom import build_context, evt

from zoom_imaging.network import inbox as inbox_module
from zoom_imaging.network import receiver as receiver_module
from zoom_imaging.network.peer import AllowedPeer

from .made import CR, CT, DX, NAME, PDF, SC, SR, SYNTAXES, body, dicom, thing, uid, with_uid
from .talk import calling, store


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.keyword)
def test_objects_are_kept_as_they_were_sent(post, syntax):
    """Every kind in every encoding: the data set on disk has the bytes of the one sent."""
    kinds = [CR, DX, SC, CT, PDF, SR]
    contents = {kind: dicom(thing(n, kind), syntax) for n, kind in enumerate(kinds)}
    with calling(post.port, *((kind, syntax) for kind in kinds)) as assoc:
        answers = [
            store(assoc, kind, uid(n), syntax, contents[kind]).Status
            for n, kind in enumerate(kinds)
        ]
    assert answers == [0x0000] * len(kinds)
    assert post.files == [f"{uid(n)}.dcm" for n in range(len(kinds))]
    for name, kind in zip(post.files, kinds, strict=True):
        path = post.inbox.folder / name
        assert body(path.read_bytes()) == body(contents[kind])
        meta = pydicom.dcmread(path).file_meta
        assert meta.TransferSyntaxUID == syntax
        assert meta.MediaStorageSOPClassUID == kind


def test_echo_is_answered(post):
    with calling(post.port) as assoc:
        assert assoc.send_c_echo().Status == 0x0000


def test_uncompressed_is_preferred_where_the_sender_leaves_the_choice(post):
    """Nobody is asked to compress: of one context with both, the uncompressed encoding."""
    offer = [JPEG2000Lossless, ExplicitVRLittleEndian]
    from pynetdicom import AE

    assoc = AE("SCANNER").associate(
        "127.0.0.1", post.port, contexts=[build_context(DX, offer)], ae_title="ZOOM"
    )
    accepted = [one.transfer_syntax[0] for one in assoc.accepted_contexts]
    assoc.release()
    assert accepted == [ExplicitVRLittleEndian]


def test_an_unknown_caller_is_refused_at_association(post_office):
    post = post_office(AllowedPeer("DEXA1", "127.0.0.1"))
    with calling(post.port, aet="STRANGER") as assoc:
        assert assoc.is_rejected
    with calling(post.port, aet="DEXA1") as assoc:
        assert assoc.is_established
    assert [line for line in post.said if "STRANGER" in line and "--allow" in line]


def test_the_right_title_from_a_wrong_machine_is_refused(post_office):
    post = post_office(AllowedPeer("DEXA1", "192.0.2.7"))
    with calling(post.port, aet="DEXA1") as assoc:
        assert assoc.is_rejected
        assert not assoc.is_established


def test_a_call_for_another_title_is_refused(post):
    with calling(post.port, called="OTHER") as assoc:
        assert assoc.is_rejected


def test_the_same_object_twice_is_kept_once(post):
    content = dicom(thing(1))
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answers = [
            store(assoc, DX, uid(1), ExplicitVRLittleEndian, content).Status for _ in range(2)
        ]
    assert answers == [0x0000, 0x0000]
    assert post.files == [f"{uid(1)}.dcm"]


def test_other_content_under_the_same_uid_is_kept_beside_with_a_warning(post, tmp_path):
    """Nothing is overwritten; a run over the folder reports both as conflicting."""
    from zoom_imaging.ingest.catalogue import Disposition

    first, other = thing(1), thing(1)
    other.PatientID = "ZOOM-002"
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answers = [
            store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(one))
            for one in (first, other, other)
        ]
    assert [answer.Status for answer in answers] == [0x0000, 0xB000, 0xB000]
    assert "both are kept" in answers[1].ErrorComment
    assert len(post.files) == 2
    ids = [pydicom.dcmread(post.inbox.folder / name).PatientID for name in post.files]
    assert sorted(ids) == ["ZOOM-001", "ZOOM-002"]
    assert pydicom.dcmread(post.inbox.folder / f"{uid(1)}.dcm").PatientID == "ZOOM-001"
    assert _dispositions(post.inbox.folder) == {Disposition.CONFLICTING}


def _dispositions(folder):
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue

    catalogue = build_catalogue([folder], load_charter())
    return {entry.disposition for entry in catalogue.entries}


@pytest.fixture
def lenient(monkeypatch):
    """The sender's library lets a UID pass that is none, and so does ours in production."""
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.IGNORE)
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.IGNORE)


@pytest.mark.parametrize("hostile", ["../../x", "/etc/passwd", "..", "a\\b", "con\x07"])
def test_a_hostile_uid_stays_in_the_folder(post, tmp_path, lenient, hostile):
    ds = thing(1)
    ds.SOPInstanceUID = "1." + "2" * (len(hostile) - 2) if len(hostile) > 2 else "12"
    placeholder = str(ds.SOPInstanceUID)
    content = dicom(ds)
    content = content[:132] + content[132:].replace(placeholder.encode(), hostile.encode())
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, hostile, ExplicitVRLittleEndian, content)
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {path.parent for path in new} <= {post.inbox.folder}
    assert all(name.startswith("no-uid-") for name in post.files)
    assert answer.Status in {0x0000, 0xA900, 0xC000}
    assert (answer.Status == 0x0000) == (len(post.files) == 1)


def test_a_plainly_hostile_uid_is_kept_under_a_safe_name(post, lenient):
    content = with_uid(dicom(thing(1)), uid(1), ("../../x" * 9)[: len(uid(1))])
    name = ("../../x" * 9)[: len(uid(1))]
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, name, ExplicitVRLittleEndian, content)
    assert answer.Status == 0x0000
    assert len(post.files) == 1
    assert post.files[0].startswith("no-uid-")


def test_a_data_set_of_another_object_is_refused(post):
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, uid(2), ExplicitVRLittleEndian, dicom(thing(1)))
    assert answer.Status == 0xA900
    assert post.files == []


@pytest.mark.parametrize("can_name_later", [True, False], ids=["nameless part", "named part"])
@pytest.mark.parametrize("where", ["fsync", "write"])
def test_a_full_disk_is_told_and_leaves_nothing(post_office, monkeypatch, can_name_later, where):
    if not can_name_later:
        monkeypatch.setattr(inbox_module, "_can_name_later", lambda folder: False)
    post = post_office()

    def full(*_a, **_k):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if where == "fsync":
        monkeypatch.setattr(inbox_module.os, "fsync", full)
    else:
        monkeypatch.setattr(inbox_module.os, "open", full)
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(thing(1)))
        monkeypatch.undo()
        assert answer.Status == 0xA700
        assert "full" in answer.ErrorComment
        assert post.files == []
        again = store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(thing(1)))
    assert again.Status == 0x0000
    assert post.files == [f"{uid(1)}.dcm"]


def test_a_transfer_that_breaks_off_leaves_nothing(lost_socket, post):
    """The sender's machine dies in the middle of an object."""
    content = dicom(thing(1, kilobytes=2000))
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        line = assoc.dul.socket.socket
        half = _pdus(assoc, content)[:4]
        for pdu in half:
            line.sendall(pdu)
        line.shutdown(socket.SHUT_RDWR)
    _until(lambda: not post.receiver._server.active_associations)
    assert post.files == []
    assert post.received == []


def test_who_sends_more_than_any_object_has_is_cut_off(lost_socket, post, monkeypatch):
    monkeypatch.setattr(receiver_module, "LARGEST_OBJECT_BYTES", 500_000)
    content = dicom(thing(1, kilobytes=4000))
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, uid(1), ExplicitVRLittleEndian, content)
    assert answer is None
    assert post.files == []
    assert [line for line in post.said if "more than 500000 bytes" in line]


def test_a_line_for_each_study_names_nobody(post):
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        for number, study in ((1, 901), (2, 901), (3, 902)):
            content = dicom(thing(number, study=study))
            store(assoc, DX, uid(number), ExplicitVRLittleEndian, content)
    _until(lambda: len(post.said) == 2)
    assert [line.split("study ")[1] for line in post.said] == [
        f"{uid(901)}: 2 stored",
        f"{uid(902)}: 1 stored",
    ]
    assert NAME not in "".join(post.said)
    assert "ZOOM-001" not in "".join(post.said)


def test_events_of_the_library_that_are_used_exist():
    """The receiver tells PDUs and messages by their names in pynetdicom."""
    from pynetdicom.dimse_messages import C_STORE_RQ
    from pynetdicom.pdu import P_DATA_TF

    assert {C_STORE_RQ.__name__, P_DATA_TF.__name__} == {"C_STORE_RQ", "P_DATA_TF"}
    assert evt.EVT_PDU_RECV.is_notification


def _pdus(assoc, content):
    """The P-DATA-TF PDUs of a C-STORE request, encoded."""
    import io

    from pydicom.uid import UID
    from pynetdicom.dimse_messages import C_STORE_RQ
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.pdu import P_DATA_TF

    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(DX), UID(uid(1))
    request.DataSet = io.BytesIO(body(content))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    found = []
    for primitive in message.encode_msg(assoc.accepted_contexts[0].context_id, 16382):
        pdu = P_DATA_TF()
        pdu.from_primitive(primitive)
        found.append(pdu.encode())
    return found


def _until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
