"""`receive` and `send` as processes: against each other, without a PACS."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from pydicom.uid import JPEG2000Lossless
from typer.testing import CliRunner

from zoom_imaging.__main__ import app

from .made import NAME, SR, body, dicom, thing, uid
from .talk import free_port

LONGEST_SECONDS = 120


def run(*arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@contextmanager
def receiving(folder, *options: str):
    """A receiver in a process of its own, and its port."""
    command = [sys.executable, "-m", "zoom_imaging", "receive", "--out", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        found = re.search(r"port (\d+)", line)
        assert found, process.stderr.read()
        yield process, int(found[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(LONGEST_SECONDS)
        watchdog.cancel()
        process.stdout.close()
        process.stderr.close()


def test_what_is_sent_is_received_and_the_end_is_clean(tmp_path):
    """Files of several encodings go over; SIGTERM ends the receiver with exit 0."""
    files = {uid(1): dicom(thing(1)), uid(2): dicom(thing(2), JPEG2000Lossless)}
    files[uid(3)] = dicom(thing(3, SR, modality="SR"))
    source = tmp_path / "out"
    source.mkdir()
    for name, content in files.items():
        (source / name).write_bytes(content)
    with receiving(tmp_path / "in", "--allow", "ZOOM@127.0.0.1") as (process, port):
        done = run("send", source, "--to", f"ZOOM@127.0.0.1:{port}")
        assert done.exit_code == 0, done.output
        assert "3 files sent, 0 failed" in done.output
        refused = run("send", source, "--to", f"ZOOM@127.0.0.1:{port}", "--aet", "STRANGER")
        assert refused.exit_code == 1
        assert "refuses an association with STRANGER" in refused.output
        process.send_signal(signal.SIGTERM)
        said, complaints = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 0
    assert complaints == ""
    assert f"study {uid(900)}: 3 stored" in said
    assert NAME not in said
    received = {path.stem: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    assert {name: body(content) for name, content in received.items()} == {
        name: body(content) for name, content in files.items()
    }


def test_a_conflict_is_told_to_the_sender(tmp_path):
    first, other = tmp_path / "first.dcm", tmp_path / "other.dcm"
    first.write_bytes(dicom(thing(1)))
    other.write_bytes(dicom(thing(1, patient="ZOOM-002")))
    with receiving(tmp_path / "in") as (_, port):
        done = run("send", first, other, "--to", f"ZOOM@127.0.0.1:{port}")
    assert done.exit_code == 0
    assert re.search(r"other\.dcm: sent: taken with a warning: .*both are kept", done.output)
    assert len(os.listdir(tmp_path / "in")) == 2


def test_nobody_at_the_other_end_is_exit_1(tmp_path, lost_socket):
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom(thing(1)))
    done = run("send", path, "--to", f"PACS@127.0.0.1:{free_port()}")
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("receive", "--out", "in", "--host", "0.0.0.0"),
        ("receive", "--out", "in", "--aet", "A_TITLE_OF_TOO_MANY_SIGNS"),
        ("receive", "--out", "in", "--allow", "A@:1"),
        ("send", "no-such-folder*", "--to", "nowhere"),
        ("fetch", "--from", "PACS", "--into", "in", "--modality", "DX"),
    ],
)
def test_usage_is_exit_2_and_nothing_is_made(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert done.output.startswith("Error: ")
    assert os.listdir(tmp_path) == []


def test_a_port_that_is_taken_is_told(tmp_path):
    with receiving(tmp_path / "in") as (_, port):
        done = run("receive", "--out", tmp_path / "other", "--port", port)
    assert done.exit_code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.output


def test_without_the_extra_the_message_names_it(tmp_path, monkeypatch):
    from zoom_imaging.commands import network

    monkeypatch.setattr(network.util, "find_spec", lambda name: None)
    done = run("receive", "--out", tmp_path / "in")
    assert done.exit_code == 2
    assert "pip install 'zoom_imaging[pacs]'" in done.output
