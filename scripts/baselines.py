"""What a model must beat: thresholds on a generic segmentation, and "always normal".

The generic method is given what is hard, the true centre and spacing of each vertebra. It floods
the edges of the picture from the middle of the body against discs and flanks (watershed; contours
and thresholds did worse), takes the corners of the region, and calls grades by Genant's thresholds
on its ratios.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import SixPoints, VertebraState
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.vision.finding import SpineReading, VertebraFinding
from zoom_imaging.vision.frame import Frame, axis_at, local_spacing
from zoom_imaging.vision.training.score import TrueVertebra

Floats = NDArray[np.float64]

SIZE, SPACINGS = 96, 1.6
FALLS = (0.20, 0.25, 0.40)
"""Losses of the smaller ratio from which Genant's grades 1, 2 and 3 are called."""


def always_normal(truth: Sequence[TrueVertebra]) -> SpineReading:
    """Every vertebra found where it is, and called normal."""
    return _reading([_finding(t, t.six, t.outline, (1.0, 0.0, 0.0, 0.0)) for t in truth])


def generic_segmentation(film: Radiograph, truth: Sequence[TrueVertebra]) -> SpineReading:
    """Every vertebra segmented without learning and graded by thresholds on its ratios."""
    ordered = sorted(truth, key=lambda t: t.level.ordinal)
    centres = np.stack([t.six[[0, 2, 3, 5]].mean(0) for t in ordered])
    spacing = local_spacing(centres) if len(centres) > 1 else np.array([60.0])
    findings = []
    for k, true in enumerate(ordered):
        frame = Frame.upright(
            (centres[k, 0], centres[k, 1]),
            axis_at(centres, k),
            SPACINGS * spacing[k] / SIZE,
            SIZE,
            mirrored=bool(true.six[[0, 3], 0].mean() > true.six[[2, 5], 0].mean()),
        )
        region = _region(frame.sample(film.pixels, film.valid)[0])
        six = frame.to_film(_corners(region))
        outline = frame.to_film(_outline(region))
        lengths = np.hypot(*(six[:3] - six[3:]).T)
        fall = 1 - float((lengths[:2] / max(lengths[2], 1e-6)).min())
        findings.append(_finding(true, six, outline, _chances(fall)))
    return _reading(findings)


def _chances(fall: float) -> tuple[float, float, float, float]:
    """Probabilities of the grades: a soft step at each threshold, so that falls can be ranked."""
    reached = [float(1 / (1 + np.exp(-(fall - limit) / 0.03))) for limit in FALLS]
    first, second, third = reached
    return 1 - first, first - second, second - third, third


def _region(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What a watershed of the edges gives to a seed in the middle, against discs and flanks."""
    from scipy import ndimage
    from skimage import filters, segmentation

    middle, gap = SIZE // 2, round(SIZE / SPACINGS / 2)
    seeds = np.zeros(grey.shape, int)
    seeds[middle - 10 : middle + 11, middle - 10 : middle + 11] = 1
    for row in (middle - gap, middle + gap):
        seeds[row - 1 : row + 2, middle - 12 : middle + 13] = 2
    seeds[:, :12] = seeds[:, -12:] = 2
    edges = filters.sobel(ndimage.gaussian_filter(grey, 2.0))  # type: ignore[no-untyped-call]
    flood = segmentation.watershed(edges, seeds)  # type: ignore[no-untyped-call]
    return np.asarray(flood == 1)


def _corners(region: NDArray[np.bool_]) -> Floats:
    """Six points (6, 2) as (x, y): the extremes along the diagonals, and the ends of the middle."""
    rows, columns = np.nonzero(region)
    x, y = columns.astype(float), rows.astype(float)
    u = (x - x.mean()) / max(np.ptp(x), 1.0)
    v = (y - y.mean()) / max(np.ptp(y), 1.0)
    corner = [int(np.argmax(sign_x * u + sign_y * v)) for sign_x, sign_y in _DIAGONALS]
    points = np.stack([x[corner], y[corner]], axis=1)
    centre = points.mean(0)
    near = np.abs(x - centre[0]) < 2
    low, high = (y[near].min(), y[near].max()) if near.any() else (y.min(), y.max())
    sup_ant, sup_post, inf_ant, inf_post = points
    return np.stack(
        [
            sup_ant,
            np.array([centre[0], low]),
            sup_post,
            inf_ant,
            np.array([centre[0], high]),
            inf_post,
        ]
    )


_DIAGONALS = ((-1, -1), (1, -1), (-1, 1), (1, 1))
"""Anterior lies at the left of a patch: superior anterior, superior posterior, inferior ones."""


def _outline(region: NDArray[np.bool_]) -> Floats:
    from skimage import measure

    contours = measure.find_contours(np.pad(region, 1).astype(float), 0.5)  # type: ignore[no-untyped-call]
    return np.asarray(max(contours, key=len)[:, ::-1] - 1.0, float)


def _finding(
    true: TrueVertebra, six: Floats, outline: Floats, chances: tuple[float, float, float, float]
) -> VertebraFinding:
    centre = six[[0, 2, 3, 5]].mean(0)
    return VertebraFinding(
        level=true.level,
        level_probability=1.0,
        state=VertebraState.EVALUABLE,
        reason="",
        centre=(float(centre[0]), float(centre[1])),
        six_points=SixPoints.from_array(six),
        six_points_sd_px=(),
        polygon=tuple((float(x), float(y)) for x, y in outline),
        ratio_sd=None,
        p_grades=chances,
    )


def _reading(findings: Sequence[VertebraFinding]) -> SpineReading:
    return SpineReading(tuple(findings), "baseline", "0", "", "", ())
