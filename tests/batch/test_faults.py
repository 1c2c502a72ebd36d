"""What can befall a run of many hours, done to real processes: the tables come out the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from zoom_imaging.batch.cache import CACHE_NAME, STORE_NAME

from .trial_folder import MONTH12, row, write_clinical, write_pair, write_report

pytestmark = pytest.mark.end_to_end

KILLS = 50
SUBJECTS = 20
PATIENCE_S = 120
SERVER = Path(__file__).with_name("run_server.py")


class Runs:
    """Starts, kills and awaits runs over one small trial."""

    def __init__(self, server: subprocess.Popen, folder: Path) -> None:
        self.server = server
        self.source = folder / "in"
        self.clinical = folder / "clinical.csv"
        self.log = folder / "log"

    def start(self, out: Path, fault: str = "none", path: object = "", jobs: int = 2) -> int:
        arguments = [str(self.source), "--clinical", str(self.clinical), "--out", str(out)]
        arguments += ["--jobs", str(jobs), "--quiet"]
        order = {"arguments": arguments, "log": str(self.log), "fault": fault, "path": str(path)}
        return self._ask(order)

    def wait(self, pid: int) -> int:
        return self._ask({"wait": pid})

    def go(self, out: Path, fault: str = "none", path: object = "", jobs: int = 2) -> int:
        return self.wait(self.start(out, fault, path, jobs))

    def said(self) -> str:
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text

    def _ask(self, order: dict) -> int:
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def server():
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
        process.wait()


@pytest.fixture(scope="module")
def trial(server, tmp_path_factory):
    """A small trial with the results of a run that nothing disturbed."""
    return Trial(Runs(server, tmp_path_factory.mktemp("faults")))


class Trial:
    """Reports of both visits for a few subjects; tests put back what they damage."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        ids = [f"{number:04d}" for number in range(SUBJECTS)]
        for number, one in enumerate(ids):
            write_pair(runs.source / one, one, 0.8 + number / 500, 0.82 + number / 600)
        (runs.source / "notes.txt").write_text("not DICOM")
        write_clinical(runs.clinical, *ids)
        self.folder = runs.source.parent / "undisturbed"
        start = time.monotonic()
        assert runs.go(self.folder) == 0, runs.said()
        self.seconds = time.monotonic() - start
        self.results = everything(self.folder)

    def earlier(self, out: Path) -> Path:
        """A folder with these results, and what a next run remembers, at another place."""
        return shutil.copytree(self.folder, out)


@contextmanager
def restored(path: Path):
    """Give the content of a file, and put it back in the end."""
    content = path.read_bytes()
    try:
        yield content
    finally:
        path.write_bytes(content)


def everything(folder: Path) -> dict[str, bytes]:
    """All results but run.json, which tells the time that each stage took."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).parts[0].startswith((".", "run.json"))
    }


def workers_of(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return [
            child
            for child in psutil.Process(pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        ]
    return []


def alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def until(condition, pid: int, within_s: float = PATIENCE_S) -> bool:
    """Wait for a condition for as long as the run lives."""
    end = time.monotonic() + within_s
    while time.monotonic() < end and alive(pid):
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def kill_a_worker(pid: int, chance: random.Random, within_s: float) -> bool:
    """True if a worker of the run was there in time and was killed."""
    end = time.monotonic() + within_s
    if not until(lambda: workers_of(pid), pid, within_s):
        return False
    time.sleep(chance.uniform(0, max(0.0, end - time.monotonic())))
    found = workers_of(pid)
    if not found:
        return False
    with suppress(psutil.NoSuchProcess):
        chance.choice(found).kill()
        return True
    return False


def test_fifty_kills_of_workers_and_of_the_whole_run_change_nothing(trial, tmp_path):
    """Each round: runs that lose a worker and then their life, and one that ends."""
    runs, chance = trial.runs, random.Random(20260701)
    killed = {"worker": 0, "run": 0}
    left_behind: list[psutil.Process] = []
    rounds = 0
    while sum(killed.values()) < KILLS:
        out = tmp_path / f"round{rounds}"
        rounds += 1
        assert rounds < KILLS, killed
        for _ in range(6):
            pid = runs.start(out)
            left_s = chance.uniform(0.1, 1.0) * trial.seconds
            deadline = time.monotonic() + left_s
            killed["worker"] += kill_a_worker(pid, chance, chance.uniform(0.3, 1.0) * left_s)
            time.sleep(max(0.0, deadline - time.monotonic()))
            left_behind += workers_of(pid)
            ended = not alive(pid)
            if not ended:
                os.kill(pid, 9)
                killed["run"] += 1
            runs.wait(pid)
            if ended:  # nothing is left to compute: what follows would always end
                break
        assert runs.go(out) == 0, runs.said()
        assert everything(out) == trial.results
        shutil.rmtree(out)
    assert min(killed.values()) >= KILLS // 5, killed
    _, still_there = psutil.wait_procs(left_behind, timeout=20)
    assert not still_there, "workers outlive their run"


def test_a_full_disk_ends_the_run_with_its_reason_and_a_larger_one_completes_it(trial, tmp_path):
    with small_disk(tmp_path / "disk") as grow:
        out = tmp_path / "disk" / "out"
        trial.runs.said()
        assert trial.runs.go(out) == 1
        said = trial.runs.said()
        assert "no space left" in said
        assert "Traceback" not in said
        assert not (out / "endpoints.csv").exists()
        grow()
        assert trial.runs.go(out) == 0, trial.runs.said()
        assert everything(out) == trial.results


@contextmanager
def small_disk(folder: Path):
    """A disk of 200 kB; what is given makes it large."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "zoom_imaging-test", str(folder)]
    done = (
        subprocess.run(mount, capture_output=True, check=False) if shutil.which("mount") else None
    )
    if done is None or done.returncode:
        pytest.skip("a small disk can only be mounted by root on Linux")
    try:
        remount = ["mount", "-o", "remount,size=64m", str(folder)]
        yield lambda: subprocess.run(remount, check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_file_that_may_not_grow_leaves_the_earlier_results(trial, tmp_path):
    out = trial.earlier(tmp_path / "out")
    trial.runs.said()
    with restored(trial.runs.source / "0001" / "m12.dcm"):
        write_report(trial.runs.source / "0001" / "m12.dcm", "0001", MONTH12, 0.7)
        assert trial.runs.go(out, "small_files") == 1
    said = trial.runs.said()
    assert "cannot be written" in said
    assert "Traceback" not in said
    assert everything(out) == trial.results


def test_the_input_may_be_read_only_and_is_left_as_it_is(trial, tmp_path):
    source = trial.runs.source
    places = sorted([source, *source.rglob("*")])
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = [(path, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in places]
    try:
        assert trial.runs.go(tmp_path / "out") == 0, trial.runs.said()
        found = sorted([source, *source.rglob("*")])
        assert [(path, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in found] == (
            before
        )
    finally:
        for path in places:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert everything(tmp_path / "out") == trial.results


@pytest.mark.parametrize(("fault", "said"), [("vanish", "cannot be"), ("change", "changed while")])
def test_a_file_that_goes_or_changes_while_it_is_read_is_read_by_the_next_run(
    trial, tmp_path, fault, said
):
    victim, out = trial.runs.source / "0002" / "m12.dcm", tmp_path / "out"
    with restored(victim):
        assert trial.runs.go(out, fault, victim) == 0, trial.runs.said()
    lost = row(out, "files.csv", path="0002/m12.dcm")
    assert lost["disposition"] == "unreadable"
    assert said in lost["reason"]
    one = row(out, "endpoints.csv", subject_id="0002")
    assert one["ls_bmd_change_pct"] == ""
    assert "0002/m12.dcm" in one["ls_bmd_reason"]
    assert row(out, "endpoints.csv", subject_id="0003")["ls_bmd_change_pct"]
    assert trial.runs.go(out) == 0, trial.runs.said()
    assert everything(out) == trial.results


def test_a_second_run_into_one_folder_is_refused_and_the_first_one_ends_well(trial, tmp_path):
    out, gate = tmp_path / "out", tmp_path / "gate.open"
    first = trial.runs.start(out, "pause", gate)
    assert until(gate.with_suffix(".waits").exists, first)
    trial.runs.said()
    second = Runs(trial.runs.server, trial.runs.source.parent)
    second.log = tmp_path / "log"
    assert second.go(out) == 1
    assert f"held by another run (process {first} on host" in second.said()
    assert not (out / "endpoints.csv").exists()
    gate.touch()
    assert trial.runs.wait(first) == 0, trial.runs.said()
    assert everything(out) == trial.results


def test_a_clock_that_runs_backwards_changes_nothing(trial, tmp_path):
    out, victim = tmp_path / "out", trial.runs.source / "0001" / "m12.dcm"
    with restored(victim):
        for path in trial.runs.source.rglob("*.dcm"):
            os.utime(path, (2e9, 2e9))
        assert trial.runs.go(out, "backwards") == 0, trial.runs.said()
        assert everything(out) == trial.results
        write_report(victim, "0001", MONTH12, 0.7)
        os.utime(victim, (1, 1))
        assert trial.runs.go(out, "backwards") == 0, trial.runs.said()
    assert row(out, "endpoints.csv", subject_id="0001")["ls_bmd_change_pct"].startswith("-1")


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "overwritten": lambda content: content[:5000] + b"\xff" * (len(content) - 5000),
}


def remembered(store: Path) -> set[tuple[str, str]]:
    """Every entry of the store with its digest; its size depends on the order of writing."""
    with closing(sqlite3.connect(store)) as connection:
        return set(connection.execute("SELECT key, digest FROM outcomes"))


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_cache_is_computed_again(trial, tmp_path, kind):
    out = trial.earlier(tmp_path / "out")
    store = out / CACHE_NAME / STORE_NAME
    whole = remembered(store)
    assert len(whole) > SUBJECTS
    store.write_bytes(DAMAGES[kind](store.read_bytes()))
    (out / "endpoints.csv").unlink()
    trial.runs.said()
    assert trial.runs.go(out) == 0, trial.runs.said()
    assert everything(out) == trial.results
    assert remembered(store) == whole
    assert trial.runs.said() == ""


def test_a_transfer_that_was_cut_is_told_and_its_repetition_completes_the_results(trial, tmp_path):
    """A sender that stops in mid-file leaves a stump; sending it again is all that it takes."""
    out = tmp_path / "out"
    stumps = {"0001": 0, "0002": 100, "0003": 700, "0004": -10}
    with ExitStack() as stack:
        for subject_id, kept in stumps.items():
            victim = trial.runs.source / subject_id / "base.dcm"
            content = stack.enter_context(restored(victim))
            victim.write_bytes(content[:kept])
        assert trial.runs.go(out) == 0, trial.runs.said()
    for subject_id in stumps:
        lost = row(out, "files.csv", path=f"{subject_id}/base.dcm")
        assert lost["disposition"] in {"unreadable", "not_dicom"}
        assert lost["reason"]
        one = row(out, "endpoints.csv", subject_id=subject_id)
        assert one["ls_bmd_change_pct"] == ""
        assert one["ls_bmd_reason"]
    assert row(out, "endpoints.csv", subject_id="0005")["ls_bmd_change_pct"]
    assert trial.runs.go(out) == 0, trial.runs.said()
    assert everything(out) == trial.results
