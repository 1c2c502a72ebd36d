"""Overlay pictures of measured films, one file a film."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoom_imaging.commands.inputs import Exit

if TYPE_CHECKING:
    from zoom_imaging.commands.measure import Measured
    from zoom_imaging.radiograph.film import Radiograph

_log = logging.getLogger("zoom_imaging.commands")


class Pictures:
    """Writes one overlay a film, under names that cannot collide."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def draw(self, measured: Measured) -> Measured:
        """Draw a film that was read; a picture that fails is named in the result."""
        if (
            self._folder is None
            or not measured.is_read
            or measured.reading is None
            or measured.radiograph is None
        ):
            return replace(measured, radiograph=_light(measured.radiograph))
        from zoom_imaging.report.picture import draw_overlay

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draw_overlay(measured.radiograph, measured.reading, self._folder / self._name(measured))
        except Exception as error:
            _log.exception("the picture of %s could not be written", measured.path)
            reading = replace(
                measured.reading,
                warnings=(
                    *measured.reading.warnings,
                    f"the picture could not be written ({type(error).__name__})",
                ),
            )
            measured = replace(measured, reading=reading, exit_code=Exit.UNEXPECTED)
        return replace(measured, radiograph=_light(measured.radiograph))

    def _name(self, measured: Measured) -> str:
        stem = Path(measured.path).name or "film"
        stem = "".join(c if c.isalnum() or c in "._-" else "_" for c in stem)[:100]
        if measured.frame is not None:
            stem += f"_frame{measured.frame}"
        name, number = f"{stem}.png", 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}.png"
        self._taken.add(name)
        return name


def _light(radiograph: Radiograph | None) -> Radiograph | None:
    """The same record without its pixels, which a long list of films could not keep."""
    if radiograph is None:
        return None
    import numpy as np

    return replace(
        radiograph, pixels=np.zeros((0, 0), np.float32), valid=np.zeros((0, 0), np.bool_)
    )
