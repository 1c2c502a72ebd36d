"""JPEG extended (process 2 and 4), 8 and 12 bits a sample, decoded by GDCM directly.

pydicom hands 12-bit extended JPEG to no codec: its plugins were found to choose the wrong decoder.
GDCM with the sample format taken from the codestream gives the values of dcmtk.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import JPEGExtended12Bit

from zoom_imaging.errors import UnsupportedTransferSyntaxError
from zoom_imaging.ingest.codestream import identify


def decode_extended(
    frame: bytes, rows: int, columns: int, samples: int
) -> NDArray[np.unsignedinteger[Any]]:
    """One frame of shape (rows, columns), or an UnsupportedTransferSyntaxError with the reason."""
    name = f"{JPEGExtended12Bit.name} ({JPEGExtended12Bit})"
    remedy = "install python-gdcm, or store the image uncompressed or as JPEG 2000"
    found = identify(frame)
    if found is None or samples != 1:
        raise UnsupportedTransferSyntaxError(
            f"colour in the transfer syntax {name} cannot be decoded", remedy=remedy
        )
    try:
        import gdcm
    except ImportError as error:
        raise UnsupportedTransferSyntaxError(
            f"no codec for the transfer syntax {name}", remedy=remedy
        ) from error
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    buffer = _decode(gdcm, frame, rows, columns, found.precision)
    kind = np.dtype("u1" if found.precision <= 8 else "<u2")
    if buffer is None or len(buffer) != rows * columns * kind.itemsize:
        raise UnsupportedTransferSyntaxError(
            f"the codec failed on the transfer syntax {name}, {found.precision} bits",
            remedy=remedy,
        )
    values = np.frombuffer(buffer, dtype=kind).reshape(rows, columns)
    if int(values.max()) >> found.precision:
        raise UnsupportedTransferSyntaxError(
            f"the codec gave values beyond {found.precision} bits for {name}",
            remedy=remedy,
        )
    return values.astype(kind.newbyteorder("="))


def _decode(gdcm: Any, frame: bytes, rows: int, columns: int, precision: int) -> bytes | None:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame + b"\0" * (len(frame) % 2))
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, precision, precision - 1, 0))
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    kind = gdcm.TransferSyntax.GetTSType(str(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(kind))
    image.SetDataElement(element)
    try:
        text = image.GetBuffer()
    except (RuntimeError, struct.error, ValueError):
        return None
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else None
