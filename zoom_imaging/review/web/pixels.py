"""Films as the viewer gets them: grey values and nothing else, no header, no name, no date.

Lines of text that a machine wrote into the picture are blanked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

import numpy as np

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.source import open_source
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.radiograph.read import read_radiographs
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.web.lettering import without_text

LARGEST_CACHE_BYTES: Final = 512 << 20
_WHITE: Final = 65535


class FilmShelf:
    """Decoded films by content, the latest kept in memory; each is decoded once at a time."""

    def __init__(self, largest_bytes: int = LARGEST_CACHE_BYTES) -> None:
        self._largest = largest_bytes
        self._kept: OrderedDict[tuple[str, int], tuple[bytes, tuple[int, int]]] = OrderedDict()
        self._busy: dict[tuple[str, int], threading.Lock] = {}
        self._mutex = threading.Lock()

    def grey(self, film: CaseFilm) -> bytes:
        """Little-endian uint16, row by row, bone bright; UnreadableError where it is gone."""
        return self._film(film)[0]

    def shape(self, film: CaseFilm) -> tuple[int, int]:
        """(rows, columns) of the stored image; UnreadableError where it is gone."""
        return self._film(film)[1]

    def _film(self, film: CaseFilm) -> tuple[bytes, tuple[int, int]]:
        key = (film.sha256, film.reading.frame or 0)
        with self._mutex:
            own = self._busy.setdefault(key, threading.Lock())
        with own:
            with self._mutex:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            made = _decoded(film)
            with self._mutex:
                self._kept[key] = made
                while sum(len(grey) for grey, _ in self._kept.values()) > self._largest:
                    if len(self._kept) == 1:
                        break
                    self._kept.popitem(last=False)
                self._busy.pop(key, None)
            return made


def _decoded(film: CaseFilm) -> tuple[bytes, tuple[int, int]]:
    content = open_source(film.source)
    if sha256_of_bytes(content) != film.sha256:
        raise UnreadableError(
            "the film is no longer the file that the run has read",
            remedy="tell the data manager to run again",
        )
    radiograph = _frame(read_radiographs(content, "the film"), film)
    grey = np.rint(without_text(radiograph.pixels) * _WHITE).astype("<u2")
    rows, columns = radiograph.pixels.shape
    return grey.tobytes(), (rows, columns)


def _frame(frames: tuple[Radiograph, ...], film: CaseFilm) -> Radiograph:
    found = next((one for one in frames if one.frame == film.reading.frame), None)
    if found is None:
        raise UnreadableError("the film no longer holds the frame that the run has read")
    return found
