"""Attributes: what is kept, what goes, and that nothing goes unseen."""

from __future__ import annotations

from datetime import date, timedelta

import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataset import Dataset

from zoom_imaging.exchange.deidentify.profile import Action, action_of
from zoom_imaging.exchange.deidentify.scrub import Scrubber

from .made import NAME, SECRET, SUBJECT, bytes_of, cleaned, film

DAY = date(2025, 3, 10)
_LIST = """
    OtherPatientNames OtherPatientIDs PatientAddress PatientTelephoneNumbers PatientBirthName
    PatientMotherBirthName MilitaryRank PatientComments AdditionalPatientHistory Occupation
    InstitutionName InstitutionAddress OperatorsName PerformingPhysicianName AdmissionID
    RequestingPhysician ImageComments DerivationDescription PatientInsurancePlanCodeSequence
    PatientBirthDateInAlternativeCalendar IssuerOfPatientID ResponsiblePerson EthnicGroup
    RequestedProcedureComments PerformedProcedureStepDescription IconImageSequence
    CountryOfResidence
"""
IDENTIFYING = _LIST.split()
KEPT = {
    "PatientSex": "F",
    "PatientAge": "070Y",
    "Manufacturer": "MAKER",
    "ManufacturerModelName": "MODEL 9",
    "DeviceSerialNumber": "SN-55",
    "BodyPartExamined": "SPINE",
    "ViewPosition": "LL",
    "SeriesDescription": "Whole spine lateral",
    "StudyTime": "101500",
}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return cleaned(tmp_path_factory.mktemp("one"), film(DAY)).datasets[0]


def test_patient_gets_the_pseudonym_as_name_and_id(one):
    assert str(one.PatientName) == one.PatientID == SECRET.pseudonym(SUBJECT)


def test_file_says_that_and_how_its_identity_was_removed(one):
    assert one.PatientIdentityRemoved == "YES"
    assert "PS3.15" in " ".join(one.DeidentificationMethod)
    codes = [code.CodeValue for code in one.DeidentificationMethodCodeSequence]
    assert codes[0] == "113100"
    assert set(codes) >= {"113101", "113105", "113107", "113108", "113109", "113111"}
    assert one.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize("keyword", KEPT)
def test_what_the_trial_needs_is_kept(one, keyword):
    assert one.get(keyword) == KEPT[keyword]


def test_description_keeps_its_known_words_and_loses_the_rest(one):
    assert one.StudyDescription == "Spine lateral of"


def test_names_numbers_and_places_are_gone(one):
    assert one.AccessionNumber == ""
    assert one.ReferringPhysicianName == ""
    assert one.StudyID == ""
    assert one.get("InstitutionName", "") == ""


def test_uids_are_replaced_and_standard_ones_are_not(one):
    assert one.SOPInstanceUID == one.file_meta.MediaStorageSOPInstanceUID
    assert one.SOPInstanceUID.startswith("2.25.")
    assert one.SOPClassUID == film(DAY).SOPClassUID


def test_film_passes_unchanged_in_its_pixels(one):
    assert one.PixelData == film(DAY).PixelData


@pytest.mark.parametrize("keyword", IDENTIFYING)
def test_identifying_attribute_is_taken_away(keyword):
    tag = keyword_dict[keyword]
    removed = {Action.REMOVE, Action.EMPTY}
    wanted = removed | ({Action.TEXT} if keyword == "EthnicGroup" else set())
    assert action_of(tag, keyword, DicomDictionary[tag][0]) in wanted


def test_every_text_attribute_that_is_kept_is_one_that_was_chosen():
    """White list: free text is kept for devices, codes and known words only."""
    text = {"LO", "LT", "SH", "ST", "UC", "UT", "PN", "AE", "UR"}
    kept = {Action.KEEP, Action.TEXT, Action.VERSION, Action.WORDS, Action.TIME_POINT}
    found = {
        entry[4]
        for tag, entry in DicomDictionary.items()
        if tag >> 16 > 2 and entry[0] in text and action_of(tag, entry[4], entry[0]) in kept
    }
    assert not {name for name in found if "Patient" in name or "Person" in name}
    assert len(found) < 45
    assert "PatientComments" not in found


def test_no_binary_attribute_is_kept_but_pixels_and_tables():
    binary = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW", "US or SS or OW"}
    found = {
        entry[4]
        for tag, entry in DicomDictionary.items()
        if entry[0] in binary and action_of(tag, entry[4], entry[0]) is Action.KEEP
    }
    assert found <= {
        "PixelData",
        "LUTData",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
    }


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def test_dates_and_references_in_sequences_move_with_the_others(tmp_path):
    made = film(DAY)
    made.AcquisitionDateTime = "20250310101500.000000+0900"
    made.RequestAttributesSequence = [
        item(
            ScheduledProcedureStepStartDate="20250305",
            ScheduledProcedureStepDescription="Control of 20250310",
            RequestedProcedureID="RP-99182",
        )
    ]
    made.ReferencedImageSequence = [
        item(ReferencedSOPClassUID=made.SOPClassUID, ReferencedSOPInstanceUID="1.2.826.0.1.77.1")
    ]
    found = cleaned(tmp_path, made).datasets[0]
    shift = timedelta(days=SECRET.shift_days(SUBJECT))
    moved = f"{DAY + shift:%Y%m%d}"
    assert found.AcquisitionDateTime == f"{moved}101500.000000+0900"
    inside = found.RequestAttributesSequence[0]
    assert inside.ScheduledProcedureStepStartDate == f"{date(2025, 3, 5) + shift:%Y%m%d}"
    assert "ScheduledProcedureStepDescription" not in inside
    reference = found.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == SECRET.uid("1.2.826.0.1.77.1")
    assert reference.ReferencedSOPClassUID == made.SOPClassUID


def test_reference_between_two_files_still_leads_to_the_other(tmp_path):
    one, other = film(DAY), film(date(2026, 3, 15))
    other.SourceImageSequence = [item(ReferencedSOPInstanceUID=one.SOPInstanceUID)]
    found = {ds.AcquisitionDate: ds for ds in cleaned(tmp_path, one, other).datasets}
    first, second = (found[key] for key in sorted(found))
    assert second.SourceImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID


def test_private_overlays_curves_and_padding_are_removed(tmp_path):
    made = film(DAY)
    made.add_new(0x00091001, "LO", NAME)
    made.add_new(0x00090010, "LO", "SOME MAKER")
    made.add_new(0x60000010, "US", 1)
    made.add_new(0x60003000, "OW", b"\0\1")
    made.add_new(0x60004000, "LT", "Hwangbo Mirae")
    made.add_new(0xFFFCFFFC, "OB", b"MIRAE HWANGBO.")
    result = cleaned(tmp_path, made)
    tags = {int(element.tag) >> 16 for element in result.datasets[0]}
    assert not tags & {0x0009, 0x6000, 0xFFFC}
    assert b"wangbo" not in result.everything.lower()


def test_number_that_is_no_valid_one_goes_through_as_it_is_written(tmp_path):
    """A decimal comma or a long decimal string is the reader's to judge, not to be mended here."""
    made = film(DAY)
    made.SpecificCharacterSet = "ISO_IR 100"
    made.DistanceSourceToDetector = "1800.250"
    source = tmp_path / "in"
    source.mkdir()
    (source / "IM1").write_bytes(bytes_of(made).replace(b"1800.250", b"1800,250"))
    result = cleaned(tmp_path)
    assert b"1800,250" in result.files[0].read_bytes()


def test_trial_subject_id_is_replaced_and_its_visit_kept(tmp_path):
    made = film(DAY)
    made.ClinicalTrialSponsorName, made.ClinicalTrialProtocolID = "Invented University", "P-1"
    made.ClinicalTrialSubjectID = "TRIAL-7"
    made.ClinicalTrialTimePointID = "Month 12"
    made.ClinicalTrialTimePointDescription = "after the visit of Ms Hwangbo"
    found = cleaned(tmp_path, made).datasets[0]
    assert found.ClinicalTrialSubjectID == SECRET.pseudonym("TRIAL-7")
    assert found.PatientID == SECRET.pseudonym(SUBJECT)
    assert str(found.PatientName) == SECRET.pseudonym("TRIAL-7")
    assert found.ClinicalTrialTimePointID == "Month 12"
    assert found.ClinicalTrialTimePointDescription == "the visit of"
    assert found.ClinicalTrialSponsorName == "REMOVED"


@pytest.mark.parametrize(
    ("terms", "codec"), [("ISO_IR 192", "utf-8"), ("\\ISO 2022 IR 149", "euc_kr")]
)
def test_korean_name_leaves_no_byte_in_any_character_set(tmp_path, terms, codec):
    """Also in a description, which keeps its known words and comes out in UTF-8."""
    made = film(DAY, name="Hwangbo^Mirae=皇甫^美來=황보^미래")
    made.SpecificCharacterSet = terms.split("\\")
    made.SeriesDescription = "요추 측면 황보미래"
    code = item(CodeValue="1", CodingSchemeDesignator="99KR", CodeMeaning="요추")
    made.AnatomicRegionSequence = [code]
    result = cleaned(tmp_path, made)
    assert codec == "utf-8" or "황보".encode(codec) in bytes_of(made)
    found = result.datasets[0]
    assert found.SeriesDescription == "요추 측면"
    assert found.AnatomicRegionSequence[0].CodeMeaning == "요추"
    for word in ("황보", "미래", "皇甫"):
        for form in ("utf-8", "euc_kr"):
            assert word.encode(form) not in result.everything


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_file_of_another_byte_order_or_vr_form_keeps_it_and_its_pixels(tmp_path, syntax):
    made = film(DAY)
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    if syntax.endswith("2.2"):
        made.PixelData = made.PixelData  # written as it is: the reader swaps
    source = tmp_path / "in"
    source.mkdir()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.save_as(source / "IM1", enforce_file_format=True)
    found = cleaned(tmp_path).datasets[0]
    assert found.file_meta.TransferSyntaxUID == syntax
    assert found.PixelData == made.PixelData
    assert found.Rows == made.Rows


def test_a_name_that_begins_with_another_is_taken_out_whole():
    """Whichever of the two a process happens to hold first."""
    names = frozenset({"미래", "미래나", "미래나라"})
    scrubber = Scrubber(names, frozenset(), -8000)
    assert scrubber.text("spine 미래나라 lateral") == "spine lateral"
