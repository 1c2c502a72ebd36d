"""The tutorial does what it says: its commands run as written, its readers read.

Blocks marked `<!-- run -->` are run by bash in a copy of the checkout, in which `python` is the one
that runs this test: that stands for the steps of installation. What people do in the browser is
done over HTTP, page by page, with the forms of the pages.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from ..review.conftest import PASSWORD, Browser

pytestmark = [pytest.mark.end_to_end, pytest.mark.model]

_BLOCK = re.compile(
    r"<!-- run(?P<how>: until the reading is done)? -->\n```sh\n(?P<text>.*?)```", re.DOTALL
)
_COPIED = ("zoom_imaging", "charters", "models", "data")
_LONGEST_S = 900


@pytest.fixture
def checkout(root, tmp_path) -> Path:
    """A copy of what a newcomer has, and the `python` of the virtual environment."""
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        shutil.copytree(root / name, folder / name, ignore=ignored)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return folder


def environment(checkout: Path) -> dict[str, str]:
    path = f"{checkout.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(checkout),
        # The tutorial lets the program ask for it.
        "ZOOM_REVIEW_PASSWORD": PASSWORD,
    }


def run(block: str, checkout: Path) -> str:
    """One block, which must succeed; what it says."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=checkout,
        env=environment(checkout),
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def reading_room(block: str, checkout: Path) -> Iterator[str]:
    """The server of the block, at a free port instead of the usual one; its address."""
    server = subprocess.Popen(
        ["bash", "-c", f"exec {block.strip()} --port 0"],
        cwd=checkout,
        env=environment(checkout),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(_LONGEST_S, server.kill)
    watchdog.start()
    try:
        said = ""
        for line in server.stdout:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            raise AssertionError(f"the reading room did not open: {said}")
        yield found[0]
    finally:
        watchdog.cancel()
        server.terminate()
        server.wait(30)
        server.stdout.close()


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


def test_the_tutorial_as_written(root, checkout):
    """From the installed package over the sample's report to final endpoints of two subjects."""
    text = (root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = [(found["how"], found["text"]) for found in _BLOCK.finditer(text)]
    assert [how for how, _ in blocks].count(": until the reading is done") == 1
    said = []
    for how, block in blocks:
        if how:
            with reading_room(block, checkout) as url:
                read_and_lock(url)
        else:
            said.append(run(block, checkout))

    sample = rows(checkout / "results" / "sample" / "endpoints.csv")
    assert [row["endpoint_status"] for row in sample] == ["provisional"] * 12
    by_subject = {row["subject_id"]: row for row in sample}
    # What the page tells its readers to look at.
    assert by_subject["ZOOM-002"]["incident_levels"] == "T12"
    assert by_subject["ZOOM-008"]["ls_bmd_change_pct"] == ""
    assert "scanner" in by_subject["ZOOM-008"]["ls_bmd_reason"]
    assert (checkout / "results" / "sample" / "report" / "index.html").is_file()

    two = rows(checkout / "results" / "two" / "endpoints.csv")
    assert [(row["subject_id"], row["endpoint_status"]) for row in two] == [
        ("ZOOM-002", "final"),
        ("ZOOM-003", "final"),
    ]
    assert list((checkout / "results" / "two" / "sr").iterdir())
    sources = {row["grade_source"] for row in rows(checkout / "results" / "two" / "vertebrae.csv")}
    assert {"reader", "adjudicator"} <= sources
    assert " 0 faults" in said[-1]
