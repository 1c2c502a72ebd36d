"""Anterior, middle and posterior height of a vertebral body from its six points.

Ha, Hm and Hp are the distances between the superior and the inferior endplate at the anterior
border, at the middle and at the posterior border (six-point morphometry: Eastell 1991, J Bone Miner
Res 6:207; Genant 1993, J Bone Miner Res 8:1137). Pixels may be anisotropic: distances are taken in
millimetres before any ratio is made. Without a scale square pixels are assumed, which is enough for
ratios, and no height in millimetres is given.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from zoom_imaging.anatomy import Point, SixPoints
from zoom_imaging.morphometry.reading import Heights, Ratios
from zoom_imaging.radiograph.film import Scale


class Triple(NamedTuple):
    """Ha, Hm and Hp in one unit, millimetres or pixels: whichever the scale allows."""

    anterior: float
    middle: float
    posterior: float


def pixel_size(scale: Scale | None) -> tuple[float, float]:
    """(row, column) in mm, or (1.0, 1.0), square pixels, where there is no scale.

    The pair (1.0, 1.0) never becomes millimetres: `heights_in_mm` looks at the scale itself.
    """
    if scale is None or scale.row_mm is None or scale.column_mm is None:
        return 1.0, 1.0
    return scale.row_mm, scale.column_mm


def _distance(first: Point, second: Point, size: tuple[float, float]) -> float:
    row_size, column_size = size
    return math.hypot((first[0] - second[0]) * column_size, (first[1] - second[1]) * row_size)


def paired_distances(points: SixPoints, scale: Scale | None) -> Triple:
    """Ha, Hm, Hp in mm of the plane of the scale, in pixels without one."""
    size = pixel_size(scale)
    return Triple(
        _distance(points.sup_ant, points.inf_ant, size),
        _distance(points.sup_mid, points.inf_mid, size),
        _distance(points.sup_post, points.inf_post, size),
    )


def heights_in_mm(points: SixPoints, scale: Scale | None) -> Heights | None:
    """Heights in mm of the plane of the scale; None without a scale."""
    if scale is None or scale.as_list is None:
        return None
    return Heights(*paired_distances(points, scale))


def height_ratios(heights: Triple, neighbour_posteriors: tuple[float, ...] = ()) -> Ratios:
    """Ha/Hp, Hm/Hp and Hp over the mean Hp of the neighbours; all in one unit.

    ValueError where the posterior height is not above zero: such a body is not delineated.
    """
    if not is_measurable(heights):
        raise ValueError(f"heights must be finite and above zero, found {tuple(heights)}")
    neighbours = (
        heights.posterior / (sum(neighbour_posteriors) / len(neighbour_posteriors))
        if neighbour_posteriors
        else None
    )
    return Ratios(
        anterior_posterior=heights.anterior / heights.posterior,
        middle_posterior=heights.middle / heights.posterior,
        posterior_neighbours=neighbours,
    )


def is_measurable(heights: Triple) -> bool:
    """True when all three heights are finite and above zero."""
    return all(math.isfinite(height) and height > 0 for height in heights)


def endplate_width(points: SixPoints, scale: Scale | None) -> float:
    """Mean chord of both endplates from the anterior to the posterior corner, in mm or pixels.

    An endplate does not get shorter when a vertebra collapses, so its width tells whether two films
    have the same scale (domain rules, section 6).
    """
    size = pixel_size(scale)
    superior = _distance(points.sup_ant, points.sup_post, size)
    inferior = _distance(points.inf_ant, points.inf_post, size)
    return (superior + inferior) / 2
