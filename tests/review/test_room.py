"""A whole trial in the reading room, from the worklist to the lock."""

from __future__ import annotations

from zoom_imaging.anatomy import Grade, GradeSource, Level, Visit
from zoom_imaging.review.audit import faults
from zoom_imaging.review.verdict import Standing
from zoom_imaging.review.verdicts import load_verdicts

from .conftest import PASSWORD


def test_two_readers_an_adjudicator_and_a_data_manager_bring_a_trial_to_its_lock(room, tmp_path):
    """What was clicked is what the verdicts say; the trail is whole at the end."""
    assert len(room.browser("reader1").read_all()) == 3
    other = {("B", "T8"): {"grade": "1", "shape": "wedge"}}
    assert len(room.browser("reader2").read_all(other)) == 3
    settled = {("B", "T8"): {"grade": "0", "shape": "none"}}
    assert len(room.browser("judge").read_all(settled)) == 3
    manager = room.browser("manager")
    manager.lock_all()
    page = manager.submit("/cases", "/trial/lock", password=PASSWORD).text
    assert "The trial was locked" in page

    verdicts = load_verdicts(tmp_path / "readings.sqlite3").verdicts

    assert set(verdicts) == {"ZOOM-901", "ZOOM-902", "ZOOM-903"}
    first = verdicts["ZOOM-901"]
    assert first.standing is Standing.FINAL
    assert first.differences == 1
    assert first.spines[Visit.MONTH12].answer(Level.T12).grade is Grade.MODERATE
    assert first.spines[Visit.MONTH12].answer(Level.T8).grade is Grade.NORMAL
    assert first.sources[Visit.MONTH12][Level.T8] is GradeSource.ADJUDICATOR
    assert first.sources[Visit.MONTH12][Level.T12] is GradeSource.READER
    assert [one.name for one in first.observers] == ["Reader1", "Reader2", "Judge"]
    with room.database.reading() as session:
        assert list(faults(session)) == []
