"""Pixels of a whole picture; sizes are checked first.

For comparing two copies and for pictures of pages; a radiograph is decoded by `radiograph.decode`,
which corrects more and keeps the stored bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.codec import decode_frame
from zoom_imaging.ingest.codestream import identify

LARGEST_DECODED_BYTES = 512 << 20


def decoded(dataset: Dataset) -> NDArray[Any]:
    """The stored values of a whole picture, with its transfer syntax in `file_meta`.

    UnreadableError where header or codestream declare more than is decoded, or contradict each
    other. A codec may raise anything else.
    """
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    frames = int(dataset.get("NumberOfFrames") or 1)
    size = rows * columns * samples * frames * max(int(dataset.BitsAllocated) // 8, 1)
    if size > LARGEST_DECODED_BYTES:
        raise UnreadableError(
            "the picture is too large",
            expected=f"at most {LARGEST_DECODED_BYTES} bytes",
            found=str(size),
        )
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return np.asarray(pixel_array(dataset, raw=True))
    options = {
        "rows": rows,
        "columns": columns,
        "number_of_frames": 1,
        "samples_per_pixel": samples,
        "bits_allocated": int(dataset.BitsAllocated),
        "bits_stored": int(dataset.BitsStored),
        "pixel_representation": int(dataset.get("PixelRepresentation") or 0),
        "photometric_interpretation": str(dataset.PhotometricInterpretation),
        "planar_configuration": int(dataset.get("PlanarConfiguration") or 0),
        "pixel_keyword": "PixelData",
    }
    pixels = []
    for frame in generate_frames(dataset.PixelData, number_of_frames=frames):
        found = identify(frame)
        if found is None or (found.rows and (found.rows, found.columns) != (rows, columns)):
            raise UnreadableError("the compressed picture contradicts its header")
        pixels.append(decode_frame(frame, syntax, options)[0])
    return pixels[0] if frames == 1 else np.stack(pixels)
