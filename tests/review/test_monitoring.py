"""How the reading goes, for the data manager and the auditor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from zoom_imaging.review.monitoring import graded_pairs, monitoring
from zoom_imaging.review.tables import ReadingRow

from .conftest import room_at

T7_WEDGE = {("A", "T7"): {"grade": "2", "shape": "wedge"}}


def look(room):
    with room.database.reading() as session:
        return monitoring(session)


def test_an_unread_trial_has_nothing_to_compare(room):
    found = look(room)
    assert (found.compared, found.differing, found.readers, found.months) == (0, 0, (), ())
    assert dict(found.progress)["waiting"] == 3
    page = room.browser("auditor").get("/monitoring").text
    assert "0 cases were read independently" in page
    assert "<caption>" not in page


def test_readers_are_counted_and_timed(room):
    """Begun, signed, minutes from opening to signature, share that could not be judged."""
    unseen = {("A", "T7"): {"grade": "not_evaluable", "reason": "obscured"}}
    reader = room.browser("reader1")
    reader.read(unseen)
    reader.read()
    reader.begin()
    with room.database.writing() as session:
        first = session.scalars(select(ReadingRow).order_by(ReadingRow.id)).first()
        session.execute(
            update(ReadingRow)
            .where(ReadingRow.id == first.id)
            .values(created_at=first.signed_at - timedelta(minutes=20))
        )
    (line,) = look(room).readers
    assert (line.reader, line.begun, line.signed) == ("reader1", 1, 2)
    assert line.median_minutes == pytest.approx(10, abs=0.1)
    assert line.not_evaluable_pct == pytest.approx(100 / 52)


def test_agreement_is_of_independent_readings_before_adjudication(room):
    """The adjudicator's word makes nobody agree."""
    room.browser("reader1").read_all()
    room.browser("reader2").read_all(T7_WEDGE)
    room.browser("judge").read_all()
    found = look(room)
    assert (found.compared, found.differing) == (3, 3)
    (overall,) = [one for one in found.agreement if (one.kind, one.by) == ("inter", "overall")]
    assert overall.graded == 3 * 26
    assert overall.exact.value == pytest.approx(75 / 78)
    assert not [one for one in found.agreement if one.kind == "intra"]
    assert {line.reader for line in found.readers} == {"reader1", "reader2", "judge"}


def test_readings_that_were_given_back_are_not_compared(room):
    room.browser("reader1").read_all()
    codes = room.browser("reader2").read_all()
    with room.database.reading() as session:
        assert len(graded_pairs(session)) == 3 * 26
    room.browser("manager").submit("/cases", "/cases/1/reopen", code=codes[0], reason="r")
    with room.database.reading() as session:
        assert len(graded_pairs(session)) == 2 * 26
    assert look(room).compared == 2


def test_the_page_shows_agreement_between_and_within_readers(tmp_path):
    """Kappa only where enough was graded, and else why not."""
    room = room_at(tmp_path, repeat_share=1.0)
    for reader in ("reader1", "reader2"):
        room.browser(reader).read_all(T7_WEDGE if reader == "reader2" else None)
    page = room.browser("auditor").get("/monitoring").text
    assert "3 cases were read independently by all readers; 3 of them differ" in page
    for heading in ("By pair of readers", "By level", "By month", "By reader"):
        assert heading in page
    assert "reader1" in page
    room.database.close()
