"""The tutorial does what it says: its commands run as written, its readers read.

Blocks marked `<!-- run -->` are run by bash in a copy of the checkout, in which `python` is the one
that runs this test: that stands for the steps of installation. What people do in the browser is
done over HTTP, page by page, with the forms of the pages. Ports are free ones instead of those that
the page names.

The page is followed twice: as it is written, with an archive, and from the folder of the sample,
without the blocks that speak to the archive. Both must say the same of every subject.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx2 as httpx
import pytest

from ..network.orthanc import why_not
from ..network.talk import free_port
from ..review.conftest import PASSWORD, Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.model]

_BLOCK = re.compile(r"<!-- run(?:: (?P<how>[^>]+))? -->\n```sh\n(?P<text>.*?)```", re.DOTALL)
_PORTS_OF_THE_ARCHIVE = ("8043", "4243", "11112")
_SPEAKS_TO_THE_ARCHIVE = re.compile(r"archive|:8043")
_COPIED = ("zoom_imaging", "charters", "models", "data")
_LONGEST_S = 900


class Films(Enum):
    """Where they come from."""

    ARCHIVE = "archive"
    FOLDER = "folder"


@dataclass
class Followed:
    """What is there, and was said, after the page was followed."""

    checkout: Path
    said: list[str] = field(default_factory=list)


def a_checkout(root: Path, folder: Path) -> Path:
    """A copy of what a newcomer has, and the `python` of the virtual environment."""
    checkout = folder / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        shutil.copytree(root / name, checkout / name, ignore=ignored)
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return checkout


def environment(checkout: Path) -> dict[str, str]:
    path = f"{checkout.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(checkout),
        # The tutorial lets the program ask for it.
        "ZOOM_REVIEW_PASSWORD": PASSWORD,
    }


def run(block: str, checkout: Path, expected: int) -> str:
    """One block, which must end as expected; what it says."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == expected, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def server(command: str, ready: str, checkout: Path) -> Iterator[str]:
    """The server of a block, once it has said something like `ready`; what that was."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=checkout,
        env=environment(checkout),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(_LONGEST_S, process.kill)
    watchdog.start()
    rest = threading.Thread(target=process.stdout.read)
    try:
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(ready, line):
                break
        else:
            raise AssertionError(f"{command} did not start: {said}")
        rest.start()
        yield found[0]
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(30)
        if rest.ident:
            rest.join()
        process.stdout.close()


class People:
    """Their browsers, at one reading room."""

    def __init__(self, url: str):
        self.url = url

    @contextmanager
    def browser(self, name: str, password: str = PASSWORD) -> Iterator[Browser]:
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=120) as client:
            answer = client.post("/login", data={"name": name, "password": password})
            assert answer.status_code == 200, answer.text
            yield Browser(client)

    def admit(self, manager: Browser, name: str, role: str) -> None:
        """The manager makes the account, its owner chooses a password."""
        made = manager.submit(
            "/accounts", "/accounts", name=name, full_name=name.title(), role=role
        )
        temporary = re.search(r'id="temporary-password">([^<]+)<', made.text)[1]
        with self.browser(name, temporary) as own:
            changed = own.submit(
                "/password", "/password", old=temporary, new=PASSWORD, again=PASSWORD
            )
            assert "Worklist" in changed.text


def dissent(browser: Browser) -> None:
    """Read the next case; the vertebra that is fractured at follow-up alone gets grade 0."""
    model = browser.begin()["model"]
    (level,) = [
        level
        for level, word in model["B"].items()
        if word["grade"] not in {"0", ""} and model["A"].get(level, {}).get("grade") == "0"
    ]
    browser.read({("B", level): {"grade": "0", "shape": "none"}})


def read_and_lock(url: str) -> None:
    """The five steps in the browser, as the tutorial numbers them."""
    people = People(url)
    with people.browser("mara") as mara:
        for name, role in (("lee", "reader"), ("park", "reader"), ("jung", "adjudicator")):
            people.admit(mara, name, role)
        with people.browser("lee") as lee:
            assert len(lee.read_all()) >= 2
        with people.browser("park") as park:
            dissent(park)
            assert park.read_all()
        with people.browser("jung") as jung:
            assert len(jung.read_all()) == 1
        mara.lock_all()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def follow(root: Path, checkout: Path, films: Films) -> Followed:
    """Do what the page says, from its first block to its last."""
    text = (root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = [(found["how"], found["text"]) for found in _BLOCK.finditer(text)]
    if films is Films.FOLDER:
        blocks = [one for one in blocks if not _SPEAKS_TO_THE_ARCHIVE.search(one[1])]
        sample = checkout / "data" / "sample_dicom"
        shutil.copytree(sample, checkout / "incoming")
        for name in ("ZOOM-002", "ZOOM-003"):
            shutil.copytree(sample / name, checkout / "incoming_two" / name)
    ports = {port: str(free_port()) for port in _PORTS_OF_THE_ARCHIVE}
    followed = Followed(checkout)
    with ExitStack() as stack:
        for how, printed in blocks:
            block = re.sub("|".join(ports), lambda found: ports[found[0]], printed).strip()
            if how == "until the end":
                stack.enter_context(server(block, "Orthanc has started", checkout))
            elif how == "until the reading is done":
                address = r"http://127\.0\.0\.1:\d+"
                with server(f"{block} --port 0", address, checkout) as url:
                    read_and_lock(url)
            else:
                expected = int(how.removeprefix("ends with exit code ")) if how else 0
                followed.said.append(run(block, checkout, expected))
    return followed


@pytest.fixture(scope="module")
def page(root, tmp_path_factory) -> Callable[[Films], Followed]:
    """Follow the page, once for each source of films."""
    followed: dict[Films, Followed] = {}

    def once(films: Films) -> Followed:
        if films is Films.ARCHIVE and (reason := why_not()):
            pytest.skip(reason)
        if films not in followed:
            checkout = a_checkout(root, tmp_path_factory.mktemp(films.value))
            followed[films] = follow(root, checkout, films)
        return followed[films]

    return once


@pytest.mark.parametrize("films", Films)
def test_the_tutorial_leads_to_final_endpoints(page, films):
    """What the page tells its readers to look at is there, up to two locked subjects."""
    followed = page(films)
    results = followed.checkout / "results"
    trial = rows(results / "trial" / "endpoints.csv")
    assert [row["endpoint_status"] for row in trial] == ["provisional"] * 12
    by_subject = {row["subject_id"]: row for row in trial}
    assert by_subject["ZOOM-002"]["incident_levels"] == "T12"
    assert by_subject["ZOOM-008"]["ls_bmd_change_pct"] == ""
    assert "scanner" in by_subject["ZOOM-008"]["ls_bmd_reason"]
    assert (results / "trial" / "report" / "index.html").is_file()

    two = rows(results / "two" / "endpoints.csv")
    assert [(row["subject_id"], row["endpoint_status"]) for row in two] == [
        ("ZOOM-002", "final"),
        ("ZOOM-003", "final"),
    ]
    sources = {row["grade_source"] for row in rows(results / "two" / "vertebrae.csv")}
    assert {"reader", "adjudicator"} <= sources
    assert [said for said in followed.said if " 0 faults" in said]


def test_the_archive_takes_the_sample_and_the_readings_and_gives_them_back(page):
    """Of 80 files four are no whole DICOM; of one subject two readings are new in the archive."""
    followed = page(Films.ARCHIVE)
    filled, fetched, back = (
        said for said in followed.said if re.search(r"files sent|76 objects|4 objects", said)
    )
    assert "76 files sent, 4 failed" in filled
    assert "76 fetched, 0 there already, 0 failed" in fetched
    assert "4 files sent, 0 failed" in back
    assert "2 fetched, 2 there already, 0 failed" in back


@pytest.mark.parametrize("table", ["endpoints", "vertebrae", "changes", "queries"])
def test_an_archive_and_a_folder_of_the_same_films_give_the_same_tables(page, table):
    """The four files that no archive takes have no say in them; before any reading."""
    found = [
        (page(films).checkout / "results" / "trial" / f"{table}.csv").read_bytes()
        for films in Films
    ]
    assert found[0] == found[1]
