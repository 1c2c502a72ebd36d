"""What becomes of an attribute: the standard's table, the options, and a list of what is safe.

The table is PS3.15 E.1-1 as `dicom-anonymizer` carries it. An attribute that the table does not
list is kept only if its kind cannot hold free text (numbers, codes, pixel descriptions); other text
and binary values are removed unless they are named here. Dates move and UIDs are replaced wherever
they stand, whatever the table says of their attribute.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

EDITION = "2026c"
"""The edition of PS3.15 whose table is used."""

METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
    ("113104", "Clean Structured Content Option"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113109", "Retain Device Identity Option"),
    ("113111", "Retain Safe Private Option"),
)
"""Profile and options (PS3.16 CID 7050)."""


class Action(StrEnum):
    """What is done with one attribute."""

    KEEP = "keep"
    TEXT = "text"
    """Text of a device or a code: kept, without the identifiers of the input."""

    VERSION = "version"
    """As TEXT, and never taken for a date."""

    WORDS = "words"
    """A description: known words only."""

    TIME_POINT = "time_point"
    DATE = "date"
    TIME = "time"
    UID = "uid"
    SUBJECT_ID = "subject_id"
    NAME = "name"
    ITEMS = "items"
    """A sequence: each item is cleaned."""

    EMPTY = "empty"
    DUMMY = "dummy"
    REMOVE = "remove"


DUMMY_TEXT = "REMOVED"

_KEEP = """
    PatientSex PatientAge PatientSize PatientWeight SmokingStatus PregnancyStatus PixelData
    RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
    LUTData TimezoneOffsetFromUTC
"""
_TEXT = """
    Manufacturer ManufacturerModelName DeviceSerialNumber StationName GantryID DetectorID PlateID
    SecondaryCaptureDeviceManufacturer SecondaryCaptureDeviceManufacturerModelName
    DetectorManufacturerName DetectorManufacturerModelName EthnicGroup
    CodeValue LongCodeValue CodeMeaning CodingSchemeDesignator CodingSchemeName MappingResourceName
    RescaleType FilterType TypeOfFilters CollimatorGridName PlateType PhosphorType ModalityLUTType
"""
_VERSION = """
    SoftwareVersions SecondaryCaptureDeviceSoftwareVersions CodingSchemeVersion
    ContextGroupVersion ContextGroupLocalVersion
"""
_WORDS = """
    StudyDescription SeriesDescription ProtocolName DocumentTitle ViewName
    PixelSpacingCalibrationDescription AcquisitionDeviceProcessingDescription
"""
_ITEMS = """
    RequestAttributesSequence ContentSequence ReferencedImageSequence SourceImageSequence
    ReferencedStudySequence ReferencedPerformedProcedureStepSequence ReferencedSeriesSequence
    ReferencedInstanceSequence ReferencedSOPSequence CurrentRequestedProcedureEvidenceSequence
    PertinentOtherEvidenceSequence PredecessorDocumentsSequence IdenticalDocumentsSequence
    PerformedProcedureCodeSequence ProcedureCodeSequence AcquisitionContextSequence
"""
_REMOVE = """
    IconImageSequence PatientBirthTime PatientBirthDateInAlternativeCalendar
    PatientDeathDateInAlternativeCalendar PatientAlternativeCalendar VerifyingObserverSequence
    DataSetTrailingPadding EncapsulatedDocument DirectoryRecordSequence
    OriginalAttributesSequence ModifiedAttributesSequence DigitalSignaturesSequence
    MACParametersSequence EncryptedAttributesSequence SpectroscopyData WaveformSequence
"""
_SPECIAL = {
    "PatientName": Action.NAME,
    "PatientID": Action.SUBJECT_ID,
    "ClinicalTrialSubjectID": Action.SUBJECT_ID,
    "ClinicalTrialTimePointID": Action.TIME_POINT,
    "ClinicalTrialTimePointDescription": Action.TIME_POINT,
    "PersonName": Action.NAME,
    "TextValue": Action.DUMMY,  # `structured` decides first
}
_NAMED: MappingProxyType[str, Action] = MappingProxyType(
    {
        **dict.fromkeys(_KEEP.split(), Action.KEEP),
        **dict.fromkeys(_TEXT.split(), Action.TEXT),
        **dict.fromkeys(_VERSION.split(), Action.VERSION),
        **dict.fromkeys(_WORDS.split(), Action.WORDS),
        **dict.fromkeys(_ITEMS.split(), Action.ITEMS),
        **dict.fromkeys(_REMOVE.split(), Action.REMOVE),
        **_SPECIAL,
    }
)
_DEVICE = """
    Manufacturer ManufacturerModelName DeviceSerialNumber SoftwareVersions StationName GantryID
    DetectorID PlateID DetectorManufacturerName DetectorManufacturerModelName
    SecondaryCaptureDeviceManufacturer SecondaryCaptureDeviceManufacturerModelName
    SecondaryCaptureDeviceSoftwareVersions
"""
DEVICE = frozenset(_DEVICE.split())
"""Device identity, which is kept as written so that scanners can be compared."""

_CANNOT_HOLD_TEXT = frozenset(
    {"AS", "AT", "CS", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}
)
_BY_VR = MappingProxyType(
    {"DA": Action.DATE, "DT": Action.DATE, "TM": Action.TIME, "UI": Action.UID}
)
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT", "CS"})


def action_of(tag: int, keyword: str, vr: str) -> Action:
    """The action for an attribute of the data set or of an item of a sequence."""
    group = tag >> 16
    if group % 2 or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF or not keyword:
        return Action.REMOVE
    by_name = _NAMED.get(keyword) or _BY_VR.get(vr)
    if by_name is not None:
        return by_name
    listed = _listed().get(tag)
    if listed is None:
        return _unlisted(vr)
    return Action.REMOVE if listed is Action.DUMMY and vr not in _TEXT_VRS else listed


def _unlisted(vr: str) -> Action:
    if vr == "SQ":
        return Action.ITEMS
    kinds = set(vr.split(" or "))  # US or SS, but not OB or OW
    return Action.KEEP if kinds <= _CANNOT_HOLD_TEXT else Action.REMOVE


@lru_cache(maxsize=1)
def _listed() -> MappingProxyType[int, Action]:
    """The table: X removes, Z (also where the type decides) empties, D gives a dummy."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table

    actions = (
        (table.X_TAGS, Action.REMOVE),
        (table.X_Z_U_STAR_TAGS, Action.ITEMS),
        (table.Z_TAGS, Action.EMPTY),
        (table.Z_D_TAGS, Action.EMPTY),
        (table.X_Z_TAGS, Action.EMPTY),
        (table.X_Z_D_TAGS, Action.EMPTY),
        (table.D_TAGS, Action.DUMMY),
        (table.X_D_TAGS, Action.DUMMY),
        (table.U_TAGS, Action.UID),
    )
    return MappingProxyType(
        {
            entry[0] << 16 | entry[1]: action
            for entries, action in actions
            for entry in entries
            if len(entry) == 2  # ranges are curves and overlays, which are removed as groups
        }
    )
