"""Another program holds the database file while a reader saves."""

from __future__ import annotations

import sqlite3
import threading

from .conftest import answered, room_at


def hold(path, seconds):
    """The turn to write for so long; the event is set when it is held."""
    held = threading.Event()

    def keep():
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        threading.Event().wait(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=keep)
    thread.start()
    held.wait()
    return thread


def test_a_save_waits_for_a_backup_that_holds_the_database(room, tmp_path):
    """And is kept when it is let go."""
    reader = room.browser("reader1")
    data = reader.begin()
    thread = hold(tmp_path / "readings.sqlite3", 1.5)
    answer = reader.save(data, answered(data))
    thread.join()
    assert (answer.status_code, answer.json()["problems"]) == (200, [])


def test_a_database_that_stays_held_is_told_and_nothing_is_half_saved(tmp_path, monkeypatch):
    """The viewer gets a sentence and tries again; the answers are kept once."""
    monkeypatch.setattr("zoom_imaging.review.database._WAIT_SECONDS", 0.1)
    room = room_at(tmp_path)
    reader = room.browser("reader1")
    data = reader.begin()
    thread = hold(tmp_path / "readings.sqlite3", 1.5)
    refused = reader.save(data, answered(data))
    thread.join()
    again = reader.save(data, answered(data))
    assert refused.status_code == 503
    assert "try again" in refused.json()["reason"]
    assert again.json()["version"] == data["version"] + 1
    room.database.close()
