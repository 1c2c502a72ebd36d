from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.report.page import environment, number, page_name, signed, words


@given(st.text(max_size=80), st.text(max_size=80))
def test_page_names_are_harmless_and_tell_subjects_apart(first, second):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}-[0-9a-f]{8}\.html", page_name(first))
    assert (page_name(first).lower() == page_name(second).lower()) is (first == second)


@pytest.mark.parametrize(
    ("value", "decimals", "plain", "with_sign"),
    [
        (None, 2, "not given", "not given"),
        (0.0, 1, "0.0", "0.0"),
        (-0.04, 1, "0.0", "0.0"),
        (-2.14, 1, "−2.1", "−2.1"),
        (3.456, 2, "3.46", "+3.46"),
        (0.8, 3, "0.800", "+0.800"),
    ],
)
def test_numbers_are_written_with_their_sign_or_as_missing(value, decimals, plain, with_sign):
    assert number(value, decimals) == plain
    assert signed(value, decimals) == with_sign


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("outside_visit_window", "outside visit window"),
        ("dxa_report", "DXA report"),
        ("not_dicom", "not DICOM"),
        ("month12", "month 12"),
    ],
)
def test_codes_are_said_in_words(code, said):
    assert words(code) == said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("a\u202eb", "a\\u202eb"),
        ("a\x00\udcffb", "a\\x00\\xffb"),
    ],
)
def test_text_of_files_is_escaped_and_visible(text, shown):
    assert environment().from_string("{{ text }}").render(text=text) == shown
