"""A whole run in this process: what it writes, what it keeps, and when it refuses."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace

import pytest

from zoom_imaging.batch.cluster import Done, Team
from zoom_imaging.batch.job import Request, run_job
from zoom_imaging.batch.progress import Voice
from zoom_imaging.charter import default_charter_path
from zoom_imaging.endpoints.dictionary import TABLES
from zoom_imaging.endpoints.lock import hold
from zoom_imaging.errors import (
    CharterError,
    ClinicalTableError,
    ConfigurationError,
    OutputError,
    OutputFolderBusyError,
)

from .trial_folder import (
    BASELINE,
    MONTH12,
    row,
    rows,
    write_clinical,
    write_pair,
    write_report,
)

REAL_SPREAD = Team.spread
TABLE_NAMES = [table.file_name for table in TABLES]


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Worker processes have their own tests; here they would only cost time."""

    def spread(team, tasks, function, **_):
        yield from (Done(task, function(task)) for task in tasks)

    monkeypatch.setattr(Team, "spread", spread)


@pytest.fixture
def trial(tmp_path):
    """Two subjects whose ids differ by leading zeros only, and a file that is no DICOM file."""
    source = tmp_path / "in"
    write_pair(source / "a", "0012", 0.9, 0.918)
    write_pair(source / "b", "12", 0.7, 0.77)
    (source / "notes.txt").write_text("not DICOM")
    clinical = write_clinical(tmp_path / "clinical.csv", "0012", "12", "ZR-9")
    return Request((source,), tmp_path / "out", clinical_path=clinical, jobs=1)


def go(request):
    return run_job(request, Voice(quiet=True))


def tables(folder):
    return {name: (folder / name).read_bytes() for name in [*TABLE_NAMES, "outlines.jsonl"]}


@pytest.fixture
def computed(monkeypatch):
    """Paths of the files that were really read, in place of what the cache knows."""
    found = []
    spread = Team.spread

    def spy(team, tasks, function, **_):
        if isinstance(tasks, list):  # what is written afterwards comes one by one
            found.append(sorted(task.source.path for task in tasks))
        return spread(team, tasks, function)

    monkeypatch.setattr(Team, "spread", spy)
    return found


def test_two_subjects_from_files_to_tables(trial):
    assert go(trial) is False
    out = trial.out
    first = row(out, "endpoints.csv", subject_id="0012")
    assert float(first["ls_bmd_baseline_g_per_cm2"]) == pytest.approx(0.9, abs=0.0005)
    assert float(first["ls_bmd_change_pct"]) == pytest.approx(2.0, abs=0.05)
    assert first["ls_bmd_levels"] == "L1-L4"
    assert first["arm_planned"] == "once"
    assert first["l3_bmd_month12_g_per_cm2"] == "0.9180"
    assert first["l3_tscore_month12"] == "-1.80"
    assert first["incident_vf"] == "not_evaluable"
    assert first["new_vf_count"] == ""
    second = row(out, "endpoints.csv", subject_id="12")
    assert float(second["ls_bmd_change_pct"]) == pytest.approx(10.0, abs=0.05)
    nobody = row(out, "endpoints.csv", subject_id="ZR-9")
    assert nobody["ls_bmd_change_pct"] == ""
    assert nobody["ls_bmd_reason"]
    files = rows(out, "files.csv")
    assert sorted(one["disposition"] for one in files) == ["not_dicom"] + ["used"] * 5
    assert all(one["reason"] for one in files if one["disposition"] == "not_dicom")
    assert len(rows(out, "vertebrae.csv")) == 3 * 2 * 13
    assert len(rows(out, "changes.csv")) == 3 * 13
    assert {one["source"] for one in rows(out, "dxa.csv")} == {"hologic_text"}
    assert (out / "report" / "index.html").is_file()
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["counts"]["files"] == len(files) == len(record["inputs"])
    assert record["charter"]["trial"]["name"] == "ZOOM"
    assert set(record["seconds"]) >= {"Reading headers", "Comparing visits"}


def test_a_second_run_reads_only_what_changed_in_content(trial, computed):
    go(trial)
    before = tables(trial.out)
    source = trial.sources[0]
    for path in source.rglob("*.dcm"):
        os.utime(path, (1, 1))
    go(trial)
    assert tables(trial.out) == before
    size = (source / "a" / "m12.dcm").stat().st_size
    write_report(source / "a" / "m12.dcm", "0012", MONTH12, 0.882)
    os.utime(source / "a" / "m12.dcm", (1, 1))
    assert (source / "a" / "m12.dcm").stat().st_size == size
    go(trial)
    everything = ["a/base.dcm", "a/m12.dcm", "b/base.dcm", "b/m12.dcm"]
    assert computed == [everything, ["a/m12.dcm"]]
    changed = row(trial.out, "endpoints.csv", subject_id="0012")
    assert float(changed["ls_bmd_change_pct"]) == pytest.approx(-2.0, abs=0.05)
    go(replace(trial, fresh=True))
    assert computed[-1] == everything


def test_tables_do_not_depend_on_processes_or_folder(trial, tmp_path, monkeypatch):
    go(trial)
    monkeypatch.setattr(Team, "spread", REAL_SPREAD)
    go(replace(trial, out=tmp_path / "elsewhere", jobs=3))
    assert tables(tmp_path / "elsewhere") == tables(trial.out)


def test_results_inside_a_source_are_never_read_again(trial):
    inside = replace(trial, out=trial.sources[0] / "results")
    go(inside)
    before = tables(inside.out)
    go(inside)
    assert tables(inside.out) == before
    assert not [one for one in rows(inside.out, "files.csv") if one["path"].startswith("results")]


def test_a_cut_report_is_unreadable_and_gives_no_value(trial):
    path = trial.sources[0] / "a" / "base.dcm"
    path.write_bytes(path.read_bytes()[:1200])
    assert go(trial) is False
    lost = row(trial.out, "files.csv", path="a/base.dcm")
    assert lost["disposition"] == "unreadable"
    assert lost["reason"]
    one = row(trial.out, "endpoints.csv", subject_id="0012")
    assert one["ls_bmd_baseline_g_per_cm2"] == one["ls_bmd_change_pct"] == ""
    assert one["ls_bmd_reason"]
    assert row(trial.out, "endpoints.csv", subject_id="12")["ls_bmd_change_pct"]


def test_two_contents_of_one_uid_give_neither_and_say_so(trial):
    folder = trial.sources[0] / "a"
    for name, bmd in (("base.dcm", 0.9), ("edited.dcm", 0.95)):
        write_report(folder / name, "0012", BASELINE, bmd, uid="1.2.3.4")
    go(trial)
    for name in ("base.dcm", "edited.dcm"):
        assert row(trial.out, "files.csv", path=f"a/{name}")["disposition"] == "conflicting"
    one = row(trial.out, "endpoints.csv", subject_id="0012")
    assert one["ls_bmd_baseline_g_per_cm2"] == ""
    assert "conflicting" in one["ls_bmd_reason"]
    assert one["query_count"] != "0"


def test_ids_that_are_formulas_are_spelled_alike_in_all_tables(trial):
    write_pair(trial.sources[0] / "c", "=1+1", 0.9, 0.88)
    write_clinical(trial.clinical_path, "0012", "12", "=1+1")
    go(trial)
    one = row(trial.out, "endpoints.csv", subject_id="'=1+1")
    assert one["arm_planned"] == "once"
    assert one["ls_bmd_change_pct"].startswith("-2.")
    for name in ("files.csv", "dxa.csv", "vertebrae.csv", "changes.csv"):
        spelled = {found["subject_id"] for found in rows(trial.out, name)} - {""}
        assert spelled == {"'=1+1", "0012", "12"}, name


def test_a_study_that_kills_its_worker_fails_alone_and_is_tried_again_later(
    trial, computed, monkeypatch
):
    spread = Team.spread

    def killing(team, tasks, function, **_):
        tasks = list(tasks)
        killer = [task for task in tasks if task.source.path == "b/m12.dcm"]
        yield from spread(team, [task for task in tasks if task not in killer], function)
        yield from (Done(task, None, "the worker process died") for task in killer)

    with monkeypatch.context() as patch:
        patch.setattr(Team, "spread", killing)
        assert go(trial) is True
    lost = row(trial.out, "files.csv", path="b/m12.dcm")
    assert lost["disposition"] == "failed"
    assert "worker process died" in lost["reason"]
    good = row(trial.out, "endpoints.csv", subject_id="0012")
    assert float(good["ls_bmd_change_pct"]) == pytest.approx(2.0, abs=0.05)
    assert row(trial.out, "endpoints.csv", subject_id="12")["ls_bmd_change_pct"] == ""
    assert go(trial) is False
    assert computed[-1] == ["b/m12.dcm"]
    assert row(trial.out, "endpoints.csv", subject_id="12")["ls_bmd_change_pct"]


def test_a_full_disk_leaves_the_earlier_results_and_a_plain_run_mends_it(trial, monkeypatch):
    go(trial)
    before = tables(trial.out)
    write_report(trial.sources[0] / "a" / "m12.dcm", "0012", MONTH12, 0.882)
    with monkeypatch.context() as patch:

        def full(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="no space"):
            go(trial)
    assert tables(trial.out) == before
    go(trial)
    assert tables(trial.out) != before


def test_a_folder_in_use_is_refused_and_not_touched(trial):
    with hold(trial.out, print), pytest.raises(OutputFolderBusyError, match=str(os.getpid())):
        go(trial)
    assert not (trial.out / "endpoints.csv").exists()


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"engine": "abacus"}, ConfigurationError, "abacus"),
        ({"charter_path": "text"}, CharterError, "not valid TOML"),
        ({"clinical_path": "text"}, ClinicalTableError, "line 1"),
        ({"sources": "missing"}, ConfigurationError, "does not exist"),
        ({"out": "source"}, ConfigurationError, "result folder"),
        ({"out": "above"}, ConfigurationError, "result folder"),
    ],
)
def test_a_wrong_request_is_told_before_any_work(trial, tmp_path, change, error, named):
    text = tmp_path / "text"
    text.write_text("a,b\n?")
    named_paths = {
        "text": text,
        "missing": (tmp_path / "nowhere",),
        "source": trial.sources[0],
        "above": tmp_path,
    }
    wrong = replace(trial, **{key: named_paths.get(value, value) for key, value in change.items()})
    seen = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=named):
        go(wrong)
    assert sorted(tmp_path.rglob("*")) == seen


def test_the_trial_may_bring_its_own_charter(trial, tmp_path):
    text = default_charter_path().read_text(encoding="utf-8")
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(text.replace("minimum_vertebrae = 2", "minimum_vertebrae = 4"))
    strict = tmp_path / "strict.toml"
    strict.write_text(text.replace("'^[^\\x00-\\x1f\\x7f]{1,64}$'", r"'^\d{4}$'"))
    go(replace(trial, charter_path=narrow))
    assert row(trial.out, "endpoints.csv", subject_id="12")["ls_bmd_change_pct"]
    go(replace(trial, charter_path=strict))
    assert row(trial.out, "files.csv", path="b/base.dcm")["disposition"] == "unknown_subject"
    assert row(trial.out, "endpoints.csv", subject_id="12")["ls_bmd_change_pct"] == ""


@pytest.mark.parametrize(
    ("breakage", "named"),
    [
        (("zoom_imaging.batch.elsewhere.program_sha256", lambda: "x"), "another version"),
        (("zoom_imaging.batch.elsewhere.os.path.isdir", lambda path: False), "does not see"),
    ],
)
def test_a_worker_elsewhere_that_is_set_up_otherwise_ends_the_run(trial, breakage, named):
    """Its results would be remembered as this program's, or every file would be unreadable."""

    def spread(team, tasks, function, **_):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*breakage)
            yield from (Done(task, function(task)) for task in tasks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Team, "spread", spread)
        with pytest.raises(ConfigurationError, match=named):
            go(replace(trial, cluster="tcp://elsewhere:8786"))
        assert not (trial.out / "endpoints.csv").exists()
    assert go(replace(trial, cluster="tcp://elsewhere:8786")) is False
