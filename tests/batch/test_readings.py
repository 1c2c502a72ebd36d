"""A verdict is used for the very films that were read, and for no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.anatomy import Grade, GradeSource, Level, Shape, Visit
from zoom_imaging.batch.reading_list import cases_of
from zoom_imaging.batch.readings import Readings, load_readings
from zoom_imaging.batch.study import Outcome
from zoom_imaging.batch.subject import assemble
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.charter import load_charter
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.endpoints.subjects import endpoint_row
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.catalogue import Catalogue, Disposition, FileKind
from zoom_imaging.query import QueryKind
from zoom_imaging.review.answer import NonFractureCause
from zoom_imaging.review.verdict import Standing

from ..endpoints.conftest import film, trial
from ..review.made import verdict_of
from .test_subject import ENTRIES, REPORTS, entry

CHARTER = load_charter()
AFTER = Visit.MONTH12
L2 = Level.L2
BROKEN = {L2: (0.35, Grade.MODERATE)}
NO_FRACTURE = {
    (AFTER, L2): {
        "grade": Grade.NORMAL,
        "shape": Shape.NONE,
        "cause": NonFractureCause.DEGENERATIVE_WEDGE,
    }
}


def outcomes(**more):
    films = {"f0": film("f0", {}), "f1": film("f1", BROKEN)} | more
    return REPORTS | {name: Outcome(Disposition.USED, films=(one,)) for name, one in films.items()}


def found(verdict=None, entries=ENTRIES, **more):
    return assemble("0012", None, entries, outcomes(**more), CHARTER, verdict=verdict)


def case(subject, entries=ENTRIES):
    (listed,) = cases_of(trial(subject, catalogue=Catalogue(tuple(entries))))
    return listed


@pytest.fixture
def verdict():
    """Readers who saw no fracture of L2 where the model found one."""
    by = {(AFTER, L2): GradeSource.ADJUDICATOR}
    return verdict_of(case(found()).films, NO_FRACTURE, by=by, differences=1)


def change_of(subject, level):
    return next(one for one in subject.changes if one.level is level)


def test_locked_readings_take_the_models_place(verdict):
    by_model, by_readers = found(), found(verdict)
    assert by_model.fractures.new == (L2,)
    assert by_model.status is EndpointStatus.PROVISIONAL
    assert by_model.verdict is None
    assert by_readers.fractures.new == ()
    assert by_readers.status is EndpointStatus.FINAL
    assert by_readers.queries == ()
    seen = next(one for one in by_readers.vertebrae[AFTER] if one.level is L2)
    assert (seen.grade, seen.grade_source) == (Grade.NORMAL, GradeSource.ADJUDICATOR)
    assert seen.reason == "cause other than fracture: degenerative wedge"
    row = endpoint_row(by_readers, 0)
    assert (row["endpoint_status"], row["incident_vf"], row["sdi_month12"]) == ("final", "no", 0)
    assert row["ls_bmd_levels"] == "L1-L4"
    assert by_model.bmd_changes["lumbar_spine"].levels == "L1,L3-L4"


def test_one_reading_counts_and_is_not_final(verdict):
    once = found(replace(verdict, standing=Standing.READ_ONCE))
    assert once.status is EndpointStatus.READ_ONCE
    assert once.fractures.new == ()
    # The heights of L2 fell: another reader must look, and with a lock nobody is left to.
    assert change_of(once, L2).flagged
    assert not change_of(found(verdict), L2).flagged


def test_a_lower_grade_stays_a_query_also_when_final():
    before = film("f0", {L2: (0.35, Grade.MODERATE)})
    subject = found(f0=before)
    again = verdict_of(case(subject).films, NO_FRACTURE)
    final = found(again, f0=before)
    assert change_of(final, L2).kind is ChangeKind.IMPROVED
    assert change_of(final, L2).flagged
    assert [query.kind for query in final.queries] == [QueryKind.GRADE_IMPROVED]


def test_the_models_word_is_kept_aside(verdict):
    by_model, by_readers = found(), found(verdict)
    assert by_readers.model_word == by_model.model_word
    assert by_readers.films != by_model.films
    assert case(by_readers) == case(by_model)


def test_a_moved_file_is_the_same_film(verdict):
    moved = [
        replace(one, source=replace(one.source, path="g1")) if one.source.path == "f1" else one
        for one in ENTRIES
    ]
    subject = found(verdict, moved, g1=replace(film("f1", BROKEN), path="g1"))
    assert subject.status is EndpointStatus.FINAL
    assert [one.path for one in subject.films[AFTER]] == ["g1"]


EXTRA = entry("f2", FileKind.SPINE_RADIOGRAPH, AFTER)
CHANGED = replace(ENTRIES[3], sha256="other")


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (ENTRIES[:3], "month12 f1 was read and is not among the films of this run"),
        ([*ENTRIES[:3], CHANGED], "month12 f1 has other bytes than when it was read"),
        ([*ENTRIES, EXTRA], "month12 f2 was not read"),
        (
            [*ENTRIES[:3], replace(ENTRIES[3], visit=Visit.BASELINE)],
            "baseline f1 was not read; month12 f1 was read and is not among the films of this run",
        ),
    ],
)
def test_readings_of_other_films_are_not_used_and_a_person_is_asked(verdict, entries, says):
    stale = found(verdict, entries, f2=film("f2", {}))
    plain = found(None, entries, f2=film("f2", {}))
    (query,) = (one for one in stale.queries if one.kind is QueryKind.READING_STALE)
    assert query.values == says
    assert replace(stale, queries=plain.queries) == plain
    assert stale.status is EndpointStatus.PROVISIONAL
    again = found(verdict, entries, f2=film("f2", {}))
    assert again.queries == stale.queries


def test_another_frame_is_another_film(verdict):
    stale = found(verdict, f1=replace(film("f1", BROKEN), frame=2))
    (query,) = (one for one in stale.queries if one.kind is QueryKind.READING_STALE)
    assert "month12 f1, frame 2 was not read" in query.values


def test_a_subject_without_films_may_be_final():
    subject = assemble("0012", None, [], {}, CHARTER, verdict=verdict_of([]))
    assert subject.status is EndpointStatus.FINAL
    assert subject.fractures.levels_evaluable_both == 0


def test_strangers_and_ids_that_are_no_text(verdict):
    readings = Readings("db", {"0012": verdict, "Z\\xff": verdict, "9": verdict})
    assert readings.of("Z\udcff") is verdict
    assert readings.of("7") is None
    assert readings.strangers(["0012", "Z\udcff"]) == ("9",)


def test_a_password_is_not_shown_as_the_source(monkeypatch, verdict):
    from zoom_imaging.review import verdicts

    monkeypatch.setattr(
        verdicts, "load_verdicts", lambda _: verdicts.Snapshot({"1": verdict}, "seal")
    )
    found = load_readings("postgresql+psycopg://kim:secret@host/readings")
    assert found == Readings("postgresql+psycopg://kim:***@host/readings", {"1": verdict}, "seal")


def test_a_database_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        load_readings(str(tmp_path / "nowhere.sqlite"))
