"""Told by content: what is a densitometry, what a film of the spine, what neither."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.ingest.classify import classify
from zoom_imaging.ingest.header import parse
from zoom_imaging.ingest.view import SpinePart

DXA, SPINE, OTHER = FileKind.DXA_REPORT, FileKind.SPINE_RADIOGRAPH, FileKind.OTHER_DICOM
ABSENT_VIEW = {"ViewPosition": "", "PatientOrientation": None, "SeriesDescription": ""}


def told(specimen, ds):
    found = parse(specimen.dicom(ds))
    assert found.problem is None, found.reason
    return classify(found.header, found.clues)


@pytest.mark.parametrize(
    ("make", "elements"),
    [
        ("hologic", {}),
        ("hologic", {"Modality": "BMD"}),
        ("hologic", {"Manufacturer": "", "BodyPartExamined": "HIP"}),
        ("report", {}),
        ("report", {"Manufacturer": "", "ManufacturerModelName": ""}),
        ("report", {"ContentSequence": [], "Manufacturer": "HOLOGIC"}),
        ("report", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.34"}),
        ("film", {"ImageComments": "<DXA_RESULTS><SCAN/></DXA_RESULTS>", "Modality": "CR"}),
        ("film", {"ImageComments": '<?xml version="1.0"?><DENSITOMETRY_RESULTS/>'}),
    ],
)
def test_densitometry(specimen, make, elements):
    ds = getattr(specimen, make)(**elements)
    found = told(specimen, ds)
    assert (found.kind, found.disposition) == (DXA, None)


def test_a_pdf_of_a_densitometer_is_densitometry_and_another_is_not(specimen):
    pdf = specimen.header(specimen.PDF, EncapsulatedDocument=b"%PDF", Modality="DOC")
    assert told(specimen, pdf).disposition is Disposition.NOT_RELEVANT
    pdf.Manufacturer = "HOLOGIC"
    assert told(specimen, pdf).kind is DXA


@pytest.mark.parametrize(
    ("elements", "part"),
    [
        ({}, SpinePart.WHOLE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, SpinePart.WHOLE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "Modality": "CR"}, SpinePart.WHOLE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.2", "Modality": "RF"}, SpinePart.WHOLE),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}, SpinePart.WHOLE),
        ({"BodyPartExamined": "LSPINE"}, SpinePart.LUMBAR),
        ({"BodyPartExamined": "TSPINE"}, SpinePart.THORACIC),
        ({"SeriesDescription": "L-spine lateral"}, SpinePart.LUMBAR),
        ({"BodyPartExamined": "", "SeriesDescription": "whole spine lat"}, SpinePart.WHOLE),
        (
            {"BodyPartExamined": "", "SeriesDescription": "", "StudyDescription": "T spine"},
            SpinePart.THORACIC,
        ),
        (
            {"BodyPartExamined": "", "SeriesDescription": "", "ProtocolName": "SPINE"},
            SpinePart.WHOLE,
        ),
    ],
)
def test_a_lateral_film_of_the_spine(specimen, elements, part):
    found = told(specimen, specimen.film(**elements))
    assert (found.kind, found.disposition) == (SPINE, None)
    assert found.view is View.LATERAL
    assert found.part is part


def test_a_film_of_unknown_view_goes_on_for_the_picture_to_decide(specimen):
    found = told(specimen, specimen.film(**ABSENT_VIEW))
    assert (found.kind, found.disposition, found.view) == (SPINE, None, View.UNKNOWN)


@pytest.mark.parametrize(
    "elements",
    [
        {"ViewPosition": "AP"},
        {"PatientOrientation": ["L", "F"]},
        {"SeriesDescription": "SPINE AP"},
        {"ViewPosition": "RAO"},
    ],
)
def test_another_view_of_the_spine_is_the_wrong_view(specimen, elements):
    found = told(specimen, specimen.film(**(ABSENT_VIEW | elements)))
    assert (found.kind, found.disposition) == (SPINE, Disposition.WRONG_VIEW)
    assert "lateral" in found.reason


def test_view_and_anatomy_are_read_from_code_sequences(specimen):
    view, region = Dataset(), Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "399348003", "SCT", "AP"
    region.CodeValue, region.CodingSchemeDesignator = "122496007", "SCT"
    region.CodeMeaning = "Lumbar spine"
    ds = specimen.film(
        **ABSENT_VIEW,
        BodyPartExamined="",
        ViewCodeSequence=Sequence([view]),
        AnatomicRegionSequence=Sequence([region]),
    )
    for made in (ds, specimen.undefined_lengths(ds)):
        found = told(specimen, made)
        assert (found.view, found.part) == (View.AP, SpinePart.LUMBAR)


@pytest.mark.parametrize(
    ("elements", "word"),
    [
        ({"BodyPartExamined": "CHEST", "SeriesDescription": "chest lateral"}, "CHEST"),
        ({"BodyPartExamined": "HAND", "SeriesDescription": ""}, "HAND"),
        ({"BodyPartExamined": "", "SeriesDescription": ""}, "no body part"),
        ({"BodyPartExamined": "CSPINE", "SeriesDescription": "lateral"}, "cervical"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT"}, "CT Image Storage"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}, "modality MR"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "MR"}, "modality MR"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1", "Modality": "XA", "NumberOfFrames": 2},
            "2 frames",
        ),
        ({"SOPClassUID": "1.2.3.4.5.6"}, "1.2.3.4.5.6"),
    ],
)
def test_what_is_neither_is_named(specimen, elements, word):
    ds = specimen.film(**elements)
    if "NumberOfFrames" in elements:
        ds.PixelData *= 2
    found = told(specimen, ds)
    assert (found.kind, found.disposition) == (OTHER, Disposition.NOT_RELEVANT)
    assert word in found.reason


def test_a_dose_report_of_a_densitometer_is_no_result(specimen):
    found = told(specimen, specimen.report(SOPClassUID=specimen.DOSE_SR))
    assert (found.kind, found.disposition) == (OTHER, Disposition.NOT_RELEVANT)


def test_a_report_about_something_else_is_not_relevant(specimen):
    ds = specimen.report(
        Manufacturer="INVENTED",
        ManufacturerModelName="",
        ContentSequence=[specimen.number("Length", "3")],
    )
    ds.ConceptNameCodeSequence = specimen.code("Report")
    assert told(specimen, ds).disposition is Disposition.NOT_RELEVANT


LUNAR = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1",
    "Modality": "CR",
    "BodyPartExamined": "",
    "Manufacturer": "GE Healthcare",
    "ManufacturerModelName": "Lunar iDXA",
    **ABSENT_VIEW,
}


@pytest.mark.parametrize("protocol", ["AP Spine", "Left Femur", "Total Body"])
def test_a_densitometers_picture_without_results_is_not_relevant(specimen, protocol):
    found = told(specimen, specimen.film(**LUNAR, ProtocolName=protocol))
    assert (found.kind, found.disposition) == (OTHER, Disposition.NOT_RELEVANT)
    assert protocol in found.reason


def test_a_densitometers_lateral_scan_is_a_lateral_film(specimen):
    lva = told(specimen, specimen.film(**LUNAR, ProtocolName="LVA"))
    iva = told(
        specimen, specimen.film(Manufacturer="HOLOGIC", Modality="OT", BodyPartExamined="LSPINE")
    )
    assert [(one.kind, one.view) for one in (lva, iva)] == [(SPINE, View.LATERAL)] * 2


def test_radiography_of_makers_that_build_densitometers_too_stays_radiography(specimen):
    for maker, model in (("GE Healthcare", "Discovery XR656"), ("DMS Imaging", "Platinum")):
        found = told(specimen, specimen.film(Manufacturer=maker, ManufacturerModelName=model))
        assert (found.kind, found.disposition) == (SPINE, None)
