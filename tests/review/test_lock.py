"""Locks by subject and by trial: when, by whom, signed, and with a reason to open them again."""

from __future__ import annotations

import re
from html import unescape

import pytest

from zoom_imaging.errors import NotAllowedError
from zoom_imaging.review.cases import case_of_subject, trial_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.lock import (
    CASE_MEANING,
    TRIAL_MEANING,
    lock_case,
    lock_trial,
    reopen_reading,
    restart_case,
    unlock_case,
    unlock_trial,
)
from zoom_imaging.review.signatures import Confirmation, valid

from .conftest import PASSWORD, Room, account, fill
from .small_trial import SUBJECTS, small_trial


@pytest.fixture
def read(room):
    """All cases read twice, alike; the room."""
    for name in ("reader1", "reader2"):
        room.browser(name).read_all()
    return room


def state(room, path="/cases/1"):
    return re.search(r'<p class="state (\w+)">', room.browser("manager").get(path).text)[1]


def act(room, what, path="/cases/1", **fields):
    fields = {"password": PASSWORD, "reason": "a reason"} | fields
    page = "/cases" if path == "/trial" else path
    return room.browser("manager").submit(page, f"{path}/{what}", **fields).text


def test_a_subject_is_locked_only_when_everything_is_settled(room):
    """Read once, differing, being settled: none of these can be locked."""
    assert "cannot be locked" in act(room, "lock")
    room.browser("reader1").read_all()
    assert "cannot be locked" in act(room, "lock")
    room.browser("reader2").read_all({("A", "T7"): {"grade": "2", "shape": "wedge"}})
    assert state(room) == "differs"
    assert "cannot be locked" in act(room, "lock")
    room.browser("judge").read_all()
    assert state(room) == "settled"
    assert f"“{CASE_MEANING}”" in act(room, "lock")
    assert state(room) == "locked"
    assert "cannot be locked" in act(room, "lock")


def test_a_subject_without_films_can_be_locked(tmp_path):
    """There is nothing to read, and somebody says so."""
    database = Database(tmp_path / "readings.sqlite3")
    fill(database, small_trial(tmp_path, without_films=SUBJECTS))
    room = Room(database)
    assert state(room) == "no_films"
    act(room, "lock")
    assert state(room) == "locked"
    database.close()


def test_a_lock_is_signed_and_unlocking_withdraws_it_with_a_reason(read):
    """Both stay in the record, with the password given again."""
    assert "password is wrong" in act(read, "lock", password="wrong password")
    act(read, "lock")
    assert "password is wrong" in act(read, "unlock", password="wrong password")
    assert "give a reason" in act(read, "unlock", reason="  ")
    assert state(read) == "locked"
    act(read, "unlock", reason="the site sent a letter")
    assert state(read) == "settled"
    with read.database.reading() as session:
        case = case_of_subject(session, SUBJECTS[0])
        assert not valid(session, f"case:{case.subject_id}")
        (unlocked,) = valid(session, f"case:{case.subject_id}:unlock")
        assert unlocked.meaning == "I unlock this subject: the site sent a letter"
        assert unlocked.printed_name == "Mara Manager"
    last = read.audit()[-1]
    assert (last.action, last.reason) == ("case.unlock", "the site sent a letter")
    assert "is not locked" in act(read, "unlock")


def test_a_reading_of_a_locked_subject_is_not_given_back(read):
    code = re.search(r'name="code" value="(\w+)"', read.browser("manager").get("/cases/1").text)[1]
    act(read, "lock")
    assert "cannot be opened again" in act(read, "reopen", code=code)
    assert (
        read.browser("manager")
        .submit("/cases/1", "/cases/1/reopen", code="NOTHING", reason="x")
        .status_code
        == 404
    )


def test_the_trial_is_locked_when_every_subject_is(read):
    """Then nothing can be unlocked but the trial itself, with a reason."""
    act(read, "lock")
    assert "2 that are not: ZOOM-902, ZOOM-903" in act(read, "lock", "/trial")
    act(read, "unlock")
    read.browser("manager").lock_all()
    assert "password is wrong" in act(read, "lock", "/trial", password="wrong password")
    assert TRIAL_MEANING in unescape(act(read, "lock", "/trial"))
    assert "the trial is locked" in act(read, "lock", "/trial")
    for what in ("unlock", "restart", "reopen", "lock"):
        assert "the trial is locked" in act(read, what)
    assert "Nothing waits" in read.browser("reader3").get("/").text
    assert "give a reason" in act(read, "unlock", "/trial", reason="")
    act(read, "unlock", "/trial", reason="late data")
    assert state(read) == "locked"
    assert "is not locked" in act(read, "unlock", "/trial")
    with read.database.reading() as session:
        assert trial_of(session).locked_at is None
        assert not valid(session, "trial")


GIVEN = Confirmation(account_id=1, password_hash="")


@pytest.mark.parametrize("name", ["reader1", "judge", "auditor"])
@pytest.mark.parametrize(
    "do",
    [
        lambda s, a, c: lock_case(s, a, c, GIVEN),
        lambda s, a, c: unlock_case(s, a, c, GIVEN, "r"),
        lambda s, a, c: lock_trial(s, a, GIVEN),
        lambda s, a, c: unlock_trial(s, a, GIVEN, "r"),
        lambda s, a, c: reopen_reading(s, a, c, "X", "r"),
        lambda s, a, c: restart_case(s, a, c, "r"),
    ],
)
def test_only_a_data_manager_locks_unlocks_and_gives_back(database, name, do):
    """Whatever page or program asks."""
    with database.writing() as session, pytest.raises(NotAllowedError, match="data manager"):
        do(session, account(session, name), case_of_subject(session, SUBJECTS[0]))


def test_a_lock_stands_for_every_signed_reading_of_the_subject(read):
    """Its hash is of films and answers: after unlock, other answers and lock it is another."""
    with read.database.reading() as session:
        before = len(valid(session, "case:ZOOM-901"))
    act(read, "lock")
    with read.database.reading() as session:
        (first,) = valid(session, "case:ZOOM-901")
    act(read, "unlock")
    act(read, "lock")
    with read.database.reading() as session:
        (same,) = valid(session, "case:ZOOM-901")
    assert before == 0
    assert first.id != same.id
    assert first.content_sha256 == same.content_sha256
    act(read, "unlock")
    code = re.search(r'name="code" value="(\w+)"', read.browser("manager").get("/cases/1").text)[1]
    act(read, "reopen", code=code)
    for name in ("reader1", "reader2"):
        read.browser(name).read_all({("A", "T9"): {"grade": "0", "note": "looked again"}})
    assert state(read) == "settled"
    act(read, "lock")
    with read.database.reading() as session:
        (other,) = valid(session, "case:ZOOM-901")
    assert other.content_sha256 != first.content_sha256
