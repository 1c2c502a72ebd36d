"""Forms of other sites, other hosts, too much at once; cookies and headers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from zoom_imaging.review.web.app import create_app
from zoom_imaging.review.web.guard import LARGEST_BODY_BYTES, TOKEN_HEADER, Site

from .conftest import PASSWORD, answered, case_data, room_at

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
FORMS = {
    "reader1": [
        ("POST", "/next"),
        ("POST", "/read/{code}/start"),
        ("POST", "/read/{code}/sign"),
        ("PUT", "/api/readings/{code}"),
        ("POST", "/api/readings/{code}/reveal"),
        ("POST", "/password"),
        ("POST", "/logout"),
    ],
    "manager": [
        ("POST", "/trial/lock"),
        ("POST", "/trial/unlock"),
        ("POST", "/cases/1/lock"),
        ("POST", "/cases/1/unlock"),
        ("POST", "/cases/1/restart"),
        ("POST", "/cases/1/reopen"),
        ("POST", "/accounts"),
        ("POST", "/accounts/reader3/close"),
        ("POST", "/accounts/reader3/reset"),
        ("POST", "/audit/verify"),
        ("POST", "/audit.csv"),
    ],
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A room where reader1 has answered a case and may sign it."""
    room = room_at(tmp_path_factory.mktemp("security"))
    reader = room.browser("reader1")
    room.data = reader.begin()
    room.version = reader.save(room.data, answered(room.data)).json()["version"]
    yield room
    room.database.close()


def request(room, client, method, path, secret, **headers):
    """What the page would send: everything right but, perhaps, the secret."""
    path = path.replace("{code}", room.data["code"])
    if path.startswith("/api/"):
        body = {"version": room.version}
        if method == "PUT":
            body["content"] = room.data["content"]
        token = {} if secret is None else {TOKEN_HEADER: secret}
        return client.request(method, path, json=body, headers=token | headers)
    fields = {
        "password": PASSWORD,
        "version": str(room.version),
        "reason": "because",
        "code": room.data["code"],
        "name": "intruder",
        "full_name": "In Truder",
        "role": "data_manager",
        "old": PASSWORD,
        "new": "another long password",
        "again": "another long password",
    }
    return client.post(
        path, data=fields | ({} if secret is None else {"csrf": secret}), headers=headers
    )


@pytest.mark.parametrize("given", [None, "", "another session's", "another person's"])
@pytest.mark.parametrize(
    ("name", "method", "path"), [(name, *form) for name in FORMS for form in FORMS[name]]
)
def test_a_form_without_the_secret_of_this_session_changes_nothing(
    opened, name, method, path, given
):
    """Neither no secret, nor that of another session of the same person, nor another person's."""
    secret = {
        None: None,
        "": "",
        "another session's": secret_of(opened.visitor(name)),
        "another person's": secret_of(opened.browser("reader2").client),
    }[given]
    client = opened.browser(name).client
    before = opened.head()
    answer = request(opened, client, method, path, secret)
    assert answer.status_code == 403
    assert opened.head() == before
    assert client.get("/password").status_code == 200


def secret_of(client):
    if client.get("/password").status_code != 200:
        client.post("/login", data={"name": "reader1", "password": PASSWORD})
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/password").text)[1]


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"),
        *("", "http://[", "http://testserver@evil.example"),
    ],
)
@pytest.mark.parametrize("path", ["/next", "/login", "/api/readings/{code}"])
def test_a_page_of_another_site_may_send_nothing(opened, path, origin):
    """Even with the secret, and even with a right password."""
    reader = opened.browser("reader1").client
    client = opened.visitor()
    client.cookies = reader.cookies
    before = opened.head()
    method = "PUT" if path.startswith("/api") else "POST"
    answer = request(opened, client, method, path, secret_of(reader), Origin=origin)
    assert answer.status_code == 403
    assert opened.head() == before


@pytest.mark.parametrize("origin", [None, "http://testserver"])
def test_the_own_page_may(opened, origin):
    """With the secret and the own origin, or none where the browser says none."""
    reader = opened.browser("reader1").client
    headers = {"Origin": origin} if origin else {}
    before = opened.head()
    answer = request(opened, reader, "POST", "/next", secret_of(reader), **headers)
    assert answer.status_code == 200
    assert opened.head() == before


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("TESTSERVER:8042", 200),
        ("evil.example", 400),
        ("testserver.evil.example", 400),
        ("", 400),
        ("[::1]", 400),
        ("[", 400),
    ],
)
def test_the_server_answers_to_its_own_names_only(opened, host, status):
    """So that another site's name cannot be pointed at it (DNS rebinding)."""
    assert opened.visitor().get("/login", headers={"host": host}).status_code == status


def test_a_request_that_is_too_large_is_refused_before_it_is_read(opened):
    client = opened.visitor("reader1")
    path = f"/api/readings/{opened.data['code']}"
    large = b'{"version": "' + b"x" * LARGEST_BODY_BYTES + b'"}'
    assert client.put(path, content=large).status_code == 413
    assert client.put(path, content=iter([b"of unknown size"])).status_code == 413
    lying = client.post("/login", content=b"name=x", headers={"content-length": "-1"})
    assert lying.status_code == 413


@pytest.mark.parametrize("https", [False, True])
def test_the_cookie_is_kept_from_scripts_and_other_sites(opened, https):
    """And from plain http behind TLS; a password never becomes part of it."""
    app = create_app(opened.database, Site(frozenset({"testserver"}), https=https))
    client = TestClient(app, "https://testserver", follow_redirects=False)
    answer = client.post("/login", data={"name": "reader1", "password": PASSWORD})
    (cookie,) = answer.headers.get_list("set-cookie")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert ("secure" in flags) is https
    assert not any(flag.startswith(("domain", "expires", "max-age")) for flag in flags)


def test_logging_out_takes_the_cookie_and_what_the_browser_kept(opened):
    client = opened.visitor("reader2")
    before = dict(client.cookies)
    answer = client.post("/logout", data={"csrf": secret_of(client)})
    assert answer.headers["clear-site-data"] == '"cache"'
    assert not client.cookies
    client.cookies.update(before)
    assert client.get("/").headers["location"] == "/login"


def broken(*_):
    raise RuntimeError("ZOOM-901 of SITE-PATH")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/login", 200),
        ("GET", "/", 200),
        ("GET", "/static/app.css", 200),
        ("GET", "/static/none.css", 404),
        ("GET", "/read/NOTHING", 404),
        ("GET", "/read/{code}", 200),
        ("GET", "/films/{code}/f1", 200),
        ("GET", "/films/{code}/f9", 404),
        ("GET", "/cases", 403),
        ("GET", "/nowhere", 404),
        ("GET", "/login/", 307),
        ("POST", "/monitoring", 405),
        ("PUT", "/api/readings/{code}", 422),
        ("POST", "/next", 403),
        ("POST", "/login", 403),
        ("GET", "/broken", 500),
    ],
)
def test_every_answer_carries_the_protecting_headers(opened, monkeypatch, method, path, status):
    """Pages, data, films, refusals, and what goes wrong unexpectedly."""
    if path == "/broken":
        path = "/"
        monkeypatch.setattr("zoom_imaging.review.web.reader_pages.tasks", broken)
    client = opened.visitor("reader1")
    sent = {"json": {}} if path.startswith("/api") else {}
    answer = client.request(method, path.replace("{code}", opened.data["code"]), **sent)
    assert answer.status_code == status
    assert {part.strip() for part in answer.headers["content-security-policy"].split(";")} >= POLICY
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    kept = "immutable" if status == 200 and path.startswith("/films") else "no-"
    assert kept in answer.headers["cache-control"]
    assert "RuntimeError" not in answer.text
    assert "ZOOM-901" not in answer.text


def test_nothing_is_stored_by_a_proxy(opened):
    """Films may stay in the browser of whoever reads them, everything else nowhere."""
    film = opened.browser("reader1").get(f"/films/{opened.data['code']}/f1")
    assert film.headers["cache-control"].startswith("private")
    assert opened.browser("reader1").get("/").headers["cache-control"] == "no-store"


class Page(HTMLParser):
    """What a browser would load, run or send from a page."""

    TARGETS = frozenset({"href", "src", "action", "formaction", "poster", "data", "srcset"})

    def __init__(self, text):
        super().__init__()
        self.inline, self.targets, self.secrets = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "style" or "style" in found or any(name.startswith("on") for name in found):
            self.inline.append(tag)
        if tag == "script" and "src" not in found and found.get("type") != "application/json":
            self.inline.append(tag)
        if tag in {"iframe", "object", "embed", "base", "meta"} and "http-equiv" in found:
            self.inline.append(tag)
        self.targets += [value for name, value in attributes if name in self.TARGETS]


def crawl(room):
    """Every page that somebody can open, with its address."""
    for name in ("reader1", "judge", "manager", "auditor"):
        todo, seen = ["/", "/password", "/nowhere"], set()
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            answer = room.browser(name).get(path)
            if "text/html" in answer.headers["content-type"]:
                yield path, answer.text
                links = re.findall(r'href="(/[^"]*)"', answer.text)
                todo += [link for link in links if not link.startswith("/static")]


def test_pages_run_no_inline_script_and_load_nothing_from_elsewhere(room):
    """What the policy forbids is not there to be missed, either."""
    reader = room.browser("reader1")
    code = reader.read()
    room.browser("reader2").read({("A", "T7"): {"grade": "2", "shape": "wedge"}})
    pages = dict(crawl(room))
    pages["read"] = reader.submit("/", "/next").text
    pages["adjudicate"] = room.browser("judge").submit("/", "/next").text
    pages["sign"] = reader.get(f"/read/{case_data(pages['read'])['code']}/sign").text
    pages["signed"] = reader.get(f"/read/{code}/sign").text
    pages["verify"] = room.browser("auditor").submit("/audit", "/audit/verify").text
    pages["login"] = room.visitor().get("/login").text
    assert len(pages) > 14
    for path, text in pages.items():
        page = Page(text)
        assert not page.inline, (path, page.inline)
        strange = [one for one in page.targets if not re.match(r"/(?!/)|#|data:,$", one)]
        assert not strange, (path, strange)


def test_every_form_that_changes_something_carries_the_secret(room):
    """But for the login, where there is no session yet."""
    room.browser("reader1").read()
    for path, text in crawl(room):
        for form in re.findall(r"<form method=\"post\".*?</form>", text, re.DOTALL):
            assert re.search(r'name="csrf" value="[\w-]{20,}"', form), (path, form)
