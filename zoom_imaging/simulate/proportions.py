"""Normal sizes of vertebral bodies and discs in adult women, C7 to L5.

Heights are object millimetres at the mid-sagittal section, free of magnification.

Sources. Sagittal wedging T9-L5 of 120 women: Masharawi 2010 (Eur Spine J 19:768, table 1), turned
from degrees into Ha/Hp with the depths below. L5 (Ha 29.6, Hp 25.5, depth 33.3 mm in women):
Int J Spine Surg, CT of Maori and European adults, table 6. Ha/Hp of T4-T8, Hm/Hp and posterior
heights are rounded to the range that the morphometric references report for women (Black 1991,
J Bone Miner Res 6:883; McCloskey 1993, Osteoporos Int 3:138; O'Neill 1994, J Bone Miner Res
9:1895); they are a centre for random people, not a reference for diagnosis. The spread is wider
than published on purpose, so that a network cannot lean on a normal value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from zoom_imaging.anatomy import Level

CHAIN: tuple[Level, ...] = (
    Level.C7,
    *(Level(f"T{number}") for number in range(1, 13)),
    *(Level(f"L{number}") for number in range(1, 6)),
)
"""The vertebrae that are posed one by one, from the top."""

MEASURED: tuple[Level, ...] = CHAIN[1:]
"""T1-L5: levels whose body has an outline and six points in the truth."""


@dataclass(frozen=True)
class Proportions:
    """Mean body of one level in adult women; the disc is the one below."""

    posterior_height_mm: float
    anterior_ratio: float
    middle_ratio: float
    depth_mm: float
    width_mm: float
    disc_height_mm: float

    @property
    def anterior_height_mm(self) -> float:
        """Ha = Hp times Ha/Hp."""
        return self.posterior_height_mm * self.anterior_ratio

    @property
    def middle_height_mm(self) -> float:
        """Hm = Hp times Hm/Hp."""
        return self.posterior_height_mm * self.middle_ratio


# Hp, Ha/Hp, Hm/Hp, depth, width, disc below (mm)
_ROWS: tuple[tuple[float, ...], ...] = (
    (13.5, 0.98, 0.95, 15.5, 26.0, 4.6),  # C7
    (15.3, 0.95, 0.95, 15.8, 27.5, 4.1),
    (16.4, 0.96, 0.95, 16.6, 26.5, 3.7),
    (17.1, 0.96, 0.95, 17.8, 25.5, 3.5),
    (17.8, 0.96, 0.95, 19.3, 25.0, 3.6),  # T4
    (18.4, 0.95, 0.95, 20.9, 25.5, 3.8),
    (19.1, 0.94, 0.945, 22.6, 26.5, 4.1),
    (19.6, 0.935, 0.94, 24.2, 27.5, 4.4),
    (20.2, 0.935, 0.94, 25.6, 29.0, 4.8),  # T8
    (21.1, 0.935, 0.94, 26.7, 30.5, 5.2),
    (22.3, 0.940, 0.945, 27.7, 32.5, 5.8),
    (23.6, 0.905, 0.935, 28.3, 35.5, 6.5),
    (25.4, 0.925, 0.94, 28.9, 38.0, 7.4),  # T12
    (27.0, 0.945, 0.94, 29.9, 40.0, 8.4),
    (27.7, 0.985, 0.95, 30.9, 41.5, 9.5),
    (27.7, 1.022, 0.96, 31.9, 43.5, 10.3),
    (26.9, 1.062, 0.97, 32.7, 46.0, 10.8),  # L4
    (25.5, 1.160, 1.01, 33.3, 49.0, 9.8),
)

NORMAL: Mapping[Level, Proportions] = MappingProxyType(
    {level: Proportions(*row) for level, row in zip(CHAIN, _ROWS, strict=True)}
)
"""Mean body of each level in adult women."""

PERSON_SIZE_SD = 0.075
"""Relative spread of overall skeletal size between people (both sexes together)."""

LEVEL_HEIGHT_SD = 0.030
"""Relative spread of one level's posterior height around the person's size."""

ANTERIOR_RATIO_SD = 0.045
"""Spread of Ha/Hp at one level (published: 0.03 to 0.05)."""

MIDDLE_RATIO_SD = 0.042
"""Spread of Hm/Hp at one level (published: 0.03 to 0.04)."""

DEPTH_SD = 0.045
"""Relative spread of one level's depth around the person's size."""
