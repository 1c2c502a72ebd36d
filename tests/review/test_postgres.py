"""The reading room on PostgreSQL behaves as on SQLite; these tests skip where it is missing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Grade, GradeSource, Level, Visit
from zoom_imaging.errors import NotAllowedError, StaleVersionError
from zoom_imaging.review.audit import PROGRAM, Action, append, faults, head_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.readings import content_of, save, start
from zoom_imaging.review.tables import Base, ReadingRow, ReadingState
from zoom_imaging.review.verdict import Standing
from zoom_imaging.review.verdicts import load_verdicts
from zoom_imaging.review.worklist import next_task, offers

from .conftest import PASSWORD, Room, account, after_the_first_look, case_data, fill
from .crowd import READERS, admit, note_at, paper_trial, read_next, with_note
from .postgres import Postgres, postgres, why_not
from .small_trial import charter_with

ROUNDS = 15
LONGEST_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One server for all tests of this module; they skip where there can be none."""
    if why_not():
        pytest.skip(why_not())
    with postgres() as started:
        yield started


@pytest.fixture
def url(server) -> str:
    """An empty database."""
    return server.new_database()


@pytest.fixture
def opened(url) -> Iterator[Database]:
    """The empty database, brought to its schema."""
    database = Database(url)
    yield database
    database.close()


def at_once(*tasks) -> list[object]:
    """What each returns or raises; all are started together."""
    gate = threading.Barrier(len(tasks))

    def run(task):
        gate.wait(LONGEST_SECONDS)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        jobs = [pool.submit(run, task) for task in tasks]
        return [job.exception() or job.result() for job in jobs]


def test_the_migrations_make_every_table_and_column_of_the_program(opened):
    """And a second opening finds nothing to do."""
    Database(opened.url.render_as_string(hide_password=False)).close()
    with opened.reading() as session:
        found = inspect(session.connection())
        for table in Base.metadata.tables.values():
            columns = {column["name"] for column in found.get_columns(table.name)}
            assert columns == {column.name for column in table.columns}
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            assert indexes >= {index.name for index in table.indexes}
        assert list(faults(session)) == []


def test_a_trial_goes_from_the_worklist_to_its_lock(opened, url, trial):
    """As `test_room` shows on SQLite, with the same verdicts at the end."""
    fill(opened, trial)
    room = Room(opened)
    assert len(room.browser("reader1").read_all()) == 3
    other = {("B", "T8"): {"grade": "1", "shape": "wedge"}}
    assert len(room.browser("reader2").read_all(other)) == 3
    settled = {("B", "T8"): {"grade": "0", "shape": "none"}}
    assert len(room.browser("judge").read_all(settled)) == 3
    manager = room.browser("manager")
    manager.lock_all()
    assert "The trial was locked" in manager.submit("/cases", "/trial/lock", password=PASSWORD).text

    verdicts = load_verdicts(url).verdicts

    assert {one.standing for one in verdicts.values()} == {Standing.FINAL}
    first = verdicts["ZOOM-901"]
    assert first.spines[Visit.MONTH12].answer(Level.T12).grade is Grade.MODERATE
    assert first.spines[Visit.MONTH12].answer(Level.T8).grade is Grade.NORMAL
    assert first.sources[Visit.MONTH12][Level.T8] is GradeSource.ADJUDICATOR
    assert [one.name for one in first.observers] == ["Reader1", "Reader2", "Judge"]
    auditor = room.browser("auditor")
    assert "The trail is whole" in auditor.submit("/audit", "/audit/verify").text
    assert auditor.get("/monitoring").status_code == 200
    assert auditor.submit("/audit", "/audit.csv").status_code == 200


def test_a_reading_signed_while_the_verdicts_are_loaded_is_not_in_them(
    opened, url, trial, monkeypatch
):
    """As `test_verdicts` shows on SQLite: a seal never stands on verdicts of another state."""
    fill(opened, trial)
    room = Room(opened)
    room.browser("reader1").read()
    other = room.browser("reader2")
    before = load_verdicts(url)
    after_the_first_look(monkeypatch, other.read)
    assert load_verdicts(url) == before
    assert room.head()[1] != before.audit_head


def test_ten_readers_at_once_read_each_case_twice(opened):
    """Each change alone: slots are never given twice, and the trail has no gap."""
    cases = 30
    admit(opened, paper_trial(cases))
    with opened.reading() as session:
        before, _ = head_of(session)

    def read_all(name: str) -> list[str]:
        return list(iter(lambda: read_next(opened, name), ""))

    codes = at_once(*[partial(read_all, name) for name in READERS])

    with opened.reading() as session:
        rows = session.scalars(select(ReadingRow)).all()
        assert sorted(row.code for row in rows) == sorted(code for own in codes for code in own)
        assert {row.state for row in rows} == {ReadingState.SIGNED}
        assert Counter(row.case_id for row in rows) == dict.fromkeys(range(1, cases + 1), 2)
        assert head_of(session)[0] == before + 3 * 2 * cases
        assert list(faults(session)) == []


def test_of_two_readers_who_begin_the_last_place_of_a_case_one_is_refused(opened):
    """With a refusal of the program, never with an error of the database."""
    admit(opened, paper_trial(ROUNDS, charter_with(repeat_share=0.0, readers=1)))

    def begin(name: str, code: str) -> str:
        with opened.writing() as session:
            start(session, account(session, name), code)
        return name

    for case_id in range(1, ROUNDS + 1):
        with opened.reading() as session:
            codes = {name: _code(session, name, case_id) for name in READERS[:2]}
        outcomes = at_once(*[partial(begin, *one) for one in codes.items()])
        refused = [one for one in outcomes if not isinstance(one, str)]
        assert [type(one) for one in refused] == [NotAllowedError]
    with opened.reading() as session:
        assert len(session.scalars(select(ReadingRow)).all()) == ROUNDS
        assert list(faults(session)) == []


def test_of_two_saves_at_once_one_is_refused_as_stale(opened):
    """Nothing is overwritten unseen."""
    admit(opened, paper_trial(1))
    with opened.writing() as session:
        person = account(session, READERS[0])
        code = next_task(session, person)
        content = start(session, person, code).content

    def keep(word: str, version: int) -> str:
        with opened.writing() as session:
            said = with_note(content, Level.T12, word)
            save(session, account(session, READERS[0]), code, version, said)
        return word

    for version in range(1, ROUNDS + 1):
        words = [f"{tab} {version}" for tab in ("left", "right")]
        outcomes = at_once(*[partial(keep, word, version) for word in words])
        kept = [one for one in outcomes if isinstance(one, str)]
        refused = [one for one in outcomes if not isinstance(one, str)]
        assert [type(one) for one in refused] == [StaleVersionError]
        with opened.reading() as session:
            row = session.scalars(select(ReadingRow)).one()
            assert [note_at(content_of(row), Level.T12)] == kept
            assert row.version == version + 1


def _code(session: Session, name: str, case_id: int) -> str:
    """Under which code a person is offered a case."""
    found = offers(session, account(session, name))
    return next(one.code for one in found if one.case_id == case_id)


def test_a_second_writer_waits_and_then_sees_what_the_first_has_done(opened):
    """Whatever a writer reads first is still true when it commits."""
    admit(opened, paper_trial(1, charter_with(repeat_share=0.0, readers=1)))
    with opened.reading() as session:
        first, second = (_code(session, name, 1) for name in READERS[:2])
    inside = threading.Event()

    def late() -> None:
        with opened.writing() as session:
            inside.set()
            start(session, account(session, READERS[1]), second)

    with ThreadPoolExecutor(1) as pool:
        with opened.writing() as session:
            start(session, account(session, READERS[0]), first)
            job = pool.submit(late)
            _wait_for_a_waiting_writer(opened)
            assert not inside.is_set()
        with pytest.raises(NotAllowedError):
            job.result(LONGEST_SECONDS)
    assert inside.is_set()


def _wait_for_a_waiting_writer(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        with database.reading() as session:
            if session.scalar(waiting):
                return
        assert time.monotonic() < deadline, "the second writer did not wait"
        time.sleep(0.02)


def test_a_view_stays_as_it_was_when_it_began(opened):
    """Else a trail that grows while it is verified would look as if its end were missing."""
    admit(opened, paper_trial(1))
    with opened.reading() as session:
        before = head_of(session)
        with opened.writing() as other:
            append(other, PROGRAM, Action.EXPORT, "trial")
        session.expire_all()
        assert head_of(session) == before
        assert list(faults(session)) == []


_OPEN = """
import sys
from zoom_imaging.review.database import Database
from zoom_imaging.review.audit import head_of
print("ready", flush=True)
sys.stdin.readline()
database = Database(sys.argv[1])
with database.reading() as session:
    print(head_of(session)[0])
database.close()
"""


def test_two_servers_that_open_an_empty_database_at_once_both_work(server):
    """As two machines do that are started together: one makes the tables, the other waits."""
    for _ in range(2):
        url = server.new_database()
        with ExitStack() as stack:
            both = [stack.enter_context(_process(url)) for _ in range(2)]
            assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
            for one in both:
                one.stdin.write("go\n")
                one.stdin.flush()
            said = [one.communicate(timeout=LONGEST_SECONDS) for one in both]
            assert [out for out, _ in said] == ["0\n"] * 2, said
            assert [one.returncode for one in both] == [0, 0]


def _process(url: str) -> subprocess.Popen[str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", _OPEN, url], text=True, **pipes)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"],
)
def test_the_trail_cannot_be_changed_by_the_database_itself(opened, trial, statement):
    """The owner of the tables has to take the trigger away first."""
    fill(opened, trial)
    with (
        pytest.raises(DBAPIError, match="the audit trail is append-only"),
        opened.writing() as session,
    ):
        session.execute(text(statement))
    with opened.reading() as session:
        assert head_of(session)[0] > 0
        assert list(faults(session)) == []


def test_an_entry_that_was_edited_without_the_trigger_is_found(opened, trial):
    """Whoever takes the trigger away still breaks the seal of the entry."""
    fill(opened, trial)
    with opened.writing() as session:
        session.execute(text("DROP TRIGGER audit_append_only ON audit"))
        session.execute(text("UPDATE audit SET actor = 'somebody' WHERE seq = 3"))
    with opened.reading() as session:
        (fault,) = faults(session)
    assert fault.where.startswith("audit entry 3 ")
    assert fault.what == "its content was changed after it was written"


def test_text_that_postgresql_cannot_hold_is_refused_and_breaks_nothing(opened, trial):
    """A NUL letter in a name, a code or a reason is what a scanner sends first."""
    fill(opened, trial)
    room = Room(opened)
    stranger = room.visitor()
    name = {"name": "reader1\x00", "password": PASSWORD}
    assert stranger.post("/login", data=name).status_code == 400
    reader, manager = room.browser("reader1"), room.browser("manager")
    assert reader.get("/read/ABCD%00").status_code == 404
    assert reader.get("/films/ABCD%00/f1").status_code == 404
    closed = manager.submit("/accounts", "/accounts/reader2/close", reason="left\x00")
    assert closed.status_code == 400
    data = reader.begin()
    data["content"]["sides"]["A"]["comment"] = "before\x00after"
    assert reader.save(data, data["content"]).status_code == 200
    kept = case_data(reader.get(f"/read/{data['code']}").text)
    assert kept["content"]["sides"]["A"]["comment"] == "before\x00after"
    with opened.reading() as session:
        assert account(session, "reader2").active
        assert list(faults(session)) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_number_that_is_no_row_is_not_found(tmp_path, trial, request, kind):
    """However large, and on either database."""
    place = tmp_path / "readings.sqlite3" if kind == "sqlite" else request.getfixturevalue("url")
    database = Database(place)
    fill(database, trial)
    manager = Room(database).browser("manager")
    numbers = (0, 10**6, 2**31, 2**63, 10**30)
    assert [manager.get(f"/cases/{number}").status_code for number in numbers] == [404] * 5
    database.close()
