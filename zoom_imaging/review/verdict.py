"""What the readers decided about a subject: the word that replaces the model's in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from zoom_imaging.anatomy import GradeSource, Level, Visit
from zoom_imaging.review.answer import SpineAnswers
from zoom_imaging.review.case import CaseFilm


class Standing(StrEnum):
    """How far the readers are with a subject."""

    READ_ONCE = "read_once"
    FINAL = "final"


@dataclass(frozen=True)
class Observer:
    """A person who signed: name as printed in the signature, meaning, moment (UTC)."""

    name: str
    source: GradeSource
    meaning: str
    signed_at: datetime


@dataclass(frozen=True)
class SubjectVerdict:
    """The readers' answers for one subject, by visit.

    `standing` is final when all readings are signed, differences are adjudicated and the subject is
    locked; else read_once, and the answers are those of the reading that was signed first. `films`
    are the films as they were read, by the key that `VertebraAnswer.film` names; `sources` says
    for each level who gave the answer. `differences` counts vertebrae on which readers differed.
    A subject without any film has no spines and no observers but whoever locked it.
    """

    subject_id: str
    standing: Standing
    spines: Mapping[Visit, SpineAnswers]
    films: Mapping[str, CaseFilm]
    sources: Mapping[Visit, Mapping[Level, GradeSource]]
    observers: tuple[Observer, ...]
    differences: int = 0
