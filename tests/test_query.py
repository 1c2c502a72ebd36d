"""A query's number stays the same between runs and differs between questions."""

from __future__ import annotations

import pickle

import pytest

from zoom_imaging import errors
from zoom_imaging.anatomy import Level, Visit
from zoom_imaging.query import Query, QueryKind


def test_number_depends_on_the_question_alone():
    def ask(**changed):
        parts = {"subject_id": "Z-1", "question": "Which?", "visit": Visit.BASELINE} | changed
        return Query(QueryKind.DATE, **parts).query_id

    assert ask() == ask()
    different = {
        ask(),
        ask(subject_id="Z-2"),
        ask(visit=None),
        ask(level=Level.L1),
        ask(values="1"),
    }
    assert len(different) == 5


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({}, "a.dcm"),
        ({"expected": "12", "found": "9"}, "a.dcm: expected 12, found 9"),
        ({"found": "9", "remedy": "send it again"}, "a.dcm: found 9; send it again"),
    ],
)
def test_an_error_is_one_sentence_and_survives_another_process(parts, sentence):
    error = errors.UnreadableError("a.dcm.", **parts)
    again = pickle.loads(pickle.dumps(error))
    assert str(error) == error.reason == sentence
    assert type(again) is errors.UnreadableError
    assert again.reason == sentence
