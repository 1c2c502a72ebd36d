"""The audit trail finds what was changed behind the program's back, and says where."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from zoom_imaging import __version__
from zoom_imaging.review.audit import AUDITED, PROGRAM, Action, Change, append, faults, head_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.tables import AuditEntry

from .conftest import PASSWORD, answered, room_at

COLUMNS = [column.key for column in AuditEntry.__table__.columns if column.key != "seq"]
NEW_ACCOUNT = (
    "INSERT INTO account (name, full_name, role, password_hash, password_is_temporary, active,"
    " created_at) VALUES ('ghost', 'G', 'auditor', 'x', 0, 1, '2026-01-01T00:00:00.000000Z')"
)
COPY = (
    "INSERT INTO audit SELECT (SELECT max(seq) + 1 FROM audit), at, actor, role, action, object,"
    " change, reason, software, model_sha256, states, previous_sha256, sha256 FROM audit"
    " WHERE seq = 5"
)
LAST = "(SELECT max(seq) FROM audit)"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A trial from its import to its lock, with the browser's export."""
    room = room_at(tmp_path_factory.mktemp("audit"))
    room.browser("reader1").read_all()
    room.browser("reader2").read_all({("A", "T7"): {"grade": "2", "shape": "wedge", "note": "x"}})
    room.browser("judge").read_all()
    room.browser("manager").lock_all()
    room.browser("manager").submit("/cases", "/trial/lock", password=PASSWORD)
    room.browser("auditor").submit("/audit", "/audit.csv")
    yield room.database
    room.database.close()


def found_after(database: Database, *statements, noted_head="", **values):
    """What is found after someone with the file in her hands did this; all of it is undone."""
    with database.reading() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("DROP TRIGGER audit_no_delete"))
        for statement in statements:
            done = session.execute(text(statement), values)
            assert done.rowcount, f"nothing was changed by {statement}"
        return [(one.where, one.what) for one in faults(session, noted_head)]


def test_an_untouched_trail_is_whole(kept):
    """Also when somebody asks for a seal that was noted half-way."""
    with kept.reading() as session:
        half = session.get_one(AuditEntry, 20).sha256
        for noted in ("", half, head_of(session)[1]):
            assert list(faults(session, noted)) == []


@pytest.mark.parametrize(
    "verb", ["UPDATE audit SET reason = 'x' WHERE seq = 3", "DELETE FROM audit"]
)
def test_the_database_itself_refuses_to_change_the_trail(kept, verb):
    """Whatever program connects."""
    with pytest.raises(DatabaseError, match="append-only"), kept.writing() as session:
        session.execute(text(verb))


@pytest.mark.parametrize(
    ("done", "where", "what"),
    [
        (
            ["UPDATE audit SET change = '[[1,2,3]]' WHERE seq = 7"],
            "audit entry 7 ",
            "content was changed",
        ),
        (
            ["UPDATE audit SET actor = 'ghost' WHERE seq = 7"],
            "audit entry 7 ",
            "content was changed",
        ),
        (
            ["UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 7"],
            "audit entry 7 ",
            "content was changed",
        ),
        (["DELETE FROM audit WHERE seq = 7"], "audit entry 8 ", "entry 7 before it is missing"),
        (
            ["DELETE FROM audit WHERE seq BETWEEN 7 AND 9"],
            "audit entry 10 ",
            "entry 7 to 9 before it is missing",
        ),
        (["DELETE FROM audit WHERE seq = 1"], "audit entry 2 ", "entry 1 before it is missing"),
        ([f"DELETE FROM audit WHERE seq = {LAST}"], "the end of the trail", "are missing"),
        (["DELETE FROM audit"], "the end of the trail", "entries 1 to "),
        (
            [
                "UPDATE audit SET seq = -1 WHERE seq = 7",
                "UPDATE audit SET seq = 7 WHERE seq = 8",
                "UPDATE audit SET seq = 8 WHERE seq = -1",
            ],
            "audit entry 7 ",
            "does not follow",
        ),
        ([COPY], "audit entry ", "does not follow"),
        (["UPDATE audit_head SET seq = seq - 1"], "the end of the trail", "not the entry"),
        (["UPDATE audit_head SET sha256 = 'x'"], "the end of the trail", "not the entry"),
        (["UPDATE audit SET states = 'x' WHERE seq = 7"], "audit entry 7 ", "content was changed"),
        (
            ["UPDATE reading SET content = '{\"sides\":{}}' WHERE id = 2"],
            "reading:2",
            "was changed",
        ),
        (["DELETE FROM reading WHERE id = 2"], "reading:2", "deleted"),
        (
            ["UPDATE signature SET printed_name = 'Dr Ghost' WHERE id = 1"],
            "signature:1",
            "Dr Ghost",
        ),
        (["DELETE FROM signature WHERE id = 1"], "signature:1", "deleted"),
        ([NEW_ACCOUNT], "account:7", "no audit entry made it"),
        (["UPDATE account SET role = 'data_manager' WHERE id = 2"], "account:2", "was changed"),
        (["UPDATE account SET password_hash = 'x' WHERE id = 2"], "account:2", "was changed"),
        (["UPDATE trial SET locked_at = NULL"], "trial:1", "was changed"),
        (["UPDATE reading_case SET locked_at = NULL WHERE id = 1"], "case:1", "ZOOM-901"),
        (["UPDATE reading_case SET differences = '[]' WHERE id = 1"], "case:1", "was changed"),
    ],
)
def test_every_kind_of_tampering_is_found_where_it_was_done(kept, done, where, what):
    """In the trail or in a row that it tells of, also by whoever removes the triggers first."""
    found = found_after(kept, *done)
    assert any(one.startswith(where) and what in told for one, told in found), found


@pytest.mark.parametrize(
    "done", ["DELETE FROM audit_head", "INSERT INTO audit_head VALUES (2, 0, 'x')"]
)
def test_a_trail_without_its_end_mark_is_a_fault_and_no_crash(kept, done):
    """`verify` says so in its words."""
    assert any(where == "the end of the trail" for where, _ in found_after(kept, done))


def test_a_trail_that_was_cut_and_sealed_again_misses_the_noted_seal(kept):
    """Whoever rewrites the end as well is found by the seal that was noted elsewhere."""
    with kept.reading() as session:
        noted = head_of(session)[1]
    cut = (
        "UPDATE trial SET locked_at = NULL",
        f"DELETE FROM audit WHERE seq = {LAST}",
        f"UPDATE audit_head SET seq = {LAST},"
        f" sha256 = (SELECT sha256 FROM audit WHERE seq = {LAST})",
    )
    found = found_after(kept, *cut[1:], noted_head=noted)
    assert found == [("the trail", f"the noted seal {noted} is not in it: it was rewritten")]
    assert ("trial:1", "the row was changed without an audit entry") in found_after(kept, cut[0])


@pytest.mark.parametrize("column", COLUMNS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_character_changed_in_any_entry_is_found(kept, column, data):
    """Wherever it stands, whatever it becomes."""
    with kept.reading() as session:
        rows = session.execute(text(f"SELECT seq, {column} FROM audit WHERE {column} != ''")).all()
    seq, value = data.draw(st.sampled_from(rows))
    at = data.draw(st.integers(0, len(value) - 1))
    letters = st.sampled_from(string.digits + string.ascii_letters + ' -:.[]{}"')
    letter = data.draw(letters.filter(lambda one: one != value[at]))
    changed = value[:at] + letter + value[at + 1 :]
    found = found_after(
        kept, f"UPDATE audit SET {column} = :value WHERE seq = :seq", value=changed, seq=seq
    )
    assert any(where.startswith(f"audit entry {seq} (") for where, _ in found), (value, changed)


@pytest.mark.parametrize("value", ["", "yesterday", "2026-11-28"])
def test_a_moment_that_is_none_is_found_and_no_crash(kept, value):
    """In the trail and in a row."""
    found = found_after(kept, "UPDATE audit SET at = :value WHERE seq = 7", value=value)
    assert any(where.startswith("audit entry 7 ") for where, _ in found)
    found = found_after(kept, "UPDATE reading SET updated_at = :value WHERE id = 2", value=value)
    assert any(where == "reading:2" for where, _ in found)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (kind, column.key)
        for kind in AUDITED
        for column in kind.__table__.columns
        if column.key not in {"id", "case_id", "account_id"}
    ],
    ids=lambda one: getattr(one, "__tablename__", one),
)
def test_any_column_of_any_audited_row_is_watched(kept, table, column):
    """Not only those that somebody thought of."""
    kind = str(table.__table__.columns[column].type)
    value = {"BOOLEAN": f"1 - {column}", "INTEGER": f"{column} + 100"}.get(kind, "'x'")
    if column.endswith("_at") or column == "at":
        value = "'2020-02-02T02:02:02.000000Z'"
    found = found_after(kept, f"UPDATE {table.__tablename__} SET {column} = {value} WHERE id = 1")
    assert [where for where, _ in found] == [f"{table.audited}:1"]


def test_an_entry_says_who_what_when_why_and_with_what(room):
    """21 CFR 11.10(e): old and new value, moment of the computer, user, reason; and software."""
    reader = room.browser("reader1")
    data = reader.begin()
    first = answered(data, {("A", "T8"): {"grade": "1", "shape": "wedge"}})
    data["version"] = reader.save(data, first).json()["version"]
    second = answered(data, {("A", "T8"): {"grade": "2", "shape": "wedge"}})
    reader.save(data, second)
    entry = room.audit()[-1]
    assert (entry.actor, entry.role, entry.action) == ("reader1", "reader", "reading.save")
    assert entry.object == f"reading:{data['code']}"
    assert entry.change == '[["A.T8.grade","1","2"]]'
    assert (entry.software, entry.model_sha256) == (__version__, "0" * 64)
    assert entry.at.utcoffset().total_seconds() == 0


def test_every_act_of_a_trial_is_in_the_trail(kept):
    """From the import to the lock, exports and logins too."""
    with kept.reading() as session:
        actions = {row.action for row in session.query(AuditEntry)}
    assert actions >= {
        *(Action.TRIAL_IMPORT, Action.CASE_IMPORT, Action.ACCOUNT_CREATE, Action.ACCOUNT_CHANGE),
        *(Action.READING_CREATE, Action.READING_SAVE, Action.READING_SIGN, Action.LOGIN),
        *(Action.CASE_LOCK, Action.TRIAL_LOCK, Action.EXPORT),
    }


def test_a_change_that_fails_leaves_no_entry(room):
    """Entry and change are one transaction."""
    before = room.head()

    def interrupted():
        with room.database.writing() as session:
            append(session, PROGRAM, Action.EXPORT, "audit", changes=[Change("x", 1, 2)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert room.head() == before
