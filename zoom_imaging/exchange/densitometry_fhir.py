"""Densitometry results as FHIR R4: a Bundle of Observations, one a number, in plain JSON.

An accepted number is a preliminary Observation (no person has confirmed it). A region whose numbers
may not be used is an Observation without a value, with the reason why (`dataAbsentReason`, `note`).
Earlier exams that a report repeats are left out: their own reports hold them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState, Site
from zoom_imaging.exchange.densitometry_codes import (
    OWN_SCHEME,
    PANEL,
    Coded,
    numbers_of,
    sites_of,
    title_of,
)

Object = dict[str, Any]

_SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "UCUM": "http://unitsofmeasure.org",
    OWN_SCHEME: "urn:zoom_imaging:densitometry",
}
_ABSENT = {
    ResultState.WITHHELD: "unknown",
    ResultState.QUARANTINED: "error",
    ResultState.SUPERSEDED: "error",
}
"""Codes of http://terminology.hl7.org/CodeSystem/data-absent-reason."""


def densitometry_bundle(reports: Iterable[DxaReport]) -> Object:
    """A Bundle (type collection) of all reports; the same input gives the same text."""
    found = [one for report in reports for one in _observations(report)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{_uuid(one['id'])}", "resource": one} for one in found],
    }


def _observations(report: DxaReport) -> Iterator[Object]:
    for result in report.results:
        if result.state is ResultState.HISTORY:
            continue
        if result.state is not ResultState.ACCEPTED:
            absent = {
                "dataAbsentReason": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                            "code": _ABSENT[result.state],
                        }
                    ],
                    "text": result.state.value,
                },
                "note": [{"text": result.reason}],
            }
            yield _observation(report, result, PANEL) | absent
            continue
        for number in numbers_of(result):
            quantity = {
                "value": number.value,
                "unit": number.unit.meaning,
                "system": _SYSTEMS["UCUM"],
                "code": number.unit.value,
            }
            yield _observation(report, result, number.concept) | {"valueQuantity": quantity}


def _observation(report: DxaReport, result: DxaResult, concept: Coded) -> Object:
    scanner = report.scanner
    device = " ".join(
        part for part in (scanner.manufacturer, scanner.model, scanner.serial) if part
    )
    observation: Object = {
        "resourceType": "Observation",
        "id": _id(report, result, concept),
        "status": "preliminary",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "imaging",
                    }
                ]
            }
        ],
        "code": {"coding": [_coding(concept)], "text": f"{concept.meaning}, {title_of(result)}"},
        "bodySite": _body_site(result),
        "derivedFrom": [
            {"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}
            for uid in (report.sop_instance_uid,)
            if uid
        ],
    }
    if report.subject_id:
        observation["subject"] = {"identifier": {"value": report.subject_id}}
    if report.scan_date is not None:
        observation["effectiveDateTime"] = report.scan_date.isoformat()
    if device:
        observation["device"] = {"display": device}
    if report.reference:
        observation["method"] = {"text": f"DXA, reference: {report.reference}"}
    return {key: value for key, value in observation.items() if value != []}


def _body_site(result: DxaResult) -> Object:
    """The one site, or all vertebrae of a total; R4 allows one bodySite, so codings are joined."""
    sites = sites_of(result)
    if result.site is Site.LUMBAR_SPINE and len(sites) > 1:
        spine = Coded("122496007", "SCT", "Lumbar spine")
        return {"coding": [_coding(spine)], "text": title_of(result)}
    return {"coding": [_coding(site) for site in sites], "text": title_of(result)}


def _coding(coded: Coded) -> Object:
    return {"system": _SYSTEMS[coded.scheme], "code": coded.value, "display": coded.meaning}


def _id(report: DxaReport, result: DxaResult, concept: Coded) -> str:
    words = (report.sop_instance_uid or report.path, title_of(result), concept.value)
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:32]


def _uuid(identifier: str) -> str:
    parts = (identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20])
    return "-".join((*parts, identifier[20:]))
