"""What goes back to the tables: whose word, how final, signed by whom."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import Grade, GradeSource, Level, Visit
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.review.database import Database
from zoom_imaging.review.verdict import Standing
from zoom_imaging.review.verdicts import load_verdicts, verdicts

from .conftest import PASSWORD, Room, after_the_first_look, fill
from .small_trial import SUBJECTS, small_trial

T7_WEDGE = {("B", "T7"): {"grade": "2", "shape": "wedge"}}


def now(room):
    with room.database.reading() as session:
        return verdicts(session)


def test_there_is_no_verdict_before_a_signature(room):
    reader = room.browser("reader1")
    data = reader.begin()
    reader.save(data, data["content"])
    assert now(room) == {}


def test_one_signed_reading_is_a_verdict_that_is_not_final(room):
    """The tables say read once."""
    room.browser("reader1").read_all(T7_WEDGE)
    found = now(room)
    assert set(found) == set(SUBJECTS)
    one = found[SUBJECTS[1]]
    assert one.standing is Standing.READ_ONCE
    assert one.spines[Visit.MONTH12].answer(Level.T7).grade is Grade.MODERATE
    assert [(each.name, each.source) for each in one.observers] == [("Reader1", GradeSource.READER)]
    assert set(one.films) == {"f1", "f2"}


def test_until_they_are_settled_the_first_signature_stands(room):
    """Both readers are named, and how often they differ."""
    room.browser("reader2").read_all(T7_WEDGE)
    room.browser("reader1").read_all()
    one = now(room)[SUBJECTS[1]]
    assert one.spines[Visit.MONTH12].answer(Level.T7).grade is Grade.MODERATE
    assert (one.standing, one.differences) == (Standing.READ_ONCE, 1)
    assert [each.name for each in one.observers] == ["Reader2", "Reader1"]
    assert set(one.sources[Visit.MONTH12].values()) == {GradeSource.READER}


def test_an_adjudication_stands_at_once_and_is_final_with_the_lock(room):
    room.browser("reader1").read_all()
    room.browser("reader2").read_all(T7_WEDGE)
    room.browser("judge").read_all({("B", "T7"): {"grade": "1", "shape": "wedge"}})
    one = now(room)[SUBJECTS[1]]
    assert one.standing is Standing.READ_ONCE
    assert one.spines[Visit.MONTH12].answer(Level.T7).grade is Grade.MILD
    assert one.sources[Visit.MONTH12][Level.T7] is GradeSource.ADJUDICATOR
    room.browser("manager").lock_all()
    assert {each.standing for each in now(room).values()} == {Standing.FINAL}
    room.browser("manager").submit("/cases/1", "/cases/1/unlock", password=PASSWORD, reason="r")
    standings = {subject: each.standing for subject, each in now(room).items()}
    assert standings == dict(zip(SUBJECTS, ("read_once", "final", "final"), strict=True))


def test_a_subject_without_films_is_final_by_her_lock(tmp_path):
    """With nothing read, and whoever locked it as the observer."""
    database = Database(tmp_path / "readings.sqlite3")
    fill(database, small_trial(tmp_path, without_films=SUBJECTS))
    room = Room(database)
    assert now(room) == {}
    room.browser("manager").lock_all()
    one = now(room)[SUBJECTS[0]]
    assert (one.standing, one.spines) == (Standing.FINAL, {})
    assert [each.name for each in one.observers] == ["Mara Manager"]
    database.close()


def test_a_reading_that_was_given_back_counts_no_more(room):
    code = room.browser("reader1").read()
    assert len(now(room)) == 1
    manager = room.browser("manager")
    manager.submit("/cases", "/cases/1/reopen", code=code, reason="r")
    assert now(room) == {}


def test_verdicts_say_which_state_of_the_database_they_are_from(room, tmp_path):
    """The seal of the last entry, for the table that is made of them."""
    room.browser("reader1").read()
    found = load_verdicts(tmp_path / "readings.sqlite3")
    assert found.audit_head == room.head()[1]
    assert found.verdicts == now(room)


def test_a_reading_signed_while_the_verdicts_are_loaded_is_not_in_them(room, tmp_path, monkeypatch):
    """Else the seal in the tables would be that of another state than their verdicts."""
    path = tmp_path / "readings.sqlite3"
    room.browser("reader1").read()
    other = room.browser("reader2")
    before = load_verdicts(path)
    after_the_first_look(monkeypatch, other.read)
    assert load_verdicts(path) == before
    assert room.head()[1] != before.audit_head


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_verdicts(tmp_path / "none.sqlite3")
    assert not list(tmp_path.iterdir())
