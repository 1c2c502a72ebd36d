"""Cases of `dxa`: nesting, days, character sets, odd trees and decimal strings."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from .checks import assert_json

LUMBAR = {"L1", "L2", "L3", "L4", "L1-L4"}


@pytest.fixture
def files(dxa, folder):
    """The JSON objects of all files of a case by name."""

    def of(case, exit_code=0):
        code, lines = dxa(folder / case)
        assert code == exit_code
        return {Path(line["path"]).name: line for line in lines}

    return of


def test_container_nested_sequences(files):
    found = files("container-nested-sequences")
    assert found["deep.dcm"]["state"] == "refused"
    assert "nested" in found["deep.dcm"]["reason"]
    assert found["good.dcm"]["state"] == "read"
    assert found["good.dcm"]["results"]


@pytest.mark.parametrize(
    ("case", "days"),
    [
        ("when-time-zone", {"late.dcm": "2026-02-28", "early.dcm": "2025-12-02"}),
        ("midnight-and-time-zone", {"report.dcm": "2025-03-01"}),
    ],
)
def test_the_day_as_written_in_every_zone(files, monkeypatch, case, days):
    seen = set()
    for zone in ("UTC", "Asia/Seoul", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found = files(case)
        assert {name: found[name]["scan_date"] for name in days} == days
        seen.add(json.dumps(found))
    monkeypatch.undo()
    time.tzset()
    assert len(seen) == 1


def test_text_wrong_character_set(files):
    """No name costs a file its numbers; what is shown is text without escapes."""
    found = files("text-wrong-character-set")
    assert len(found) == 6
    for name, report in found.items():
        assert report["state"] == "read", (name, report["reason"])
        total = {result["region"]: result["bmd_g_per_cm2"] for result in report["results"]}
        assert total["L1-L4"] == pytest.approx(0.9, abs=0.2)
        assert "\x1b" not in json.dumps(report, ensure_ascii=False)


def test_sr_tree_oddities(files):
    report = files("sr-tree-oddities")["odd.dcm"]
    values = {
        result["region"]: result["bmd_g_per_cm2"]
        for result in report["results"]
        if result["state"] in {"accepted", "quarantined"}
    }
    assert set(values) >= LUMBAR
    assert report["warnings"]
    assert not {9.999, 8.888} & {
        value
        for result in report["results"]
        for value in result.values()
        if isinstance(value, float)
    }


@pytest.mark.parametrize("case", ["charset-term-not-defined", "ds-long-and-comma"])
def test_checks_of_the_case(files, cases, case):
    found = files(case)
    assert "\x1b" not in json.dumps(found, ensure_ascii=False)
    for check in cases[case]["expect"]["checks"]:
        assert_json(check, found)
