"""Examinations of several days in one visit are never chosen from in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from zoom_imaging.anatomy import Visit
from zoom_imaging.ingest.catalogue import FileKind
from zoom_imaging.ingest.repeat import Candidate, repeated
from zoom_imaging.ingest.view import SpinePart

FIRST, SECOND = date(2025, 1, 10), date(2025, 1, 12)
FILM = Candidate(
    0, "a", "T-001", Visit.BASELINE, FileKind.SPINE_RADIOGRAPH, FIRST, "1.1", SpinePart.WHOLE
)
SCAN = Candidate(0, "a", "T-001", Visit.BASELINE, FileKind.DXA_REPORT, FIRST, "1.1", None, "LSPINE")


@pytest.mark.parametrize(
    ("one", "changes", "competes"),
    [
        (FILM, {"day": SECOND, "study_uid": "1.2"}, True),
        (FILM, {"study_uid": "1.2"}, False),
        (FILM, {"day": SECOND}, False),
        (FILM, {"day": SECOND, "study_uid": "1.2", "part": SpinePart.LUMBAR}, True),
        (FILM, {"day": SECOND, "study_uid": "1.2", "part": None}, True),
        (FILM, {"day": SECOND, "study_uid": "1.2", "subject_id": "T-002"}, False),
        (FILM, {"day": SECOND, "study_uid": "1.2", "visit": Visit.MONTH12}, False),
        (SCAN, {"day": SECOND, "study_uid": "1.2"}, True),
        (SCAN, {"day": SECOND, "study_uid": "1.2", "region": "HIP"}, False),
        (SCAN, {"day": SECOND, "study_uid": "1.2", "region": ""}, True),
        (SCAN, {"day": SECOND, "study_uid": ""}, True),
        (SCAN, {"study_uid": "1.2"}, False),
    ],
)
def test_who_competes(one, changes, competes):
    found = list(repeated([one, replace(one, position=1, path="b", **changes)]))
    assert bool(found) == competes
    for competing, query in found:
        assert [candidate.position for candidate in competing] == [0, 1]
        assert query.values == "2025-01-10, 2025-01-12"


def test_thoracic_and_lumbar_of_two_days_are_one_examination_in_parts():
    thoracic = replace(FILM, part=SpinePart.THORACIC)
    lumbar = replace(FILM, part=SpinePart.LUMBAR, day=SECOND, study_uid="1.2", position=1)
    assert not list(repeated([thoracic, lumbar]))


def test_who_does_not_compete_is_left_alone():
    hip = replace(SCAN, region="HIP", position=2)
    again = replace(SCAN, day=SECOND, study_uid="1.2", position=1)
    ((competing, _),) = repeated([SCAN, again, hip])
    assert [candidate.position for candidate in competing] == [0, 1]
