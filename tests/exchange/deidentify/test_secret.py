"""Pseudonyms, UIDs and shifts: the same in every run, and nothing without the key."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.errors import DeidentificationKeyError
from zoom_imaging.exchange.deidentify.secret import Secret, make_key, read_key

IDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=64)
ONE, OTHER = (
    Secret(b"a first key of more than 32 bytes..."),
    Secret(b"another key of more than 32 bytes..."),
)


@given(IDS)
def test_same_key_and_id_give_the_same_pseudonym_and_shift(subject):
    again = Secret(ONE.key)
    assert ONE.pseudonym(subject) == again.pseudonym(subject)
    assert ONE.shift_days(subject) == again.shift_days(subject)
    assert ONE.uid(subject) == again.uid(subject)


@given(IDS)
def test_pseudonym_holds_no_vowel_and_so_no_name(subject):
    assert re.fullmatch(r"S-[2-9BCDFGHJKLMNPQRSTVWXZ]{8}", ONE.pseudonym(subject))


@given(IDS)
def test_another_key_gives_another_pseudonym(subject):
    assert ONE.pseudonym(subject) != OTHER.pseudonym(subject)
    assert ONE.uid(subject) != OTHER.uid(subject)


@given(IDS)
def test_dates_move_back_by_20_to_30_years(subject):
    assert 7305 <= -ONE.shift_days(subject) <= 10957


@given(IDS)
def test_uid_is_a_valid_one_under_2_25(subject):
    found = ONE.uid(subject)
    assert re.fullmatch(r"2\.25\.(0|[1-9]\d*)", found)
    assert len(found) <= 64


def test_another_process_gives_the_same(tmp_path):
    """Python's own hash differs between processes; this must not."""
    program = (
        "from zoom_imaging.exchange.deidentify.secret import Secret; "
        f"s = Secret({ONE.key!r}); print(s.pseudonym('Z-1'), s.shift_days('Z-1'), s.uid('1.2.3'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == [
        ONE.pseudonym("Z-1"),
        str(ONE.shift_days("Z-1")),
        ONE.uid("1.2.3"),
    ]


def test_new_key_is_long_random_and_for_its_owner_alone(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    make_key(one)
    make_key(other)
    assert one.stat().st_mode & 0o777 == 0o600
    assert read_key(one)[0].key != read_key(other)[0].key
    assert read_key(one)[1] == ""
    assert len(read_key(one)[0].key) >= 32


def test_key_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    make_key(path)
    before = path.read_bytes()
    with pytest.raises(DeidentificationKeyError, match="there already"):
        make_key(path)
    assert path.read_bytes() == before


def test_line_end_that_an_editor_adds_does_not_change_the_key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(ONE.key)
    before = read_key(path)[0]
    path.write_bytes(ONE.key + b"\r\n")
    assert read_key(path)[0] == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"short", "32"), (b"", "32"), (b"a" * 64, "can be guessed"), (b"x" * 70000, "32 to")],
    ids=["short", "empty", "one letter", "a whole file"],
)
def test_weak_key_is_refused_without_showing_it(tmp_path, content, said):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(DeidentificationKeyError, match=said) as refusal:
        read_key(path)
    assert "short" not in refusal.value.reason


def test_key_that_others_may_read_is_warned_of(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(ONE.key)
    path.chmod(0o644)
    assert "chmod 600" in read_key(path)[1]


def test_key_does_not_show_in_a_message_or_log():
    assert "first key" not in repr(ONE)
