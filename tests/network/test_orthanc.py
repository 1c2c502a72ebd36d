"""`fetch` and `send` against a real PACS."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading

import httpx2 as httpx
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.network.manifest import default_path

from .made import CR, DX, NAME, PDF, SC, SR, body, dicom, thing, uid
from .orthanc import Orthanc

LONGEST_SECONDS = 120


def run(*arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def how(pacs: Orthanc, way: str) -> list[object]:
    """The options of each way to the PACS."""
    if way == "web":
        return ["--from", pacs.web]
    return [
        *("--from", pacs.dimse, "--aet", "ZOOM"),
        *("--retrieve", way, "--port", pacs.receiver_port),
    ]


def trial(pacs: Orthanc) -> dict[str, bytes]:
    """A small archive: what the trial wants, and what it does not."""
    wanted = {
        uid(1): dicom(thing(1, DX, study=901, series=801)),
        uid(2): dicom(thing(2, DX, study=901, series=801), JPEG2000Lossless),
        uid(3): dicom(thing(3, CR, study=902, series=802, modality="CR", patient="ZOOM-002")),
        uid(4): dicom(thing(4, SR, study=902, series=803, modality="SR", patient="ZOOM-002")),
        uid(5): dicom(thing(5, PDF, study=902, series=804, modality="OT", patient="ZOOM-002")),
        uid(6): dicom(thing(6, SC, study=902, series=804, modality="OT", patient="ZOOM-002")),
    }
    others = [
        dicom(thing(7, study=903, series=805, patient="ELSE-001")),
        dicom(thing(8, study=904, series=806, day="20240301")),
    ]
    pacs.put(*wanted.values(), *others)
    return wanted


CONDITIONS = ("--patient-id", "ZOOM-*", "--study-date", "20250101-20251231")


@pytest.mark.parametrize("way", ["web", "move", "get"])
def test_what_is_asked_for_comes_as_it_is_stored(pacs, tmp_path, way):
    """Each way brings the same set: what meets the conditions, in the encoding of the archive."""
    wanted = trial(pacs)
    done = run("fetch", *how(pacs, way), "--into", tmp_path / "in", *CONDITIONS)
    assert done.exit_code == 0, done.output
    files = {path.stem: path for path in (tmp_path / "in").iterdir()}
    assert set(files) == set(wanted)
    for name, path in files.items():
        kept, sent = pydicom.dcmread(path), wanted[name]
        original = pydicom.dcmread(pydicom.filebase.DicomBytesIO(sent))
        assert kept == original
        assert kept.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
        if way == "web":
            assert path.read_bytes() == pacs_file(pacs, name)
            assert body(path.read_bytes()) == body(sent)
    assert "6 objects of 2 studies: 6 fetched, 0 there already, 0 failed" in done.output
    assert NAME not in done.output


def pacs_file(pacs: Orthanc, name: str) -> bytes:
    (found,) = pacs.client.post("/tools/lookup", content=name).json()
    return pacs.client.get(f"/instances/{found['ID']}/file").content


def test_one_folder_filled_both_ways_holds_each_object_once(pacs, tmp_path):
    """By DICOMweb and then, without the manifest, by C-MOVE: nothing conflicts, all is there."""
    trial(pacs)
    folder = tmp_path / "in"
    run("fetch", *how(pacs, "web"), "--into", folder, *CONDITIONS)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    default_path(folder).unlink()
    done = run("fetch", *how(pacs, "move"), "--into", folder, *CONDITIONS)
    assert "0 fetched, 6 there already, 0 failed" in done.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_modality_and_study_narrow_the_search(pacs, tmp_path):
    trial(pacs)
    for way in ("web", "get"):
        folder = tmp_path / way
        done = run(
            *("fetch", *how(pacs, way), "--into", folder, "--study-uid", uid(902)),
            *("--modality", "CR", "--modality", "SR"),
        )
        assert done.exit_code == 0, done.output
        assert {path.stem for path in folder.iterdir()} == {uid(3), uid(4)}


@pytest.mark.parametrize("way", ["web", "move", "get"])
def test_a_second_call_fetches_only_what_is_missing(pacs, tmp_path, way):
    wanted = trial(pacs)
    folder = tmp_path / "in"
    run("fetch", *how(pacs, way), "--into", folder, *CONDITIONS)
    (folder / f"{uid(2)}.dcm").unlink()
    cut = folder / f"{uid(5)}.dcm"
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = run("fetch", *how(pacs, way), "--into", folder, *CONDITIONS)
    assert done.exit_code == 0, done.output
    assert "1 fetched, 5 there already, 0 failed" in done.output
    assert {path.stem for path in folder.iterdir()} == set(wanted)
    assert cut.stat().st_mtime_ns == times[cut.name]


def test_a_fetch_that_was_killed_is_taken_up_again(pacs, tmp_path):
    """Killed without warning in the middle: no half file, and the rest comes the next time."""
    count = 40
    pacs.put(*(dicom(thing(n, kilobytes=500)) for n in range(1, count + 1)))
    folder = tmp_path / "in"
    command = [sys.executable, "-m", "zoom_imaging", "fetch", *how(pacs, "web")]
    command += ["--into", folder, "--patient-id", "ZOOM-001"]
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
    watchdog.start()
    try:
        while process.poll() is None and not (folder.exists() and len(list(folder.iterdir())) > 2):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finally:
        watchdog.cancel()
    held = list(folder.iterdir())
    assert 2 < len(held) < count, "the kill came too late for this test"
    for path in held:
        assert len(pydicom.dcmread(path).PixelData) == 500 * 1024
    with default_path(folder).open("ab") as torn:
        torn.write(b'{"sop_instance_uid": "1.2')
    done = run("fetch", *how(pacs, "web"), "--into", folder, "--patient-id", "ZOOM-001")
    assert done.exit_code == 0, done.output
    assert f"{count - len(held)} fetched, {len(held)} there already, 0 failed" in done.output
    assert len(list(folder.iterdir())) == count
    records = {}
    for line in default_path(folder).read_text().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        records[record["sop_instance_uid"]] = record["state"]
    assert set(records) == {uid(n) for n in range(1, count + 1)}
    assert "failed" not in records.values()


def test_what_the_archive_cannot_give_is_failed_with_a_reason(pacs, tmp_path):
    """A file that was lost on the server's disk is told, printed and in the manifest: exit 3."""
    pacs.put(dicom(thing(1, study=901)), dicom(thing(2, study=902, series=802)))
    (found,) = pacs.client.post("/tools/lookup", content=uid(2)).json()
    attached = pacs.get(f"/instances/{found['ID']}/attachments/dicom/info")
    (lost,) = (tmp_path / "orthanc" / "db").rglob(attached["Uuid"])
    lost.unlink()
    # By DICOMweb this Orthanc does not answer any search then: see test_web.
    folder = tmp_path / "in"
    done = run("fetch", *how(pacs, "get"), "--into", folder, "--patient-id", "ZOOM-001")
    assert done.exit_code == 3, done.output
    assert f"study {uid(902)}: its series not listed: " in done.output
    assert "1 fetched, 0 there already, 1 failed" in done.output
    assert [path.stem for path in folder.iterdir()] == [uid(1)]
    states = {
        record["study_instance_uid"]: (record["state"], bool(record["reason"]))
        for record in map(json.loads, default_path(folder).read_text().splitlines())
    }
    assert states == {uid(901): ("fetched", False), uid(902): ("failed", True)}


def test_a_title_that_the_archive_does_not_know_is_explained(pacs, tmp_path):
    """The message says which title must be entered in the archive: exit 1."""
    pacs.put(dicom(thing(1)))
    done = run(
        *("fetch", "--from", pacs.dimse, "--aet", "STRANGER", "--port", 0),
        *("--into", tmp_path / "in", "--patient-id", "ZOOM-001"),
    )
    assert done.exit_code == 1
    assert "may not know our AE title STRANGER" in done.output


def test_a_receiver_where_the_archive_does_not_send_is_told(pacs, tmp_path):
    """C-MOVE to a port where the archive does not expect us: each object failed, exit 3."""
    pacs.put(dicom(thing(1)))
    done = run(
        *("fetch", "--from", pacs.dimse, "--aet", "ZOOM", "--port", 0),
        *("--into", tmp_path / "in", "--patient-id", "ZOOM-001"),
    )
    assert done.exit_code == 3, done.output
    assert re.search(rf"{re.escape(uid(1))} failed: the PACS did not send it", done.output)
    assert list((tmp_path / "in").iterdir()) == []


def test_a_wrong_password_ends_with_the_names_of_the_variables(pacs, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOOM_PACS_PASSWORD", "wrong")
    done = run("fetch", *how(pacs, "web"), "--into", tmp_path / "in", "--patient-id", "Z*")
    assert done.exit_code == 1
    assert "ZOOM_PACS_TOKEN" in done.output
    assert "wrong" not in done.output


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_structured_reports_arrive_in_the_archive(pacs, tmp_path, way):
    """A folder of reports is sent; the archive's own interface shows them."""
    folder = tmp_path / "sr"
    folder.mkdir()
    for number in (1, 2):
        content = dicom(thing(number, SR, modality="SR"))
        (folder / f"{number}.dcm").write_bytes(content)
    done = run("send", folder, "--to", getattr(pacs, way))
    assert done.exit_code == 0, done.output
    assert "2 files sent, 0 failed" in done.output
    assert pacs.held() == {uid(1), uid(2)}
    (found,) = pacs.client.post("/tools/lookup", content=uid(1)).json()
    tags = pacs.get(f"/instances/{found['ID']}/simplified-tags")
    assert tags["ConceptNameCodeSequence"][0]["CodeMeaning"] == "Imaging Measurement Report"


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_file_that_cannot_go_does_not_stop_the_others(pacs, tmp_path, way):
    """Text and a cut file among reports: each is named, the others arrive, exit 3."""
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "cut.dcm").write_bytes(dicom(thing(1))[:-300])
    (tmp_path / "film.dcm").write_bytes(dicom(thing(2), JPEG2000Lossless))
    paths = [tmp_path / name for name in ("notes.txt", "cut.dcm", "film.dcm")]
    done = run("send", *paths, "--to", getattr(pacs, way))
    assert done.exit_code == 3, done.output
    assert "1 files sent, 2 failed" in done.output
    assert re.search(r"notes\.txt: failed: .*no DICOM file", done.output)
    assert re.search(r"cut\.dcm: failed: ", done.output)
    assert pacs.held() == {uid(2)}
    assert body(pacs_file(pacs, uid(2))) == body(paths[2].read_bytes())


def test_the_archive_commits_what_it_sent_to_us(pacs, tmp_path):
    """Orthanc sends to our receiver and asks for storage commitment; it gets the report."""
    pacs.put(dicom(thing(1)), dicom(thing(2)))
    command = [sys.executable, "-m", "zoom_imaging", "receive", "--out", str(tmp_path / "in")]
    command += ["--port", str(pacs.receiver_port)]
    command += ["--allow", f"ORTHANC@127.0.0.1:{pacs.dicom_port}"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
    watchdog.start()
    try:
        assert "listens" in process.stdout.readline()
        resources = [one["ID"] for one in pacs.get("/instances?expand")]
        answer = pacs.client.post(
            "/modalities/zoom/store", json={"Resources": resources, "StorageCommitment": True}
        )
        assert answer.status_code == 200, answer.text
        said = []
        while not any("storage commitment" in line for line in said):
            line = process.stdout.readline()
            assert line, said
            said.append(line)
        report = pacs.get(f"/storage-commitment/{answer.json()['StorageCommitmentTransactionUID']}")
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(LONGEST_SECONDS)
        process.stdout.close()
    assert process.returncode == 0
    assert report["Status"] == "Success"
    assert {one["SOPInstanceUID"] for one in report["Success"]} == {uid(1), uid(2)}
    assert len(list((tmp_path / "in").iterdir())) == 2


def test_the_password_is_not_in_the_manifest_and_no_name_is(pacs, tmp_path):
    pacs.put(dicom(thing(1)))
    run("fetch", *how(pacs, "web"), "--into", tmp_path / "in", "--patient-id", "ZOOM-001")
    content = default_path(tmp_path / "in").read_text()
    assert uid(1) in content
    assert not re.search(f"{re.escape(NAME)}|ZOOM-001|not-a-secret", content)
    assert httpx.URL(pacs.web).host in content
