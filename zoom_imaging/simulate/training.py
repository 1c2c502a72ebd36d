"""Training films on disk: one .npz a film, with attenuation, so that looks are drawn later."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoom_imaging.simulate.acquisition import random_acquisition
from zoom_imaging.simulate.person import random_person
from zoom_imaging.simulate.simulator import Exposure, expose
from zoom_imaging.simulate.skeleton import Skeleton, load_skeleton, save_skeleton
from zoom_imaging.simulate.truth import OUTLINE_POINTS
from zoom_imaging.simulate.volume import Volume, project_volume

VARIETY = 1.3
"""Spread of shape between levels, as a multiple of `person.random_person`'s."""

PREVALENCE = 0.30
"""Share of fractured vertebrae aimed at before the person's burden is drawn."""


def prepare_skeletons(cache: Path, anatomy: Path | None) -> dict[str, Path]:
    """Build what is missing and return the prepared skeletons by name.

    `anatomy` is a folder that holds `bodyparts3d` and, where present, `vhp_male_lumbosacral`;
    without it only the parametric spines are made.
    """
    from zoom_imaging.simulate.meshes import load_lumbar, load_trunk
    from zoom_imaging.simulate.parametric import STYLES, parametric_skeleton

    cache.mkdir(parents=True, exist_ok=True)
    # Made from anatomy that has licences of its own: never committed by accident.
    (cache / ".gitignore").write_text("*\n", encoding="utf-8")
    paths: dict[str, Path] = {}
    trunk: Skeleton | None = None
    if anatomy is not None:
        paths["bodyparts3d"] = cache / "bodyparts3d.npz"
        if not paths["bodyparts3d"].exists():
            save_skeleton(load_trunk(anatomy / "bodyparts3d"), paths["bodyparts3d"])
        trunk = load_skeleton(paths["bodyparts3d"])
        lumbar = anatomy / "vhp_male_lumbosacral"
        if lumbar.is_dir():
            paths["vhp_lumbar"] = cache / "vhp_lumbar.npz"
            if not paths["vhp_lumbar"].exists():
                mixed = trunk.with_vertebrae(load_lumbar(lumbar), "vhp_lumbar")
                save_skeleton(mixed, paths["vhp_lumbar"])
    for style in range(STYLES):
        name = f"parametric_{style}"
        paths[name] = cache / f"{name}.npz"
        if paths[name].exists():
            continue
        made = parametric_skeleton(style)
        save_skeleton(made, paths[name])
    if trunk is not None:
        # Our bodies in a real trunk: ribs, shoulders and pelvis as they are.
        for style in range(STYLES):
            name = f"mixed_{style}"
            paths[name] = cache / f"{name}.npz"
            if not paths[name].exists():
                own = load_skeleton(paths[f"parametric_{style}"])
                save_skeleton(trunk.with_vertebrae(own.vertebrae, name), paths[name])
    return paths


def skeleton_for(seed: int, paths: Mapping[str, Path]) -> str:
    """Which skeleton a seed takes: mostly the real trunk, the rest parametric and mixed."""
    rng = np.random.default_rng([seed, 53])
    groups = {
        "bodyparts3d": 0.50,
        "vhp_lumbar": 0.12,
        "mixed_": 0.18,
        "parametric_": 0.20,
    }
    found = {
        prefix: [name for name in sorted(paths) if name.startswith(prefix)] for prefix in groups
    }
    present = [prefix for prefix in groups if found[prefix]]
    weight = np.array([groups[prefix] for prefix in present])
    prefix = present[int(rng.choice(len(present), p=weight / weight.sum()))]
    return str(rng.choice(found[prefix]))


def training_exposure(seed: int, anatomy: Skeleton | Volume, pixel_mm: float = 0.5) -> Exposure:
    """Random person, position and geometry of one training film; of a skeleton, fractures too."""
    acquisition = random_acquisition(seed, pixel_mm)
    if isinstance(anatomy, Volume):
        return Exposure(*project_volume(anatomy, acquisition))
    return expose(anatomy, random_person(seed, PREVALENCE, VARIETY), acquisition)


def write_training_film(
    path: Path, seed: int, anatomy: Skeleton | Volume, pixel_mm: float = 0.5
) -> None:
    """Write one film.

    Arrays: `attenuation` float16 (rows, columns); `pixel_mm`; and for n vertebrae C7..S1 `level`,
    `centre` (n, 2), `six` (n, 6, 2), `poly` (n, 96, 2), `heights_mm` and `heights_own_normal_mm`
    (n, 3), `grade`, `shape`, `state`. C7 and S1, and every level of a CT, have a centre only: their
    other values are NaN. Also `person_seed`, `skeleton`, `facing`, `magnification`.
    """
    acquisition = random_acquisition(seed, pixel_mm)
    exposure = training_exposure(seed, anatomy, pixel_mm)
    truth = exposure.truth
    none = {
        "six": np.full((6, 2), np.nan),
        "poly": np.full((OUTLINE_POINTS, 2), np.nan),
        "heights": np.full(3, np.nan),
    }

    def stacked(values: list[np.typing.NDArray[np.float64] | None], empty: str) -> object:
        filled = [none[empty] if value is None else value for value in values]
        return np.stack(filled).astype(np.float32)

    arrays: dict[str, object] = {
        "attenuation": exposure.attenuation.astype(np.float16),
        "pixel_mm": np.float32(pixel_mm),
        "level": np.array([str(one.level) for one in truth]),
        "centre": np.stack([one.centre_px for one in truth]).astype(np.float32),
        "six": stacked([one.six_px for one in truth], "six"),
        "poly": stacked([one.outline_px for one in truth], "poly"),
        "heights_mm": stacked([one.heights_mm for one in truth], "heights"),
        "heights_own_normal_mm": stacked([one.own_heights_mm for one in truth], "heights"),
        "grade": np.array([str(one.grade) for one in truth]),
        "shape": np.array([str(one.shape) for one in truth]),
        "state": np.array([str(one.state) for one in truth]),
        "person_seed": np.int64(seed),
        "skeleton": np.array(anatomy.name),
        "facing": np.array(str(acquisition.facing)),
        "magnification": np.float32(acquisition.magnification),
    }
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    partial.replace(path)
