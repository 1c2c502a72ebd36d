"""`readings`: what is done with a database without the server."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from zoom_imaging.commands import readings
from zoom_imaging.commands.readings import PASSWORD_VARIABLE
from zoom_imaging.review.accounts import accounts, matches
from zoom_imaging.review.database import Database

from ..review.conftest import PASSWORD, room_at


def run(*arguments, password=PASSWORD):
    env = {PASSWORD_VARIABLE: password, "COLUMNS": "200"}
    return CliRunner().invoke(readings.app, [str(one) for one in arguments], env=env)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Two readers have read three subjects; the folder of the database."""
    folder = tmp_path_factory.mktemp("readings")
    room = room_at(folder)
    room.browser("reader1").read_all()
    room.browser("reader2").read_all({("A", "T7"): {"grade": "2", "shape": "wedge"}})
    room.database.close()
    return folder


def test_the_first_account_is_made_once(tmp_path):
    """With the password of the environment, which is said nowhere."""
    path = tmp_path / "x.sqlite3"
    made = run("first-account", path, "boss", "--full-name", "The Boss")
    assert made.exit_code == 0, made.output
    again = run("first-account", path, "other")
    assert again.exit_code == 1
    assert "accounts already" in again.stderr
    database = Database(path)
    with database.reading() as session:
        (account,) = accounts(session)
        assert (account.name, account.full_name, account.role) == (
            "boss",
            "The Boss",
            "data_manager",
        )
        assert matches(account, PASSWORD)
    database.close()
    assert PASSWORD not in made.output + again.output
    assert PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [("boss", "short", "12 to 256 characters"), ("The Boss", PASSWORD, "small letters")],
)
def test_a_first_account_that_cannot_be_is_refused_in_a_sentence(tmp_path, name, password, told):
    result = run("first-account", tmp_path / "x.sqlite3", name, password=password)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "short" not in result.output


def test_verify_says_that_all_is_whole_and_gives_the_seal_to_note(kept):
    """Exit 0; the seal can be asked for later."""
    result = run("verify", kept / "readings.sqlite3")
    assert result.exit_code == 0
    found = re.search(r"(\d+) entries, 0 faults. Seal of the last entry: (\w{64})", result.stdout)
    assert int(found[1]) > 20
    assert run("verify", kept / "readings.sqlite3", "--head", found[2]).exit_code == 0


def test_verify_fails_and_says_where(kept, tmp_path):
    """Exit 1, one line a place; also for a seal that is not in the trail."""
    path = tmp_path / "x.sqlite3"
    path.write_bytes((kept / "readings.sqlite3").read_bytes())
    database = Database(path)
    with database.writing() as session:
        session.execute(text("UPDATE signature SET printed_name = 'Dr Ghost' WHERE id = 2"))
    database.close()
    result = run("verify", path, "--head", "0" * 64)
    assert result.exit_code == 1
    assert "signature:2: the row was changed" in result.stdout
    assert "the noted seal" in result.stdout
    assert "2 faults" in result.stdout


def test_agreement_is_printed(kept):
    """Overall, by level, by pair and month; what cannot be estimated is a dash."""
    result = run("agreement", kept / "readings.sqlite3")
    assert result.exit_code == 0, result.output
    assert "quadratic" in result.stdout
    assert re.search(r"inter\W+overall\W+all\W+78\W+0\W+0\.96", result.stdout), result.stdout
    assert "T7" in result.stdout


@pytest.mark.parametrize("command", ["verify", "agreement"])
@pytest.mark.parametrize("content", [None, "no database"])
def test_what_is_no_database_is_a_sentence_and_exit_1(tmp_path, command, content):
    path = tmp_path / "x.sqlite3"
    if content is not None:
        path.write_text(content * 100)
    result = run(command, path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: database ")
    assert path.is_file() is (content is not None)


def test_agreement_without_a_trial_is_said(tmp_path):
    """Nothing was read: no figure, no traceback."""
    path = tmp_path / "x.sqlite3"
    run("first-account", path, "boss")
    result = run("agreement", path)
    assert result.exit_code in {0, 1}
    assert result.exception is None or isinstance(result.exception, SystemExit)
