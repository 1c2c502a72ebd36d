"""People: how they are made, closed, and how their passwords are kept."""

from __future__ import annotations

import pytest
from argon2 import Type
from sqlalchemy import select

from zoom_imaging.errors import NotAllowedError, NotFoundError, ReviewError
from zoom_imaging.review.accounts import (
    account_named,
    accounts,
    change_password,
    create_account,
    create_first_account,
    hash_of,
    matches,
    require,
    reset_password,
    set_active,
    temporary_password,
)
from zoom_imaging.review.database import Database
from zoom_imaging.review.tables import Account, Role

from .conftest import PASSWORD, REAL_HASHER, account


def test_passwords_are_hashed_by_argon2id_with_enough_work():
    """The settings of RFC 9106 for limited memory at least; the tests themselves use less."""
    real = REAL_HASHER()
    assert real.type is Type.ID
    assert real.memory_cost >= 64 * 1024
    assert real.time_cost >= 3
    assert real.hash_len >= 32
    assert real.salt_len >= 16


def test_one_password_has_two_hashes():
    """Each account has its own salt."""
    first, second = hash_of(PASSWORD), hash_of(PASSWORD)
    assert first.startswith("$argon2id$")
    assert first != second


def test_the_first_account_is_made_once(tmp_path):
    """Afterwards a data manager makes accounts, in the room and in the trail."""
    database = Database(tmp_path / "x.sqlite3")
    with database.writing() as session:
        made = create_first_account(session, "boss", "The Boss", PASSWORD)
        assert Role(made.role) is Role.DATA_MANAGER
        assert not made.password_is_temporary
    with database.writing() as session, pytest.raises(NotAllowedError, match="accounts already"):
        create_first_account(session, "other", "Other", PASSWORD)
    database.close()


@pytest.mark.parametrize(
    "name",
    ["", "a", "Anna", "1a", "a b", "a/b", "a\n", "a" * 65, "김", "<b>", "' or", "..", "a\u202e"],
)
def test_a_name_that_could_be_confused_or_break_an_address_is_refused(database, name):
    with database.writing() as session, pytest.raises(ReviewError, match="cannot be used"):
        create_account(session, account(session, "manager"), name, "Full", Role.READER)


@pytest.mark.parametrize(
    "full", ["", "   ", "x" * 129, "a\nb", "a\x00", "Kim\u202eanna", "a\u2028b"]
)
def test_a_full_name_is_something_that_a_signature_can_print(database, full):
    with database.writing() as session, pytest.raises(ReviewError, match="full name"):
        create_account(session, account(session, "manager"), "kim", full, Role.READER)


def test_two_people_do_not_share_a_name(database):
    with database.writing() as session, pytest.raises(ReviewError, match="reader1 already"):
        create_account(session, account(session, "manager"), "reader1", "Other", Role.READER)


@pytest.mark.parametrize(("length", "fits"), [(11, False), (12, True), (256, True), (257, False)])
def test_a_password_has_a_length(length, fits):
    """Twelve characters at least; and no book, which would cost the server its time."""
    if fits:
        assert hash_of("ü" * length)
        return
    with pytest.raises(ReviewError, match="12 to 256"):
        hash_of("ü" * length)


def test_a_password_matches_as_a_whole(database):
    """Not its beginning, not with other letters; and nobody's is nobody's."""
    with database.reading() as session:
        reader = account(session, "reader1")
        assert matches(reader, PASSWORD)
        for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "x" * 10_000):
            assert not matches(reader, wrong)
        assert not matches(None, PASSWORD)


def test_a_closed_account_keeps_its_name_and_is_never_deleted(database):
    """Its signatures need it. Its password opens nothing."""
    with database.writing() as session:
        manager, reader = account(session, "manager"), account(session, "reader1")
        set_active(session, manager, reader, False, "has left")
        assert not matches(reader, PASSWORD)
        assert reader in accounts(session)
        set_active(session, manager, reader, True, "is back")
        assert matches(reader, PASSWORD)


def test_nobody_closes_herself(database):
    """So that a data manager is left."""
    with database.writing() as session:
        manager = account(session, "manager")
        with pytest.raises(NotAllowedError, match="own account"):
            set_active(session, manager, manager, False, "tired")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_closing_and_resetting_need_a_reason(database, reason):
    with database.writing() as session:
        manager, reader = account(session, "manager"), account(session, "reader1")
        with pytest.raises(ReviewError, match="say why"):
            set_active(session, manager, reader, False, reason)
        with pytest.raises(ReviewError, match="say why"):
            reset_password(session, manager, reader, reason)
        assert reader.active
        assert matches(reader, PASSWORD)


@pytest.mark.parametrize("name", ["reader1", "judge", "auditor"])
def test_only_a_data_manager_keeps_accounts(database, name):
    with database.writing() as session:
        one, reader = account(session, name), account(session, "reader2")
        for act in (
            lambda: create_account(session, one, "kim", "Kim", Role.DATA_MANAGER),
            lambda: set_active(session, one, reader, False, "r"),
            lambda: reset_password(session, one, reader, "r"),
        ):
            with pytest.raises(NotAllowedError, match="data manager"):
                act()


def test_a_lost_password_is_replaced_by_a_temporary_one(database):
    """Which is random, and must be changed."""
    with database.writing() as session:
        reader = account(session, "reader1")
        given = reset_password(session, account(session, "manager"), reader, "forgot it")
        assert not matches(reader, PASSWORD)
        assert matches(reader, given)
        assert reader.password_is_temporary
        with pytest.raises(ReviewError, match="old password is wrong"):
            change_password(session, reader, PASSWORD, "another long one")
        with pytest.raises(ReviewError, match="is the old one"):
            change_password(session, reader, given, given)
        change_password(session, reader, given, "another long one")
        assert not reader.password_is_temporary
    assert len({temporary_password() for _ in range(50)}) == 50


def test_roles_and_names_that_are_asked_for(database):
    with database.reading() as session:
        reader = account_named(session, "reader1")
        require(reader, Role.AUDITOR, Role.READER)
        with pytest.raises(NotAllowedError, match="auditor or data manager"):
            require(reader, Role.AUDITOR, Role.DATA_MANAGER)
        with pytest.raises(NotFoundError, match="no account ghost"):
            account_named(session, "ghost")
        assert len(session.scalars(select(Account)).all()) == 6
