"""Ten readers at once: every reading is made once, by whom it was made, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Level
from zoom_imaging.review import database as database_module
from zoom_imaging.review.answer import ReadingContent
from zoom_imaging.review.audit import PROGRAM, Action, append, entries, faults, head_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.tables import Account, AuditEntry, ReadingRow, ReadingState
from zoom_imaging.review.web.guard import TOKEN_HEADER

from .conftest import PASSWORD, Browser, case_data
from .crowd import (
    READERS,
    admit,
    complete,
    note_at,
    paper_trial,
    read_next,
    with_note,
)
from .server import Server, logged_in, running, write_results
from .small_trial import small_trial

SUBJECTS = 40
READERS_OF_A_CASE = 2
ALL_READINGS = 5000
FEW_READINGS = 200
FULL_COUNT = "ZOOM_IMAGING_FULL_COUNT"
"""Set to 1 to make all 5,000 readings; `scripts/bench_review.py` makes them as well."""


@dataclass
class Work:
    """What one reader did: answers sent by code, and cases that someone else was quicker with."""

    sent: dict[str, ReadingContent] = field(default_factory=dict)
    late: int = 0


@contextmanager
def serving(
    folder: Path, subjects: tuple[str, ...], readers: tuple[str, ...]
) -> Iterator[tuple[Server, Database]]:
    """A server for readers on subjects, and its database beside it; no request failed inside."""
    trial = small_trial(folder, subjects)
    path = folder / "readings.sqlite3"
    database = Database(path)
    admit(database, trial.reading_list, readers)
    try:
        with running(write_results(folder / "results", trial.reading_list), path) as server:
            yield server, database
            assert server.complaints == ""
    finally:
        database.close()


def at_once(tasks: Sequence[Callable[[], object]]) -> list[object]:
    """Run all of them, started together, each in a thread of its own."""
    gate = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        gate.wait(60)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [one.result() for one in [pool.submit(run, task) for task in tasks]]


def waiting(page: str) -> list[str]:
    """The codes of a worklist that are not begun."""
    return re.findall(r'data-state="waiting" data-code="(\w+)"', page)


def send(browser: Browser, data: dict, content: ReadingContent):
    """Save as the viewer does."""
    return browser.client.put(
        data["urls"]["save"],
        json={"version": data["version"], "content": content.model_dump(mode="json")},
        headers={TOKEN_HEADER: data["csrf"]},
    )


def read_everything(server: Server, name: str, gate: threading.Barrier) -> Work:
    """One reader: from the worklist to the signature until nothing waits."""
    work = Work()
    with logged_in(server, name) as browser:
        secret = browser.secret("/")
        gate.wait(60)
        while codes := waiting(browser.get("/").text):
            assert work.late < 10 * SUBJECTS, "nobody can begin what is offered"
            code = codes[0]
            begun = browser.client.post(f"/read/{code}/start", data={"csrf": secret})
            if begun.status_code == 403:
                assert f"case {code} is not open to you" in begun.text
                work.late += 1
                continue
            assert begun.status_code == 200, begun.text
            work.sent[code] = _answer_and_sign(browser, case_data(begun.text), name, secret)
    return work


def _answer_and_sign(browser: Browser, data: dict, name: str, secret: str) -> ReadingContent:
    code = data["code"]
    content = complete(ReadingContent.model_validate(data["content"]), f"first {name} {code}")
    first = send(browser, data, content)
    assert first.status_code == 200, first.text
    content = complete(content, f"{name} {code}")
    second = send(browser, data | {"version": first.json()["version"]}, content)
    assert second.status_code == 200, second.text
    fields = {"csrf": secret, "version": second.json()["version"], "password": PASSWORD}
    signed = browser.client.post(f"/read/{code}/sign", data=fields)
    assert signed.status_code == 200, signed.text
    assert "Signed by" in signed.text
    return content


def test_two_of_ten_readers_who_reach_for_one_case_get_it_and_the_others_are_told(tmp_path):
    """The other eight get a sentence, no error; each of the two has a slot of her own."""
    gate = threading.Barrier(len(READERS))

    def reach(server: Server, name: str) -> tuple[int, str]:
        with logged_in(server, name) as browser:
            secret, (code,) = browser.secret("/"), waiting(browser.get("/").text)
            gate.wait(60)
            answer = browser.client.post(f"/read/{code}/start", data={"csrf": secret})
            return answer.status_code, answer.text

    with serving(tmp_path, ("ZOOM-901",), READERS) as (server, database):
        answers = at_once([partial(reach, server, name) for name in READERS])

        assert Counter(status for status, _ in answers) == {200: 2, 403: 8}
        assert all("is not open to you" in text for status, text in answers if status == 403)
        with database.reading() as session:
            made = session.scalars(select(ReadingRow)).all()
            assert sorted(row.slot for row in made) == [1, 2]
            assert len({row.account_id for row in made}) == 2


def test_ten_readers_bring_a_trial_from_worklist_to_signature_at_once(tmp_path):
    """Each case ends with two signed readings of two readers, with exactly what each has sent."""
    subjects = tuple(f"ZOOM-{number:03d}" for number in range(SUBJECTS))
    gate = threading.Barrier(len(READERS))
    with serving(tmp_path, subjects, READERS) as (server, database):
        with database.reading() as session:
            before, _ = head_of(session)

        works = at_once([partial(read_everything, server, name, gate) for name in READERS])

        sent = {
            code: (name, content)
            for name, work in zip(READERS, works, strict=True)
            for code, content in work.sent.items()
        }
        with database.reading() as session:
            _is_as_sent(session, sent, before)


def _is_as_sent(session: Session, sent: dict[str, tuple[str, ReadingContent]], before: int) -> None:
    """What was sent, and no more: rows, versions, readers of each case, and the trail."""
    count = READERS_OF_A_CASE * SUBJECTS
    names = {one.id: one.name for one in session.scalars(select(Account))}
    rows = session.scalars(select(ReadingRow)).all()
    assert len(sent) == len(rows) == count
    readers_of_case: dict[int, set[int]] = {}
    for row in rows:
        assert (names[row.account_id], content_of(row)) == sent[row.code]
        assert (row.state, row.version) == (ReadingState.SIGNED, 4)
        readers_of_case.setdefault(row.case_id, set()).add(row.account_id)
    assert [len(readers) for readers in readers_of_case.values()] == [2] * SUBJECTS
    trail = Counter(entry.action for entry in entries(session) if entry.seq > before)
    assert trail == {
        Action.LOGIN: len(READERS),
        Action.READING_CREATE: count,
        Action.READING_SAVE: 2 * count,
        Action.READING_SIGN: count,
    }
    assert list(faults(session)) == []


@pytest.fixture
def tabs(tmp_path):
    """One reader's browser, the data of a case that she has begun, and the database."""
    with (
        serving(tmp_path, ("ZOOM-901",), ("reader",)) as (server, database),
        logged_in(server, "reader") as browser,
    ):
        yield browser, browser.begin(), database


def test_of_two_tabs_that_save_at_once_one_is_refused_and_neither_loses_an_answer(tabs):
    """The tab that was later gets 409 with what is kept now, adds its own word and saves again."""
    browser, data, database = tabs
    rounds = 25
    levels = (Level.T8, Level.L2)
    base = ReadingContent.model_validate(data["content"])
    known = dict.fromkeys(levels, (data["version"], base))
    refused = Counter()
    gate = threading.Barrier(len(levels))

    def tab(level: Level) -> None:
        for number in range(rounds):
            version, content = known[level]
            gate.wait(60)
            said = with_note(content, level, f"{number}")
            answer = send(browser, data | {"version": version}, said)
            if answer.status_code == 409:
                refused[level] += 1
                kept = answer.json()
                assert "saved elsewhere" in kept["reason"]
                version = kept["version"]
                content = ReadingContent.model_validate(kept["content"])
                said = with_note(content, level, f"{number}")
                answer = send(browser, data | {"version": version}, said)
            assert answer.status_code == 200, answer.text
            gate.wait(60)
            with database.reading() as session:
                row = session.scalars(select(ReadingRow)).one()
                known[level] = row.version, content_of(row)

    at_once([partial(tab, level) for level in levels])

    assert sum(refused.values()) == rounds
    with database.reading() as session:
        row = session.scalars(select(ReadingRow)).one()
        assert [note_at(content_of(row), level) for level in levels] == [f"{rounds - 1}"] * 2
        assert row.version == 1 + 2 * rounds
        for level in levels:
            assert _words_in_trail(session, level) == [f"{n}" for n in range(rounds)]
        assert list(faults(session)) == []


def _words_in_trail(session: Session, level: Level) -> list[str]:
    """Every note at a level that the trail has, in order."""
    saved = session.scalars(
        select(AuditEntry).where(AuditEntry.action == Action.READING_SAVE).order_by(AuditEntry.seq)
    )
    return [
        new
        for entry in saved
        for where, _, new in json.loads(entry.change)
        if where.endswith(f".{level}.note") and new
    ]


def test_a_reader_who_clicks_for_the_next_case_many_times_begins_one(tabs):
    """A double click, or an impatient one, does not take a second case from the others."""
    browser, data, database = tabs
    clicks = [
        lambda: browser.client.post("/next", data={"csrf": data["csrf"]}).status_code
        for _ in range(8)
    ]

    assert at_once(clicks) == [200] * 8

    with database.reading() as session:
        assert [row.code for row in session.scalars(select(ReadingRow))] == [data["code"]]


def test_no_writer_of_a_busy_room_is_turned_away(tmp_path, monkeypatch):
    """SQLite gives its lock to whoever asks at the right moment, and gives up on the others.

    Here it would give up at once: the writers of one server must queue before they ask it.
    """
    monkeypatch.setattr(database_module, "_WAIT_SECONDS", 0)
    database = Database(tmp_path / "readings.sqlite3")
    rounds = 20

    def write() -> None:
        for _ in range(rounds):
            with database.writing() as session:
                append(session, PROGRAM, Action.EXPORT, "trial")

    at_once([write] * len(READERS))

    with database.reading() as session:
        assert head_of(session)[0] == rounds * len(READERS)
        assert list(faults(session)) == []
    database.close()


def test_thousands_of_readings_on_one_database_are_all_there_and_the_trail_is_whole(tmp_path):
    """Ten threads, each change alone: nothing is counted twice and nothing is missing."""
    count = ALL_READINGS if os.environ.get(FULL_COUNT) == "1" else FEW_READINGS
    cases = count // READERS_OF_A_CASE
    database = Database(tmp_path / "readings.sqlite3")
    admit(database, paper_trial(cases))
    with database.reading() as session:
        before, _ = head_of(session)

    def read_all(name: str) -> list[str]:
        return list(iter(lambda: read_next(database, name), ""))

    codes = at_once([partial(read_all, name) for name in READERS])

    with database.reading() as session:
        rows = session.scalars(select(ReadingRow)).all()
        assert {row.code for row in rows} == {code for own in codes for code in own}
        assert sum(map(len, codes)) == len(rows) == count
        assert {row.state for row in rows} == {ReadingState.SIGNED}
        assert set(Counter(row.case_id for row in rows).values()) == {READERS_OF_A_CASE}
        names = {one.id: one.name for one in session.scalars(select(Account))}
        for row in rows:
            word = f"{names[row.account_id]} {row.code}"
            assert note_at(content_of(row), Level.T12) == f"{word} A T12"
        assert head_of(session)[0] == before + 3 * count
        assert list(faults(session)) == []
    database.close()
