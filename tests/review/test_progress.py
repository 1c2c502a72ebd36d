"""Where each case stands."""

from __future__ import annotations

from zoom_imaging.review.database import Database
from zoom_imaging.review.progress import LOCKABLE, Progress, case_lines

from .conftest import Room, fill
from .small_trial import SUBJECTS, small_trial

T7_WEDGE = {("A", "T7"): {"grade": "2", "shape": "wedge"}}


def states(room):
    with room.database.reading() as session:
        return [line.progress for line in case_lines(session)]


def test_a_case_goes_from_waiting_to_locked(tmp_path):
    """And a subject without films waits for her lock alone."""
    database = Database(tmp_path / "readings.sqlite3")
    fill(database, small_trial(tmp_path, without_films=SUBJECTS[2:]))
    room = Room(database)
    assert states(room) == [Progress.WAITING, Progress.WAITING, Progress.NO_FILMS]
    room.browser("reader1").read_all()
    assert states(room)[:2] == [Progress.WAITING] * 2
    second = room.browser("reader2")
    second.read(T7_WEDGE)
    second.read()
    assert states(room)[:2] == [Progress.DIFFERS, Progress.SETTLED]
    judge = room.browser("judge")
    data = judge.begin()
    assert states(room)[0] is Progress.DIFFERS
    judge.save(data, data["content"])
    judge.read_all()
    assert states(room)[:2] == [Progress.SETTLED] * 2
    room.browser("manager").lock_all()
    assert set(states(room)) == {Progress.LOCKED}
    database.close()


def test_a_line_counts_signatures_and_shows_no_answers(room):
    """Also of cases that nobody has begun."""
    code = room.browser("reader1").read(T7_WEDGE)
    room.browser("reader2").begin()
    with room.database.reading() as session:
        lines = case_lines(session)
        (one,) = case_lines(session, only=1)
    assert [(line.signed, line.needed) for line in lines] == [(1, 2), (0, 2), (0, 2)]
    assert one == lines[0]
    assert one.flagged == ("T12",)
    assert [(each.reader, each.state) for each in one.readings] == [
        ("reader1", "signed"),
        ("reader2", "open"),
    ]
    assert one.readings[0].code == code
    assert "grade" not in repr(lines)


def test_only_what_is_settled_or_without_films_can_be_locked():
    assert {Progress.SETTLED, Progress.NO_FILMS} == LOCKABLE
