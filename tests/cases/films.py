"""Films that cases.json only describes, made from its plain film."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import pydicom.config
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, ImplicitVRLittleEndian

from ..radiograph.phantom import to_bytes

TOP = 4095


class Plain:
    """The plain film of the cases and its 12-bit picture."""

    def __init__(self, path: Path) -> None:
        self.dataset = dcmread(path)
        self.values = self.dataset.pixel_array.astype(np.uint16)

    def film(self, values: np.ndarray | None = None, **elements: object) -> Dataset:
        """A copy with other pixels or elements; None removes an element."""
        made = Dataset()
        for element in self.dataset:
            made[element.tag] = deepcopy(element)
        if values is not None:
            made.PixelData = np.ascontiguousarray(values).tobytes()
            made.Rows, made.Columns = values.shape[:2]
        for keyword, value in elements.items():
            if value is None:
                made.pop(keyword, None)
            else:
                setattr(made, keyword, value)
        return made

    def detector_only(self, **elements: object) -> bytes:
        """Nothing but the spacing at the detector, 0.684 mm."""
        return to_bytes(
            self.film(
                PixelSpacing=None,
                PixelSpacingCalibrationType=None,
                PixelSpacingCalibrationDescription=None,
                DistanceSourceToDetector=None,
                DistanceSourceToPatient=None,
                EstimatedRadiographicMagnificationFactor=None,
                ImagerPixelSpacing=["0.684", "0.684"],
                **elements,
            )
        )


def imager_only(plain: Plain) -> dict[str, bytes]:
    first = plain.detector_only()
    second = plain.detector_only(SOPInstanceUID="1.2.826.0.1.3680043.10.1999.9.1")
    return {"base.dcm": first, "m12.dcm": second}


def magnification(plain: Plain) -> dict[str, bytes]:
    def film(factor: str, **more: str) -> bytes:
        ds = dcmread_bytes(plain.detector_only())
        ds.EstimatedRadiographicMagnificationFactor = factor
        for keyword, value in more.items():
            setattr(ds, keyword, value)
        return to_bytes(ds)

    against = film("1.40", DistanceSourceToDetector="1800", DistanceSourceToPatient="1579")
    return {"reciprocal.dcm": film("0.877"), "zero.dcm": film("0"), "against.dcm": against}


def dcmread_bytes(content: bytes) -> Dataset:
    from io import BytesIO

    return dcmread(BytesIO(content))


def inverse(plain: Plain) -> dict[str, bytes]:
    negative = (TOP - plain.values).astype("<u2")
    mono1 = {"PhotometricInterpretation": "MONOCHROME1"}
    computed = {
        "SOPClassUID": ComputedRadiographyImageStorage,
        "Modality": "CR",
        "PresentationLUTShape": None,
        "PresentationIntentType": None,
    }
    return {
        "dx.dcm": to_bytes(plain.film(negative, **mono1, PresentationLUTShape="INVERSE")),
        "cr.dcm": to_bytes(plain.film(negative, **mono1, **computed)),
        "window.dcm": to_bytes(
            plain.film(negative, **mono1, PresentationLUTShape="INVERSE", WindowCenter="2047.5")
        ),
    }


def modality_lut(plain: Plain) -> dict[str, bytes]:
    table = Dataset()
    table.add_new(0x00283002, "US", [4096, 0, 12])
    table.ModalityLUTType = "US"
    table.add_new(0x00283006, "OW", np.arange(TOP, -1, -1).astype("<u2").tobytes())
    ds = plain.film(
        (TOP - plain.values).astype("<u2"),
        RescaleSlope=None,
        RescaleIntercept=None,
        RescaleType=None,
        ModalityLUTSequence=[table],
    )
    return {"film.dcm": to_bytes(ds)}


def bits(plain: Plain) -> dict[str, bytes]:
    """The twelfth bit is the sign and is not extended; bits above it hold anything."""
    signed = ((plain.values.astype(int) - 2048) & 0x0FFF).astype("<u2")
    noise = np.random.default_rng(1).integers(0, 16, plain.values.shape).astype("<u2") << 12
    return {
        "signed.dcm": to_bytes(plain.film(signed, PixelRepresentation=1, RescaleIntercept="2048")),
        "dirty.dcm": to_bytes(plain.film((plain.values | noise).astype("<u2"))),
    }


def padding(plain: Plain) -> dict[str, bytes]:
    wide = np.pad(plain.values, ((0, 0), (120, 120)), constant_values=TOP).astype("<u2")
    ds = plain.film(wide)
    ds.add_new(0x00280120, "US", TOP)
    return {"film.dcm": to_bytes(ds)}


def colour(plain: Plain) -> dict[str, bytes]:
    grey = (plain.values >> 4).astype("u1")
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "RescaleSlope": None}
    eight |= {"RescaleIntercept": None, "RescaleType": None, "WindowCenter": None}
    eight |= {"WindowWidth": None, "PresentationLUTShape": None}
    rgb = plain.film(
        np.repeat(grey[..., None], 3, axis=2),
        **eight,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="RGB",
    )
    shuffled = np.random.default_rng(2).permutation(256).astype("u1")
    back = np.argsort(shuffled).astype("<u2") * 257
    palette = plain.film(shuffled[grey], **eight, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        palette[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(palette, f"{name}PaletteColorLookupTableData", back.tobytes())
    for ds in (rgb, palette):
        size = len(ds.PixelData)
        ds.PixelData = ds.PixelData + b"\0" * (size % 2)
        ds["PixelData"].VR = "OB"
    return {"rgb.dcm": to_bytes(rgb), "palette.dcm": to_bytes(palette)}


def wrong_syntax(plain: Plain) -> dict[str, bytes]:
    ds = plain.film()
    return {
        "says_implicit.dcm": to_bytes(ds, syntax=ImplicitVRLittleEndian),
        "says_explicit.dcm": to_bytes(ds, implicit=True),
    }


def private_sequence(plain: Plain) -> dict[str, bytes]:
    """Two levels of a private sequence under UN, both of undefined length, before the window."""
    content = to_bytes(plain.film())
    end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    start = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    text = struct.pack("<HHI", 0x0009, 0x1003, 6) + b"secret"
    inner = struct.pack("<HHI", 0x0009, 0x1002, 0xFFFFFFFF) + start + text + end
    outer = struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF) + start + inner + end
    creator = struct.pack("<HH2sH", 0x0009, 0x0010, b"LO", 8) + b"INVENTED"
    at = content.index(b"\x10\x00\x10\x00PN")
    return {"film.dcm": content[:at] + creator + outer + content[at:]}


def made(case: str, plain: Plain) -> dict[str, bytes]:
    """The files of a case by name; what the plain film has against the standard stays."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        return MADE[case](plain)


MADE: dict[str, Callable[[Plain], dict[str, bytes]]] = {
    "px-imager-only": imager_only,
    "px-magnification-impossible": magnification,
    "mono1-inverse-shape": inverse,
    "modality-lut-12-bit": modality_lut,
    "bits-signed-and-dirty": bits,
    "padding-border": padding,
    "rgb-and-palette-film": colour,
    "syntax-declared-wrongly": wrong_syntax,
    "private-sequence-as-un": private_sequence,
}
