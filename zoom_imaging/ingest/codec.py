"""One compressed frame to pixels, by codecs that cannot end this process.

GDCM ends its own process (std::terminate) at some damaged JPEG frames, and nothing in Python can
stop that. What other codecs decode is left to them; what only GDCM decodes is decoded in a process
of its own, whose end is a refusal like any other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

SAFE_PLUGINS: Mapping[UID, str] = {
    JPEGBaseline8Bit: "pillow",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    RLELossless: "pydicom",
}
"""pydicom's plugin for each transfer syntax that needs no GDCM."""

LONGEST_SECONDS = 120
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from zoom_imaging.ingest.codec_process import main; main()"
)
_PACKAGES = str(Path(__file__).resolve().parents[2])
_codec_lock = threading.Lock()


class CodecError(Exception):
    """A frame that no codec decodes; the text says why."""


class CodecMissingError(CodecError):
    """The codec is not installed, or does not know this kind of frame."""


@contextmanager
def codecs_silenced() -> Iterator[None]:
    """Keep what compiled codecs print away from stdout, which holds results only, and stderr.

    What they have to say reaches the caller as an exception.
    """
    with _codec_lock, open(os.devnull, "wb") as nowhere:
        sys.stdout.flush()
        kept = []
        for stream in (1, 2):
            with suppress(OSError):  # a closed stream needs no protection
                kept.append((stream, os.dup(stream)))
        try:
            for stream, _ in kept:
                os.dup2(nowhere.fileno(), stream)
            yield
        finally:
            for stream, copy in kept:
                os.dup2(copy, stream)
                os.close(copy)


def decode_frame(
    frame: bytes, syntax: UID, options: Mapping[str, Any]
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The stored values of one frame, and what the codec warned of.

    `options` are those of pydicom's decoders. CodecMissingError or CodecError where it cannot be
    decoded.
    """
    plugin = SAFE_PLUGINS.get(syntax)
    if plugin is None:
        return decode_apart(frame, syntax, options), ()
    decoder = get_decoder(syntax)
    if plugin not in decoder.available_plugins:
        needed = ", ".join(decoder.missing_dependencies)
        raise CodecMissingError(f"no codec for the transfer syntax {syntax.name}: install {needed}")
    try:
        with codecs_silenced(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pixels, _ = decoder.as_array(
                encapsulate([frame]), index=0, raw=False, decoding_plugin=plugin, **options
            )
    except Exception as error:  # a codec raises what it likes
        raise CodecError(" ".join(str(error).split())[:200] or type(error).__name__) from error
    return np.asarray(pixels), tuple(
        dict.fromkeys(str(w.message) for w in caught if str(w.message))
    )


def decode_apart(frame: bytes, syntax: UID, options: Mapping[str, Any]) -> NDArray[Any]:
    """Decode by GDCM in another process; CodecError if that process ends or takes too long."""
    job = json.dumps({"syntax": str(syntax), "options": dict(options)}).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _START, _PACKAGES],
            input=job + b"\n" + frame,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CodecError(f"GDCM did not finish within {LONGEST_SECONDS} s") from error
    except OSError as error:
        raise CodecError(f"the process for GDCM cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        raise CodecError("the codec GDCM broke down at it")
    line, _, body = done.stdout.partition(b"\n")
    said = json.loads(line)
    if "error" in said:
        raise (CodecMissingError if said["missing"] else CodecError)(said["error"])
    return np.asarray(np.load(BytesIO(body), allow_pickle=False))
