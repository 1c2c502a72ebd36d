"""A film without its patient: pixels and the geometry that measuring needs, and nothing else.

Not a header is cleaned but a new one is written, from a list of what may stay. The pixels are
decoded and written as plain numbers: comments of a codestream, overlays in unused bits and bytes
behind the image stay behind. What is burned into the picture cannot be seen here: a film that says
so is refused, one that is silent is not.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from zoom_imaging.errors import InputError, NotRelevantError
from zoom_imaging.provenance import sha256_of_bytes, uid_from

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from zoom_imaging.radiograph.film import Radiograph

_TEXTS: Final = (
    "ImageType",
    "Modality",
    "PresentationIntentType",
    "Manufacturer",
    "ManufacturerModelName",
    "BodyPartExamined",
    "ViewPosition",
    "PatientOrientation",
    "ImageLaterality",
    "PixelSpacingCalibrationType",
    "PixelIntensityRelationship",
    "RescaleType",
    "VOILUTFunction",
    "PresentationLUTShape",
    "LossyImageCompression",
    "BurnedInAnnotation",
    "ShutterShape",
    "CollimatorShape",
)
_NUMBERS: Final = (
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "EstimatedRadiographicMagnificationFactor",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelSpacing",
    "WindowCenter",
    "WindowWidth",
    "RescaleIntercept",
    "RescaleSlope",
)
_WHOLE_NUMBERS: Final = (
    "PixelAspectRatio",
    "PixelIntensityRelationshipSign",
    *(
        f"{kind}{side}Edge"
        for kind in ("Shutter", "Collimator")
        for side in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
    ),
    *(
        f"{what}{kind}"
        for kind in ("Shutter", "Collimator")
        for what in ("CenterOfCircular", "RadiusOfCircular", "VerticesOfThePolygonal")
    ),
)
_SEQUENCES: Final = {
    "ViewCodeSequence": ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"),
    "ModalityLUTSequence": ("LUTDescriptor", "ModalityLUTType", "LUTData"),
    "VOILUTSequence": ("LUTDescriptor", "LUTData"),
}
_PADDING: Final = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_EMPTY: Final = (
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)

_TELLING_VRS: Final = frozenset({"PN", "DA", "DT"})
_TELLING: Final = frozenset(
    {
        "AccessionNumber",
        "ClinicalTrialSubjectID",
        "ClinicalTrialSubjectReadingID",
        "InstitutionAddress",
        "InstitutionName",
        "OtherPatientIDs",
        "PatientAddress",
        "PatientID",
        "PatientTelephoneNumbers",
        "StationName",
    }
)
_SHORTEST_TELLING = 4
_STANDARD_ROOT = "1.2.840.10008."
_LARGEST_SCALE_CHANGE = 1e-6


@dataclass(frozen=True)
class Pseudonym:
    """The name of a patient in the training set, and the words that her new UIDs come from."""

    name: str
    words: tuple[str, ...]


def film_without_patient(content: bytes, path: str, frame: int | None, patient: Pseudonym) -> bytes:
    """The DICOM file of one frame, explicit VR little endian, under another name and other UIDs.

    Raises InputError where the header says that text is burned in, or where the copy would not
    measure as the film does; NotRelevantError for a colour picture; and what `read_radiographs`
    raises.
    """
    import pydicom.config

    from zoom_imaging.ingest.dataset import open_source
    from zoom_imaging.radiograph.decimals import header_text
    from zoom_imaging.radiograph.read import read_radiographs

    before = read_radiographs(content, path)[frame or 0]
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        # A header in the field breaks rules that do not matter here; the comparison below decides.
        warnings.simplefilter("ignore")
        source = open_source(content, path)
        if header_text(source.dataset, "BurnedInAnnotation").upper() == "YES":
            raise InputError(f"{path}: text is burned into the picture, so it stays here")
        header = _header(source.dataset, patient, sha256_of_bytes(content), frame or 0)
        _leave_out_identifiers(header, source.dataset)
        _add_pixels(header, source, frame or 0)
        made = io.BytesIO()
        header.save_as(made, enforce_file_format=True)
    copied = made.getvalue()
    _compare(before, read_radiographs(copied, path)[0], path)
    return copied


def _header(source: Dataset, patient: Pseudonym, sha256: str, frame: int) -> Dataset:
    from pydicom.dataset import Dataset as Plain
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    from zoom_imaging.radiograph.decimals import decimals, header_text, header_texts

    made = Plain()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = UID(header_text(source, "SOPClassUID"))
    made.SOPInstanceUID = UID(uid_from("training film", *patient.words, sha256, frame))
    made.StudyInstanceUID = UID(uid_from("training study", *patient.words, sha256))
    made.SeriesInstanceUID = UID(uid_from("training series", *patient.words, sha256))
    made.PatientID = made.PatientName = patient.name
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = "zoom_imaging: new header from a list of what may stay"
    made.SeriesNumber = made.InstanceNumber = 1
    for keyword in _EMPTY:
        setattr(made, keyword, "")
    for keyword in _TEXTS:
        texts = header_texts(source, keyword)
        if texts:
            setattr(made, keyword, list(texts) if len(texts) > 1 else texts[0])
    for keyword in (*_NUMBERS, *_WHOLE_NUMBERS):
        numbers = decimals(source, keyword).values
        known = [number for number in numbers if number is not None]
        if known and len(known) == len(numbers):
            whole = keyword in _WHOLE_NUMBERS
            setattr(made, keyword, [round(n) if whole else f"{n:.10g}" for n in known])
    for keyword, kept in _SEQUENCES.items():
        if source.get(keyword):
            setattr(made, keyword, [_only(item, kept) for item in source.get(keyword)])
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def _only(item: Dataset, kept: tuple[str, ...]) -> Dataset:
    from pydicom.dataset import Dataset as Plain

    made = Plain()
    for keyword in kept:
        if keyword in item:
            made.add(item[keyword])
    return made


def _add_pixels(made: Dataset, source: Any, frame: int) -> None:
    from zoom_imaging.radiograph.colour import is_colour
    from zoom_imaging.radiograph.decode import decode

    stored = decode(source)
    layout = stored.layout
    if is_colour(layout):
        raise NotRelevantError(f"{source.path}: a colour picture trains nothing here")
    shift = layout.high_bit + 1 - layout.bits_stored
    container = stored.frames[frame].astype(layout.container.newbyteorder("<"))
    # Unused bits may hold an overlay, which may hold a name; padding may lie beyond the used bits.
    pixels = container & container.dtype.type(((1 << layout.bits_stored) - 1) << shift)
    padding = source.dataset.get(_PADDING[0])
    if isinstance(padding, int):
        filled = container == (padding & 0xFFFF & ((1 << layout.bits_allocated) - 1))
        pixels[filled] = container[filled]
    for keyword in _PADDING:
        value = source.dataset.get(keyword)
        if isinstance(value, int):
            # The same 16 bits, under the VR that the sign of the pixels asks for.
            bits = value & 0xFFFF
            signed = bits - 0x10000 if layout.signed and bits & 0x8000 else bits
            made.add_new(keyword, "SS" if layout.signed else "US", signed)
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = layout.photometric
    made.Rows, made.Columns = layout.rows, layout.columns
    made.BitsAllocated, made.BitsStored = layout.bits_allocated, layout.bits_stored
    made.HighBit = layout.high_bit
    made.PixelRepresentation = int(layout.signed)
    content = pixels.tobytes()
    made.PixelData = content + b"\0" * (len(content) % 2)
    made["PixelData"].VR = "OB" if layout.bits_allocated == 8 else "OW"


def _leave_out_identifiers(made: Dataset, source: Dataset) -> None:
    """Take out what may stay where it repeats a name, number, date or UID of the old header."""
    needles = {needle.casefold() for needle in _identifiers(source)}
    for keyword in (*_TEXTS, "ViewCodeSequence"):
        text = str(made.get(keyword, "")).casefold()
        if any(needle in text for needle in needles):
            delattr(made, keyword)


def _identifiers(source: Dataset) -> Iterator[str]:
    """Names, numbers, dates and UIDs of the old header, however deep."""
    for element in _elements(source):
        telling = element.VR in _TELLING_VRS or element.keyword in _TELLING
        if not telling and element.VR != "UI":
            continue
        values = element.value if element.VM > 1 else [element.value]
        for text in (str(value).strip() for value in values):
            if element.VR == "UI" and text.startswith(_STANDARD_ROOT):
                continue
            parts = text.replace("^", "=").split("=") if element.VR == "PN" else [text]
            for part in parts:
                if len(part.strip()) >= _SHORTEST_TELLING:
                    yield part.strip()


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """Every element that can be read, however deep."""
    for tag in dataset.keys():  # noqa: SIM118
        try:
            element = dataset[tag]
        except (ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError):
            # Not readable, so nothing that may stay was taken from it either.
            continue
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def _compare(before: Radiograph, after: Radiograph, path: str) -> None:
    scales = before.scale.as_list or [0.0], after.scale.as_list or [0.0]
    same = (
        before.scale.source is after.scale.source
        and len(scales[0]) == len(scales[1])
        and np.allclose(*scales, rtol=_LARGEST_SCALE_CHANGE, atol=0)
        and np.array_equal(before.pixels, after.pixels)
    )
    if not same:
        raise InputError(
            f"{path}: the film without its header would not measure as the film does",
            expected=f"the same grey values and {before.scale.reason}",
            found=after.scale.reason,
        )
