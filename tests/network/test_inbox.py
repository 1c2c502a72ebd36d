"""The folder that objects arrive in: whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from zoom_imaging.errors import OutputError
from zoom_imaging.network import inbox as module
from zoom_imaging.network.inbox import Inbox, Keeping, safe_name

from .made import dicom, thing, uid


@pytest.fixture(params=["nameless part", "named part", "no hard links"])
def inbox(request, tmp_path, monkeypatch) -> Inbox:
    """Each way of writing, as file systems allow them."""
    if request.param != "nameless part":
        monkeypatch.setattr(module, "_can_name_later", lambda folder: False)
    if request.param == "no hard links":

        def refuse(*_arguments, **_options):
            raise PermissionError("no hard links here")

        monkeypatch.setattr(module.os, "link", refuse)
    return Inbox(tmp_path / "in")


def names(inbox: Inbox) -> list[str]:
    return sorted(os.listdir(inbox.folder))


def test_a_file_is_kept_as_it_is(inbox):
    content = dicom(thing(1))
    kept = inbox.keep(uid(1), content)
    assert kept.keeping is Keeping.NEW
    assert kept.path.read_bytes() == content
    assert names(inbox) == [f"{uid(1)}.dcm"]
    path, header = inbox.find(uid(1))
    assert path == kept.path
    assert header.sop_instance_uid == uid(1)


def test_the_same_data_set_in_another_encoding_is_no_conflict(inbox):
    """Archives write lengths and encodings anew: what is there stays, and nothing is added."""
    first = dicom(thing(1), ExplicitVRLittleEndian)
    inbox.keep(uid(1), first)
    kept = inbox.keep(uid(1), dicom(thing(1), ImplicitVRLittleEndian))
    assert kept.keeping is Keeping.HELD
    assert names(inbox) == [f"{uid(1)}.dcm"]
    assert kept.path.read_bytes() == first


def test_other_content_is_kept_beside_once(inbox):
    contents = [dicom(thing(1, patient=name)) for name in ("ZOOM-001", "ZOOM-002")]
    keepings = [inbox.keep(uid(1), content).keeping for content in (*contents, contents[1])]
    assert keepings == [Keeping.NEW, Keeping.CONFLICTING, Keeping.CONFLICTING]
    assert len(names(inbox)) == 2
    assert {(inbox.folder / name).read_bytes() for name in names(inbox)} == set(contents)


def test_many_at_once_are_each_kept_once(inbox):
    """Ten senders of the same two contents at a time: two files, both whole."""
    contents = [dicom(thing(1, patient=name)) for name in ("ZOOM-001", "ZOOM-002")]
    keepings = []
    threads = [
        threading.Thread(
            target=lambda content: keepings.append(inbox.keep(uid(1), content).keeping),
            args=(contents[number % 2],),
        )
        for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keepings.count(Keeping.NEW) == 1
    assert len(keepings) == 10
    assert {(inbox.folder / name).read_bytes() for name in names(inbox)} == set(contents)


def test_a_damaged_file_does_not_count_as_there(inbox):
    path = inbox.keep(uid(1), dicom(thing(1))).path
    path.write_bytes(path.read_bytes()[:-100])
    assert inbox.find(uid(1)) is None
    assert inbox.find(uid(2)) is None


def test_an_old_part_of_a_killed_process_is_removed_and_a_new_one_is_not(tmp_path):
    old, new = tmp_path / ".incoming-1.part", tmp_path / ".incoming-2.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    Inbox(tmp_path)
    assert not old.exists()
    assert new.exists()


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs Linux")
def test_a_process_killed_while_it_writes_leaves_no_name(tmp_path):
    """Killed between the last byte and the name: the folder is empty afterwards."""
    program = (
        "import os, sys, pathlib\n"
        "from zoom_imaging.network import inbox\n"
        "def wait(descriptor):\n"
        "    print('written', flush=True)\n"
        "    sys.stdin.read()\n"
        "box = inbox.Inbox(pathlib.Path(sys.argv[1]))\n"
        "assert box._unnamed\n"
        "inbox.os.fsync = wait\n"
        "box.keep('1.2.3', b'x' * 1000000)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "in")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert os.listdir(tmp_path / "in") == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Inbox(tmp_path / "file" / "in")


@pytest.mark.parametrize(
    "hostile",
    ["../../x", "..", "", "/etc/passwd", "1.2/3", "1.2\x00", "a" * 64, "1" * 65, "\udcff"],
)
def test_a_name_never_leaves_the_folder(hostile):
    name = safe_name(hostile)
    assert name.startswith("no-uid-")
    assert name.isascii()
    assert os.path.basename(name) == name


def test_a_uid_is_its_own_name():
    assert safe_name("1.2.840.10008.1") == "1.2.840.10008.1"
