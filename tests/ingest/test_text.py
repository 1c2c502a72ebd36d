"""Text of names and headers in tables: readable, distinct, without control characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.ingest.text import has_controls, header_text, path_text, visible


@given(st.text(st.characters(codec=None)))
def test_visible_text_is_utf8_without_controls(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert not any(unicodedata.category(c) == "Cc" for c in shown)
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("T-001", "T-001"),
        ("한글 ä", "한글 ä"),
        ("a\nb\x1b[31m", "a\\x0ab\\x1b[31m"),
        ("a\x85b", "a\\x85b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("x\udcb0", "x\\xb0"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown
    assert has_controls(text) == (text != shown)


def test_composed_and_decomposed_names_stay_two():
    composed = "환자"
    decomposed = unicodedata.normalize("NFD", composed)
    assert path_text(composed) != path_text(decomposed)


KOREAN = "시험^하나"


@pytest.mark.parametrize(
    ("raw", "terms", "text", "warned"),
    [
        (b"  007 \0", b"", "007", False),
        (KOREAN.encode(), b"ISO_IR 192", KOREAN, False),
        (KOREAN.encode("euc_kr"), b"", KOREAN, True),
        (KOREAN.encode("euc_kr"), b"ISO_IR 149", KOREAN, True),
        (KOREAN.encode("euc_kr"), b"KSC5601", KOREAN, True),
        (KOREAN.encode(), b"", KOREAN, True),
        ("Prüfung".encode("latin-1"), b"ISO_IR 100", "Prüfung", False),
        ("Prüfung".encode("latin-1"), b"ISO_IR 192", "Pr\ufffdfung", True),
        ("测试".encode("gbk"), b"ISO_IR 100", "\ufffd\ufffd\ufffd\ufffd", True),
        (b"A\x1b$)CB", b"WHAT_IS_THIS", "AB", True),
        (b"plain", b"WHAT_IS_THIS", "plain", False),
    ],
)
def test_header_text_is_decoded_or_says_what_it_did(raw, terms, text, warned):
    warnings: list[str] = []
    assert header_text(raw, terms, warnings, what="patient name") == text
    assert bool(warnings) == warned


def test_korean_with_its_escape_in_the_wrong_component_is_repaired():
    raw = b"Test^One=" + "試驗".encode("euc_kr") + b"=\x1b$)C" + "시험".encode("euc_kr")
    warnings: list[str] = []
    text = header_text(raw, b"\\ISO 2022 IR 149", warnings, what="patient name")
    assert text == "Test^One=試驗=시험"
    assert warnings


@given(
    st.binary(max_size=40),
    st.sampled_from([b"", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"ISO_IR 149", b"\xff"]),
)
def test_no_bytes_and_no_character_set_raise(raw, terms):
    visible(header_text(raw, terms, [], what="patient name")).encode("utf-8")
