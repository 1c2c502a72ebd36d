"""One random person: sizes, shapes by level, posture, density and what is not a fracture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate import proportions
from zoom_imaging.simulate.fracture import UNFRACTURED, Fracture, random_fractures
from zoom_imaging.simulate.proportions import CHAIN, NORMAL
from zoom_imaging.simulate.shape import BodyShape, Dent


@dataclass(frozen=True)
class Posture:
    """Angles by level in degrees, added to the resting skeleton; positive tilt leans forward."""

    tilt_deg: Mapping[Level, float]
    coronal_deg: Mapping[Level, float]
    axial_deg: Mapping[Level, float]


@dataclass(frozen=True)
class Bone:
    """Attenuation of bone: cortex and trabecular, per mm, and cortical thickness in mm."""

    cortex_per_mm: float
    trabecular_per_mm: float
    cortex_mm: float
    texture: float
    level_density: Mapping[Level, float]


@dataclass(frozen=True)
class Osteophyte:
    """A spur at a corner of a body: `corner` indexes sup_ant, sup_post, inf_ant, inf_post."""

    level: Level
    corner: int
    length_mm: float
    thickness_mm: float
    left_mm: float


@dataclass(frozen=True)
class Person:
    """Everything about a patient that two visits share; `fractures` alone may differ."""

    seed: int
    size: float
    shapes: Mapping[Level, BodyShape]
    disc_heights_mm: Mapping[Level, float]
    posture: Posture
    bone: Bone
    torso_width_mm: float
    osteophytes: tuple[Osteophyte, ...] = ()
    cement: tuple[Level, ...] = ()
    aortic_calcification: float = 0.0
    fractures: Mapping[Level, Fracture] = field(default_factory=dict)

    def fracture(self, level: Level) -> Fracture:
        """The fracture of one level, `UNFRACTURED` where there is none."""
        return self.fractures.get(level, UNFRACTURED)

    def with_fractures(self, fractures: Mapping[Level, Fracture]) -> Person:
        """The same person with other fractures: a follow-up visit, or the time before any."""
        return replace(self, fractures=dict(fractures))


def random_person(seed: int, prevalence: float = 0.0, variety: float = 1.0) -> Person:
    """A person from an integer seed.

    `prevalence` is the mean share of fractured vertebrae. `variety` scales the spread of shape
    between levels: 1 for training (wider than published), about 0.6 for believable patients.
    """
    rng = np.random.default_rng([seed, 17])
    size = float(np.clip(rng.normal(1.0, proportions.PERSON_SIZE_SD), 0.8, 1.22))
    shapes = _shapes(rng, size, variety)
    shrink = rng.normal(1.0, 0.15)
    discs = {
        level: float(
            NORMAL[level].disc_height_mm
            * size
            * np.clip(shrink * rng.normal(1.0, 0.18 * variety), 0.35, 1.5)
        )
        for level in CHAIN
    }
    cement = tuple(level for level in CHAIN[4:] if rng.random() < 0.003)
    return Person(
        seed=seed,
        size=size,
        shapes=shapes,
        disc_heights_mm=discs,
        posture=_posture(rng),
        bone=_bone(rng),
        torso_width_mm=float(size * rng.uniform(225, 390)),
        osteophytes=_osteophytes(rng),
        cement=cement,
        aortic_calcification=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.35 else 0.0,
        fractures=random_fractures(rng, prevalence) if prevalence else {},
    )


def _shapes(rng: np.random.Generator, size: float, variety: float) -> dict[Level, BodyShape]:
    person_anterior = rng.normal(0.0, 0.6 * proportions.ANTERIOR_RATIO_SD)
    person_middle = rng.normal(0.0, 0.6 * proportions.MIDDLE_RATIO_SD)
    slenderness, breadth = rng.normal(1.0, 0.05), rng.normal(1.0, 0.05)
    scheuermann = rng.random() < 0.08
    short = int(rng.integers(4, 13)) if rng.random() < 0.15 else -99
    bow = rng.random() < 0.35
    shapes: dict[Level, BodyShape] = {}
    for place, level in enumerate(CHAIN):
        normal = NORMAL[level]
        anterior = person_anterior + variety * rng.normal(0, 0.8 * proportions.ANTERIOR_RATIO_SD)
        middle = person_middle + variety * rng.normal(0, 0.8 * proportions.MIDDLE_RATIO_SD)
        dents = _dents(rng, 0.05)
        if scheuermann and 7 <= place <= 13:
            anterior -= rng.uniform(0.0, 0.14)
            dents = _dents(rng, 0.5)
        if rng.random() < 0.05:  # degenerative or developmental wedge
            anterior -= rng.uniform(0.02, 0.10)
        posterior_mm = normal.posterior_height_mm * size
        posterior_mm *= rng.normal(1.0, variety * proportions.LEVEL_HEIGHT_SD)
        if short <= place <= short + 4:  # short vertebral height without fracture
            posterior_mm *= rng.uniform(0.80, 0.95)
        anterior_mm = posterior_mm * (normal.anterior_ratio + anterior)
        # Middle follows the mean of the walls as well as the posterior one.
        middle_mm = posterior_mm * (normal.middle_ratio + middle)
        middle_mm += 0.45 * posterior_mm * anterior
        bowed = bow and level in {Level.L3, Level.L4, Level.L5}
        shapes[level] = BodyShape(
            anterior_mm=float(anterior_mm),
            middle_mm=float(min(middle_mm, 0.5 * (anterior_mm + posterior_mm) + 0.8)),
            posterior_mm=float(posterior_mm),
            depth_mm=float(
                normal.depth_mm * size * slenderness * rng.normal(1.0, proportions.DEPTH_SD)
            ),
            width_scale=float(size * breadth * rng.normal(1.0, 0.03)),
            upper_wedge_share=float(rng.uniform(0.2, 0.8)),
            upper_concavity_share=float(rng.uniform(0.1, 0.4) if bowed else rng.uniform(0.3, 0.7)),
            concavity_power=float(rng.uniform(1.7, 4.5)),
            concavity_skew=float(rng.uniform(-0.7, -0.3) if bowed else rng.uniform(-0.4, 0.3)),
            half_width_mm=float(0.5 * normal.width_mm * size * rng.uniform(0.8, 1.05)),
            inferior_shift_mm=float(rng.normal(0.0, 0.7)),
            dents=dents,
        )
    return shapes


def _dents(rng: np.random.Generator, probability: float) -> tuple[Dent, ...]:
    return tuple(
        Dent(
            superior=superior,
            along=float(rng.uniform(0.25, 0.75)),
            left_mm=float(rng.normal(0, 5)),
            depth_mm=float(rng.uniform(1.5, 5.0)),
            radius_mm=float(rng.uniform(2.0, 5.0)),
        )
        for superior in (True, False)
        if rng.random() < probability
    )


def _posture(rng: np.random.Generator) -> Posture:
    from scipy.interpolate import CubicSpline

    places = np.arange(len(CHAIN))
    # Knots: C7, T6, T12/L1, L5. More kyphosis leans the top forward and the low thoracic back.
    kyphosis, lordosis = rng.normal(4.0, 11.0), rng.normal(0.0, 9.0)
    spline = CubicSpline(
        [0, 6, 12.5, 17], [0.65 * kyphosis, 0.25 * kyphosis, -0.35 * kyphosis, lordosis]
    )
    tilt = spline(places) + rng.normal(0.0, 1.3, len(CHAIN)) + rng.normal(0.0, 3.0)
    bend = rng.normal(0.0, 5.0) * (2.5 if rng.random() < 0.15 else 1.0)
    wave = np.sin(places / rng.uniform(2.2, 4.0) + rng.uniform(0, 6.3))
    coronal = bend * wave + rng.normal(0.0, 0.8, len(CHAIN))
    axial = 0.5 * bend * wave + rng.normal(0.0, 1.0, len(CHAIN))
    return Posture(
        dict(zip(CHAIN, map(float, tilt), strict=True)),
        dict(zip(CHAIN, map(float, coronal), strict=True)),
        dict(zip(CHAIN, map(float, axial), strict=True)),
    )


def _bone(rng: np.random.Generator) -> Bone:
    osteoporotic = rng.random() < 0.6
    return Bone(
        cortex_per_mm=float(rng.uniform(0.035, 0.090)),
        trabecular_per_mm=float(
            rng.uniform(0.003, 0.0085) if osteoporotic else rng.uniform(0.008, 0.015)
        ),
        cortex_mm=float(rng.uniform(0.45, 1.0)),
        texture=float(rng.uniform(0.04, 0.25)),
        level_density={level: float(np.clip(rng.normal(1.0, 0.1), 0.7, 1.4)) for level in CHAIN},
    )


def _osteophytes(rng: np.random.Generator) -> tuple[Osteophyte, ...]:
    burden = rng.choice([0.0, 0.06, 0.2, 0.45], p=[0.35, 0.3, 0.22, 0.13])
    spurs: list[Osteophyte] = []
    for place, level in enumerate(CHAIN):
        for corner, weight in ((0, 1.0), (2, 1.0), (1, 0.15), (3, 0.15)):
            if rng.random() < burden * weight * (0.3 if place < 6 else 1.0):
                spurs.append(
                    Osteophyte(
                        level=level,
                        corner=corner,
                        length_mm=float(rng.uniform(2.0, 8.0)),
                        thickness_mm=float(rng.uniform(1.5, 3.5)),
                        left_mm=float(rng.normal(0.0, 7.0)),
                    )
                )
    return tuple(spurs)
