"""`review`: the reading room starts, answers on this machine alone, and ends when it is told to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import typer
from typer.testing import CliRunner

from zoom_imaging.commands import review
from zoom_imaging.review.case import READING_LIST_NAME, reading_list_text

from ..review.small_trial import SECRETS, small_trial


@pytest.fixture
def results(tmp_path):
    """A result folder with the reading list of a small trial."""
    held = small_trial(tmp_path).reading_list
    (tmp_path / READING_LIST_NAME).write_text("".join(reading_list_text(held, held.cases)))
    return tmp_path


def run(*arguments):
    app = typer.Typer()
    app.command()(review.command)
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("content", [None, "", "{}", '{"cases": [{}]}', "\x00"])
def test_results_without_a_reading_list_are_refused_in_one_sentence(tmp_path, content):
    """Exit 1, no database, no traceback."""
    if content is not None:
        (tmp_path / READING_LIST_NAME).write_text(content)
    result = run("--results", tmp_path)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert "run python -m zoom_imaging.run" in line
    assert not list(tmp_path.glob("*.sqlite3"))


def test_an_address_that_is_taken_is_refused_in_one_sentence(results):
    """Exit 1: another server holds the port."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        result = run("--results", results, "--port", holder.getsockname()[1])
    assert result.exit_code == 1
    assert "Error: cannot listen on 127.0.0.1" in result.stderr
    assert "choose another --port" in result.stderr


def get(url, **headers):
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=10
        ) as got:
            return got.status, got.read().decode(), dict(got.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


def test_the_server_answers_on_loopback_and_ends_when_told_to(results):
    """By its own name only; a log without subjects, and a clean end on SIGTERM."""
    command = [sys.executable, "-m", "zoom_imaging", "review", "--results", str(results)]
    process = subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            found = re.search(r"(http://127\.0\.0\.1:\d+)/", line)
            if found:
                break
        status, page, headers = get(f"{found[1]}/")
        assert status == 200
        assert "Log in" in page
        assert "server" not in {name.lower() for name in headers}
        assert get(f"{found[1]}/login", Host="evil.example")[0] == 400
        assert get(f"{found[1]}/api/nothing")[0] == 404
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    text = "".join(said) + out + err
    assert process.returncode in {0, -signal.SIGTERM}
    assert "3 subjects new" in text
    assert "readings first-account" in text
    assert "Traceback" not in text
    for secret in SECRETS:
        assert secret not in text
    assert (results / "readings.sqlite3").is_file()
