"""Read one lateral spine radiograph: every vertebra located, named, delineated and graded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level, SixPoints, VertebraState
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.vision.bundle import Bundle, load_bundle
from zoom_imaging.vision.canvas import Canvas, make_canvas
from zoom_imaging.vision.chain import find_chain, with_skipped
from zoom_imaging.vision.delineate import Delineation, agreement, outline
from zoom_imaging.vision.engine import Engine, make_engine
from zoom_imaging.vision.finding import SpineReading, VertebraFinding
from zoom_imaging.vision.frame import Frame, axis_at
from zoom_imaging.vision.locate import locate
from zoom_imaging.vision.name import Names, name_chain
from zoom_imaging.vision.start import Start
from zoom_imaging.vision.track import Tracker
from zoom_imaging.vision.uncertainty import (
    Judgement,
    crosses_seam,
    grade_probabilities,
    judge,
    near_border,
    point_sd,
    ratio_sd,
)

Floats = NDArray[np.float64]

MEAN_SPACING_MM = 30.0
"""Mean distance of neighbouring body centres, T4-L4, at the detector of a usual film."""

SMALLEST_SIDE_PX = 64


@dataclass(frozen=True)
class Trace:
    """The spine of a film before names and states: what calibration is fitted on, too.

    `found` holds the vertebrae from the top down, `log_probabilities` (n, 19) the namer's opinion
    of each, `gaps` (n - 1,) the distances between them in canvas pixels, `above` and `below` (19,)
    its opinion of the next place beyond the ends, None where the film ends. `refusal` is a sentence
    where there is no spine; then the rest is empty.
    """

    canvas: Canvas | None
    found: tuple[Delineation, ...]
    log_probabilities: Floats
    gaps: Floats
    above: Floats | None = None
    below: Floats | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()


class SpineReader:
    """The networks of one bundle, loaded once and used for any number of films."""

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        self.bundle = bundle
        self.engine = engine

    @classmethod
    def load(cls, bundle_dir: Path | None = None, engine: str = "torch") -> SpineReader:
        """Check and load the bundle; a ModelError where it is missing or was changed."""
        bundle = load_bundle(bundle_dir)
        return cls(bundle, make_engine(engine, bundle))

    def read(self, film: Radiograph) -> SpineReading:
        """All vertebrae of a film, or a refusal in one sentence."""
        trace = self.trace(film)
        if trace.canvas is None:
            return self._reading([], trace)
        names = name_chain(
            trace.log_probabilities,
            trace.gaps,
            self.bundle.calibration.name_temperature,
            self.bundle.parameters.name,
            above=trace.above,
            below=trace.below,
        )
        return self._reading(self._findings(film, trace.canvas, trace.found, names), trace)

    def trace(self, film: Radiograph) -> Trace:
        """Find and delineate the spine, without names, states and calibration."""
        if min(film.pixels.shape) < SMALLEST_SIDE_PX or not film.valid.any():
            return _no_spine("The image is too small to hold a spine")
        if float(film.pixels[film.valid].std()) < 1e-3:
            return _no_spine("The image is empty: all pixels have the same grey value")
        warnings: list[str] = []
        start = self._start(film, warnings)
        shortest = self.bundle.parameters.chain.shortest
        if start is None or len(start.centres) < shortest:
            return _no_spine("No spine was found: fewer than three vertebral bodies in a line")
        facing = self._faces_left(start.canvas, start.centres)
        if max(facing, 1 - facing) < self.bundle.parameters.state.facing_certain:
            return _no_spine(
                "No lateral spine was found: the side that the patient faces cannot be told"
            )
        mirrored = facing < 0.5
        tracker = Tracker(start.canvas, self.engine, self.bundle.parameters, mirrored)
        found = self._followed(tracker, start)
        if len(found) < shortest:
            return _no_spine("No spine was found: fewer than three vertebral bodies in a line")
        centres = np.stack([d.centre for d in found])
        ends = [start.beyond(centres, upwards=upwards) for upwards in (True, False)]
        chain = np.concatenate([part for part in (ends[0], centres, ends[1]) if part is not None])
        opinion = self._level_opinion(start.canvas, chain, mirrored=mirrored)
        first = 0 if ends[0] is None else 1
        return Trace(
            canvas=start.canvas,
            found=tuple(found),
            log_probabilities=opinion[first : first + len(centres)],
            gaps=np.hypot(*np.diff(centres, axis=0).T),
            above=None if ends[0] is None else opinion[0],
            below=None if ends[1] is None else _mixed(opinion[-1], start.sacrum_next(centres)),
            warnings=tuple(warnings),
        )

    def _followed(self, tracker: Tracker, start: Start) -> list[Delineation]:
        """The vertebrae from the plain chain or the fuller one, whichever the delineator confirms.

        Several fractures in a row fool the plain chain, a deep endplate the fuller one. Where a
        crop does not hold one whole body, mask and points contradict each other.
        """
        sacrum = start.peaks.sacrum
        least_row = sacrum[1] if sacrum else None
        found = tracker.follow(start.centres, least_row)
        if len(start.fuller) == len(start.centres):
            return found
        more = tracker.follow(start.fuller, least_row)
        loss = _mean_agreement(found) - _mean_agreement(more)
        return more if loss <= self.bundle.parameters.chain.skipped_agreement_loss else found

    def _start(self, film: Radiograph, warnings: list[str]) -> Start | None:
        """Locator and chain at the film's scale, or at the most consistent one of several."""
        scale = film.scale
        if scale.row_mm is not None and scale.column_mm is not None:
            return self._located(make_canvas(film, scale.row_mm, scale.column_mm))
        warnings.append("the scale of the film is not known: it was estimated from the spine")
        tried = []
        for height_mm in self.bundle.parameters.locate.unknown_heights_mm:
            mm = height_mm / film.pixels.shape[0]
            tried.append((self._located(make_canvas(film, mm, mm)), mm))
        best, mm = max(tried, key=lambda item: item[0].score)
        if len(best.centres) < self.bundle.parameters.chain.shortest:
            return None
        gaps = np.hypot(*np.diff(best.centres, axis=0).T) * best.canvas.mm
        mm *= float(np.clip(MEAN_SPACING_MM / np.median(gaps), 0.6, 1.6))
        again = self._located(make_canvas(film, mm, mm))
        return again if again.score >= 0.8 * best.score else best

    def _located(self, canvas: Canvas) -> Start:
        peaks = locate(canvas, self.engine, self.bundle.parameters.locate)
        how = self.bundle.parameters.chain
        places_mm = peaks.places * canvas.mm
        chain = find_chain(places_mm, peaks.probabilities, how)
        indices = with_skipped(places_mm, peaks.probabilities, chain, how)
        centres = peaks.places[list(chain.indices)]
        return Start(canvas, peaks, centres, peaks.places[list(indices)], chain.score)

    def _wide_patches(self, canvas: Canvas, centres: Floats, *, mirrored: bool) -> Floats:
        how = self.bundle.parameters.name
        from scipy import ndimage

        width = max(1, round(how.pitch_mm / canvas.mm))
        smooth = ndimage.uniform_filter(canvas.pixels, width, mode="nearest")
        frames = [
            Frame.upright(
                (centre[0], centre[1]),
                axis_at(centres, k),
                how.pitch_mm / canvas.mm,
                how.size,
                mirrored=mirrored,
            )
            for k, centre in enumerate(centres)
        ]
        return np.stack([frame.sample(smooth, canvas.valid) for frame in frames])

    def _faces_left(self, canvas: Canvas, centres: Floats) -> float:
        """Probability that the patient faces left, from up to eight places along the chain."""
        some = np.unique(np.linspace(0, len(centres) - 1, 8).round().astype(int))
        plain = self._wide_patches(canvas, centres, mirrored=False)[some]
        _, left = self.engine.run("namer", np.concatenate([plain, plain[..., ::-1]]))
        logit = float((left[: len(some)] - left[len(some) :]).mean()) / 2
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))

    def _level_opinion(self, canvas: Canvas, centres: Floats, *, mirrored: bool) -> Floats:
        """Log-probabilities (n, 19) of the levels, both ways round averaged."""
        patches = self._wide_patches(canvas, centres, mirrored=mirrored)
        logits, _ = self.engine.run("namer", np.concatenate([patches, patches[..., ::-1]]))
        mean = (logits[: len(centres)] + logits[len(centres) :]).astype(float) / 2
        return np.asarray(mean - np.logaddexp.reduce(mean, axis=1, keepdims=True))

    def _findings(
        self, film: Radiograph, canvas: Canvas, found: tuple[Delineation, ...], names: Names
    ) -> list[VertebraFinding]:
        findings = []
        skipped = dict(_by_gap(names))
        for k, (d, level) in enumerate(zip(found, names.levels, strict=True)):
            if level is not None and level is not Level.S1:
                findings.append(self._finding(film, canvas, d, level, names.probabilities[k]))
            for step, missed in enumerate(skipped.get(k, ()), start=1):
                share = step / (len(skipped[k]) + 1)
                middle = d.centre + share * (found[k + 1].centre - d.centre)
                chance = min(names.probabilities[k], names.probabilities[k + 1])
                findings.append(_not_found(canvas, missed, chance, middle))
        return findings

    def _finding(
        self, film: Radiograph, canvas: Canvas, d: Delineation, level: Level, chance: float
    ) -> VertebraFinding:
        parameters, calibration = self.bundle.parameters, self.bundle.calibration
        pitch = float(np.hypot(*d.frame.matrix[:, 0]))
        sd = point_sd(d.spread, d.repeats, pitch, calibration)
        deviation = ratio_sd(d.six, d.repeats, sd, calibration)
        shape = outline(d)
        edge = np.concatenate([d.six, shape]) if len(shape) else d.six
        film_edge = canvas.to_film(edge)
        judgement = judge(
            at_border=near_border(edge, canvas.valid, parameters.state.border_mm / canvas.mm),
            at_seam=crosses_seam(
                film_edge[:, 1],
                film.seams,
                parameters.state.seam_mm / canvas.mm * canvas.step[1],
            ),
            body=d.body,
            seen=d.seen,
            body_probability=parameters.delineate.body_probability,
            seen_probability=parameters.delineate.seen_probability,
            relative_sd=float(np.sqrt((sd**2).mean())) / d.place.spacing,
            ratio_deviation=deviation,
            overlap=agreement(d),
            how=parameters.state,
        )
        judgement = self._named(judgement, chance)
        centre = canvas.to_film(d.centre)
        step = float(np.sqrt(canvas.step[0] * canvas.step[1]))
        return VertebraFinding(
            level=level,
            level_probability=round(chance, 4),
            state=judgement.state,
            reason=judgement.reason,
            centre=(float(centre[0]), float(centre[1])),
            six_points=SixPoints.from_array(canvas.to_film(d.six)),
            six_points_sd_px=tuple(round(float(value) * step, 3) for value in sd),
            polygon=tuple((float(x), float(y)) for x, y in canvas.to_film(shape)),
            ratio_sd=round(deviation, 4),
            p_grades=grade_probabilities(d.grade_logits, calibration),
        )

    def _named(self, judgement: Judgement, chance: float) -> Judgement:
        """A vertebra without a certain name cannot be compared between visits, whatever else."""
        if chance >= self.bundle.parameters.name.certain:
            return judgement
        reason = f"the level is not certain (probability {chance:.2f})"
        if judgement.reason:
            reason += f"; {judgement.reason}"
        return Judgement(VertebraState.LEVEL_UNCERTAIN, reason)

    def _reading(self, findings: list[VertebraFinding], trace: Trace) -> SpineReading:
        order = sorted(findings, key=lambda finding: TYPICAL_LEVELS.index(finding.level))
        return SpineReading(
            findings=tuple(order),
            model_name=self.bundle.name,
            model_version=self.bundle.version,
            model_sha256=self.bundle.sha256,
            refusal=trace.refusal,
            warnings=trace.warnings,
        )


def _mean_agreement(found: list[Delineation]) -> float:
    return float(np.mean([agreement(d) for d in found])) if found else 0.0


def _mixed(opinion: Floats, sacrum: float) -> Floats:
    """The namer's log-probabilities (19,) and the locator's belief in the sacrum, as one."""
    chance = (1 - sacrum) * np.exp(opinion)
    chance[TYPICAL_LEVELS.index(Level.S1)] += sacrum
    return np.asarray(np.log(np.maximum(chance, 1e-9)))


def _no_spine(sentence: str) -> Trace:
    return Trace(None, (), np.zeros((0, len(TYPICAL_LEVELS))), np.zeros(0), refusal=sentence)


def _by_gap(names: Names) -> list[tuple[int, tuple[Level, ...]]]:
    """The levels that were not found, by the index of the vertebra above the gap."""
    return [
        (k, tuple(level for at, level in names.missing if at == k and level is not Level.S1))
        for k in sorted({at for at, _ in names.missing})
    ]


def _not_found(canvas: Canvas, level: Level, chance: float, middle: Floats) -> VertebraFinding:
    """A level that must lie in a gap of the chain, though no body could be delineated there."""
    centre = canvas.to_film(middle)
    return VertebraFinding(
        level=level,
        level_probability=round(chance, 4),
        state=VertebraState.OBSCURED,
        reason=f"no vertebral body could be delineated where {level.value} is expected",
        centre=(float(centre[0]), float(centre[1])),
        six_points=None,
        six_points_sd_px=(),
        polygon=(),
        ratio_sd=None,
        p_grades=None,
    )
