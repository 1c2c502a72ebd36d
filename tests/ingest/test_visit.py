"""The visit: by its name, else by the window, else by earliest and latest, else none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from zoom_imaging.anatomy import Visit
from zoom_imaging.ingest.visit import visit_of

ZOL = date(2025, 1, 15)
BASELINE, MONTH12 = Visit.BASELINE, Visit.MONTH12


def assign(charter, day, *, zol=ZOL, points=(), dates=None):
    when = ZOL + timedelta(day)
    known = {when} if dates is None else {ZOL + timedelta(d) for d in dates}
    return visit_of(
        when, "AcquisitionDate", points, charter=charter, zol1_date=zol, dates_of_subject=known
    )


@pytest.mark.parametrize(
    ("day", "visit"),
    [
        (-91, None),
        (-90, BASELINE),
        (0, BASELINE),
        (14, BASELINE),
        (15, None),
        (183, None),
        (319, None),
        (320, MONTH12),
        (365, MONTH12),
        (410, MONTH12),
        (411, None),
    ],
)
def test_windows_include_their_ends(charter, day, visit):
    found = assign(charter, day)
    assert found.visit is visit
    assert bool(found.reason) == (visit is None)
    if visit is None:
        assert f"day {day} " in found.reason


def test_a_name_decides_where_the_date_is_in_no_window(charter):
    assert assign(charter, 430, points=("Month 12",)).visit is MONTH12
    assert assign(charter, 30, points=("", "BASELINE")).visit is BASELINE


def test_a_name_against_the_date_is_a_conflict(charter):
    found = assign(charter, 365, points=("baseline",))
    assert found.conflicting
    assert found.question


def test_an_unknown_name_leaves_it_to_the_date_and_asks(charter):
    found = assign(charter, 365, points=("V99",))
    assert (found.visit, found.conflicting) == (MONTH12, False)
    assert "none of the charter's names" in found.question


def test_without_a_date_there_is_no_visit_whatever_its_name(charter):
    found = visit_of(
        None,
        "StudyDate '2025' is no valid date",
        ("baseline",),
        charter=charter,
        zol1_date=ZOL,
        dates_of_subject=(),
    )
    assert found.visit is None
    assert "no valid date: StudyDate '2025'" in found.reason


@pytest.mark.parametrize(
    ("day", "dates", "visit"),
    [
        (0, (0, 365), BASELINE),
        (365, (0, 365), MONTH12),
        (10, (0, 10, 365), BASELINE),
        (340, (0, 340, 365), MONTH12),
        (180, (0, 180, 365), None),
        (0, (0, 270), BASELINE),
        (0, (0, 269), None),
        (460, (0, 460), MONTH12),
        (461, (0, 461), None),
        (0, (0,), None),
    ],
)
def test_without_an_infusion_date_earliest_and_latest(charter, day, dates, visit):
    found = assign(charter, day, zol=None, dates=dates)
    assert found.visit is visit
    assert ("no infusion date is known" in found.reason) == (visit is None)
