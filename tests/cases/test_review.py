"""Cases of the reading room: what reaches a blinded reader, and a locked database."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3

import numpy as np
import pytest
from pydicom import dcmread

from zoom_imaging.review.case import load_reading_list
from zoom_imaging.review.database import Database

from ..review.conftest import Room, answered, fill, quick_passwords
from ..review.small_trial import small_trial
from ..review.test_web_blinding import disguises, everything

__all__ = ["quick_passwords"]

SECRETS = (
    *("TESTONE", "RB-0001", "20250110", "20260112", "2025-01-10", "2026-01-12"),
    *("ARM_TWICE", "twice", ".dcm"),
)


@pytest.fixture
def seen(go, case, tmp_path, shared_reader):
    """What a reader was sent of the case, static files aside, and the log lines meanwhile."""
    source, out = case("review-blinded-header-leak"), tmp_path / "OUT"
    go(source / "dicom", out, source / "clinical.csv")
    database = Database(tmp_path / "readings.sqlite3")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    try:
        fill(database, load_reading_list(out))
        room = Room(database)
        wire = room.listen()
        person = room.browser("reader1")
        if 'action="/next"' in person.get("/").text:
            data = person.begin()
            for side in data["sides"]:
                for film in side["films"]:
                    person.get(film["url"])
            person.get(f"/read/{data['code']}")
    finally:
        logging.getLogger().removeHandler(handler)
        database.close()
    return [one for one in wire.sent if not one.path.startswith("/static")], "\n".join(lines)


@pytest.mark.model
def test_review_blinded_header_leak(seen):
    """No page, address, header, pixel answer or log line tells a reader who, when or which arm."""
    sent, log = seen
    assert len(sent) > 2
    text = everything(sent) + log
    for secret in SECRETS:
        for disguise in disguises(secret):
            assert disguise not in text, secret
    assert "<script>alert" not in text
    assert "onerror=" not in text


@pytest.mark.model
def test_no_text_burned_into_a_film_is_shown(seen, folder):
    """Burned In Annotation says NO and is wrong: the text is blanked, or the film held back."""
    sent, _ = seen
    path = next((folder / "review-blinded-header-leak" / "dicom").iterdir())
    stored = dcmread(path).pixel_array
    text = np.zeros(stored.shape, bool)
    text[:60] = stored[:60] == stored.max()
    assert text.sum() > 1000
    for one in sent:
        if one.path.startswith("/films/") and one.status == 200:
            shown = np.frombuffer(one.body, "<u2").reshape(stored.shape)
            assert not (shown[text] == 65535).all()


def hold_lock(path: str, seconds: float, ready) -> None:
    import time

    with sqlite3.connect(path) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        ready.set()
        time.sleep(seconds)


def test_database_locked(tmp_path):
    """A save while another process holds the database is there afterwards, or was refused."""
    path = tmp_path / "readings.sqlite3"
    database = Database(path)
    fill(database, small_trial(tmp_path))
    person = Room(database).browser("reader1")
    data = person.begin()
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold_lock, args=(str(path), 3.0, ready))
    holder.start()
    try:
        assert ready.wait(30)
        answer = person.save(data, answered(data))
    finally:
        holder.join()
    database.close()
    again = Database(path)
    kept = Room(again).browser("reader1").begin()
    again.close()
    if answer.status_code == 200:
        assert kept["version"] == answer.json()["version"]
    else:
        assert answer.status_code >= 400
        assert kept["version"] == data["version"]
