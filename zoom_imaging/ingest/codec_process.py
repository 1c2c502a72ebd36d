"""The process that GDCM may end: a frame on stdin, its pixels on stdout (`codec.decode_apart`)."""

from __future__ import annotations

import json
import os
import sys
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit

from zoom_imaging.errors import UnsupportedTransferSyntaxError
from zoom_imaging.ingest.jpeg12 import decode_extended


def main() -> None:
    """A line of JSON and the frame in; a line of JSON and a numpy file out."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # codecs print
        line, _, frame = sys.stdin.buffer.read().partition(b"\n")
        job = json.loads(line)
        try:
            pixels = _decoded(frame, UID(job["syntax"]), job["options"])
        except Exception as error:  # a codec raises what it likes
            missing = isinstance(error, (UnsupportedTransferSyntaxError, ImportError))
            text = " ".join(str(error).split())[:200] or type(error).__name__
            answer.write(json.dumps({"error": text, "missing": missing}).encode() + b"\n")
            return
        body = BytesIO()
        np.save(body, pixels, allow_pickle=False)
        answer.write(b"{}\n" + body.getvalue())


def _decoded(frame: bytes, syntax: UID, options: dict[str, Any]) -> NDArray[Any]:
    if syntax == JPEGExtended12Bit:
        rows, columns = options["rows"], options["columns"]
        return decode_extended(frame, rows, columns, options["samples_per_pixel"])
    decoder = get_decoder(syntax)
    if "gdcm" not in decoder.available_plugins:
        raise ImportError(f"no codec for the transfer syntax {syntax.name}: install python-gdcm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels, _ = decoder.as_array(
            encapsulate([frame]), index=0, raw=False, decoding_plugin="gdcm", **options
        )
    return np.asarray(pixels)
