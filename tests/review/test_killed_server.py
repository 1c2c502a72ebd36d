"""The server is killed while readers save: what was answered is kept, the rest whole or not at all.

SIGKILL takes the process and leaves the machine; `PRAGMA synchronous=FULL` is there for the rest.
"""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx2 as httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Level
from zoom_imaging.review.answer import ReadingContent
from zoom_imaging.review.audit import Action, faults, head_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.tables import AuditEntry, CaseRow, ReadingRow, Trial
from zoom_imaging.review.web.guard import COOKIE, TOKEN_HEADER

from .conftest import case_data
from .crowd import admit, note_at, paper_trial, with_note
from .server import client, launched, logged_in, running, write_results
from .small_trial import small_trial

SEED = 20261128
ROUNDS = 5
PEOPLE = ("reader1", "reader2", "reader3", "reader4")
LEVEL = Level.T12
LONGEST_LIFE_SECONDS = 0.6


@dataclass
class Tab:
    """A reader's open case: the cookie, the page's data, and every word that she has sent."""

    name: str
    cookie: str
    data: dict
    words: list[str] = field(default_factory=list)
    """Those that are kept, in order: word n made version n + 2."""

    pending: str = ""
    """Sent when the server died, and not answered."""

    @property
    def code(self) -> str:
        """The reading."""
        return self.data["code"]

    def save_until_it_dies(self, server, first_answer: threading.Event) -> None:
        """One word after the other, as fast as the server takes them."""
        content = ReadingContent.model_validate(self.data["content"])
        with client(server, self.cookie) as browser:
            try:
                while True:
                    self.pending = f"{self.name} {len(self.words)}"
                    said = with_note(content, LEVEL, self.pending)
                    answer = browser.client.put(
                        self.data["urls"]["save"],
                        json={
                            "version": len(self.words) + 1,
                            "content": said.model_dump(mode="json"),
                        },
                        headers={TOKEN_HEADER: self.data["csrf"]},
                    )
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["version"] == len(self.words) + 2
                    self.words.append(self.pending)
                    first_answer.set()
            except httpx.TransportError:
                return


def test_what_was_answered_before_a_kill_is_in_the_database_afterwards(tmp_path):
    """Five times: four readers save without a pause, and the server dies at a random moment.

    Every save that was answered is there with its version and in the trail; the one that was on
    its way is there as a whole or not at all; readers go on with the session they had.
    """
    chance = random.Random(SEED)
    trial = small_trial(tmp_path, ("ZOOM-901", "ZOOM-902"))
    path = tmp_path / "readings.sqlite3"
    results = write_results(tmp_path / "results", trial.reading_list)
    database = Database(path)
    admit(database, trial.reading_list, PEOPLE)
    database.close()
    with running(results, path) as server:
        tabs = [_open(server, name) for name in PEOPLE]
    answered = 0
    for _ in range(ROUNDS):
        with running(results, path) as server, ThreadPoolExecutor(len(tabs)) as pool:
            _pages_are_as_left(server, tabs)
            first_answer = threading.Event()
            jobs = [pool.submit(tab.save_until_it_dies, server, first_answer) for tab in tabs]
            try:
                assert first_answer.wait(60)
                time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
            finally:
                server.kill()
            for job in jobs:
                job.result(60)
            assert server.complaints == ""
        assert sum(len(tab.words) for tab in tabs) > answered
        database = Database(path)
        with database.reading() as session:
            for tab in tabs:
                _is_kept(session, tab)
            assert list(faults(session)) == []
        database.close()
        answered = sum(len(tab.words) for tab in tabs)


def _open(server, name: str) -> Tab:
    with logged_in(server, name) as browser:
        return Tab(name, browser.client.cookies[COOKIE], browser.begin())


def _pages_are_as_left(server, tabs: list[Tab]) -> None:
    """The session survived, and the page shows the last word that is kept."""
    for tab in tabs:
        with client(server, tab.cookie) as browser:
            data = case_data(browser.get(f"/read/{tab.code}").text)
        assert data["csrf"] == tab.data["csrf"]
        assert data["version"] == len(tab.words) + 1
        kept = note_at(ReadingContent.model_validate(data["content"]), LEVEL)
        assert kept == (tab.words[-1] if tab.words else "")


def _is_kept(session: Session, tab: Tab) -> None:
    """Row and trail hold every word in order; a word that was on its way joins them or does not."""
    row = session.scalars(select(ReadingRow).where(ReadingRow.code == tab.code)).one()
    saved = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == Action.READING_SAVE, AuditEntry.object == f"reading:{tab.code}")
        .order_by(AuditEntry.seq)
    )
    trail = [new for entry in saved for _, _, new in json.loads(entry.change)]
    assert trail in (tab.words, [*tab.words, tab.pending])
    tab.words = trail
    assert row.version == len(trail) + 1
    content = ReadingContent.model_validate(tab.data["content"])
    assert content_of(row) == (with_note(content, LEVEL, trail[-1]) if trail else content)


def test_a_first_start_that_is_killed_leaves_a_trial_that_is_whole_or_absent(tmp_path):
    """Tables and import come in one piece each; the next start finishes what is missing."""
    chance = random.Random(SEED)
    subjects = 200
    results = write_results(tmp_path / "results", paper_trial(subjects))
    for number in range(3):
        path = tmp_path / f"{number}.sqlite3"
        with launched(results, path) as server:
            _wait_for_file(path)
            time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
            server.kill()
        database = Database(path)
        with database.reading() as session:
            assert list(faults(session)) == []
            whole = head_of(session)[0] > 0
            assert (session.get(Trial, 1) is not None) == whole
            assert len(session.scalars(select(CaseRow)).all()) == (subjects if whole else 0)
        database.close()
    with running(results, path) as server, client(server) as browser:
        assert browser.get("/login").status_code == 200
    database = Database(path)
    with database.reading() as session:
        assert len(session.scalars(select(CaseRow)).all()) == subjects
    database.close()


def _wait_for_file(path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, "the server made no database"
        time.sleep(0.005)


def test_a_server_that_is_asked_to_end_ends_without_a_complaint(tmp_path):
    """As a service manager asks: exit code 0 or that of the signal, nothing in the log."""
    trial = small_trial(tmp_path, ("ZOOM-901",))
    path = tmp_path / "readings.sqlite3"
    with running(write_results(tmp_path / "results", trial.reading_list), path) as server:
        with client(server) as browser:
            assert browser.get("/login").status_code == 200
        assert server.terminate() in (0, -15)
        assert server.complaints == ""
