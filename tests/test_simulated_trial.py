"""A simulated trial of 114 subjects: what was put in comes out of tables and analysis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from zoom_imaging.endpoints.analysis.noninferiority import adjusted_difference

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def trial(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trial")
    command = [sys.executable, str(root / "scripts" / "simulate_trial.py"), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return out


@pytest.fixture(scope="module")
def truth(trial: Path) -> dict[str, dict[str, object]]:
    return json.loads((trial / "truth.json").read_text())


def test_the_change_of_every_subject_is_the_one_put_in(trial: Path, truth) -> None:
    table = pd.read_csv(trial / "endpoints.csv").set_index("subject_id")
    assert len(table) == 114
    known = table.ls_bmd_change_pct.dropna()
    assert len(known) > 95
    for subject, change in known.items():
        # Printed BMD has three decimals: a change of 0.8 g/cm2 carries 0.13 points of rounding.
        assert change == pytest.approx(truth[subject]["change_pct"], abs=0.13)
    assert set(known.index) <= {name for name, one in truth.items() if one["returned"]}


def test_fractures_are_those_put_in_wherever_the_level_was_seen(trial: Path, truth) -> None:
    changes = pd.read_csv(trial / "changes.csv")
    for row in changes.itertuples():
        put_in = row.level in truth[row.subject_id]["new"]
        assert row.change in (
            {"new", "not_evaluable"} if put_in else {"none", "not_evaluable", "ceiling"}
        )
    table = pd.read_csv(trial / "endpoints.csv").set_index("subject_id")
    for subject, one in truth.items():
        state = table.incident_vf[subject]
        if state == "no":
            assert not one["new"]
        if state == "yes":
            assert one["new"]
        if not one["returned"]:
            assert state == "not_evaluable"


def test_the_trial_s_answer_is_the_difference_that_was_put_in(trial: Path, truth) -> None:
    records = pd.read_csv(trial / "adam" / "adbmd.csv")
    primary = records[(records.PARAMCD == "LSBMD") & (records.AVISIT == "MONTH 12")]
    found = adjusted_difference(
        primary.PCHG.to_numpy(float),
        primary.BASE.to_numpy(float),
        (primary.TRT01P == "Zoledronic acid twice").to_numpy(),
        margin=2.0,
    )
    assert found.once + found.twice == primary.PCHG.notna().sum()
    complete = set(primary.USUBJID[primary.PCHG.notna()].str.removeprefix("ZOOM-"))
    means = {
        arm: pd.Series(
            [
                one["change_pct"]
                for name, one in truth.items()
                if name in complete and one["arm"] == arm
            ]
        ).mean()
        for arm in ("once", "twice")
    }
    assert found.estimate == pytest.approx(means["twice"] - means["once"], abs=0.35)
    assert found.low < -0.3 < found.high


def test_risedronate_leaves_the_protocol_and_not_the_full_set(trial: Path) -> None:
    subjects = pd.read_csv(trial / "adam" / "adsl.csv")
    replaced = subjects[subjects.TRT01A.str.contains("risedronate")]
    assert len(replaced) > 0
    assert set(replaced.FASFL) == {"Y"}
    assert set(replaced.PPROTFL) == {"N"}


def test_the_answer_stands_in_one_record(trial: Path, truth) -> None:
    answer = json.loads((trial / "analysis.json").read_text())
    sets = answer["lumbar_bmd_change_pct"]
    full, protocol = sets["full_set"], sets["per_protocol_set"]
    assert full["low"] < -0.3 < full["high"]
    assert protocol["twice"] < full["twice"]
    assert protocol["once"] == full["once"]
    imputed = sets["full_set_imputed"]
    assert (imputed["once"], imputed["twice"]) == (57, 57)
    assert imputed["estimate"] == pytest.approx(full["estimate"], abs=0.5)
    assert full["not_inferior"] == (full["low"] > -answer["margin_pct_points"])
    put_in = [one for one in truth.values() if one["new"]]
    found = answer["new_vertebral_fracture"]
    assert sum(arm["count"] for arm in found.values()) <= len(put_in)
    for arm in found.values():
        assert arm["total"] + arm["undetermined"] + arm["not_evaluable"] == 57
        assert arm["low"] <= arm["share"] <= arm["high"]
    ctx = answer["marker_ratio_month12_to_month6"]["ctx"]
    assert ctx["once"]["low"] < 1.35 < ctx["once"]["high"]


def test_two_runs_are_byte_identical(root: Path, trial: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(root / "scripts" / "simulate_trial.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    tables = [*trial.glob("*.csv"), *(trial / "adam").iterdir(), trial / "analysis.json"]
    assert len(tables) > 15
    for path in tables:
        assert path.read_bytes() == (tmp_path / path.relative_to(trial)).read_bytes(), path


def test_the_notebook_tells_the_story_of_this_trial(root: Path, trial: Path, monkeypatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("ZOOM_RESULTS", str(trial))
    notebook = nbformat.read(root / "notebooks" / "zoom_endpoints.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(root / "notebooks")}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    text = " ".join(str(output.get("data", {}).get("text/plain", "")) for output in outputs)
    answer = json.loads((trial / "analysis.json").read_text())
    full = answer["lumbar_bmd_change_pct"]["full_set"]
    assert f"{full['low']:.2f} to {full['high']:.2f}" in text
