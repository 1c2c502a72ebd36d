"""The FHIR bundle is valid R4, and a number that may not be used is absent with its reason."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS
from zoom_imaging.dxa.result import ResultState
from zoom_imaging.exchange.densitometry_fhir import densitometry_bundle

from .conftest import hologic, lunar

LUMBAR = (0.742, 0.781, 0.803, 0.792)


def observations(bundle):
    return [entry["resource"] for entry in bundle["entry"]]


def test_every_number_is_an_observation_with_its_unit_and_source() -> None:
    report, _ = hologic(LUMBAR, LUMBAR_DXA_LEVELS[:3])
    found = observations(densitometry_bundle([report]))
    (total,) = (
        one
        for one in found
        if one["bodySite"]["text"] == "AP Spine L1-L3" and "38267-1" in json.dumps(one["code"])
    )
    expected = next(r for r in report.results if r.region == "L1-L3")
    assert total["valueQuantity"]["value"] == expected.t_score
    assert total["valueQuantity"]["code"] == "{T-score}"
    assert total["bodySite"]["coding"][0]["code"] == "122496007"
    assert total["effectiveDateTime"] == "2025-03-05"
    assert total["subject"]["identifier"]["value"] == "P-1"
    assert total["derivedFrom"][0]["identifier"]["value"] == f"urn:oid:{report.sop_instance_uid}"
    bmd = [
        one["valueQuantity"]["value"]
        for one in found
        if one["code"]["coding"][0]["code"] == "24966-4"
    ]
    assert bmd == [r.bmd_g_per_cm2 for r in report.results if r.state is ResultState.ACCEPTED]


def test_what_may_not_be_used_has_no_value_and_says_why() -> None:
    report, _ = hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    doubted = tuple(
        replace(r, state=ResultState.QUARANTINED, reason="contradictory") if r.region == "L2" else r
        for r in report.results
    )
    found = observations(densitometry_bundle([replace(report, results=doubted)]))
    (second,) = (one for one in found if one["bodySite"]["text"] == "AP Spine L2")
    assert "valueQuantity" not in second
    assert second["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert second["note"] == [{"text": "contradictory"}]


def test_the_bundle_is_valid_and_the_same_twice() -> None:
    pytest.importorskip("fhir.resources", reason="pip install -e '.[dev]'")
    from fhir.resources.R4B.bundle import Bundle

    reports = [lunar(LUMBAR)[0], hologic(LUMBAR, LUMBAR_DXA_LEVELS[1:])[0]]
    bundle = densitometry_bundle(reports)
    assert bundle == densitometry_bundle(reports)
    text = json.dumps(bundle, allow_nan=False)
    valid = Bundle.model_validate_json(text)
    assert len(valid.entry) == len(bundle["entry"])
    identifiers = [one["id"] for one in observations(bundle)]
    assert len(set(identifiers)) == len(identifiers)
