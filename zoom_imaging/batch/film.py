"""One film end to end: bytes, radiograph, vision, morphometry, reading. A pure task."""

from __future__ import annotations

from typing import Protocol

from zoom_imaging.anatomy import View
from zoom_imaging.charter import Charter
from zoom_imaging.errors import WrongViewError
from zoom_imaging.morphometry.grade import read_vertebrae, transitional_levels
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.radiograph.read import read_radiographs
from zoom_imaging.vision.finding import SpineReading


class FilmReader(Protocol):
    """What finds and delineates vertebrae: `vision.read.SpineReader`, or a stand-in in tests."""

    def read(self, radiograph: Radiograph) -> SpineReading:
        """All findings of one film."""
        ...


def read_film(
    content: bytes, path: str, reader: FilmReader, charter: Charter
) -> tuple[FilmReading, ...]:
    """Read every frame of a file.

    Raises an InputError with the sentence why: what `read_radiographs` refuses, and WrongViewError
    for what is not a lateral view.
    """
    return tuple(
        measure_radiograph(radiograph, reader, charter)
        for radiograph in read_radiographs(content, path)
    )


def measure_radiograph(radiograph: Radiograph, reader: FilmReader, charter: Charter) -> FilmReading:
    """Find, delineate and grade the vertebrae of one radiograph; WrongViewError if not lateral."""
    require_lateral(radiograph)
    spine = reader.read(radiograph)
    vertebrae = (
        ()
        if spine.refusal
        else read_vertebrae(spine.findings, radiograph, charter.fracture, charter.model)
    )
    return FilmReading(
        path=radiograph.path,
        sop_instance_uid=radiograph.sop_instance_uid,
        scale=radiograph.scale,
        vertebrae=vertebrae,
        refusal=spine.refusal,
        view=radiograph.view.value,
        frame=radiograph.frame,
        warnings=tuple(dict.fromkeys(radiograph.warnings + spine.warnings)),
        transitional=transitional_levels(spine.findings),
    )


def require_lateral(radiograph: Radiograph) -> None:
    """Raise WrongViewError unless the header says that the film is lateral.

    Six-point morphometry and Genant's grades are defined on lateral films only; a view that the
    header does not give, or gives twice, is not guessed.
    """
    if radiograph.view is View.LATERAL:
        return
    raise WrongViewError(
        f"{radiograph.path} is not known to be a lateral view",
        expected="lateral",
        found=f"{radiograph.view.value} ({radiograph.view_reason})",
        remedy="correct View Position (0018,5101) at the source if it is wrong"
        if radiograph.view is View.UNKNOWN
        else "send the lateral film",
    )
