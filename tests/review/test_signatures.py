"""A signature is made by the person whose password was given a moment before."""

from __future__ import annotations

import pytest

from zoom_imaging.errors import LoginRefusedError
from zoom_imaging.review import accounts, signatures
from zoom_imaging.review.accounts import reset_password, set_active
from zoom_imaging.review.database import Database
from zoom_imaging.review.signatures import Confirmation, confirmed, sign, valid
from zoom_imaging.review.web import guard

from .conftest import PASSWORD, account, answered

WHAT = {"target": "reading:X", "meaning": "I have read it.", "content": "{}"}


def get_a_new_password(session, manager, person):
    reset_password(session, manager, person, "lost")


def leave(session, manager, person):
    set_active(session, manager, person, False, "left")


def leave_and_come_back(session, manager, person):
    leave(session, manager, person)
    get_a_new_password(session, manager, person)
    set_active(session, manager, person, True, "is back")


@pytest.mark.parametrize("change", [get_a_new_password, leave, leave_and_come_back])
def test_who_changes_between_password_and_signature_signs_nothing(room, monkeypatch, change):
    """The password was right when it was looked at, and is another one when it would count."""
    real = guard.confirm_password

    def then_changed(database, person, password, address):
        given = real(database, person, password, address)
        with database.writing() as session:
            change(session, account(session, "manager"), account(session, "reader1"))
        return given

    reader = room.browser("reader1")
    data = reader.begin()
    assert reader.save(data, answered(data)).status_code == 200
    monkeypatch.setattr(guard, "confirm_password", then_changed)
    answer = reader.sign(data["code"])
    assert "Signed by" not in answer.text
    assert answer.status_code == 422
    assert "meanwhile: nothing was signed" in answer.text
    with room.database.reading() as session:
        assert not valid(session, f"reading:{data['code']}")


def test_a_lock_is_not_signed_with_a_password_that_was_replaced(room, monkeypatch):
    real = guard.confirm_password

    def then_replaced(database, person, password, address):
        given = real(database, person, password, address)
        with database.writing() as session:
            accounts._set_password(
                session,
                accounts.PROGRAM,
                account(session, "manager"),
                "quite another password",
                temporary=False,
                reason="",
            )
        return given

    room.browser("reader1").read_all()
    room.browser("reader2").read_all()
    manager = room.browser("manager")
    monkeypatch.setattr(guard, "confirm_password", then_replaced)
    answer = manager.submit("/cases/1", "/cases/1/lock", password=PASSWORD)
    assert "meanwhile: nothing was signed" in answer.text
    monkeypatch.undo()
    assert room.audit()[-1].action == "account.change"


def test_the_password_of_another_person_signs_nothing(database):
    with database.reading() as session:
        given = confirmed(account(session, "reader2"), PASSWORD)
    assert given is not None
    with database.writing() as session, pytest.raises(LoginRefusedError, match="nothing"):
        sign(session, account(session, "reader1"), given, **WHAT)


def test_a_wrong_password_is_no_confirmation(database):
    with database.reading() as session:
        assert confirmed(account(session, "reader1"), "wrong password") is None


def test_a_confirmation_shows_no_hash():
    """It may stand in a traceback."""
    assert "argon2" not in repr(Confirmation(1, "$argon2id$v=19$abc"))


def test_the_password_is_looked_at_once_and_before_the_change(room, monkeypatch):
    """It takes a tenth of a second, in which nobody else could save an answer."""
    events = []
    real_matches, real_writing = signatures.matches, Database.writing

    def matches(*given):
        events.append("password")
        return real_matches(*given)

    def writing(self):
        events.append("change")
        return real_writing(self)

    reader = room.browser("reader1")
    data = reader.begin()
    reader.save(data, answered(data))
    reader.secret(f"/read/{data['code']}/sign")
    monkeypatch.setattr(signatures, "matches", matches)
    monkeypatch.setattr(Database, "writing", writing)
    assert "Signed by" in reader.sign(data["code"]).text
    assert events == ["password", "change"]
