"""A reading room with people in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from zoom_imaging.review import accounts, verdicts
from zoom_imaging.review.accounts import create_account, create_first_account, hash_of
from zoom_imaging.review.audit import entries, head_of
from zoom_imaging.review.case import ReadingList
from zoom_imaging.review.cases import import_reading_list
from zoom_imaging.review.database import Database
from zoom_imaging.review.tables import Account, AuditEntry, Role
from zoom_imaging.review.web.app import create_app
from zoom_imaging.review.web.guard import COOKIE, TOKEN_HEADER, Site

from .small_trial import SUBJECTS, SmallTrial, charter_with, small_trial

PASSWORD = "correct horse battery"
PEOPLE = {
    "manager": Role.DATA_MANAGER,
    "reader1": Role.READER,
    "reader2": Role.READER,
    "reader3": Role.READER,
    "judge": Role.ADJUDICATOR,
    "auditor": Role.AUDITOR,
}


REAL_HASHER = accounts._hasher
"""What hashes passwords outside the tests."""


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Argon2 with the least work; `test_accounts` looks at the real one."""
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: quick)
        accounts._nobodys_hash.cache_clear()
        yield
    accounts._nobodys_hash.cache_clear()


def after_the_first_look(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]) -> None:
    """Let something happen once `load_verdicts` has read the verdicts or the head, not both."""
    waiting = [happen]

    def looked(real: Callable[[Session], object]) -> Callable[[Session], object]:
        def look(session: Session) -> object:
            seen = real(session)
            if waiting:
                waiting.pop()()
            return seen

        return look

    for name in ("verdicts", "head_of"):
        monkeypatch.setattr(verdicts, name, looked(getattr(verdicts, name)))


@pytest.fixture
def trial(tmp_path) -> SmallTrial:
    """Three subjects, two visits each; the first has a new fracture of T12."""
    return small_trial(tmp_path)


@pytest.fixture
def database(tmp_path, trial) -> Iterator[Database]:
    """The small trial imported, with one account for each of `PEOPLE`."""
    made = Database(tmp_path / "readings.sqlite3")
    fill(made, trial)
    yield made
    made.close()


@pytest.fixture
def room(database) -> Room:
    """The web application on that database."""
    return Room(database)


def room_at(folder, subjects: tuple[str, ...] = SUBJECTS, **rules: object) -> Room:
    """A room with its own database, by ZOOM's charter but for `rules` of reading."""
    rules = {"repeat_share": 0.0} | rules
    database = Database(folder / "readings.sqlite3")
    fill(database, small_trial(folder, subjects, charter=charter_with(**rules)))
    return Room(database)


def fill(database: Database, trial: SmallTrial | ReadingList) -> None:
    """Import the trial and make the accounts, all with `PASSWORD`."""
    reading_list = trial.reading_list if isinstance(trial, SmallTrial) else trial
    with database.writing() as session:
        import_reading_list(session, reading_list)
        manager = create_first_account(session, "manager", "Mara Manager", PASSWORD)
        hashed = hash_of(PASSWORD)
        for name, role in PEOPLE.items():
            if name != "manager":
                account, _ = create_account(session, manager, name, name.title(), role)
                set_known_password(session, account, hashed)


def set_known_password(session, account: Account, hashed: str) -> None:
    """As if the person had chosen it (the trail notes it, as it notes every change)."""
    from zoom_imaging.review.audit import PROGRAM, Action, append

    account.password_hash, account.password_is_temporary = hashed, False
    append(session, PROGRAM, Action.ACCOUNT_CHANGE, f"account:{account.name}", rows=[account])


def account(session, name: str) -> Account:
    """A person in this session."""
    return session.scalars(select(Account).where(Account.name == name)).one()


@dataclass
class Room:
    """The application and the browsers that are logged in to it."""

    database: Database
    browsers: dict[str, Browser] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = create_app(self.database, Site(frozenset({"testserver"})))

    def visitor(self, name: str = "", *, base_url: str = "http://testserver") -> TestClient:
        """A browser that follows no redirect, has not logged in (but as `name`), and shows 500s."""
        client = TestClient(
            self.app, base_url, follow_redirects=False, raise_server_exceptions=False
        )
        if name:
            answer = client.post("/login", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    def listen(self) -> Wire:
        """From now on keep everything that is sent."""
        self.app = Wire(self.app)
        self.browsers.clear()
        return self.app

    def head(self) -> tuple[int, str]:
        """The end of the audit trail."""
        with self.database.reading() as session:
            return head_of(session)

    def audit(self) -> list[AuditEntry]:
        """The whole trail."""
        with self.database.reading() as session:
            return list(entries(session))

    def browser(self, name: str) -> Browser:
        """The browser of one of `PEOPLE`, logged in."""
        if name not in self.browsers:
            client = TestClient(self.app, follow_redirects=True)
            answer = client.post("/login", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            self.browsers[name] = Browser(client)
        return self.browsers[name]


@dataclass
class Browser:
    """A person's browser: pages, forms with their secret, and a whole reading in one call."""

    client: TestClient
    secrets: dict[str | None, str] = field(default_factory=dict)

    def get(self, path: str):
        """A page."""
        return self.client.get(path)

    def submit(self, page: str, action: str, **fields: str):
        """Send a form of `page` to `action`."""
        return self.client.post(action, data={"csrf": self.secret(page)} | fields)

    def secret(self, page: str) -> str:
        """The secret in the forms of this session's pages; looked for once a session."""
        token = self.client.cookies.get(COOKIE)
        if token not in self.secrets:
            found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
            self.secrets[token] = found[1]
        return self.secrets[token]

    def begin(self) -> dict[str, Any]:
        """Open the next case: its data."""
        return case_data(self.submit("/", "/next").text)

    def save(self, data: dict[str, Any], content: dict[str, Any], **headers: str):
        """Send answers as the viewer does."""
        return self.client.put(
            data["urls"]["save"],
            json={"version": data["version"], "content": content},
            headers={TOKEN_HEADER: data["csrf"]} | headers,
        )

    def sign(self, code: str, password: str = PASSWORD):
        """Sign what is saved."""
        page = self.get(f"/read/{code}/sign").text
        version = re.search(r'name="version" value="(\d+)"', page)
        return self.submit(
            f"/read/{code}/sign",
            f"/read/{code}/sign",
            version=version[1] if version else "0",
            password=password,
        )

    def read(self, said: dict[tuple[str, str], dict[str, Any]] | None = None) -> str:
        """Read the next case as the model says, but for `said`; sign it; its code."""
        data = self.begin()
        answer = self.save(data, answered(data, said))
        assert answer.status_code == 200, answer.text
        signed = self.sign(data["code"])
        assert "Signed by" in signed.text, signed.text
        return data["code"]

    def read_all(self, said: dict[tuple[str, str], dict[str, Any]] | None = None) -> list[str]:
        """Read everything that the worklist has; the codes."""
        codes = []
        while 'action="/next"' in self.get("/").text:
            codes.append(self.read(said))
        return codes

    def lock_all(self) -> None:
        """Lock every subject (a data manager's browser)."""
        for path in re.findall(r'href="(/cases/\d+)"', self.get("/cases").text):
            answer = self.submit(path, f"{path}/lock", password=PASSWORD)
            assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Sent:
    """One answer of the server, as it goes over the wire."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body, whatever it is."""
        return self.body.decode("latin-1")


class Wire:
    """The application, and everything that it sends."""

    def __init__(self, app) -> None:
        self.app = app
        self.sent: list[Sent] = []

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, and keep the answer."""
        status, headers, body = 0, {}, []

        async def keep(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update(
                    (key.decode("latin-1").lower(), value.decode("latin-1"))
                    for key, value in message["headers"]
                )
            elif message["type"] == "http.response.body":
                body.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, keep)
        if scope["type"] == "http":
            made = Sent(scope["method"], scope["path"], status, headers, b"".join(body))
            self.sent.append(made)


def case_data(page: str) -> dict[str, Any]:
    """The data block of a reading page."""
    return json.loads(re.search(r'id="case-data">(.*?)</script>', page, re.DOTALL)[1])


def answered(
    data: dict[str, Any], said: dict[tuple[str, str], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Complete answers to a case: the model's word where it is shown, else normal; then `said`.

    `said` maps (side, level) to fields of the answer. An adjudicator answers what differs only.
    """
    content = json.loads(json.dumps(data["content"]))
    places = {tuple(one[:2]) for one in data["discordant"]} if data["discordant"] else None
    for side, spine in content["sides"].items():
        for level in data["graded"][spine["anatomy"]]:
            if places is not None and (side, level) not in places:
                continue
            answer = spine["vertebrae"].setdefault(level, {})
            model = ((data["model"] or {}).get(side) or {}).get(level)
            answer |= {"grade": model["grade"] if model else "0"}
            answer |= {"shape": model["shape"] if model else "none"}
            answer |= (said or {}).get((side, level), {})
    return content
