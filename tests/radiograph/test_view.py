"""Lateral or not, told from the header; a contradiction is no view."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from zoom_imaging.anatomy import View
from zoom_imaging.radiograph.read import read_radiographs


def code(value: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return Sequence([item])


SILENT = {"ViewPosition": "", "PatientOrientation": None, "SeriesDescription": "SPINE"}


@pytest.mark.parametrize(
    ("elements", "view"),
    [
        ({"ViewPosition": "LL"}, View.LATERAL),
        ({"ViewPosition": "RL"}, View.LATERAL),
        ({"ViewPosition": "AP"}, View.AP),
        ({"ViewPosition": "PA"}, View.AP),
        ({"ViewPosition": "LLO"}, View.OTHER),
        ({"PatientOrientation": ["P", "F"]}, View.LATERAL),
        ({"PatientOrientation": ["A", "F"]}, View.LATERAL),
        ({"PatientOrientation": ["L", "F"]}, View.AP),
        ({"SeriesDescription": "L-SPINE LAT"}, View.LATERAL),
        ({"SeriesDescription": "Whole spine AP"}, View.AP),
        ({"SeriesDescription": "Whole spine AP + LAT"}, View.UNKNOWN),
        ({"ViewCodeSequence": code("399067008", "lateral projection")}, View.LATERAL),
        ({"ViewCodeSequence": code("399348003", "antero-posterior")}, View.AP),
        ({}, View.UNKNOWN),
        ({"ViewPosition": "LL", "PatientOrientation": ["L", "F"]}, View.UNKNOWN),
        ({"ViewPosition": "LL", "SeriesDescription": "SPINE AP"}, View.UNKNOWN),
    ],
)
def test_view(phantom, elements, view):
    (film,) = read_radiographs(phantom.film_bytes(**{**SILENT, **elements}), "film.dcm")
    assert film.view is view
    assert film.view_reason
