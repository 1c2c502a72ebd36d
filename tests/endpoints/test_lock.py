"""One run holds a folder; a killed one blocks nobody."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from zoom_imaging.endpoints.lock import HOLDER_NAME, hold
from zoom_imaging.errors import OutputError, OutputFolderBusyError

HOLDING = """
import sys, time
from pathlib import Path
from zoom_imaging.endpoints.lock import hold
with hold(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_process_and_host(tmp_path, other_run):
    with pytest.raises(OutputFolderBusyError) as busy, hold(tmp_path, print):
        pass
    assert f"process {other_run.pid} on host {socket.gethostname()}" in busy.value.reason


def test_the_lock_of_a_killed_run_is_taken_over_aloud(tmp_path, other_run):
    other_run.kill()
    other_run.wait()
    said = []
    with hold(tmp_path, said.append):
        assert json.loads((tmp_path / HOLDER_NAME).read_text())["pid"] == os.getpid()
    assert len(said) == 1
    assert "Taking over" in said[0]
    assert f"process {other_run.pid}" in said[0]


def test_after_a_proper_end_the_next_run_is_silent(tmp_path):
    said = []
    for _ in range(2):
        with hold(tmp_path / "new" / "folder", said.append):
            pass
    assert said == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"), hold(tmp_path / "file", print):
        pass
