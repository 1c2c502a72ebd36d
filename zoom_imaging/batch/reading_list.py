"""What a run hands to the reading room: every subject with her films and the model's word on them.

The list is the model's whoever has read the films since, so that a new reading starts from what the
first one started from. Nothing in it tells arm or treatment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zoom_imaging import __version__
from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState, Visit
from zoom_imaging.change.record import VertebraChange
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import CatalogueEntry
from zoom_imaging.ingest.text import visible
from zoom_imaging.morphometry.genant import most_probable_grade
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.morphometry.spine import merge_films
from zoom_imaging.review.case import Case, CaseFilm, ReadingList

_DOUBTS = frozenset({VertebraState.LOW_CONFIDENCE, VertebraState.LEVEL_UNCERTAIN})


def cases_of(results: TrialResults) -> Iterator[Case]:
    """One case for each subject of the results, by id, also for those without a film."""
    entries = {entry.source.path: entry for entry in results.catalogue.entries}
    for subject in results.subjects:
        yield _case(subject, entries)


def head_of(results: TrialResults) -> ReadingList:
    """What stands over the cases: which software, model and charter made the suggestions."""
    return ReadingList(
        cases=(),
        charter=results.charter,
        charter_sha256=results.run.charter_sha256,
        model_name=results.run.model_name,
        model_version=results.run.model_version,
        model_sha256=results.run.model_sha256,
        software=f"zoom_imaging {__version__}",
    )


def flagged_levels(
    films: Mapping[Visit, Sequence[FilmReading]], changes: Sequence[VertebraChange]
) -> tuple[Level, ...]:
    """Levels of T4-L4 at which the model asks for a reader's eye, from the top down.

    Those that the comparison flags (a step of the grade, a loss of height, a probable incident
    fracture), and those that at either visit have a grade of 1 or more, by the heights or by the
    probabilities, or are not evaluable because the model is not certain of points or name. A visit
    none of whose films the model could read flags all 13.
    """
    if any(films[visit] and all(film.refusal for film in films[visit]) for visit in Visit):
        return GRADED_LEVELS
    asked = {change.level for change in changes if change.flagged}
    asked |= {
        vertebra.level
        for visit in Visit
        for vertebra in merge_films(films[visit])
        if vertebra.state in _DOUBTS or _fractured(vertebra)
    }
    return tuple(level for level in GRADED_LEVELS if level in asked)


def _fractured(vertebra: VertebraReading) -> bool:
    if vertebra.state is not VertebraState.EVALUABLE or not vertebra.grade.is_numeric:
        return False
    if vertebra.grade.number >= 1:
        return True
    chances = vertebra.p_grades
    return chances is not None and most_probable_grade(chances) is not Grade.NORMAL


def _case(subject: SubjectResults, entries: Mapping[str, CatalogueEntry]) -> Case:
    word = subject.model_word
    films = tuple(
        CaseFilm(visit, source.absolute(), entries[source.path].sha256, reading)
        for visit in Visit
        for reading, source in zip(word.films[visit], subject.film_sources[visit], strict=True)
    )
    return Case(visible(subject.subject_id), films, flagged_levels(word.films, word.changes))
