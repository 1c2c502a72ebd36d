"""What the reading room gets: every subject, every film, the model's word, nothing of treatment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState, Visit
from zoom_imaging.batch.reading_list import cases_of, flagged_levels, head_of
from zoom_imaging.endpoints.write import write_text
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.catalogue import (
    Catalogue,
    CatalogueEntry,
    Disposition,
    FileKind,
    SourceFile,
)
from zoom_imaging.review.case import (
    READING_LIST_NAME,
    load_reading_list,
    reading_list_text,
)

from ..endpoints.conftest import film, subject, trial, vertebra

T8, T12 = Level.T8, Level.T12


def listed(*subjects, entries=()):
    results = trial(*subjects, catalogue=Catalogue(tuple(entries)))
    return replace(head_of(results), cases=tuple(cases_of(results)))


def with_film(name="a/film.dcm", location="a/film.dcm", **more):
    source = SourceFile(name, location)
    one = subject(
        [film("1.1", {})],
        film_sources={Visit.BASELINE: (source,), Visit.MONTH12: ()},
        **more,
    )
    entry = CatalogueEntry(
        source, "ab" * 32, FileKind.SPINE_RADIOGRAPH, Disposition.USED, "", None, "0012",
        Visit.BASELINE,
    )  # fmt: skip
    return one, entry


def test_every_subject_has_a_case_with_films_that_can_be_found_from_anywhere():
    one, entry = with_film()
    found = listed(one, replace(subject(), subject_id="nobody"), entries=[entry])
    assert [case.subject_id for case in found.cases] == ["0012", "nobody"]
    (shown,) = found.cases[0].films_of(Visit.BASELINE)
    assert shown.source.location == str(Path("a/film.dcm").absolute())
    assert shown.source.path == "a/film.dcm"
    assert shown.sha256 == "ab" * 32
    assert shown.reading == one.films[Visit.BASELINE][0]
    assert found.cases[1].films == ()


@pytest.mark.parametrize(
    "changes", [{}, {"subject_id": "Z\udcff"}, {"location": "a/\udcff.dcm"}], ids=str
)
def test_the_file_gives_back_what_went_in(tmp_path, changes):
    one, entry = with_film(**changes)
    found = listed(one, entries=[entry])
    for _ in range(2):
        write_text(tmp_path / READING_LIST_NAME, reading_list_text(found, found.cases))
        assert load_reading_list(tmp_path) == found
    assert "arm" not in set(json.loads((tmp_path / READING_LIST_NAME).read_text())["cases"][0])


def test_what_is_no_list_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="run python -m"):
        load_reading_list(tmp_path)


def doubtful(state=VertebraState.EVALUABLE, grade=Grade.NORMAL, p_grades=(0.9, 0.05, 0.03, 0.02)):
    graded = grade if state is VertebraState.EVALUABLE else Grade.NOT_EVALUABLE
    return replace(vertebra(T8), state=state, grade=graded, p_grades=p_grades)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (doubtful(), ()),
        (doubtful(grade=Grade.MILD), (T8,)),
        (doubtful(p_grades=(0.4, 0.6, 0.0, 0.0)), (T8,)),
        (doubtful(VertebraState.LOW_CONFIDENCE), (T8,)),
        (doubtful(VertebraState.LEVEL_UNCERTAIN), (T8,)),
        (doubtful(VertebraState.OBSCURED), ()),
        (doubtful(VertebraState.NOT_IMAGED), ()),
    ],
)
@pytest.mark.parametrize("visit", Visit)
def test_levels_at_which_the_model_asks_for_an_eye(one, expected, visit):
    films = dict.fromkeys(Visit, (film("1.1", {}),))
    odd = replace(
        film("1.2", {}),
        vertebrae=tuple(one if level is T8 else vertebra(level) for level in GRADED_LEVELS),
    )
    assert flagged_levels(films | {visit: (odd,)}, ()) == expected


def test_a_flagged_change_and_a_film_without_a_reading_ask_too():
    one = subject([film("1.1", {})], [film("1.2", {T12: (0.35, Grade.NORMAL)})])
    films = one.films
    assert flagged_levels(films, one.changes) == (T12,)
    dark = replace(film("1.2", {}, ()), refusal="dark")
    assert flagged_levels(films | {Visit.MONTH12: (dark,)}, ()) == GRADED_LEVELS
    assert flagged_levels(dict.fromkeys(Visit, ()), ()) == ()
