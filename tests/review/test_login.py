"""Getting in, staying in, and being kept out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from zoom_imaging.errors import LoginRefusedError
from zoom_imaging.review.accounts import create_account
from zoom_imaging.review.login import (
    FAILURES_FOR_A_NAME,
    FAILURES_FROM_AN_ADDRESS,
    IDLE,
    LONGEST,
    WINDOW,
    log_in,
    log_out,
    visitor,
)
from zoom_imaging.review.tables import FailedLogin, Role, WebSession

from .conftest import PASSWORD, account

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def attempt(database, name="reader1", password=PASSWORD, address="10.0.0.1"):
    """ "in", "wrong" or "wait"."""
    try:
        return "in" if log_in(database, name, password, address) else "wrong"
    except LoginRefusedError:
        return "wait"


def fail(database, count, *, name="reader1", address="10.0.0.1", ago=timedelta()):
    """Failures of some time ago."""
    at = datetime.now(UTC) - ago
    with database.writing() as session:
        for number in range(count):
            session.add(
                FailedLogin(name=name.format(number), address=address.format(number), at=at)
            )


NAMED = {"name": "reader1", "address": "a{}"}
FROM_HERE = {"name": "n{}", "address": "10.0.0.1"}


@pytest.mark.parametrize(
    ("count", "failures", "expected"),
    [
        (FAILURES_FOR_A_NAME - 1, NAMED, "in"),
        (FAILURES_FOR_A_NAME, NAMED, "wait"),
        (FAILURES_FOR_A_NAME, NAMED | {"ago": WINDOW + SECOND}, "in"),
        (FAILURES_FOR_A_NAME, NAMED | {"name": "reader2"}, "in"),
        (FAILURES_FROM_AN_ADDRESS - 1, FROM_HERE, "in"),
        (FAILURES_FROM_AN_ADDRESS, FROM_HERE, "wait"),
        (FAILURES_FROM_AN_ADDRESS, FROM_HERE | {"ago": WINDOW + SECOND}, "in"),
        (FAILURES_FROM_AN_ADDRESS, FROM_HERE | {"address": "10.0.0.2"}, "in"),
    ],
)
def test_whoever_guesses_has_to_wait(database, count, failures, expected):
    """After five failures for a name or twenty from an address in a quarter of an hour, even the
    right password has to wait until the quarter has passed.
    """
    fail(database, count, **failures)
    assert attempt(database) == expected


def test_failures_are_counted_by_failing(database):
    """And forgotten for a name that gets in."""
    tries = [attempt(database, password="wrong password") for _ in range(FAILURES_FOR_A_NAME)]
    assert tries == ["wrong"] * FAILURES_FOR_A_NAME
    assert attempt(database) == "wait"
    for _ in range(FAILURES_FOR_A_NAME - 1):
        attempt(database, name="reader2", password="wrong password")
    assert attempt(database, name="reader2") == "in"
    assert attempt(database, name="reader2", password="wrong password") == "wrong"
    assert attempt(database, name="reader2") == "in"


def test_guessing_at_the_signature_counts_as_guessing(room):
    """Whoever sits down at another's open browser cannot try passwords there for ever."""
    reader = room.browser("reader1")
    code = reader.read()
    assert code
    other = reader.begin()["code"]
    answers = [reader.sign(other, "wrong password") for _ in range(FAILURES_FOR_A_NAME)]
    assert all("password is wrong" in one.text for one in answers)
    late = reader.sign(other)
    assert late.status_code == 422
    assert "too many failed attempts" in late.text


@pytest.mark.parametrize(
    "name", ["reader1", "nobody-here", "", "x" * 500, "r\x00\x1b[2J", "' OR 1=1 --"]
)
def test_a_wrong_name_looks_like_a_wrong_password(room, name):
    """Nobody learns which accounts there are."""
    client = room.visitor()
    answer = client.post("/login", data={"name": name, "password": "wrong password"})
    assert answer.status_code == 403
    assert "The name or the password is wrong." in answer.text
    assert "set-cookie" not in answer.headers
    assert "wrong password" not in answer.text


def test_the_rate_limit_looks_the_same_for_a_name_that_does_not_exist(room):
    answers = []
    for name in ("reader1", "nobody-here"):
        fail(room.database, FAILURES_FOR_A_NAME, name=name)
        answer = room.visitor().post("/login", data={"name": name, "password": PASSWORD})
        answers.append((answer.status_code, answer.text.replace(name, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 429


@pytest.mark.parametrize(
    ("seen", "created", "expected"),
    [
        (timedelta(), timedelta(), 200),
        (IDLE - MINUTE, IDLE, 200),
        (IDLE + SECOND, IDLE + SECOND, 303),
        (timedelta(), LONGEST - MINUTE, 200),
        (timedelta(), LONGEST + SECOND, 303),
    ],
)
def test_a_session_ends_when_idle_and_at_the_end_of_the_day(room, seen, created, expected):
    """Half an hour without a request, or twelve hours in any case."""
    client = room.visitor("reader1")
    now = datetime.now(UTC)
    with room.database.writing() as session:
        session.execute(update(WebSession).values(seen_at=now - seen, created_at=now - created))
    assert client.get("/").status_code == expected


def test_work_keeps_a_session_alive(room):
    """The last request counts, not the login."""
    client = room.visitor("reader1")
    early = datetime.now(UTC) - IDLE + MINUTE
    with room.database.writing() as session:
        session.execute(update(WebSession).values(seen_at=early))
    client.get("/")
    with room.database.reading() as session:
        assert session.scalars(select(WebSession.seen_at)).one() > early + MINUTE


def test_a_closed_account_is_out_at_once_and_stays_out(room):
    """All its browsers; opening it again does not bring old sessions back."""
    clients = [room.visitor("reader1"), room.visitor("reader1")]
    manager = room.browser("manager")
    for act, status in (("close", 403), ("open", 303)):
        manager.submit("/accounts", f"/accounts/reader1/{act}", reason="on leave")
        assert all(one.get("/").status_code == 303 for one in clients)
        answer = room.visitor().post("/login", data={"name": "reader1", "password": PASSWORD})
        assert answer.status_code == status


def test_a_temporary_password_opens_nothing_but_the_page_to_change_it(room):
    """Only what a person chose herself is her signature."""
    with room.database.writing() as session:
        _, given = create_account(
            session, account(session, "manager"), "newcomer", "New Comer", Role.READER
        )
    client = room.visitor()
    first = client.post("/login", data={"name": "newcomer", "password": given, "next": "/"})
    assert first.headers["location"] == "/password"
    assert client.get("/").status_code == 403
    page = client.get("/password").text
    secret = page.partition('name="csrf" value="')[2].partition('"')[0]
    assert client.post("/next", data={"csrf": secret}).status_code == 403
    new = "a password of my own"
    for wrong in (
        {"old": given, "new": new, "again": "another password"},
        {"old": "not this one", "new": new, "again": new},
        {"old": given, "new": given, "again": given},
        {"old": given, "new": "short", "again": "short"},
        {"old": given},
    ):
        assert client.post("/password", data={"csrf": secret} | wrong).status_code == 422
        assert client.get("/").status_code == 403
    right = {"csrf": secret, "old": given, "new": new, "again": new}
    assert client.post("/password", data=right).headers["location"] == "/"
    assert client.get("/").status_code == 200
    for password, expected in ((given, "wrong"), (new, "in")):
        assert attempt(room.database, "newcomer", password) == expected


def test_passwords_are_written_nowhere(room, tmp_path, caplog, capfd):
    """Neither those that are right nor those that are wrong: trail, database, logs, pages."""
    caplog.set_level(logging.DEBUG)
    wire = room.listen()
    wrong, new = "wrong-password-6241", "a password of my own 9931"
    room.visitor().post("/login", data={"name": "reader1", "password": wrong})
    reader = room.browser("reader1")
    code = reader.read()
    reader.sign(reader.begin()["code"], wrong)
    reader.submit("/password", "/password", old=wrong, new=new, again=new)
    reader.submit("/password", "/password", old=PASSWORD, new=new, again=new)
    manager = room.browser("manager")
    made = manager.submit("/accounts", "/accounts", name="x1", full_name="X", role="reader").text
    temporary = made.partition('id="temporary-password">')[2].partition("<")[0]
    room.browser("auditor").submit("/audit", "/audit.csv")
    room.browser("auditor").get("/audit")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("readings.sqlite3*"))
    out = "".join(capfd.readouterr()) + caplog.text
    assert code.encode() in kept
    assert len(temporary) > 12
    shown = [one for one in wire.sent if temporary.encode() in one.body]
    assert [one.path for one in shown] == ["/accounts"]
    for password in (PASSWORD, wrong, new, temporary):
        assert password.encode() not in kept
        assert password not in out
        if password != temporary:
            assert not any(password.encode() in one.body for one in wire.sent)


def test_what_is_in_the_cookie_is_not_in_the_database(room, tmp_path):
    """A stolen copy of the database opens no session."""
    client = room.visitor("reader1")
    (token,) = client.cookies.values()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("readings.sqlite3*"))
    assert token.encode() not in kept


def test_every_login_failure_and_logout_is_in_the_trail(room):
    """With the name as it was typed, harmless to look at."""
    before = room.head()[0]
    room.visitor().post("/login", data={"name": "reader1", "password": "wrong password"})
    room.visitor().post("/login", data={"name": "x\x1b[2J\u202e", "password": "wrong password"})
    client = room.visitor("reader1")
    page = client.get("/password").text
    secret = page.partition('name="csrf" value="')[2].partition('"')[0]
    client.post("/logout", data={"csrf": secret})
    noted = [(one.action, one.actor, one.role) for one in room.audit()[before:]]
    assert noted == [
        ("login.failed", "reader1", "unknown"),
        ("login.failed", "x?[2J?", "unknown"),
        ("login", "reader1", "reader"),
        ("logout", "reader1", "reader"),
    ]


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_a_made_up_token_is_nobody(database, token):
    with database.writing() as session:
        assert visitor(session, token) is None
        log_out(session, token)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/read/ABCD2345", "/read/ABCD2345"),
        ("/cases", "/cases"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
    ],
)
def test_the_login_leads_to_a_page_of_this_site(room, target, expected):
    """Wherever a link to the login came from."""
    fields = {"name": "reader1", "password": PASSWORD, "next": target}
    assert room.visitor().post("/login", data=fields).headers["location"] == expected
