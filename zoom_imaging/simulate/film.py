"""From line integrals to the grey values of a film: detector, maker's processing, marks.

The same attenuation gives many looks; each look is drawn from a random generator or given.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.simulate.blur import smooth
from zoom_imaging.simulate.mesh import Floats

MAX_12_BIT = 4095


class Curve(StrEnum):
    """Grey value against exposure."""

    LOG = "log"
    LINEAR = "linear"
    DXA = "dxa"


@dataclass(frozen=True)
class Look:
    """How a detector and a maker turn attenuation into grey values; lengths in mm at the detector.

    `loss_along_mm` and `loss_across_mm` are true loss of structure (coarse slices, movement)
    before noise; `detector_blur_mm` acts with the noise. `equalise` takes that share of the local
    mean out over `equalise_mm`; `normalise` divides by local contrast (multi-frequency look).
    """

    curve: Curve = Curve.LOG
    scatter: float = 0.06
    detector_blur_mm: float = 0.2
    loss_along_mm: float = 0.0
    loss_across_mm: float = 0.0
    photons: float = 12000.0
    equalise: float = 0.5
    equalise_mm: float = 20.0
    second_equalise: float = 0.0
    second_equalise_mm: float = 8.0
    normalise: float = 0.0
    sharpen: float = 0.0
    sharpen_mm: float = 0.8
    gamma: float = 1.0
    low_percentile: float = 1.0
    high_percentile: float = 99.5
    background: float | None = 0.0
    collimation_mm: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    collimation_turn_deg: float = 0.0
    marker: str = ""
    seam_row: float | None = None
    seam_step: float = 0.0
    ruler: bool = False

    @property
    def manner(self) -> str:
        """The look in a word, for tables: what stands out most."""
        if self.curve is not Curve.LOG:
            return self.curve.value
        if max(self.loss_along_mm, self.loss_across_mm) > 0:
            return "coarse"
        if self.normalise:
            return "multi-frequency"
        return "sharpened" if self.sharpen else "plain"

    @property
    def edge_shift_mm(self) -> tuple[float, float]:
        """How far the visible border of bone lies outside its surface, along and across the film.

        A reader, and the truth of CT-derived films, put the border where brightness falls most
        steeply. A thin cortex that is blurred falls most steeply beyond its surface: 0.64 times
        the deviation of the blur less 0.13 mm, over the cortices and densities of `person`.
        """
        along, across = self.loss_along_mm, self.loss_across_mm
        return max(0.0, 0.64 * along - 0.13), max(0.0, 0.64 * across - 0.13)


def random_look(rng: np.random.Generator) -> Look:
    """Any maker: film-like, unsharp masked, equalised, coarse, noisy, DXA, collimated."""
    kind = rng.random()
    coarse = rng.random() < 0.4
    equalised = rng.random() < 0.87
    curve = Curve.DXA if kind < 0.10 else (Curve.LINEAR if kind < 0.25 else Curve.LOG)
    collimated = rng.random() < 0.3
    return Look(
        curve=curve,
        scatter=float(rng.uniform(0.02, 0.16)),
        detector_blur_mm=float(rng.uniform(0.12, 0.5)),
        loss_along_mm=float(rng.uniform(0.4, 2.3)) if coarse else 0.0,
        loss_across_mm=float(rng.uniform(0.3, 1.1)) if coarse else 0.0,
        photons=float(np.exp(rng.uniform(np.log(1500), np.log(40000)))),
        equalise=float(rng.uniform(0.3, 0.98)) if equalised else 0.0,
        equalise_mm=float(np.exp(rng.uniform(np.log(7), np.log(50)))),
        second_equalise=float(rng.uniform(0.2, 0.9)) if rng.random() < 0.25 else 0.0,
        second_equalise_mm=float(np.exp(rng.uniform(np.log(5), np.log(30)))),
        normalise=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.35 else 0.0,
        sharpen=float(rng.uniform(0.3, 2.0)) if rng.random() < 0.35 else 0.0,
        sharpen_mm=float(rng.uniform(0.5, 3.0)),
        gamma=float(np.exp(rng.normal(0.0, 0.3))),
        low_percentile=float(rng.uniform(0.2, 4.0)),
        high_percentile=float(rng.uniform(96.5, 99.9)),
        background=float(rng.choice([0.0, 0.0, 0.0, 1.0])) if rng.random() < 0.85 else None,
        collimation_mm=tuple(rng.uniform(0, 14, 4)) if collimated else (0.0, 0.0, 0.0, 0.0),
        collimation_turn_deg=float(rng.normal(0.0, 1.2)) if collimated else 0.0,
        marker=str(rng.choice(["L", "R", "LAT", "ST"])) if rng.random() < 0.4 else "",
        seam_row=float(rng.uniform(0.3, 0.7)) if rng.random() < 0.15 else None,
        seam_step=float(rng.normal(0.0, 0.06)),
        ruler=bool(rng.random() < 0.08),
    )


def render(
    attenuation: Floats, pixel_mm: float, look: Look, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Grey values from 0 (least attenuation) to 1, (rows, columns), as MONOCHROME2."""
    loss = (look.loss_along_mm / pixel_mm, look.loss_across_mm / pixel_mm)
    if max(loss) > 0.2:
        attenuation = smooth(attenuation, loss)
    body = attenuation > 0.35
    if body.mean() < 0.02:
        body = np.ones_like(body)
    signal = _exposed(attenuation, body, pixel_mm, look, rng)
    weight = smooth(body.astype(np.float64), look.equalise_mm / pixel_mm) + 1e-3
    for share, width_mm in (
        (look.equalise, look.equalise_mm),
        (look.second_equalise, look.second_equalise_mm),
    ):
        if share:
            sigma = width_mm / pixel_mm
            local = smooth(signal * body, sigma)
            if width_mm != look.equalise_mm:
                weight = smooth(body.astype(np.float64), sigma) + 1e-3
            signal = signal - share * np.where(body, local / weight, 0.0)
    if look.normalise:
        spread = np.sqrt(smooth(np.square(signal - signal[body].mean()) * body, 25.0 / pixel_mm))
        spread = spread / max(float(spread[body].mean()), 1e-6) + 0.15
        signal = np.where(body, signal / spread**look.normalise, signal)
    if look.sharpen:
        signal = signal + look.sharpen * (signal - smooth(signal, look.sharpen_mm / pixel_mm))
    low, high = np.percentile(signal[body][::7], [look.low_percentile, look.high_percentile])
    grey = np.clip((signal - low) / (high - low + 1e-6), 0.0, 1.0) ** look.gamma
    if look.background is not None:
        grey = np.where(body, grey, look.background)
    return _marks(grey, pixel_mm, look, rng).astype(np.float32)


def _exposed(
    attenuation: Floats,
    body: NDArray[np.bool_],
    pixel_mm: float,
    look: Look,
    rng: np.random.Generator,
) -> Floats:
    sent = np.exp(-attenuation)
    sent = sent + look.scatter * smooth(sent, 30.0 / pixel_mm)
    sent = smooth(sent, look.detector_blur_mm / pixel_mm)
    dark = max(float(np.percentile(sent[body][::7], 30)), 1e-6)
    # Noise belongs to an area, not to a pixel: photons are per 0.5 mm square where it is darkish.
    per_unit = look.photons / dark * (pixel_mm / 0.5) ** 2
    noise = rng.standard_normal(sent.shape, dtype=np.float32)
    received = np.clip(sent + noise * np.sqrt(sent / per_unit), 0.02 * dark, None)
    logged: Floats = -np.log(received)
    if look.curve is Curve.LINEAR:
        middle = np.exp(-float(np.median(logged[body][::7])))
        linear: Floats = -(np.minimum(received / middle, 6.0) ** 0.6)
        return linear
    if look.curve is Curve.DXA:
        # Two energies cancel soft tissue: what stays is bone against an even ground.
        ground = smooth(logged, 18.0 / pixel_mm)
        dxa: Floats = 0.35 * ground + (logged - ground)
        return np.round(dxa * 160) / 160
    return logged


def _marks(grey: Floats, pixel_mm: float, look: Look, rng: np.random.Generator) -> Floats:
    rows, columns = grey.shape
    if look.seam_row is not None:
        row = int(look.seam_row * rows)
        grey = grey.copy()
        grey[row:] = np.clip(grey[row:] + look.seam_step, 0, 1)
        if look.seam_step > 0:
            grey[row : row + 1] = np.clip(grey[row : row + 1] + 0.15, 0, 1)
    if any(look.collimation_mm):
        grey = grey * _shutter(grey.shape, pixel_mm, look)
    if look.ruler:
        column = int(rng.uniform(0.02, 0.98) * (columns - 8))
        for step, row in enumerate(range(0, rows, max(2, int(10 / pixel_mm)))):
            grey[row : row + 2, column : column + (8 if step % 5 == 0 else 4)] = 1.0
    if look.marker:
        grey = _write(grey, look.marker, pixel_mm, rng)
    return grey


def _shutter(shape: tuple[int, ...], pixel_mm: float, look: Look) -> Floats:
    top, bottom, left, right = (edge / pixel_mm for edge in look.collimation_mm)
    slope = np.tan(np.deg2rad(look.collimation_turn_deg))
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    r = row - slope * (column - shape[1] / 2)
    c = column + slope * (row - shape[0] / 2)
    edge = np.minimum(np.minimum(r - top, shape[0] - 1 - bottom - r), c - left)
    edge = np.minimum(edge, shape[1] - 1 - right - c)
    opened: Floats = np.clip(edge + 0.5, 0.0, 1.0)
    return opened


_GLYPHS = {
    "L": ("100", "100", "100", "100", "111"),
    "R": ("110", "101", "110", "101", "101"),
    "A": ("010", "101", "111", "101", "101"),
    "T": ("111", "010", "010", "010", "010"),
    "S": ("111", "100", "111", "001", "111"),
}


def _write(grey: Floats, text: str, pixel_mm: float, rng: np.random.Generator) -> Floats:
    """A lead marker in a corner region: letters on a 3 x 5 raster."""
    scale = max(1, int(rng.uniform(1.0, 2.6) / pixel_mm))
    letters = [np.array([[int(cell) for cell in row] for row in _GLYPHS[key]]) for key in text]
    strip = np.concatenate([np.pad(letter, ((0, 0), (0, 1))) for letter in letters], axis=1)
    glyph = np.kron(strip, np.ones((scale, scale)))
    rows, columns = grey.shape
    if glyph.shape[0] + 4 > rows or glyph.shape[1] + 4 > columns:
        return grey
    row = int(rng.choice([0.04, 0.9]) * (rows - glyph.shape[0]))
    column = int(rng.choice([0.03, 0.92]) * (columns - glyph.shape[1]))
    part = grey[row : row + glyph.shape[0], column : column + glyph.shape[1]]
    grey = grey.copy()
    grey[row : row + glyph.shape[0], column : column + glyph.shape[1]] = np.maximum(part, glyph)
    return grey


def to_12_bit(grey: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Grey values 0-1 to 0-4095."""
    return np.round(np.clip(grey, 0.0, 1.0) * MAX_12_BIT).astype(np.uint16)
