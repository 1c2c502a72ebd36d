"""One film of one person: pose, project, expose, and say what is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.simulate.acquisition import Acquisition, geometry_for
from zoom_imaging.simulate.attenuation import layers
from zoom_imaging.simulate.film import Look, random_look, render, to_12_bit
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.person import Person
from zoom_imaging.simulate.posture import pose
from zoom_imaging.simulate.projection import Geometry
from zoom_imaging.simulate.skeleton import Skeleton
from zoom_imaging.simulate.truth import VertebraTruth, film_truth


@dataclass(frozen=True)
class Exposure:
    """Line integrals (rows, columns) of one film, before any detector, with its truth."""

    attenuation: Floats
    geometry: Geometry
    truth: tuple[VertebraTruth, ...]


@dataclass(frozen=True)
class SimulatedFilm:
    """A finished film: 12-bit MONOCHROME2 (rows, columns) and everything true about it."""

    image: NDArray[np.uint16]
    attenuation: Floats
    pixel_mm: float
    source_to_detector_mm: float
    source_to_patient_mm: float
    magnification: float
    truth: tuple[VertebraTruth, ...]


def expose(skeleton: Skeleton, person: Person, acquisition: Acquisition) -> Exposure:
    """Project a person; the same arguments give the same bytes."""
    posed = pose(skeleton, person, acquisition.position)
    geometry = geometry_for(posed, acquisition)
    parts = layers(posed, geometry, acquisition)
    truth = film_truth(posed, geometry, parts.spine, parts.other_bone)
    return Exposure(parts.total, geometry, truth)


def simulate_film(
    skeleton: Skeleton,
    person: Person,
    acquisition: Acquisition,
    rng: np.random.Generator,
    look: Look | None = None,
) -> SimulatedFilm:
    """A film of a person; `rng` draws noise, marks and, without `look`, the maker's look."""
    exposure = expose(skeleton, person, acquisition)
    chosen = look if look is not None else random_look(rng)
    grey = render(exposure.attenuation, acquisition.pixel_mm, chosen, rng)
    return SimulatedFilm(
        image=to_12_bit(grey),
        attenuation=exposure.attenuation,
        pixel_mm=acquisition.pixel_mm,
        source_to_detector_mm=acquisition.source_to_detector_mm,
        source_to_patient_mm=acquisition.source_to_patient_mm,
        magnification=acquisition.magnification,
        truth=exposure.truth,
    )
