"""The documentation site: whole, honest about what it was made from, and silent on the network."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

from zoom_imaging.commands.doctor import _SYNTAXES
from zoom_imaging.ingest import classify

EXTERNAL = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(?:https?:)?//"
    r"|<link\b(?=[^>]*\brel=\"?(?:stylesheet|preload|preconnect|icon|dns-prefetch))"
    r"[^>]*\bhref=\"?(?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """Built as `make docs` builds it: any dead link, image or anchor fails."""
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built_and_reached_from_the_navigation(root, site):
    """A new page in docs/ needs its line under `nav` of mkdocs.yml."""
    start = (site / "index.html").read_text(encoding="utf-8")
    reached = set(re.findall(r'href="?([\w./-]+\.html)', start)) | {"index.html"}
    pages = {page.with_suffix(".html").name for page in (root / "docs").glob("*.md")}
    pages |= {"model_card.html", "changelog.html"}
    assert pages - reached == set()
    for page in pages:
        assert (site / page).is_file()


def test_the_pictures_of_the_model_card_are_there(site):
    card = (site / "model_card.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img[^>]*src="([^"]+)"', card)
    assert len(pictures) == 3
    for picture in pictures:
        assert (site / picture).is_file()


def test_no_page_asks_for_anything_from_elsewhere(site):
    """Neither fonts nor scripts nor pictures: the site works without a network."""
    for page in site.rglob("*.html"):
        found = EXTERNAL.search(page.read_text(encoding="utf-8"))
        assert found is None, (page.name, found and found[0])
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), sheet.name


@pytest.mark.browser
def test_a_browser_loads_the_site_from_its_own_server_alone(site):
    """What scripts ask for while the page runs counts too, the index of the search among it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    handler = functools.partial(_Silent, directory=str(site))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_api.sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        asked, failed = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on(
            "response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None
        )
        page.goto(f"{home}index.html", wait_until="networkidle")
        page.goto(f"{home}review.html", wait_until="networkidle")
        browser.close()
        server.shutdown()
    strangers = [url for url in asked if not url.startswith((home, "data:", "blob:"))]
    assert strangers == []
    assert failed == []
    assert f"{home}search/search_index.json" in asked


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        """Say nothing."""


@pytest.mark.parametrize(
    ("document", "script"),
    [("cli.md", "write_cli_reference.py"), ("charter.md", "write_charter_reference.py")],
)
def test_generated_pages_are_what_their_script_writes(root, document, script):
    """After a change of commands or charter: python scripts/SCRIPT > docs/DOCUMENT"""
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == (root / "docs" / document).read_text(encoding="utf-8")


def test_every_rule_of_the_charter_has_its_line(root):
    from zoom_imaging.charter import Charter

    text = (root / "docs" / "charter.md").read_text(encoding="utf-8")
    for section, field in Charter.model_fields.items():
        assert f"## `[{section}]`" in text
        for key in field.annotation.model_fields:
            assert f"| `{key}" in text, (section, key)


def test_the_conformance_statement_lists_what_the_program_reads(root):
    """Transfer syntaxes as `doctor` promises them, SOP classes as the catalogue takes them."""
    text = (root / "docs" / "conformance.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(1\.2\.840\.10008[\d.]*)`", text))
    syntaxes = {uid for uid in named if uid.startswith("1.2.840.10008.1.2")}
    assert syntaxes == set(_SYNTAXES)
    images = classify._PROJECTION_CLASSES | classify._CAPTURE_CLASSES
    assert images <= named
    assert {uid for uid in named if uid.startswith("1.2.840.10008.5.1.4.1.1")} - images == {
        classify._ENCAPSULATED_PDF,
        classify._SR_PREFIX.rstrip("."),
        "1.2.840.10008.5.1.4.1.1.88.33",
        "1.2.840.10008.5.1.4.1.1.88.34",
    }


def test_columns_that_the_set_up_page_names_are_those_of_the_clinical_table(root):
    from zoom_imaging.ingest.clinical import _KNOWN_COLUMNS

    text = (root / "docs" / "site_setup.md").read_text(encoding="utf-8")
    table = text.split("## 2.")[1].split("## 3.")[0]
    assert set(_KNOWN_COLUMNS) <= set(re.findall(r"`(\w+)`", table))


def test_tests_that_the_validation_page_names_exist(root):
    text = (root / "docs" / "validation.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)`", text)
    assert named
    for name in named:
        assert (root / "tests" / "review" / name).is_file(), name


def test_commands_in_the_pages_exist_with_their_options(root):
    """Every `python -m zoom_imaging...` in docs and README; options are not invented."""
    import typer

    from zoom_imaging import __main__ as commands
    from zoom_imaging import run

    batch = typer.main.get_command(run.app)
    single = typer.main.get_command(commands.app)
    pages = [*(root / "docs").glob("*.md"), root / "README.md"]
    checked, wrong = 0, []
    for page in pages:
        for line in re.findall(
            r"^.*python -m zoom_imaging.*$", page.read_text("utf-8"), re.MULTILINE
        ):
            for command in re.findall(r"python -m zoom_imaging[^`|#>\n]*", line):
                words = command.split()[2:]
                target = batch if words[0] == "zoom_imaging.run" else single
                for word in words[1:]:
                    if not hasattr(target, "commands"):
                        break
                    target = target.commands.get(word, target)
                known = {name for one in getattr(target, "params", []) for name in one.opts}
                asked = {word.split("=")[0] for word in words if word.startswith("--")}
                checked += 1
                if unknown := asked - known - {"--help"}:
                    wrong.append((page.name, command, sorted(unknown)))
    assert checked > 30
    assert wrong == []


def test_the_search_knows_the_words_of_the_pages(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert any("Least significant change" in one["text"] for one in index["docs"])
