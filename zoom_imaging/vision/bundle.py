"""The model bundle on disk: configuration, calibration, weights, and a hash of each of them.

The layout is MONAI's: `configs/metadata.json`, `configs/inference.json`, `models/*.pt`, `docs/`.
`metadata.json` names the SHA-256 of every file that decides a number; a bundle in which one byte
differs is refused. Inference needs no constant in code: sizes, thresholds and temperatures stand in
`inference.json` and `calibration.json` beside the weights.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from zoom_imaging.errors import ModelIntegrityError, ModelMissingError

if TYPE_CHECKING:
    from torch import nn

BUNDLE_NAME = "spine_lateral"
NETWORKS = ("locator", "namer", "delineator")
_CONFIGS = ("configs/inference.json", "configs/calibration.json")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LocateParameters(_Section):
    """Tiles and peaks of the locator.

    `unknown_heights_mm` are the heights of a film that are tried where the scale is not known.
    """

    pitch_mm: float = 1.2
    tile: int = 160
    overlap: float = 0.25
    peak_probability: float = 0.3
    peak_radius_mm: float = 8.0
    sacrum_probability: float = 0.3
    unknown_heights_mm: tuple[float, ...] = (300.0, 430.0, 620.0, 890.0)


class ChainParameters(_Section):
    """What a spine may look like: gaps in mm, turns, and the scores of the dynamic programme."""

    smallest_gap_mm: float = 11.0
    largest_gap_mm: float = 56.0
    largest_steps: int = 2
    largest_tilt_deg: float = 65.0
    largest_turn_deg: float = 38.0
    shortest: int = 3
    missing_step: float = 1.45
    missing_penalty: float = 0.9
    turn_penalty: float = 2.0
    gap_penalty: float = 3.0
    skipped_probability: float = 0.5
    skipped_across_mm: float = 7.0
    skipped_agreement_loss: float = 0.01


class NameParameters(_Section):
    """Patch of the namer and the certainty below which names are not trusted."""

    size: int = 128
    pitch_mm: float = 2.0
    certain: float = 0.96
    floor: float = 0.004


class DelineateParameters(_Section):
    """Crop, passes, and the repeats (shift x, shift y, both in spacings, and scale)."""

    size: int = 128
    spacings: float = 2.3
    passes: int = 2
    batch: int = 32
    body_probability: float = 0.5
    keep_probability: float = 0.35
    seen_probability: float = 0.35
    repeats: tuple[tuple[float, float, float], ...] = (
        (0.0, 0.0, 1.0),
        (0.04, -0.03, 1.06),
        (-0.04, 0.03, 0.95),
    )


class StateParameters(_Section):
    """When a vertebra is not evaluable."""

    border_mm: float = 1.0
    seam_mm: float = 1.0
    largest_spread: float = 0.075
    largest_ratio_sd: float = 0.08
    smallest_agreement: float = 0.72
    facing_certain: float = 0.99


class Parameters(_Section):
    """Everything that inference must know beside the weights."""

    locate: LocateParameters = LocateParameters()
    chain: ChainParameters = ChainParameters()
    name: NameParameters = NameParameters()
    delineate: DelineateParameters = DelineateParameters()
    state: StateParameters = StateParameters()


class Calibration(_Section):
    """What was fitted on simulated people held apart (see `scripts/calibrate_model.py`).

    `grade_temperature` divides the grade logits, `grade_bias` is added; `name_temperature` divides
    the summed log-probabilities of a chain; `spread_scale` turns the spread of a landmark map, less
    `spread_floor_px`, into a standard deviation. The deviation that points give to the ratios of
    heights is multiplied by `ratio_scale`; `ratio_floor` is what remains on the best film.
    """

    grade_temperature: float = 1.0
    grade_bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    name_temperature: float = 3.0
    spread_floor_px: float = 2.2
    spread_scale: float = 0.5
    ratio_scale: float = 1.0
    ratio_floor: float = 0.0


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its files had the hashes that `metadata.json` names when it was read."""

    folder: Path
    name: str
    version: str
    sha256: str
    parameters: Parameters
    calibration: Calibration

    def network(self, name: str) -> nn.Module:
        """Build the network called `name` (one of `NETWORKS`) with its weights, ready to run."""
        import torch
        from monai.bundle.config_parser import ConfigParser

        parser = ConfigParser()
        parser.read_config(str(self.folder / "configs" / "inference.json"))
        network: nn.Module = parser.get_parsed_content(name)
        path = self.folder / "models" / f"{name}.pt"
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(weights, strict=True)
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        return network.eval()


def default_bundle_dir() -> Path:
    """Where the bundle lies: inside the installed package, else in the checkout."""
    package = Path(__file__).resolve().parents[1]
    places = (package / "_models" / BUNDLE_NAME, package.parent / "models" / BUNDLE_NAME)
    for place in places:
        if (place / "configs" / "metadata.json").is_file():
            return place
    raise ModelMissingError(
        f"The model bundle {BUNDLE_NAME} is not there",
        expected=f"configs/metadata.json in {places[0]} or {places[1]}",
        remedy="install the package again, or train it with scripts/train_network.py",
    )


def load_bundle(folder: Path | None = None) -> Bundle:
    """Read the bundle at `folder` (default: see `default_bundle_dir`) and check every hash."""
    folder = default_bundle_dir() if folder is None else Path(folder)
    metadata = _read_json(folder / "configs" / "metadata.json")
    named = metadata.get("sha256", {})
    needed = [*_CONFIGS, *(f"models/{network}.pt" for network in NETWORKS)]
    together = hashlib.sha256()
    for relative in needed:
        path = folder / relative
        if not path.is_file():
            raise ModelMissingError(f"{path} is not there", remedy="install the package again")
        found = file_sha256(path)
        if found != named.get(relative):
            raise ModelIntegrityError(
                f"{path} is not the file that the bundle was released with",
                expected=f"SHA-256 {named.get(relative, 'named in metadata.json')}",
                found=found,
                remedy="install the package again; never use weights that were changed",
            )
        together.update(f"{relative} {found}\n".encode())
    try:
        config = _read_json(folder / "configs" / "inference.json")
        parameters = Parameters.model_validate(config.get("parameters", {}))
        calibration = Calibration.model_validate(_read_json(folder / _CONFIGS[1]))
    except ValidationError as error:
        raise ModelIntegrityError(f"{folder}: the configuration is not valid: {error}") from error
    return Bundle(
        folder=folder,
        name=str(metadata.get("name", BUNDLE_NAME)),
        version=str(metadata.get("version", "0")),
        sha256=together.hexdigest(),
        parameters=parameters,
        calibration=calibration,
    )


def file_sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelMissingError(f"{path} is not there", remedy="install the package again")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelIntegrityError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ModelIntegrityError(f"{path}: expected an object, found {type(content).__name__}")
    return content
