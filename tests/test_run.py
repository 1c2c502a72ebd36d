"""`python -m zoom_imaging.run` as a user starts it: exit codes, words and files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from zoom_imaging.batch import job
from zoom_imaging.batch.progress import Voice
from zoom_imaging.errors import (
    CharterError,
    ClinicalTableError,
    ModelMissingError,
    OutputError,
    OutputFolderBusyError,
)
from zoom_imaging.run import app

from .batch.trial_folder import row, rows, write_clinical, write_pair

COMMAND = [sys.executable, "-m", "zoom_imaging.run"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def tables(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for pattern in ("*.csv", "*.jsonl")
        for path in folder.glob(pattern)
    }


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_runs_of_the_real_command_give_equal_tables(tmp_path):
    write_pair(tmp_path / "in", "0012", 0.9, 0.918)
    clinical = write_clinical(tmp_path / "clinical.csv", "0012")
    out = tmp_path / "out"
    first = run(tmp_path / "in", "--clinical", clinical, "--out", out, "--jobs", 2)
    assert (first.returncode, first.stderr.count("Traceback")) == (0, 0), first.stderr
    assert "Reading headers ..." in first.stderr
    assert "endpoints.csv" in first.stdout
    assert "\x1b" not in first.stdout + first.stderr
    assert row(out, "endpoints.csv")["ls_bmd_change_pct"].startswith(("1.9", "2.0"))
    before, datasets = tables(out), contents(out / "adam")
    assert len(datasets) == 13
    second = run(tmp_path / "in", "--clinical", clinical, "--out", out, "--quiet")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert tables(out) == before
    assert contents(out / "adam") == datasets
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == sorted(
        [*before, "adam", "analysis.json", "reading_list.json", "report", "run.json", "sr"]
    )


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (False, 0),
        (OutputError("no space"), 1),
        (OutputFolderBusyError("held by process 7"), 1),
        (ModelMissingError("no model"), 1),
        (ClinicalTableError("c.csv line 3, column arm"), 2),
        (CharterError("c.toml"), 2),
        (True, 3),
    ],
)
def test_exit_codes(tmp_path, monkeypatch, outcome, code):
    def run_job(request, voice):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(job, "run_job", run_job)
    result = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == code
    if isinstance(outcome, Exception):
        assert result.stderr == f"Error: {outcome}\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["x"], ["x", "--out", "y", "--jobs", "0"], ["x", "--out", "y", "--engine", "z"]],
)
def test_a_wrong_command_line_is_usage(arguments):
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_every_option_reaches_the_request(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(job, "run_job", lambda request, voice: seen.append((request, voice)))
    arguments = "a b --out o --charter c --clinical d --jobs 3 --cluster tcp://h:1 --fresh"
    CliRunner().invoke(app, [*arguments.split(), "--engine", "openvino", "--quiet"])
    ((request, voice),) = seen
    assert request == job.Request(
        (Path("a"), Path("b")), Path("o"), Path("c"), Path("d"), 3, "tcp://h:1", True, "openvino"
    )
    assert voice.quiet


def test_the_app_has_one_command():
    assert isinstance(app, typer.Typer)
    assert len(app.registered_commands) == 1


CASES = {
    "id-zeros-and-spaces": {"0012": ("0.9", "2.0"), "12": ("0.7", "10.0")},
    "clinical-csv-bom-quotes-crlf": {"ZR-0701": (None, "2.0")},
    "dates-with-dots": {"ZR-0901": (None, "2.0")},
    "zip-korean-nested-apple": {"ZR-2301": (None, "2.0")},
    "truncated-many-ways": {"ZR-0201": (None, "2.0"), "ZR-0202": ("", "")},
    "text-formula-and-html": {"'=1+1": ("0.8075", "-3.965")},
    "who-same-uid-other-content": {},
    "container-zip-slip": {},
}
"""Case to subject to (baseline BMD, change in percent); "" must be empty with a reason."""


@pytest.mark.parametrize("case", CASES)
def test_hard_inputs_from_public_bug_reports(shared, tmp_path, case):
    source, out = tmp_path / "case", tmp_path / "out"
    shutil.copytree(shared / "cases" / case, source, symlinks=True)
    request = job.Request((source,), out, clinical_path=source / "clinical.csv", jobs=1)
    try:
        job.run_job(request, Voice(quiet=True))
    except ModelMissingError as error:
        pytest.skip(f"the case has films: {error}")
    for subject_id, values in CASES[case].items():
        one = row(out, "endpoints.csv", subject_id=subject_id)
        names = ("ls_bmd_baseline_g_per_cm2", "ls_bmd_change_pct")
        for name, value in zip(names, values, strict=True):
            if value:
                assert float(one[name]) == pytest.approx(float(value), abs=0.002), one
            elif value is not None:
                assert one[name] == ""
                assert one["ls_bmd_reason"]
    files = rows(out, "files.csv")
    assert len({one["path"] for one in files}) == len(files)
    assert all(one["reason"] for one in files if one["disposition"] != "used")
