"""The reading room in a real Chromium, as readers use it: by mouse, by keys, with mishaps."""

from __future__ import annotations

import re
import shutil

import pytest
from sqlalchemy import delete, select

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, SixPoints, SpacingSource, Visit
from zoom_imaging.morphometry.heights import height_ratios, heights_in_mm, paired_distances
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.database import Database
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.tables import Account, ReadingRow, WebSession
from zoom_imaging.review.verdict import Standing
from zoom_imaging.review.verdicts import load_verdicts

from .conftest import PASSWORD, fill
from .server import running, write_results
from .small_trial import small_trial

pytestmark = pytest.mark.browser

WAIT_MS = 20_000
NO_DRAFT = "() => !Object.keys(localStorage).some(key => key.startsWith('zoom-draft'))"


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests of this file."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path):
    """A server on a trial of one subject, whose T12 is fractured at month 12."""
    trial = small_trial(tmp_path, ("ZOOM-901",))
    path = tmp_path / "readings.sqlite3"
    database = Database(path)
    fill(database, trial)
    with running(write_results(tmp_path / "results", trial.reading_list), path) as server:
        yield Site(server, database, path)
    database.close()
    assert "Traceback" not in server.complaints


class Site:
    """The server, and its database for looking at what was kept."""

    def __init__(self, server, database, path):
        self.url, self.database, self.path = server.url, database, path

    def content(self, name):
        """What is kept of the newest reading of a person."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(ReadingRow)
                .join(Account)
                .where(Account.name == name)
                .order_by(ReadingRow.id.desc())
            )
            return content_of(rows.first())

    def answer(self, name, side, level):
        """What is kept of one vertebra."""
        return self.content(name).sides[side].answer(Level(level))


class Page:
    """A person at her browser; nothing of the page may fail or reach another host."""

    def __init__(self, chromium, site, name, *, width=1500):
        self.site, self.name, self.troubles = site, name, []
        self.context = chromium.new_context(viewport={"width": width, "height": 950})
        self.page = self.context.new_page()
        self.watch(self.page)
        self.page.goto(f"{site.url}/login")
        self.log_in()

    def watch(self, page):
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self._same_host(request.url))
        page.set_default_timeout(WAIT_MS)

    def _same_host(self, url):
        if not url.startswith((self.site.url, "data:", "blob:")):
            self.troubles.append(f"request to {url}")

    def log_in(self):
        self.page.wait_for_selector("input[name=name]:focus")
        self.page.keyboard.type(self.name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def begin(self):
        """The next case, by the key that is under the finger: its button has the focus."""
        self.page.wait_for_selector("button.main:focus")
        self.page.keyboard.press("Enter")
        self.ready()

    def ready(self, page=None):
        (page or self.page).wait_for_selector("html[data-ready='true']", state="attached")

    def saved(self, page=None):
        (page or self.page).wait_for_selector("html[data-save-state='saved']", state="attached")

    def keys(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def select(self, side, level):
        self.page.click(f"[data-testid=cell][data-side={side}][data-level={level}]")

    def progress(self):
        return self.page.inner_text("[data-testid=progress]")

    def sign(self):
        """From the last answer to the signature."""
        self.saved()
        self.keys("Shift+Enter")
        self.page.wait_for_url("**/sign")
        self.page.wait_for_selector("input[name=password]:focus")
        self.page.keyboard.type(PASSWORD)
        self.keys("Enter")
        self.page.wait_for_selector("text=Signed by")

    def close(self):
        self.context.close()
        assert self.troubles == []


@pytest.fixture
def person(chromium, site):
    """Makes a person at a browser of her own."""
    made = []

    def make(name, **options):
        made.append(Page(chromium, site, name, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_whole_case_is_read_and_signed_by_keys_alone(person, site):
    """Login, worklist, 26 answers, signature: no mouse; what was pressed is what is kept."""
    reader = person("reader1")
    reader.begin()
    for side in "AB":
        for level in GRADED_LEVELS:
            reader.keys(*(("2", "q") if (side, level) == ("B", Level.T12) else ("0",)))
    assert reader.progress().startswith("26 / 26")
    reader.sign()
    assert "2 wedge" in reader.page.inner_text("main")
    kept = site.content("reader1")
    assert kept.problems() == []
    grades = {
        (side, level): kept.sides[side].answer(level).grade
        for side in kept.sides
        for level in GRADED_LEVELS
    }
    assert {place for place, grade in grades.items() if grade is not Grade.NORMAL} == {
        ("B", Level.T12)
    }


def test_two_readers_differ_and_the_adjudicator_settles_it(person, site):
    """Only where they differ is there anything to settle, and the settled word is final."""
    for name, keys in (("reader1", ("2", "q")), ("reader2", ("0",))):
        reader = person(name)
        reader.begin()
        for side in "AB":
            for level in GRADED_LEVELS:
                reader.keys(*(keys if (side, level) == ("B", Level.T12) else ("0",)))
        reader.sign()
    judge = person("judge")
    judge.begin()
    assert judge.progress().startswith("0 / 1")
    judge.select("B", "T12")
    seen = judge.page.inner_text("body")
    assert "Reader 1" in seen
    assert "Reader1" not in seen
    reader_with_grade_2 = 1 if "2" in judge.page.inner_text("[data-testid=reader-1]") else 2
    judge.keys("Shift+Q" if reader_with_grade_2 == 1 else "Shift+E")
    judge.sign()
    manager = person("manager")
    manager.page.click("text=ZOOM-901")
    manager.page.fill("input[name=password]", PASSWORD)
    manager.page.click("text=Lock this subject")
    manager.page.wait_for_selector("p.state.locked")
    verdict = load_verdicts(site.path).verdicts["ZOOM-901"]
    assert verdict.standing is Standing.FINAL
    assert verdict.spines[Visit.MONTH12].answer(Level.T12).grade is Grade.MODERATE
    assert verdict.differences == 1


def test_a_dragged_point_moves_the_heights_and_outlives_a_refresh_in_mid_drag(person, site):
    """The page is loaded again while the button is still down: the point is where it was."""
    reader = person("reader1")
    reader.begin()
    reader.select("B", "T9")
    point = reader.page.locator(
        "[data-testid=point][data-side=B][data-level=T9][data-point=sup_ant]"
    )
    box = point.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = site.answer("reader1", "B", "T9")
    height_before = reader.page.inner_text("[data-testid=height-aB]")
    mouse = reader.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 9):
        mouse.move(x, y + 3 * step)
    reader.page.wait_for_function(
        "before => document.querySelector('[data-testid=height-aB]').textContent !== before",
        arg=height_before,
    )
    reader.page.reload()
    reader.ready()
    reader.saved()
    reader.page.wait_for_function(NO_DRAFT)
    kept = site.answer("reader1", "B", "T9")
    assert kept.moved
    assert kept.six_points["sup_ant"][1] > before.six_points["sup_ant"][1] + 1
    assert kept.six_points["inf_post"] == before.six_points["inf_post"]
    assert kept.polygon != before.polygon
    mouse.up()


def test_heights_and_ratios_on_the_page_are_those_of_the_tables(person, site):
    """The page computes while a point is dragged; the run computes again: one definition."""
    reader = person("reader1")
    reader.begin()
    reader.select("B", "T12")
    points = SixPoints(**site.answer("reader1", "B", "T12").six_points)
    scale = Scale(SpacingSource.GEOMETRY, 0.9, 0.9, "as small_trial makes it")
    heights = heights_in_mm(points, scale)
    ratios = height_ratios(paired_distances(points, scale))
    for cell, value, digits in (
        ("aB", heights.anterior_mm, 1),
        ("mB", heights.middle_mm, 1),
        ("pB", heights.posterior_mm, 1),
        ("apB", ratios.anterior_posterior, 2),
        ("mpB", ratios.middle_posterior, 2),
    ):
        shown = float(reader.page.inner_text(f"[data-testid=height-{cell}]"))
        assert shown == pytest.approx(value, abs=0.5001 * 10**-digits), cell


def test_a_session_that_ends_in_mid_reading_loses_nothing(person, site):
    """Answers given after the session ended wait in the browser for the next login."""
    reader = person("reader1")
    reader.begin()
    reader.keys("0", "0")
    reader.saved()
    with site.database.writing() as session:
        session.execute(delete(WebSession))
    reader.keys("0", "1", "e")
    link = reader.page.wait_for_selector("[data-testid=login-again]")
    assert site.content("reader1").sides["A"].answer(Level.T6).grade is None
    link.click()
    reader.log_in()
    reader.ready()
    reader.saved()
    reader.page.wait_for_function(NO_DRAFT)
    kept = [site.answer("reader1", "A", level).grade for level in ("T4", "T5", "T6", "T7")]
    assert kept == [Grade.NORMAL, Grade.NORMAL, Grade.NORMAL, Grade.MILD]


def test_two_tabs_of_one_reader_cannot_overwrite_each_other(person, site):
    """The second tab is shown what differs and chooses; both answers stand afterwards."""
    reader = person("reader1")
    reader.begin()
    second = reader.context.new_page()
    reader.watch(second)
    second.goto(reader.page.url)
    reader.ready(second)
    reader.keys("0")
    reader.saved()
    second.keyboard.press("s")
    second.keyboard.press("3")
    second.keyboard.press("r")
    dialog = second.wait_for_selector("[data-testid=conflict]")
    assert "T4" in dialog.inner_text()
    second.click("[data-testid=save-chosen]")
    reader.saved(second)
    second.wait_for_function(NO_DRAFT)
    assert site.answer("reader1", "A", "T4").grade is Grade.NORMAL
    assert site.answer("reader1", "A", "T5").grade is Grade.SEVERE


def test_names_shift_by_one_and_answers_travel_with_their_vertebra(person, site):
    """One key renames a side; undo brings the names back."""
    reader = person("reader1")
    reader.begin()
    reader.select("A", "T8")
    reader.keys("1", "q")
    reader.saved()
    points = site.answer("reader1", "A", "T8").six_points
    reader.keys("Alt+ArrowDown")
    reader.saved()
    reader.page.wait_for_timeout(600)
    reader.saved()
    moved = site.answer("reader1", "A", "T9")
    assert (moved.grade, moved.six_points) == (Grade.MILD, points)
    assert site.answer("reader1", "A", "T4").six_points is None
    reader.keys("z")
    reader.page.wait_for_timeout(600)
    reader.saved()
    assert site.answer("reader1", "A", "T8").grade is Grade.MILD


def test_a_hostile_note_is_text_and_nothing_else(person, site):
    """Markup in a note stays markup in a note, in the viewer and after it."""
    hostile = "</script><img src=x onerror=\"document.title='owned'\">"
    reader = person("reader1")
    reader.begin()
    reader.keys("v")
    reader.page.keyboard.type(hostile)
    reader.keys("Escape")
    reader.page.wait_for_timeout(600)
    reader.saved()
    reader.page.reload()
    reader.ready()
    assert site.answer("reader1", "A", "T4").note == hostile
    assert "owned" not in reader.page.title()
    assert re.search("onerror", reader.page.input_value("[data-testid=note]"))
