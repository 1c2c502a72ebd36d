"""The machine-readable checks of cases.json, as assertions."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

Object = dict[str, Any]


def assert_json(check: Mapping[str, Any], objects: Mapping[str, Object]) -> None:
    """A check on the object of one file (`input/NAME`)."""
    found = objects[Path(check["json"]).name]
    if "result" in check:
        found = next(
            (
                result
                for result in found["results"]
                if all(result[key] == value for key, value in check["result"].items())
            ),
            {} if "near_or_null" in check else found,
        )
    for key, value in check.get("equals", {}).items():
        assert found[key] == value, (key, found)
    for key, value in check.get("near", {}).items():
        assert found[key] == pytest.approx(value, abs=check["tol"]), (key, found)
    for key, value in check.get("near_or_null", {}).items():
        if found.get(key) is not None:
            assert found[key] == pytest.approx(value, abs=check["tol"]), (key, found)
    for key, value in check.get("max", {}).items():
        assert found[key] is None or max(found[key]) <= value, (key, found[key])
    for key in check.get("nonempty", ()):
        assert found[key], (key, found)
    if "nonempty_any" in check:
        assert any(found[key] for key in check["nonempty_any"]), found
    for key, pattern in check.get("matches", {}).items():
        assert re.search(pattern, found[key]), (key, found[key])


def same_reading(
    found: Object,
    expected: Object,
    *,
    height_mm: float,
    ratio: float,
    columns: float = 0.0,
    rows: float = 0.0,
    pixel: float = 1.0,
) -> None:
    """Two readings of one film: the same levels, heights, ratios and (moved) points."""
    assert found["state"] == "read", found["reason"]
    mine = {one["level"]: one for one in found["vertebrae"] if one["state"] == "evaluable"}
    theirs = {one["level"]: one for one in expected["vertebrae"] if one["state"] == "evaluable"}
    assert len(set(mine) & set(theirs)) >= len(theirs) - 1 >= 3, (sorted(mine), sorted(theirs))
    for level in set(mine) & set(theirs):
        one, other = mine[level], theirs[level]
        if one["heights_mm"] is not None and other["heights_mm"] is not None:
            for name, value in other["heights_mm"].items():
                assert one["heights_mm"][name] == pytest.approx(value, abs=height_mm), level
        assert one["ratios"]["anterior_posterior"] == pytest.approx(
            other["ratios"]["anterior_posterior"], abs=ratio
        ), level
        for name, (column, row) in other["six_points_px"].items():
            at = [column + columns, row + rows]
            assert one["six_points_px"][name] == pytest.approx(at, abs=pixel), (level, name)


def is_same_reading(found: Object, expected: Object, **tolerances: float) -> bool:
    """Whether `same_reading` holds."""
    try:
        same_reading(found, expected, **tolerances)
    except AssertionError:
        return False
    return True


def rows_of(out: Path, table: str) -> list[dict[str, str]]:
    """A table of a run, as text."""
    with (out / table).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def assert_table(check: Mapping[str, Any], out: Path) -> None:
    """A check on the rows of one table of a run."""
    rows = [row for row in rows_of(out, check["table"]) if _matches(row, check.get("where", {}))]
    if "rows" in check:
        assert len(rows) == check["rows"], rows
    if "distinct" in check:
        assert len({row[check["distinct"]] for row in rows}) == len(rows)
    assert rows, check
    for row in rows:
        for name, value in check.get("near", {}).items():
            assert float(row[name]) == pytest.approx(value, abs=check["tol"]), row
        for name in check.get("empty", ()):
            assert row[name] == "", (name, row)
        for name in check.get("nonempty", ()):
            assert row[name], (name, row)
        for name, allowed in check.get("in", {}).items():
            assert row[name] in allowed, row
        for name, refused in check.get("not_in", {}).items():
            assert row[name] not in refused, row


def _matches(row: Mapping[str, str], where: Mapping[str, str]) -> bool:
    for key, value in where.items():
        if key == "path_endswith":
            fits = row["path"].endswith(value)
        elif key == "path_contains":
            fits = value in row["path"]
        elif key.endswith("_not"):
            fits = row[key.removesuffix("_not")] != value
        else:
            fits = row[key] == value
        if not fits:
            return False
    return True
