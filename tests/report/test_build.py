from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from zoom_imaging.anatomy import GradeSource, Level, Visit
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.endpoints.analysis.answer import trial_answer
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.ingest.catalogue import Disposition
from zoom_imaging.report.build import write_report
from zoom_imaging.report.page import page_name
from zoom_imaging.review.verdict import Observer, Standing, SubjectVerdict

VOID = {"meta", "link", "img", "br"}
LINKING = {"href", "src"}
DECODE_PICTURES = (
    "Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode() }))"
)
STYLED = "getComputedStyle(document.querySelector('.provisional')).borderLeftStyle === 'solid'"
LEVELS_FIT = (
    "[...document.querySelectorAll('#levels .scroll')].every(e => e.scrollWidth <= e.clientWidth)"
)


def report_of(folder, trial):
    write_report(folder, trial, trial_answer(trial))


class Page(HTMLParser):
    """What a browser would see, and whether the elements are closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.open, self.elements, self.words = path, [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def having(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def pages(report: Path) -> list[Page]:
    return [Page(path) for path in sorted(report.rglob("*.html"))]


def page_of(report: Path, subject_id: str) -> Page:
    return Page(report / "subjects" / page_name(subject_id))


def test_the_folder_holds_pages_pictures_and_a_style_with_harmless_names(report, build):
    found = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert {"index.html", "style.css"} <= found
    assert {f"subjects/{page_name(name)}" for name in build.hostile_ids} <= found
    assert len([name for name in found if name.startswith("pictures/")]) == 2
    assert all(name.isascii() and not set(name) & set("<>\"' &%#?") for name in found)


def test_every_link_stays_in_the_folder_and_leads_somewhere(report):
    for page in pages(report):
        anchors = {attributes.get("id") for _, attributes in page.elements}
        for _, attributes in page.elements:
            for name in LINKING & attributes.keys():
                parts = urlsplit(attributes[name])
                assert not parts.scheme
                assert not parts.netloc
                if not parts.path:
                    assert parts.fragment in anchors
                    continue
                target = (page.path.parent / unquote(parts.path)).resolve()
                assert target.is_relative_to(report.resolve())
                assert target.is_file()
    style = (report / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_nothing_runs_and_the_policy_forbids_it(report):
    for page in pages(report):
        assert not page.having("script")
        assert not page.having("iframe")
        assert not any(
            name.startswith("on") or name == "style"
            for _, attributes in page.elements
            for name in attributes
        )
        policies = [
            meta["content"]
            for meta in page.having("meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policies) == 1
        assert policies[0].startswith("default-src 'none';")
        assert "unsafe" not in policies[0]


def test_hostile_text_is_shown_and_not_obeyed(report, build):
    index = Page(report / "index.html")
    for shown in (build.hostile_ids[0], build.hostile_ids[2], "ZOOM 00\\u202e1", "Z\\xff&amp;"):
        assert shown in index.text
    assert "lost/<script>alert('x')</script>/duplicate.dcm" in index.text
    for page in pages(report):
        raw = page.path.read_text(encoding="utf-8")
        assert "<script" not in raw
        assert "\u202e" not in raw


def test_the_name_in_the_header_is_on_no_page(report):
    assert not any("Invented" in page.text for page in pages(report))


def test_pictures_have_words_and_tables_have_headers(report):
    for page in pages(report):
        assert page.having("html")[0]["lang"] == "en"
        for image in page.having("img"):
            assert len(image["alt"]) > 40
            assert int(image["width"]) > 0
        assert len(page.having("caption")) == len(page.having("table"))
        assert all(
            header["scope"] in {"col", "row", "colgroup", "rowgroup"}
            for header in page.having("th")
        )
        assert page.having("title")


def test_every_file_is_listed_with_what_became_of_it(report, hostile_trial):
    index = Page(report / "index.html")
    for entry in hostile_trial.catalogue.entries:
        assert entry.reason in index.text
    for kind in Disposition:
        if kind is not Disposition.USED:
            assert f"the reason of {kind.value}" in index.text
    used = [e for e in hostile_trial.catalogue.entries if e.disposition is Disposition.USED]
    assert f"Show the {len(used)} files that were used" in index.text


def test_the_first_page_says_what_the_run_was_and_that_it_is_provisional(report, hostile_trial):
    index = Page(report / "index.html")
    for words in (
        "Provisional: read by the model only.",
        "NCT05361408",
        hostile_trial.run.model_sha256,
        hostile_trial.run.charter_sha256,
        "0.0277",
        "assumed",
    ):
        assert words in index.text
    for query in hostile_trial.queries:
        assert query.query_id in index.text


def test_a_subject_with_a_fracture_is_shown_with_her_numbers(report, build):
    page = page_of(report, build.hostile_ids[0])
    for words in (
        "+5.00 % lumbar BMD change: gain beyond LSC",
        "1 new",
        "12 of 13 levels compared",
        "obscured (the shoulder hides it)",
        "Excluded at both visits: L1. L1 is fractured",
        "withheld: the cell of the neck is blank",
        "2 wedge",
        "+33.0 %",
        "once then risedronate",
    ):
        assert words in page.text
    assert "0.111" not in page.text


@pytest.mark.parametrize(("at", "visits"), [(1, ("month 12",)), (2, ("baseline", "month 12"))])
def test_what_is_missing_is_said_and_never_looks_normal(report, build, at, visits):
    page = page_of(report, build.hostile_ids[at])
    for visit in visits:
        assert f"No lateral spine film at {visit}." in page.text
        assert f"No densitometry at {visit}." in page.text
    assert "not evaluable: no level could be compared" in page.text
    assert "0 of 13 levels compared" in page.text
    assert "none at all 13 levels" not in page.text
    table = page.text[page.text.index("T4–L4 at both visits") :]
    assert table[: table.index("Vertebral fractures")].count("not evaluable") >= 13
    index = Page(report / "index.html")
    assert f"No lateral spine film at {visits[0]}" in index.text


def test_no_cell_is_empty(report):
    """An empty cell could be read as nothing found."""
    for page in pages(report):
        raw = page.path.read_text(encoding="utf-8")
        assert not re.search(r"<(td|th|dd|li|p)\b[^>]*>\s*</\1>", raw)
        assert "None" not in page.text
        assert "nan" not in page.text.split()


def test_no_event_needs_all_levels(build, tmp_path):
    subject = build.subject(tmp_path, "ZOOM-1", changed=ChangeKind.NONE)
    report_of(tmp_path / "r", build.trial([subject]))
    text = page_of(tmp_path / "r", "ZOOM-1").text
    assert "no event among 12 evaluable levels; the others are not known" in text
    assert "of 39" not in text
    assert "1 of 13 levels are missing; sum over the other 12" in text


def test_two_reports_are_byte_identical(report, hostile_trial, tmp_path):
    report_of(tmp_path / "again", hostile_trial)
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (report, tmp_path / "again")
    )
    assert first == second


def test_a_second_report_keeps_pictures_and_removes_what_is_gone(report, build, tmp_path):
    folder = tmp_path / "report"
    shutil.copytree(report, folder)
    (folder / "subjects" / "my notes.html").write_text("mine")
    pictures = sorted(folder.glob("pictures/*.png"))
    subject = build.subject(tmp_path, "ZOOM-1", (Visit.BASELINE,))
    report_of(folder, build.trial([subject]))
    assert sorted(path.name for path in folder.glob("subjects/*")) == sorted(
        ["my notes.html", page_name("ZOOM-1")]
    )
    kept = sorted(folder.glob("pictures/*.png"))
    assert len(kept) == 1
    assert not set(kept) & set(pictures)


def test_a_trial_without_subjects_and_files_has_a_report(build, tmp_path):
    report_of(tmp_path / "r", build.trial([]))
    text = Page(tmp_path / "r" / "index.html").text
    assert "There are no subjects" in text
    assert "No file was used." in text


def read(subject, standing, source=GradeSource.READER):
    """The subject after readers; `source` gave the grade of L1 at both visits."""
    differences = int(source is GradeSource.ADJUDICATOR)
    vertebrae = {
        visit: tuple(
            replace(one, grade_source=source if one.level is Level.L1 else GradeSource.READER)
            for one in subject.vertebrae[visit]
        )
        for visit in Visit
    }
    signed = Observer(
        "Kim <b>Anna</b>",
        GradeSource.READER,
        "I read this",
        datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
    )
    verdict = SubjectVerdict(subject.subject_id, standing, {}, {}, {}, (signed,), differences)
    status = EndpointStatus(standing.value)
    return replace(subject, vertebrae=vertebrae, status=status, verdict=verdict)


@pytest.mark.parametrize(
    ("standing", "source", "says"),
    [
        (Standing.READ_ONCE, GradeSource.READER, "Read once: not final."),
        (Standing.FINAL, GradeSource.READER, "Readers did not differ on any vertebra."),
        (Standing.FINAL, GradeSource.ADJUDICATOR, "Readers differed on 1 vertebra."),
    ],
)
def test_a_page_says_who_stands_behind_it(build, tmp_path, standing, source, says):
    subject, entries = build.subject(tmp_path, "ZOOM-1")
    final = read(subject, standing, source)
    report_of(tmp_path / "r", build.trial([(final, entries), build.subject(tmp_path, "ZOOM-2")]))
    text = page_of(tmp_path / "r", "ZOOM-1").text
    assert says in text
    assert "read by the model only" not in text
    assert "Provisional:" not in text
    assert "Kim <b>Anna</b>, reader: I read this, 2026-04-01 09:30+00:00" in text
    assert f"2 wedge {source.value}" in text
    assert "model" not in text[text.index("T4–L4 at both") : text.index("Vertebral fractures")][80:]
    assert "2 wedge model" in page_of(tmp_path / "r", "ZOOM-2").text
    index = Page(tmp_path / "r" / "index.html").text
    assert "Provisional: " in index
    assert f"ZOOM-1 {standing.value.replace('_', ' ')}" in index
    assert "ZOOM-2 provisional" in index
    assert "read by the model only" in index


def test_the_first_page_is_final_when_every_subject_is(build, tmp_path):
    subject, entries = build.subject(tmp_path, "ZOOM-1")
    trial = build.trial([(read(subject, Standing.FINAL), entries)])
    report_of(tmp_path / "r", trial)
    index = Page(tmp_path / "r" / "index.html")
    assert "Final: read, adjudicated where readers differed, and locked." in index.text
    assert "Provisional:" not in index.text
    assert not any(one.get("class") == "provisional" for one in index.having("p"))


@pytest.mark.browser
def test_a_browser_opens_every_page_and_asks_for_nothing_elsewhere(report):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    complaints, requested = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.on("request", lambda request: requested.append(request.url))
        for path in sorted(report.rglob("*.html")):
            page.goto(path.as_uri())
            page.evaluate(DECODE_PICTURES)
            # The style is applied, and neither page nor levels are wider than the window.
            assert page.evaluate(STYLED)
            assert page.evaluate("document.documentElement.scrollWidth") <= 1280
            assert page.evaluate(LEVELS_FIT)
        page.goto((report / "index.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("#subjects tbody a").first.click()
        assert page.locator("h1").inner_text().startswith("Subject")
        assert page.pdf().startswith(b"%PDF")
        browser.close()
    assert complaints == []
    assert requested
    assert all(url.startswith("file:") for url in requested)
