"""Whatever people or headers write is shown as text: in pages, in the viewer's data, in exports."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from zoom_imaging.ingest.text import FORMULA_STARTS, visible
from zoom_imaging.review.cases import import_reading_list
from zoom_imaging.review.database import Database
from zoom_imaging.review.tables import Role

from .conftest import PASSWORD, Room, account, answered, case_data, create_account, fill
from .small_trial import small_trial

HOSTILE = {
    "tags": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "end of script": "</script><!--<script>",
    "quotes": "\"' onmouseover='alert(1)' x=\"",
    "sql": "'; DROP TABLE audit; --",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "plus": "+1+1",
    "at": "@SUM(1)",
    "minus": "-2+3",
    "template": "{{ 7*7 }}{% raw %}",
    "controls": "a\x00b\x1b[2J\x07\r\nc",
    "bidi": "\u202egnp.exe\u2066x",
    "separators": "a\u2028b\u2029c",
    "entities": "&lt;b&gt; &amp; &#60;",
    "korean": "김영희 ①",
    "long": "x" * 400,
}
TAGS = {
    *("html", "head", "meta", "title", "link", "body", "a", "header", "strong", "nav", "span"),
    *("small", "form", "input", "button", "main", "section", "h1", "h2", "p", "table", "thead"),
    *("tbody", "tr", "th", "td", "caption", "div", "b", "code", "label", "select", "option"),
    *("script", "noscript"),
}


class Shown(HTMLParser):
    """Text and attribute values of a page, after the browser has taken escapes away."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.handlers, self.scripts = [], set(), [], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.texts += [value or "" for _, value in attributes]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "\n".join(self.texts)


def assert_shown(page, what, scripts=0):
    """The page shows the text, and has no element that the templates do not have."""
    shown = Shown(page)
    assert what in shown.text, what
    assert shown.tags <= TAGS
    assert not shown.handlers
    assert shown.scripts == scripts


@pytest.fixture(params=HOSTILE, scope="module")
def hostile(request):
    return HOSTILE[request.param]


@pytest.fixture(scope="module")
def opened(hostile, tmp_path_factory):
    """A room whose subjects, films and people are called by that text wherever it can be."""
    folder = tmp_path_factory.mktemp("pages")
    database = Database(folder / "readings.sqlite3")
    trial = small_trial(folder)
    cases = tuple(
        replace(
            case,
            subject_id=f"{hostile[:240]}{at}",
            films=tuple(
                replace(film, source=replace(film.source, path=hostile)) for film in case.films
            ),
        )
        for at, case in enumerate(trial.reading_list.cases)
    )
    fill(database, replace(trial, reading_list=replace(trial.reading_list, cases=cases)))
    room = Room(database)
    for name in ("reader1", "reader2"):
        room.browser(name).read()
    yield room
    database.close()


def test_subjects_of_hostile_headers_are_text_on_every_page(opened, hostile):
    """List, case, trail, and in a reader's pages not at all."""
    manager = opened.browser("manager")
    for path in ("/cases", "/cases/1", "/audit"):
        assert_shown(manager.get(path).text, visible(hostile)[:40])
    if len(hostile) > 6:
        for path in ("/", "/audit"):
            reader = opened.browser("reader1").get(path).text
            assert visible(hostile) not in Shown(reader).text


def test_reasons_are_text(opened, hostile):
    """In the trail of the page, cut to a length that a reason may have."""
    manager = opened.browser("manager")
    manager.submit("/accounts", "/accounts/reader3/close", reason=hostile)
    assert opened.audit()[-1].reason == hostile.strip()
    assert_shown(manager.get("/audit").text, visible(hostile.strip()))
    manager.submit("/accounts", "/accounts/reader3/open", reason="back")


def test_notes_and_comments_come_back_as_they_were_and_do_not_end_the_script(opened, hostile):
    """The viewer's data stays one block of JSON."""
    reader = opened.browser("reader1")
    data = reader.begin()
    data |= reader.save(data, answered(data)).json()
    content = answered(data, {("A", "T8"): {"note": hostile}})
    content["sides"]["B"]["comment"] = hostile
    answer = reader.save(data, content)
    assert answer.status_code == 200
    page = reader.get(f"/read/{data['code']}").text
    kept = case_data(page)["content"]["sides"]
    assert kept["A"]["vertebrae"]["T8"]["note"] == hostile
    assert kept["B"]["comment"] == hostile
    assert page.count("</script>") == 2
    shown = Shown(page)
    assert shown.tags <= TAGS
    assert shown.scripts == 2
    assert_shown(opened.browser("auditor").get("/audit").text, "A.T8.note")


def test_a_name_at_the_login_is_text(opened, hostile):
    """In the form that comes back and in the trail."""
    answer = opened.visitor().post("/login", data={"name": hostile, "password": "not this one"})
    assert answer.status_code == 403
    assert_shown(answer.text, visible(hostile[:64]))
    assert opened.audit()[-1].actor.isprintable()
    assert Shown(opened.browser("auditor").get("/audit").text).tags <= TAGS


def test_a_full_name_is_text_or_refused(opened, hostile):
    """And so is a name that no account may have."""
    manager = opened.browser("manager")
    number = len(opened.audit())
    fields = {"name": f"kim{number}", "full_name": hostile, "role": "reader"}
    answer = manager.submit("/accounts", "/accounts", **fields)
    if hostile.isprintable() and len(hostile) <= 128:
        assert answer.status_code == 200
        assert_shown(manager.get("/accounts").text, hostile)
        assert_shown(manager.get("/audit").text, f"kim{number}")
    else:
        assert answer.status_code == 422
    refused = manager.submit("/accounts", "/accounts", **fields | {"name": hostile})
    assert refused.status_code == 422
    assert_shown(refused.text, "cannot be used")
    assert manager.submit("/accounts", "/accounts", **fields | {"role": hostile}).status_code == 422


def test_the_export_starts_no_formula(opened, hostile):
    """Every cell is visible text; what a spreadsheet would compute has an apostrophe before it."""
    manager = opened.browser("manager")
    manager.submit("/accounts", "/accounts/reader3/reset", reason=hostile)
    answer = manager.submit("/audit", "/audit.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert {len(row) for row in rows} == {13}
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
    assert all(cell == visible(cell) for cell in cells)
    expected = visible(hostile.strip())
    found = [cell.removeprefix("'") if expected[:1] != "'" else cell for cell in cells]
    assert expected in found
    assert opened.audit()[-1].action == "export"


def test_the_export_says_every_change_with_old_and_new(room):
    """One line a field, and a line for what changes nothing; the seals to check it by."""
    reader = room.browser("reader1")
    data = reader.begin()
    reader.save(data, answered(data, {("A", "T8"): {"grade": "1", "shape": "wedge"}}))
    text = room.browser("auditor").submit("/audit", "/audit.csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    entries = room.audit()
    assert sorted({int(row["seq"]) for row in rows}) == [entry.seq for entry in entries]
    (one,) = [row for row in rows if row["field"] == "A.T8.grade" and row["new"] == '"1"']
    assert (one["actor"], one["action"], one["old"]) == ("reader1", "reading.save", "")
    assert [row["sha256"] for row in rows][-1] == entries[-1].sha256


def test_the_trail_is_shown_newest_first_and_page_by_page(room):
    """A hundred at a time, down to the first."""
    with room.database.writing() as session:
        manager = account(session, "manager")
        for number in range(120):
            create_account(session, manager, f"kim{number}", "Kim", Role.READER)
    auditor = room.browser("auditor")
    seen, path = [], "/audit"
    while path:
        page = auditor.get(path).text
        seen += [int(number) for number in re.findall(r"<tr><td>(\d+)</td>", page)]
        older = re.search(r'href="(/audit\?before=\d+)"', page)
        path = older[1] if older else ""
    assert seen == list(range(room.head()[0], 0, -1))
    for odd in ("0", "-5", "x", "9" * 40, "1 OR 1=1", "٣"):
        assert auditor.get(f"/audit?before={odd}").status_code == 200


def test_verification_in_the_room_says_where_it_is_wrong(room):
    """As the command does."""
    auditor = room.browser("auditor")
    assert "The trail is whole" in auditor.submit("/audit", "/audit/verify").text
    room.browser("reader1").read()
    with room.database.writing() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE signature SET printed_name = 'Dr &lt;Ghost&gt;'"))
    page = auditor.submit("/audit", "/audit/verify").text
    assert "1 places are not as the trail says" in page
    assert_shown(page, "Dr &lt;Ghost&gt;")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "kim", "full_name": "Kim", "role": "boss"}, "Choose a role"),
        ({"name": "K m", "full_name": "Kim", "role": "reader"}, "small letters"),
        ({"name": "reader1", "full_name": "Kim", "role": "reader"}, "already"),
        ({"name": "kim", "full_name": "", "role": "reader"}, "full name"),
        ({}, "Choose a role"),
    ],
)
def test_the_form_for_accounts_says_what_is_wrong(room, fields, told):
    answer = room.browser("manager").submit("/accounts", "/accounts", **fields)
    assert answer.status_code == 422
    assert told in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/accounts/ghost/close", 404),
        ("/accounts/reader1/promote", 404),
        ("/accounts/manager/close", 422),
        ("/cases/1/burn", 404),
        ("/cases/99/lock", 404),
    ],
)
def test_acts_that_there_are_not_are_refused(room, path, status):
    manager = room.browser("manager")
    before = room.head()
    page = "/accounts" if path.startswith("/accounts") else "/cases"
    answer = manager.submit(page, path, reason="r", password=PASSWORD)
    assert answer.status_code == status
    assert room.head() == before


def test_an_import_after_hostile_names_still_works(opened):
    """Nothing of it was taken for SQL."""
    with opened.database.writing() as session:
        cases = import_reading_list(session, small_trial_of(opened)).new
    assert len(cases) == 3


def small_trial_of(room):
    from pathlib import Path

    return small_trial(Path(room.database.url.database).parent / "again").reading_list
