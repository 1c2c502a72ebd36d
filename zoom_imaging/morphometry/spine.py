"""The films of one visit as one spine: each level from the film that shows it best.

A whole spine may come as a thoracic and a lumbar lateral that share T11-L1. The evaluable reading
is preferred, then the one whose ratios scatter less; each keeps the UID of its film (domain rules,
section 6). Films that contradict each other are named, never averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from zoom_imaging.anatomy import GRADED_LEVELS, Level, VertebraState
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading

_PREFERENCE: tuple[VertebraState, ...] = (
    VertebraState.EVALUABLE,
    VertebraState.LOW_CONFIDENCE,
    VertebraState.OBSCURED,
    VertebraState.IMPLANT_OR_CEMENT,
    VertebraState.READER_NOT_EVALUABLE,
    VertebraState.LEVEL_UNCERTAIN,
    VertebraState.AT_SEAM,
    VertebraState.AT_IMAGE_BORDER,
    VertebraState.NOT_IMAGED,
)
"""Evaluable first; among the others the one that says most about why nobody can judge it."""


@dataclass(frozen=True)
class MergedVertebra:
    """A level of a visit and the film it was read on; `film` is None when no film shows it."""

    reading: VertebraReading
    film: FilmReading | None

    @property
    def film_name(self) -> str:
        """The UID of the film, for sentences."""
        return self.reading.sop_instance_uid or "another film"


def merge_films(films: Sequence[FilmReading]) -> tuple[VertebraReading, ...]:
    """T4-L4 of one visit in order, 13 readings; also without any readable film."""
    return tuple(merged.reading for merged in merge_with_films(films))


def merge_with_films(films: Sequence[FilmReading]) -> tuple[MergedVertebra, ...]:
    """As `merge_films`, with the film behind each reading."""
    readable = sorted(
        (film for film in films if not film.refusal),
        key=lambda film: (film.sop_instance_uid, film.path, film.frame or 0),
    )
    return tuple(_merge_level(level, readable, films) for level in GRADED_LEVELS)


def _merge_level(
    level: Level, readable: Sequence[FilmReading], films: Sequence[FilmReading]
) -> MergedVertebra:
    candidates = [
        MergedVertebra(reading, film)
        for film in readable
        for reading in film.vertebrae
        if reading.level is level
    ]
    if not candidates:
        return MergedVertebra(
            VertebraReading(
                level=level, state=VertebraState.NOT_IMAGED, reason=_why_no_film(readable, films)
            ),
            None,
        )
    best = min(candidates, key=lambda candidate: _rank(candidate.reading))
    return replace(best, reading=_with_contradiction(best, candidates))


def _rank(reading: VertebraReading) -> tuple[int, float]:
    scatter = reading.ratio_sd if reading.ratio_sd is not None else math.inf
    return _PREFERENCE.index(reading.state), scatter


def _with_contradiction(
    best: MergedVertebra, candidates: Sequence[MergedVertebra]
) -> VertebraReading:
    reading = best.reading
    if not reading.grade.is_numeric:
        return reading
    contradictions = sorted(
        {
            f"grade {other.reading.grade.value} on {other.film_name}"
            for other in candidates
            if other is not best
            and other.reading.grade.is_numeric
            and (other.reading.grade.number >= 1) is not (reading.grade.number >= 1)
        }
    )
    if not contradictions:
        return reading
    doubt = f"another film of this visit says otherwise: {', '.join(contradictions)}"
    return replace(reading, reason=f"{reading.reason}; {doubt}" if reading.reason else doubt)


def _why_no_film(readable: Sequence[FilmReading], films: Sequence[FilmReading]) -> str:
    if readable:
        return "no film of this visit shows it"
    refusals = [film.refusal for film in films if film.refusal]
    if refusals:
        return f"no film of this visit could be read: {'; '.join(dict.fromkeys(refusals))}"
    return "no lateral film of this visit"
