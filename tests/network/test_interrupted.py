"""Transfers that break off, and processes that are killed in the middle of one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.network.manifest import default_path

from .made import DX, body, dicom, thing, uid
from .orthanc import Orthanc
from .talk import calling, store
from .test_commands import LONGEST_SECONDS, receiving
from .test_receiver import _pdus, _until

COUNT, KILOBYTES = 50, 800


def run(*arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def program(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "zoom_imaging", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def killed_when(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """SIGKILL as soon as a condition holds; an end of its own would be waited for in vain."""
    watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
    watchdog.start()
    try:
        while process.poll() is None and not condition():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(LONGEST_SECONDS)
    finally:
        watchdog.cancel()


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []


def require_whole(folder: Path) -> None:
    """Every name in the folder is that of a whole object, byte for byte as it was sent."""
    for path in folder.iterdir():
        content = path.read_bytes()
        found = pydicom.dcmread(path)
        number = int(found.SOPInstanceUID.rpartition(".")[2])
        assert path.name == f"{uid(number)}.dcm"
        assert body(content) == body(dicom(thing(number, kilobytes=KILOBYTES)))


def test_after_a_transfer_that_broke_off_the_whole_one_is_kept(lost_socket, post):
    """The sender's machine dies in the middle of an object, starts again and sends it anew."""
    content = dicom(thing(1, kilobytes=2000))
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        line = assoc.dul.socket.socket
        for pdu in _pdus(assoc, content)[:9]:
            line.sendall(pdu)
        line.shutdown(socket.SHUT_RDWR)
    _until(lambda: not post.receiver._server.active_associations)
    assert post.files == []
    with calling(post.port, (DX, ExplicitVRLittleEndian)) as assoc:
        answer = store(assoc, DX, uid(1), ExplicitVRLittleEndian, content)
    assert answer.Status == 0x0000
    assert post.files == [f"{uid(1)}.dcm"]
    assert body((post.inbox.folder / post.files[0]).read_bytes()) == body(content)


def test_a_receiver_that_is_killed_in_mid_transfer_leaves_whole_objects_and_takes_the_rest(
    tmp_path,
):
    """No half file under a name; leftovers of an hour go when it starts again, others stay.

    The sender does not wait for a dead receiver: it says what did not go.
    """
    source, folder = tmp_path / "out", tmp_path / "in"
    source.mkdir()
    for number in range(1, COUNT + 1):
        (source / uid(number)).write_bytes(dicom(thing(number, kilobytes=KILOBYTES)))
    with (
        receiving(folder) as (receiver, port),
        program("send", source, "--to", f"ZOOM@127.0.0.1:{port}") as sender,
    ):
        killed_when(receiver, lambda: len(names(folder)) > 2)
        said, _ = sender.communicate(timeout=LONGEST_SECONDS)
    assert sender.returncode == 3, said
    held = names(folder)
    assert 2 < len(held) < COUNT, "the kill came too late for this test"
    require_whole(folder)
    old, new = folder / ".incoming-0.part", folder / ".incoming-1.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    with receiving(folder) as (receiver, port):
        assert not old.exists()
        done = run("send", source, "--to", f"ZOOM@127.0.0.1:{port}")
        receiver.send_signal(signal.SIGTERM)
        told, _ = receiver.communicate(timeout=LONGEST_SECONDS)
    assert done.exit_code == 0, done.output
    assert f"{COUNT - len(held)} stored, {len(held)} already there" in told
    new.unlink()
    assert names(folder) == sorted(f"{uid(number)}.dcm" for number in range(1, COUNT + 1))
    require_whole(folder)


@pytest.mark.parametrize("way", ["move", "get"])
def test_a_fetch_that_was_killed_is_taken_up_again(pacs: Orthanc, tmp_path, way):
    """As `test_orthanc` shows for DICOMweb: each object is there once and whole, and accounted."""
    pacs.put(*(dicom(thing(number, kilobytes=KILOBYTES)) for number in range(1, COUNT + 1)))
    folder = tmp_path / "in"
    command = ["fetch", "--from", pacs.dimse, "--aet", "ZOOM", "--port", pacs.receiver_port]
    command += ["--retrieve", way, "--into", folder, "--patient-id", "ZOOM-001"]
    with program(*command) as process:
        killed_when(process, lambda: len(names(folder)) > 2)
    held = names(folder)
    assert 2 < len(held) < COUNT, "the kill came too late for this test"
    require_whole(folder)
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert f"{COUNT - len(held)} fetched, {len(held)} there already, 0 failed" in done.output
    assert names(folder) == sorted(f"{uid(number)}.dcm" for number in range(1, COUNT + 1))
    require_whole(folder)
    records = map(json.loads, default_path(folder).read_text().splitlines())
    states = {record["sop_instance_uid"]: record["state"] for record in records}
    assert set(states) == {uid(number) for number in range(1, COUNT + 1)}
    assert "failed" not in states.values()
