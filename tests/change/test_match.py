"""Films of two visits: same names, same scale, then the change."""

from __future__ import annotations

import itertools

import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    SpacingSource,
    VertebraState,
)
from zoom_imaging.change.match import compare_films
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.query import QueryKind

RAW, NONE = SpacingSource.IMAGER_RAW, SpacingSource.NONE
FALLEN = {Level.T12: (0.30, 0.15, 0.02)}
MODERATE = {Level.T12: "2"}


def compare(charter, before, after):
    result = compare_films([before.build()], [after.build()], charter, subject_id="Z-1")
    return {change.level: change for change in result.changes}, result.queries


def test_two_films_without_change(charter, film):
    changes, queries = compare(charter, film(), film(uid="1.2", noise=0.02))
    assert list(changes) == list(GRADED_LEVELS)
    assert {change.kind for change in changes.values()} == {ChangeKind.NONE}
    assert not any(change.flagged for change in changes.values())
    assert queries == ()


def test_a_new_fracture_is_found_confirmed_and_alone(charter, film):
    after = film(uid="1.2", losses=FALLEN, grades=MODERATE)
    changes, queries = compare(charter, film(), after)
    change = changes[Level.T12]
    assert (change.kind, change.confirmed, change.flagged) == (ChangeKind.NEW, True, True)
    assert change.height_change_max_pct == pytest.approx(30, abs=0.1)
    assert change.height_change_max_mm > 4
    assert change.p_incident > 0.95
    del changes[Level.T12]
    assert {other.kind for other in changes.values()} == {ChangeKind.NONE}
    assert queries == ()


@pytest.mark.parametrize(
    ("before", "after", "in_mm", "queried"),
    [
        # Calibrated films within 5 % are believed.
        ({}, {"scale": 1.03}, True, False),
        # Calibrated and 8 % apart: one calibration is wrong.
        ({}, {"scale": 1.08}, False, True),
        # Across the spine only, as on a slot scanner: asked, and heights are believed.
        ({}, {"across": 1.08}, True, True),
        # The detector's millimetres, two magnifications.
        ({"source": RAW}, {"source": RAW, "scale": 1.02}, False, False),
        ({"source": RAW, "scale": 1.14}, {"source": RAW, "scale": 1.21}, False, True),
        ({"source": RAW, "scale": 1.14}, {}, False, True),
        # No millimetres at all: nothing that a query could be about.
        ({"source": NONE, "mm": None}, {"source": NONE, "mm": None, "scale": 1.4}, False, False),
        ({}, {"source": NONE, "mm": None, "scale": 1.4}, False, False),
    ],
)
def test_percentages_survive_another_scale_and_millimetres_need_the_same(
    *, charter, film, before, after, in_mm, queried
):
    after = film(uid="1.2", losses=FALLEN, grades=MODERATE, **after)
    changes, queries = compare(charter, film(**before), after)
    fallen = changes[Level.T12]
    tolerance = 2.5 if in_mm else 0.5
    assert fallen.height_change_max_pct == pytest.approx(30, abs=tolerance)
    assert fallen.morphometric
    assert fallen.confirmed
    assert changes[Level.L2].height_change_max_pct == pytest.approx(0, abs=4)
    assert (fallen.height_change_max_mm is not None) is in_mm
    assert ("4 mm rule is not applied" in fallen.reason) is not in_mm
    assert [query.kind for query in queries] == [QueryKind.SCALE_DIFFERS] * queried
    assert all(query.subject_id == "Z-1" for query in queries)


def test_a_missing_magnification_is_named(charter, film):
    changes, _ = compare(charter, film(source=RAW), film(uid="1.2", source=RAW))
    assert all(change.height_change_max_mm is None for change in changes.values())
    assert all(change.height_change_max_pct is not None for change in changes.values())
    reason = changes[Level.T8].reason
    assert "no magnification is known (imager_raw) at baseline and month 12" in reason


def test_a_loss_everywhere_is_not_taken_for_another_scale(charter, film):
    """Half of the spine collapses: the unfractured half and the widths keep the scale."""
    fallen = dict.fromkeys(GRADED_LEVELS[::2], (0.35, 0.3, 0.25))
    after = film(uid="1.2", source=RAW, losses=fallen, grades=dict.fromkeys(fallen, "2"))
    changes, _ = compare(charter, film(source=RAW), after)
    for level in fallen:
        assert changes[level].height_change_max_pct == pytest.approx(35, abs=0.5)
        assert changes[level].confirmed


@pytest.mark.parametrize(
    ("source", "mm", "shown"), [(RAW, 0.5, True), (NONE, None, False), ("geometry", 0.5, True)]
)
def test_two_levels_do_not_tell_the_scale(charter, film, source, mm, shown):
    few = {"levels": (Level.L1, Level.L2), "source": SpacingSource(source), "mm": mm}
    after = film(uid="1.2", losses={Level.L1: (0.3, 0.1, 0.0)}, grades={Level.L1: "2"}, **few)
    changes, _ = compare(charter, film(**few), after)
    change = changes[Level.L1]
    assert change.kind is ChangeKind.NEW
    assert (change.height_change_max_pct is not None) is shown
    calibrated = source == "geometry"
    assert change.morphometric is (True if calibrated else None)
    assert change.confirmed is (True if calibrated else None)


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("source", [SpacingSource.GEOMETRY, RAW])
def test_numbering_that_moved_by_one_level_is_found(charter, film, by, source):
    named = {
        level: GRADED_LEVELS[at + by]
        for at, level in enumerate(GRADED_LEVELS)
        if 0 <= at + by < len(GRADED_LEVELS)
    }
    after = film(
        uid="1.2", levels=tuple(named), called=named, losses=FALLEN, grades=MODERATE, source=source
    )
    changes, queries = compare(charter, film(source=source), after)
    assert {change.kind for change in changes.values()} == {ChangeKind.NOT_EVALUABLE}
    assert not any(change.flagged for change in changes.values())
    assert all(change.morphometric is None for change in changes.values())
    called = named[Level.T12]
    assert "level_uncertain" in changes[called].reason
    assert changes[called].grade_month12 is Grade.MODERATE, "a fracture that is seen is not hidden"
    numbering = [query for query in queries if query.kind is QueryKind.NUMBERING]
    assert len(numbering) == 1
    assert ("lower" if by > 0 else "higher") in numbering[0].question


@pytest.mark.parametrize(
    "by", list(itertools.product((GradeSource.MODEL, GradeSource.READER), repeat=2))
)
def test_names_that_readers_gave_at_both_visits_are_a_question_and_stand(charter, film, by):
    named = {level: GRADED_LEVELS[at + 1] for at, level in enumerate(GRADED_LEVELS[:-1])}
    before = film(by=by[0])
    after = film(uid="1.2", levels=tuple(named), called=named, by=by[1])
    changes, queries = compare(charter, before, after)
    assert [query.kind for query in queries] == [QueryKind.NUMBERING]
    stands = GradeSource.MODEL not in by
    assert changes[Level.T8].kind is (ChangeKind.NONE if stands else ChangeKind.NOT_EVALUABLE)


def test_other_people_measured_twice_are_not_taken_for_another_numbering(charter, film):
    for person in range(60):
        before = film(uid=f"a{person}", person=person, noise=0.03)
        after = film(uid=f"b{person}", person=person, noise=0.03, scale=1.04)
        _, queries = compare(charter, before, after)
        assert not [query for query in queries if query.kind is QueryKind.NUMBERING], person


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ((), (), set()),
        ((Level.T13,), (Level.T13,), set()),
        ((Level.L6,), (), {QueryKind.NUMBERING}),
        ((), (Level.T13,), {QueryKind.NUMBERING}),
    ],
)
def test_a_transitional_vertebra_at_one_visit_only_is_a_question(
    charter, film, before, after, kinds
):
    changes, queries = compare(
        charter, film(transitional=before), film(uid="1.2", transitional=after)
    )
    assert {query.kind for query in queries} == kinds
    uncertain = Level.T13 in {*before} ^ {*after}
    expected = ChangeKind.NOT_EVALUABLE if uncertain else ChangeKind.NONE
    assert {change.kind for change in changes.values()} == {expected}


def test_an_improved_grade_is_a_question_to_the_adjudicator(charter, film):
    changes, queries = compare(charter, film(grades=MODERATE), film(uid="1.2"))
    assert changes[Level.T12].kind is ChangeKind.IMPROVED
    assert changes[Level.T12].flagged
    (query,) = queries
    assert (query.kind, query.level) == (QueryKind.GRADE_IMPROVED, Level.T12)
    assert query.values == "baseline 2, month 12 0"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([], [], "no lateral film"),
        (["film"], [], "month 12"),
        ([], ["film"], "baseline"),
        (["film"], ["refused"], "not lateral"),
    ],
)
def test_a_visit_without_a_film_leaves_thirteen_levels_not_evaluable(
    charter, film, before, after, words
):
    kinds = {"film": film(), "refused": film(uid="1.9", refusal="x.dcm is not lateral")}
    result = compare_films(
        [kinds[name].build() for name in before], [kinds[name].build() for name in after], charter
    )
    assert [change.level for change in result.changes] == list(GRADED_LEVELS)
    assert {change.kind for change in result.changes} == {ChangeKind.NOT_EVALUABLE}
    assert all(words in change.reason for change in result.changes)
    assert all(change.height_change_max_pct is None for change in result.changes)
    assert result.queries == ()


def test_a_level_that_is_cut_at_one_visit_is_not_evaluable(charter, film):
    cut = {Level.T4: VertebraState.AT_IMAGE_BORDER}
    changes, _ = compare(charter, film(), film(uid="1.2", states=cut))
    assert changes[Level.T4].kind is ChangeKind.NOT_EVALUABLE
    assert "at_image_border" in changes[Level.T4].reason
    assert changes[Level.T4].morphometric is None
    assert changes[Level.T5].kind is ChangeKind.NONE


def test_heights_are_compared_on_the_films_that_share_most_levels(charter, film):
    """A thoracic and a lumbar film at each visit, of four magnifications that nobody wrote down."""
    thoracic, lumbar = GRADED_LEVELS[:10], GRADED_LEVELS[7:]

    def visit(name, upper, lower, **more):
        raw = {"source": RAW, **more}
        return [
            film(uid=f"{name}.t", levels=thoracic, scale=upper, **raw).build(),
            film(uid=f"{name}.l", levels=lumbar, scale=lower, **raw).build(),
        ]

    before = visit("1", 1.10, 1.25)
    after = visit("2", 1.20, 1.15, losses=FALLEN, grades=MODERATE)
    for first, second in itertools.product(
        itertools.permutations(before), itertools.permutations(after)
    ):
        result = compare_films(first, second, charter)
        changes = {change.level: change for change in result.changes}
        assert changes[Level.T12].height_change_max_pct == pytest.approx(30, abs=0.5)
        others = [change for level, change in changes.items() if level is not Level.T12]
        assert all(abs(change.height_change_max_pct) < 0.5 for change in others)
        assert {query.kind for query in result.queries} == {QueryKind.SCALE_DIFFERS}


def test_the_same_question_has_the_same_number_in_every_run(charter, film):
    pair = film(), film(uid="1.2", scale=1.1)
    first, second = (compare(charter, *pair)[1] for _ in range(2))
    assert [query.query_id for query in first] == [query.query_id for query in second]
