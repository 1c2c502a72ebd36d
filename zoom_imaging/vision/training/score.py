"""How good a reading is: one record a vertebra, then figures with intervals over patients.

Definitions. *Found*: a finding's centre lies within half a posterior height of the true one.
*Dice*: filled outlines. *Landmark error*: distance over the six points in mm of the plane of the
spine. *Ratio error*: absolute difference of Ha/Hp and Hm/Hp in points (x 100). *AUROC* and
sensitivity are a vertebra's; intervals resample patients, since images of a person belong together.
Higher is better except for errors and calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Level, SixPoints, VertebraState
from zoom_imaging.vision.finding import SpineReading, VertebraFinding

Floats = NDArray[np.float64]

FLAG = 0.3
"""A vertebra is flagged from this probability of a fracture (grade 1 or more) on."""


@dataclass(frozen=True)
class TrueVertebra:
    """What is known of one vertebra of one image; points and outline in pixels of the image."""

    level: Level
    six: Floats
    outline: Floats
    ratios: tuple[float, float]
    grade: int
    mm_per_px: float
    level_certain: bool = True
    doubtful: bool = False
    evaluable: bool = True


@dataclass(frozen=True)
class Scored:
    """One true vertebra and what the model made of it; NaN where it was not found."""

    person: str
    image: str
    level: Level
    grade: int
    level_certain: bool
    doubtful: bool
    found: bool
    evaluable: bool
    named: Level | None
    state: VertebraState | None
    dice: float
    landmarks_mm: tuple[float, ...]
    ratio_errors: tuple[float, float]
    ratio_sd: float
    smallest_ratio: float
    p_grades: tuple[float, float, float, float] | None

    @property
    def named_rightly(self) -> bool:
        """The name is the true one."""
        return self.named is self.level


def score_image(
    person: str, image: str, truth: Sequence[TrueVertebra], reading: SpineReading
) -> tuple[list[Scored], int]:
    """Match findings to the true vertebrae by place; returns records and the number of false finds.

    True vertebrae that nobody could judge have no record. A finding counts as false where its
    centre lies in no true vertebra, though within their range on the image.
    """
    findings = [finding for finding in reading.findings if finding.six_points is not None]
    records, used = [], set()
    for true in truth:
        corners = true.six[[0, 2, 3, 5]]
        centre = corners.mean(0)
        height = float(np.hypot(*(true.six[2] - true.six[5])))
        distances = [float(np.hypot(*(np.array(f.centre) - centre))) for f in findings]
        best = int(np.argmin(distances)) if distances else -1
        hit = best >= 0 and distances[best] < 0.5 * height and best not in used
        if hit:
            used.add(best)
        if true.evaluable:
            records.append(_record(person, image, true, findings[best] if hit else None))
    rows = np.concatenate([true.six[:, 1] for true in truth]) if truth else np.zeros(1)
    false = sum(
        k not in used and rows.min() < finding.centre[1] < rows.max()
        for k, finding in enumerate(findings)
    )
    return records, false


def _record(person: str, image: str, true: TrueVertebra, found: VertebraFinding | None) -> Scored:
    nan = float("nan")
    landmarks: tuple[float, ...] = (nan,) * 6
    dice, errors, smallest, sd = nan, (nan, nan), nan, nan
    if found is not None and found.six_points is not None:
        six = found.six_points.to_array()
        distances = np.hypot(*(six - true.six).T) * true.mm_per_px
        landmarks = tuple(float(value) for value in distances)
        ours = _ratios(found.six_points)
        errors = ((ours[0] - true.ratios[0]) * 100, (ours[1] - true.ratios[1]) * 100)
        smallest = min(ours)
        dice = polygon_dice(true.outline, np.array(found.polygon).reshape(-1, 2))
        sd = found.ratio_sd if found.ratio_sd is not None else nan
    return Scored(
        person=person,
        image=image,
        level=true.level,
        grade=true.grade,
        level_certain=true.level_certain,
        doubtful=true.doubtful,
        found=found is not None,
        evaluable=found is not None and found.state is VertebraState.EVALUABLE,
        named=found.level if found else None,
        state=found.state if found else None,
        dice=dice,
        landmarks_mm=landmarks,
        ratio_errors=errors,
        ratio_sd=sd,
        smallest_ratio=smallest,
        p_grades=found.p_grades if found else None,
    )


def _ratios(points: SixPoints) -> tuple[float, float]:
    six = points.to_array()
    lengths = np.hypot(*(six[:3] - six[3:]).T)
    return float(lengths[0] / lengths[2]), float(lengths[1] / lengths[2])


def polygon_dice(first: Floats, second: Floats) -> float:
    """Dice of two filled outlines (n, 2), rasterised at a quarter of a pixel."""
    from skimage import draw

    if len(first) < 3 or len(second) < 3:
        return 0.0
    both = np.concatenate([first, second])
    low = both.min(0) - 1
    shape = tuple(int(side) for side in np.ceil((both.max(0) - low + 2) * 4)[::-1])
    masks = [
        draw.polygon2mask(shape, ((ring - low) * 4)[:, ::-1])  # type: ignore[no-untyped-call]
        for ring in (first, second)
    ]
    total = int(masks[0].sum() + masks[1].sum())
    return float(2 * (masks[0] & masks[1]).sum() / total) if total else 0.0


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the ROC curve, ties count half; NaN without both classes."""
    from scipy.stats import rankdata

    labels = np.asarray(positive, bool)
    count = int(labels.sum())
    if count in {0, len(labels)}:
        return float("nan")
    ranks = np.asarray(rankdata(scores), float)
    area = (ranks[labels].sum() - count * (count + 1) / 2) / (count * (len(labels) - count))
    return float(area)


def expected_calibration_error(
    probabilities: Sequence[float], happened: Sequence[bool], bins: int = 10
) -> float:
    """Mean distance between said and seen frequency over equal bins of probability."""
    said, seen = np.asarray(probabilities, float), np.asarray(happened, float)
    if not len(said):
        return float("nan")
    which = np.minimum((said * bins).astype(int), bins - 1)
    total = 0.0
    for k in range(bins):
        inside = which == k
        if inside.any():
            total += inside.sum() * abs(said[inside].mean() - seen[inside].mean())
    return float(total / len(said))


def figures(records: Sequence[Scored]) -> dict[str, float]:
    """All figures of a set of vertebrae; shape and grade of every one that was found.

    Also of those that the product would withhold, so that no doubt flatters a figure; pass the
    evaluable ones alone to see what a user sees.
    """
    found = [r for r in records if r.found]
    sure = [r for r in found if r.p_grades is not None]
    certain = [r for r in found if r.level_certain]
    chance = [_fracture(r, 1) for r in sure]
    flagged = [value >= FLAG for value in chance]
    fractured = [r.grade >= 1 for r in sure]
    errors = np.array([r.ratio_errors for r in sure]).reshape(-1, 2)
    landmarks = np.array([r.landmarks_mm for r in sure]).ravel()
    return {
        "vertebrae": float(len(records)),
        "recall": _mean([r.found for r in records]),
        "evaluable": _mean([r.evaluable for r in records]),
        "named_rightly": _mean([r.named_rightly for r in certain]),
        "dice": _mean([r.dice for r in sure]),
        "landmark_mm_median": _percentile(landmarks, 50),
        "landmark_mm_95": _percentile(landmarks, 95),
        "ratio_error_points": _mean(np.abs(errors).ravel()),
        "bias_anterior_points": _mean(errors[:, 0]),
        "bias_middle_points": _mean(errors[:, 1]),
        "ratio_z_rms": _root_mean_square(
            [e / 100 / max(r.ratio_sd, 1e-3) for r in sure for e in r.ratio_errors]
        ),
        "auroc_grade2": auroc([_fracture(r, 2) for r in sure], [r.grade >= 2 for r in sure]),
        "auroc_grade1": auroc(chance, fractured),
        "auroc_ratio_grade2": auroc(
            [-r.smallest_ratio for r in sure], [r.grade >= 2 for r in sure]
        ),
        "sensitivity_grade1": _mean([f for f, t in zip(flagged, fractured, strict=True) if t]),
        "specificity_grade1": _mean(
            [not f for f, t in zip(flagged, fractured, strict=True) if not t]
        ),
        "calibration_error": expected_calibration_error(chance, fractured),
    }


def _fracture(record: Scored, least: int) -> float:
    return sum((record.p_grades or (1.0, 0.0, 0.0, 0.0))[least:])


def _mean(values: Sequence[float] | Sequence[bool] | Floats) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _percentile(values: Floats, share: float) -> float:
    return float(np.percentile(values, share)) if len(values) else float("nan")


def _root_mean_square(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values else float("nan")


def intervals(
    records: Sequence[Scored],
    count: int = 300,
    seed: int = 1,
    measure: Callable[[Sequence[Scored]], dict[str, float]] = figures,
) -> dict[str, tuple[float, float]]:
    """95 % intervals of every figure over resampled patients; NaN with fewer than three."""
    people: dict[str, list[Scored]] = {}
    for record in records:
        people.setdefault(record.person, []).append(record)
    names = sorted(people)
    if len(names) < 3:
        return {name: (float("nan"), float("nan")) for name in measure(records)}
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        chosen = rng.choice(len(names), len(names))
        drawn.append(measure([r for k in chosen for r in people[names[k]]]))
    return {
        name: (
            _percentile(np.array([d[name] for d in drawn if d[name] == d[name]]), 2.5),
            _percentile(np.array([d[name] for d in drawn if d[name] == d[name]]), 97.5),
        )
        for name in drawn[0]
    }
