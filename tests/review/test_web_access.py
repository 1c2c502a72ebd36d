"""Who may ask what: every route of the reading room, for every role."""

from __future__ import annotations

import pytest

from zoom_imaging.review.accounts import create_account
from zoom_imaging.review.tables import Role
from zoom_imaging.review.web.guard import TOKEN_HEADER

from .conftest import PASSWORD, account, answered, hash_of, room_at

WHO = ("nobody", "reader", "other reader", "adjudicator", "manager", "auditor", "newcomer")
LOGIN, DENIED, UNKNOWN, OPEN, SENT = "login", 403, 404, 200, 303
STALE, NOT_DONE, UNSIGNED = 409, 422, 401
HERS = (DENIED, DENIED, DENIED)  # what manager, auditor and newcomer get of a reader's pages
TABLE: dict[tuple[str, str], tuple[object, ...]] = {
    # nobody, the reader of {code}, another reader, adjudicator, manager, auditor, newcomer
    ("GET", "/static"): (OPEN,) * 7,
    ("GET", "/login"): (OPEN,) * 7,
    ("POST", "/login"): (DENIED,) * 7,
    ("POST", "/logout"): (LOGIN,) * 7,
    ("GET", "/password"): (LOGIN, *(OPEN,) * 6),
    ("POST", "/password"): (LOGIN, *(NOT_DONE,) * 6),
    ("GET", "/"): (LOGIN, OPEN, OPEN, OPEN, "/cases", "/monitoring", DENIED),
    ("POST", "/next"): (LOGIN, SENT, SENT, SENT, *HERS),
    ("POST", "/read/{code}/start"): (LOGIN, SENT, DENIED, DENIED, *HERS),
    ("GET", "/read/{code}"): (LOGIN, OPEN, UNKNOWN, UNKNOWN, *HERS),
    ("GET", "/films/{code}/{key}"): (UNSIGNED, OPEN, UNKNOWN, UNKNOWN, *HERS),
    ("PUT", "/api/readings/{code}"): (UNSIGNED, STALE, UNKNOWN, UNKNOWN, *HERS),
    ("POST", "/api/readings/{code}/reveal"): (UNSIGNED, STALE, UNKNOWN, UNKNOWN, *HERS),
    ("GET", "/read/{code}/sign"): (LOGIN, OPEN, UNKNOWN, UNKNOWN, *HERS),
    ("POST", "/read/{code}/sign"): (LOGIN, NOT_DONE, UNKNOWN, UNKNOWN, *HERS),
    ("GET", "/cases"): (LOGIN, DENIED, DENIED, DENIED, OPEN, DENIED, DENIED),
    ("POST", "/trial/lock"): (LOGIN, DENIED, DENIED, DENIED, NOT_DONE, DENIED, DENIED),
    ("POST", "/trial/unlock"): (LOGIN, DENIED, DENIED, DENIED, NOT_DONE, DENIED, DENIED),
    ("GET", "/cases/{number}"): (LOGIN, DENIED, DENIED, DENIED, OPEN, DENIED, DENIED),
    ("POST", "/cases/{number}/{act}"): (
        *(LOGIN, DENIED, DENIED, DENIED),
        *(NOT_DONE, DENIED, DENIED),
    ),
    ("GET", "/accounts"): (LOGIN, DENIED, DENIED, DENIED, OPEN, DENIED, DENIED),
    ("POST", "/accounts"): (LOGIN, DENIED, DENIED, DENIED, NOT_DONE, DENIED, DENIED),
    ("POST", "/accounts/{name}/{act}"): (
        *(LOGIN, DENIED, DENIED, DENIED),
        *(NOT_DONE, DENIED, DENIED),
    ),
    ("GET", "/monitoring"): (LOGIN, DENIED, DENIED, DENIED, OPEN, OPEN, DENIED),
    ("GET", "/audit"): (LOGIN, DENIED, DENIED, DENIED, OPEN, OPEN, DENIED),
    ("POST", "/audit/verify"): (LOGIN, DENIED, DENIED, DENIED, OPEN, OPEN, DENIED),
    ("POST", "/audit.csv"): (LOGIN, DENIED, DENIED, DENIED, OPEN, OPEN, DENIED),
}
NAMES = dict(
    zip(WHO[1:], ("reader1", "reader2", "judge", "manager", "auditor", "newcomer"), strict=True)
)
OF_A_READING = [
    ("GET", "/read/{code}"),
    ("GET", "/films/{code}/f1"),
    ("GET", "/films/{code}/f2"),
    ("GET", "/read/{code}/sign"),
    ("POST", "/read/{code}/sign"),
    ("PUT", "/api/readings/{code}"),
    ("POST", "/api/readings/{code}/reveal"),
]


class House:
    """A room in the middle of its work, with everybody logged in."""

    def __init__(self, folder) -> None:
        self.room = room_at(folder)
        with self.room.database.writing() as session:
            made, _ = create_account(
                session, account(session, "manager"), "newcomer", "New Comer", Role.READER
            )
            made.password_hash = hash_of(PASSWORD)
        self.signed = self.room.browser("reader1").read()
        other = {("A", "T7"): {"grade": "2", "shape": "wedge"}}
        self.theirs = self.room.browser("reader2").read(other)
        self.data = self.room.browser("reader1").begin()
        self.code = self.data["code"]
        self.settling = self.room.browser("judge").begin()["code"]
        self.clients = {who: self.room.visitor(name) for who, name in NAMES.items()}
        self.clients["nobody"] = self.room.visitor()
        self.secrets = {who: self.secret(client) for who, client in self.clients.items()}

    def secret(self, client) -> str:
        page = client.get("/password").text
        return page.partition('name="csrf" value="')[2].partition('"')[0]

    def ask(self, who, method, path, code="", *, client=None, secret=None, headers=()):
        """A sound request that would change nothing even where it is allowed."""
        path = (
            path.replace("{code}", code or self.code)
            .replace("{key}", "f1")
            .replace("{number}", "1")
            .replace("{name}", "reader3")
            .replace("/static", "/static/app.css")
            .replace("{act}", "close" if path.startswith("/accounts") else "lock")
        )
        client = client or self.clients[who]
        if method == "GET":
            return client.get(path, headers=dict(headers))
        secret = self.secrets[who] if secret is None else secret
        if path.startswith("/api/"):
            body = {"version": 0}
            if method == "PUT":
                body["content"] = answered(self.data)
            sent = {TOKEN_HEADER: secret} | dict(headers)
            return client.request(method, path, json=body, headers=sent)
        fields = {"csrf": secret, "password": PASSWORD, "name": f"x {who}", "reason": ""}
        return client.post(path, data=fields, headers=dict(headers))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.room.database.close()


def routes(app):
    """Every method and path, also of included routers."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner)
        else:
            yield from (
                (method, route.path) for method in getattr(route, "methods", None) or ["GET"]
            )


def test_the_table_names_every_route(house):
    """A new page is served only after it is said here who may ask for it."""
    assert set(routes(house.room.app)) == set(TABLE)


@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda part: part)
def test_each_role_gets_its_own_pages_and_no_others(house, method, path):
    """Whoever is logged in sees what her role needs, and a stranger the login alone."""
    got = []
    for who, expected in zip(WHO, TABLE[method, path], strict=True):
        client, secret = None, None
        if path == "/logout" and who != "nobody":
            client = house.room.visitor(NAMES[who])
            secret = house.secret(client)
        before = house.room.head()
        answer = house.ask(who, method, path, client=client, secret=secret)
        target = answer.headers.get("location", "")
        got.append(
            answer.status_code
            if not target
            else LOGIN
            if target.startswith("/login")
            else target
            if expected == target
            else SENT
        )
        if answer.status_code in {UNSIGNED, DENIED, UNKNOWN, STALE, NOT_DONE} and path != "/login":
            assert house.room.head() == before, "a refusal leaves nothing behind"
    assert got == list(TABLE[method, path])


@pytest.mark.parametrize(("method", "path"), OF_A_READING, ids=lambda part: part)
@pytest.mark.parametrize(
    ("which", "whose"),
    [("signed", "reader"), ("theirs", "other reader"), ("settling", "adjudicator")],
)
def test_a_reading_is_there_for_its_own_reader_only(house, method, path, which, whose):
    """Also a signed one, and also the adjudicator's, which shows what all readers said."""
    code = getattr(house, which)
    for who in ("reader", "other reader", "adjudicator"):
        answer = house.ask(who, method, path, code)
        assert (answer.status_code == 404) is (who != whose), (who, answer.text)
        if who != whose:
            assert "T7" not in answer.text


@pytest.mark.parametrize("key", ["f0", "f3", "F1", "..", "%2e%2e"])
def test_only_films_of_the_case_are_sent(house, key):
    """Keys are not paths."""
    assert house.clients["reader"].get(f"/films/{house.code}/{key}").status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/static/..%2fapp.py"])
def test_nothing_else_is_served(house, path):
    """Neither a description of the programming interface nor the program."""
    assert house.clients["manager"].get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/cases/0", "/cases/77", f"/cases/{10**20}", "/cases/" + "9" * 5000]
)
def test_a_subject_that_is_not_there_is_not_found(house, path):
    """However large its number."""
    assert house.clients["manager"].get(path).status_code == 404


@pytest.mark.parametrize("role", ["reader", "adjudicator"])
def test_whoever_reads_has_no_links_to_what_others_do(house, role):
    """The frame of the page offers the worklist alone."""
    page = house.clients[role].get("/").text
    for path in ("/cases", "/accounts", "/audit", "/monitoring"):
        assert path not in page
