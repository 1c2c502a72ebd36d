"""Dates move by one amount wherever and however they are written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.exchange.deidentify.days import (
    NO_DATE,
    Order,
    days_in,
    order_of,
    shifted_date,
    shifted_text,
    shifted_time_stamp,
)
from zoom_imaging.ingest.dates import parse_day, parse_day_of_time_stamp

DAYS = st.dates(date(1935, 1, 1), date(2040, 12, 31))
SHIFTS = st.integers(-10957, -7305)
FORMS = [
    "{d:%Y%m%d}",
    "{d:%Y-%m-%d}",
    "{d:%Y.%m.%d}",
    "{d:%Y/%m/%d}",
    "{d:%d-%b-%Y}",
    "{d:%d %B %Y}",
    "{d:%d%b%Y}",
    "{d:%B %d, %Y}",
    "{d:%b %d, %Y}",
    "{d:%m/%d/%Y}",
    "{d.month}/{d.day}/{d.year}",
    "{d.year}년 {d.month}월 {d.day}일",
    "{d:%Y%m%d}101500",
]


@given(DAYS, SHIFTS, st.integers(0, 4000))
def test_interval_between_two_dates_survives(day, shift, apart):
    later = day + timedelta(days=apart)
    one, other = (parse_day(shifted_date(f"{d:%Y%m%d}", shift)) for d in (day, later))
    assert other - one == timedelta(days=apart)


@given(DAYS, SHIFTS, st.sampled_from(["", "10", "101500", "101500.123456", "101500+0900"]))
def test_date_time_moves_like_a_date_and_keeps_clock_and_zone(day, shift, clock):
    moved = shifted_time_stamp(f"{day:%Y%m%d}{clock}", shift)
    assert parse_day_of_time_stamp(moved) == day + timedelta(days=shift)
    assert moved[8:] == clock


@given(DAYS, SHIFTS, st.sampled_from(FORMS))
def test_date_in_text_moves_in_the_form_that_it_has(day, shift, form):
    moved = shifted_text(f"Control of {form.format(d=day)} (L1-L4 0.981)", shift)
    target = day + timedelta(days=shift)
    assert [found.day for found in days_in(moved)] == [target]
    assert moved.startswith("Control of ")
    assert moved.endswith(" (L1-L4 0.981)")
    assert f"{day:%Y%m%d}" not in moved


@given(DAYS, SHIFTS)
def test_day_first_text_moves_day_first(day, shift):
    text = f"{day:%d/%m/%Y}"
    moved = shifted_text(text, shift, order_of([text], {day}))
    assert moved == f"{day + timedelta(days=shift):%d/%m/%Y}" or day.day == day.month


def test_order_is_that_by_which_the_header_is_met():
    assert order_of(["03/05/2025"], {date(2025, 5, 3)}) is Order.DAY_FIRST
    assert order_of(["03/05/2025"], {date(2025, 3, 5)}) is Order.MONTH_FIRST


@pytest.mark.parametrize(
    "text", ["13.6.0.5", "18.00.120", "0.981", "1.2.840.10008.1", "L1-L4", "75"]
)
def test_version_or_number_is_no_date(text):
    assert shifted_text(text, -8000) == text


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2025.03.10", "2003.04.15"),
        ("", ""),
        ("00000000", ""),
        ("20251399", NO_DATE),
        ("KIM YUNA", NO_DATE),
    ],
)
def test_what_is_no_date_is_not_kept_and_does_not_become_one(text, moved):
    assert shifted_date(text, -8000) == moved
    assert parse_day(NO_DATE) is None


@pytest.mark.parametrize(("text", "length"), [("2025", 4), ("202503", 6)])
def test_a_year_or_month_alone_stays_one(text, length):
    moved = shifted_time_stamp(text, -8000)
    assert len(moved) == length
    assert moved < text
