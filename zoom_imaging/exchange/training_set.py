"""Final readings as a training set: films without their patients, the readers' outlines beside.

The form is that of `docs/training.md`, which `python -m zoom_imaging train` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoom_imaging.anatomy import TYPICAL_LEVELS, Grade, Level, VertebraState, Visit
from zoom_imaging.charter import Charter
from zoom_imaging.errors import InputError, OutputError
from zoom_imaging.exchange.training_film import Pseudonym, film_without_patient
from zoom_imaging.ingest.source import open_source
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.answer import SpineAnswers, VertebraAnswer
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.verdict import Standing, SubjectVerdict

_FEWEST_POINTS = 3


@dataclass(frozen=True)
class TrainingFilm:
    """What became of one film. `written` is its path in the set, "" where `reason` says why not.

    `film` is its key in the verdict, "" for a subject as a whole. It names the subject: it is for
    whoever writes the set, and no part of it.
    """

    subject_id: str
    visit: Visit | None
    film: str
    written: str
    levels: tuple[Level, ...]
    reason: str = ""


@dataclass(frozen=True)
class TrainingSet:
    """Every film of every subject: written, or skipped with its reason."""

    folder: Path
    films: tuple[TrainingFilm, ...]

    @property
    def written(self) -> tuple[TrainingFilm, ...]:
        """The films that the set has."""
        return tuple(film for film in self.films if film.written)

    @property
    def skipped(self) -> tuple[TrainingFilm, ...]:
        """The films and subjects that it has not."""
        return tuple(film for film in self.films if not film.written)


def write_training_set(
    verdicts: Iterable[SubjectVerdict], out_dir: Path, charter: Charter
) -> TrainingSet:
    """Write the films of every final reading that have enough outlines into an empty folder.

    Patients are `patient-0001` and on, in the order of a digest of their films, which tells nothing
    of their ids. OutputError where the folder is not empty or cannot be written.
    """
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        occupied = any(out_dir.iterdir())
    except OSError as error:
        raise OutputError(f"{out_dir} cannot be written ({error.strerror})") from error
    if occupied:
        raise OutputError(
            f"{out_dir} is not empty, and an old training set must not mix with a new one",
            remedy="name another folder",
        )
    films: list[TrainingFilm] = []
    patients = 0
    for digest, verdict in sorted(
        ((_digest(verdict, charter), verdict) for verdict in verdicts), key=lambda pair: pair[0]
    ):
        patient = Pseudonym(f"patient-{patients + 1:04d}", (charter.trial.name, digest))
        outcome = tuple(_films(verdict, out_dir, patient))
        patients += any(film.written for film in outcome)
        films += outcome
    return TrainingSet(out_dir, tuple(films))


def _digest(verdict: SubjectVerdict, charter: Charter) -> str:
    words = [charter.trial.name, *sorted(film.sha256 for film in verdict.films.values())]
    # Only subjects without a film are alike here, and they get no number.
    return sha256_of_bytes("\x1f".join(words).encode())


def _films(verdict: SubjectVerdict, out_dir: Path, patient: Pseudonym) -> Iterator[TrainingFilm]:
    if verdict.standing is not Standing.FINAL or not verdict.films:
        reason = "the reading is not final" if verdict.films else "the subject has no film"
        yield TrainingFilm(verdict.subject_id, None, "", "", (), reason)
        return
    counts = dict.fromkeys(Visit, 0)
    for key, film in verdict.films.items():
        spine = verdict.spines.get(film.visit, SpineAnswers())
        outlined = _outlined(spine, key)
        levels = tuple(outlined)
        written, reason = "", _why_not(spine, levels)
        if not reason:
            name = f"{patient.name}/{film.visit}-{counts[film.visit] + 1}"
            try:
                content = film_without_patient(
                    _checked(film), film.source.path, film.reading.frame, patient
                )
            except InputError as error:
                reason = error.reason
            else:
                _write(out_dir / name, content, outlined)
                counts[film.visit] += 1
                written = f"{name}.dcm"
        yield TrainingFilm(verdict.subject_id, film.visit, key, written, levels, reason)


def _outlined(spine: SpineAnswers, key: str) -> dict[Level, VertebraAnswer]:
    """The levels with six points and an outline on this film, from the top down."""
    answers = {level: spine.answer(level) for level in Level if level in spine.vertebrae}
    return {
        level: answer
        for level, answer in answers.items()
        if answer.film == key and answer.points and len(answer.polygon) >= _FEWEST_POINTS
    }


def _why_not(spine: SpineAnswers, levels: tuple[Level, ...]) -> str:
    """Why these outlines train nothing; "" if they do."""
    from zoom_imaging.vision.training.finetune import SHORTEST_RUN

    extra = spine.anatomy.transitional
    if extra:
        # Training takes T12 and L1, or L5 and S1, for neighbours, whatever lies between them.
        return (
            f"the spine has {', '.join(extra)}, and neighbours are not what training takes them for"
        )
    longest = run = 0
    for level in TYPICAL_LEVELS:
        run = run + 1 if level in levels else 0
        longest = max(longest, run)
    if longest < SHORTEST_RUN:
        found = ", ".join(levels) or "none"
        return f"fewer than {SHORTEST_RUN} neighbouring levels are outlined on this film: {found}"
    return ""


def _checked(film: CaseFilm) -> bytes:
    """The bytes of the film as it was read; InputError for any other."""
    content = open_source(film.source)
    found = sha256_of_bytes(content)
    if found != film.sha256:
        raise InputError(
            f"{film.source.path} is not the file that was read",
            expected=f"SHA-256 {film.sha256}",
            found=found,
            remedy="bring the file back, or run and read again",
        )
    return content


def _write(stem: Path, content: bytes, outlined: dict[Level, VertebraAnswer]) -> None:
    sheet = {"vertebrae": [_vertebra(level, answer) for level, answer in outlined.items()]}
    try:
        stem.parent.mkdir(exist_ok=True)
        stem.with_suffix(".dcm").write_bytes(content)
        text = json.dumps(sheet, indent=1, allow_nan=False)
        stem.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{stem} cannot be written ({error.strerror})") from error


def _vertebra(level: Level, answer: VertebraAnswer) -> dict[str, Any]:
    """One level; a note stays behind, because it may name someone."""
    assert answer.points is not None
    return {
        "level": level.value,
        "state": _state(answer).value,
        "genant_grade": _grade(answer.grade),
        "genant_shape": answer.shape.value,
        "six_points_px": answer.points.to_json(),
        "polygon_px": [[round(column, 2), round(row, 2)] for column, row in answer.polygon],
    }


def _state(answer: VertebraAnswer) -> VertebraState:
    """The reason of the reader where training knows it."""
    if answer.grade is not Grade.NOT_EVALUABLE:
        return VertebraState.EVALUABLE
    known = {state.value for state in VertebraState}
    if answer.reason is not None and answer.reason.value in known:
        return VertebraState(answer.reason.value)
    return VertebraState.READER_NOT_EVALUABLE


def _grade(grade: Grade | None) -> float | int | str | None:
    """0, 0.5, 1, 2 or 3 as a number; a level outside T4-L4 has none."""
    if grade is None or not grade.is_numeric:
        return None if grade is None else grade.value
    return int(grade.number) if grade.number.is_integer() else grade.number
