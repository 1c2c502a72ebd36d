"""Cells are harmless to a spreadsheet and to a terminal, and numbers are plain."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.endpoints.cell import flag_cell, number_cell
from zoom_imaging.ingest.text import text_cell, visible


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("0012", "0012"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+82", "'+82"),
        ("-7", "'-7"),
        ("@sum", "'@sum"),
        ("\tx", "'\\x09x"),
        ("\rx", "'\\x0dx"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("one\ntwo", "one\\x0atwo"),
        ("\x9bm", "\\x9bm"),
        ("caf\udce9.dcm", "caf\\xe9.dcm"),
        ("\ud800", "\\ud800"),
        ("a\u202eb", "a\\u202eb"),
        ("김하나", "김하나"),
        ("", ""),
    ],
)
def test_text_is_harmless_and_otherwise_as_written(text, cell):
    assert text_cell(text) == cell


@given(st.text())
def test_no_text_can_be_a_formula_or_a_control_sequence(text):
    cell = text_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    cell.encode("utf-8")
    assert visible(cell) == cell


@pytest.mark.parametrize(
    ("value", "decimals", "cell"),
    [
        (None, 3, ""),
        (0.9, 4, "0.9000"),
        (-4.8, 2, "-4.80"),
        (-0.001, 2, "0.00"),
        (1e-9, 4, "0.0000"),
        (2, 0, "2"),
        (0.1 + 0.2, 4, "0.3000"),
        (123456789.5, 1, "123456789.5"),
    ],
)
def test_numbers_have_fixed_decimals_and_no_negative_zero(value, decimals, cell):
    assert number_cell(value, decimals) == cell


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_written(value):
    with pytest.raises(ValueError, match="finite"):
        number_cell(value, 2)


def test_flags():
    assert [flag_cell(value) for value in (True, False, None)] == ["Y", "N", ""]
