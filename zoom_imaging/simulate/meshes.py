"""Skeletons from folders of STL meshes: a whole trunk, and lumbar vertebrae of another person.

A folder holds one binary STL a part, named by part (T1.stl, rib_left_01.stl, sacrum.stl), and
`landmarks.json` with the mid-sagittal outline of each body. Axes: x = left, y = posterior, z = up,
millimetres. The meshes themselves are not part of this package; their licences are named in the
model card of whatever is trained with them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.simulate.mesh import Floats, Mesh, decimate, refine
from zoom_imaging.simulate.proportions import CHAIN
from zoom_imaging.simulate.skeleton import (
    BodyFrame,
    Part,
    Skeleton,
    Tissue,
    Vertebra,
    vertebra_from_world,
)

VERTEBRA_TRIANGLES = 6000
LONGEST_EDGE_MM = 2.5
"""Short enough for an endplate to follow a severe collapse within a quarter of a millimetre."""

# The first word that a file name starts with decides; triangles bound the time of a film.
_TISSUES: tuple[tuple[str, Tissue, int], ...] = (
    ("rib_", Tissue.RIB, 1100),
    ("costal_cartilage", Tissue.CARTILAGE, 300),
    ("lung_", Tissue.LUNG, 2500),
    ("humerus", Tissue.ARM, 1200),
    ("clavicle", Tissue.SHOULDER, 700),
    ("scapula", Tissue.SHOULDER, 2200),
    ("manubrium", Tissue.BONE, 700),
    ("sternum_body", Tissue.BONE, 700),
    ("xiphoid", Tissue.BONE, 300),
    ("C3", Tissue.BONE, 1500),
    ("C4", Tissue.BONE, 1500),
    ("C5", Tissue.BONE, 1500),
    ("C6", Tissue.BONE, 1800),
    ("mandible", Tissue.BONE, 1500),
    ("sacrum", Tissue.PELVIS, 4000),
    ("hip_bone", Tissue.PELVIS, 3500),
    ("femur", Tissue.FEMUR, 1500),
    ("liver", Tissue.SOFT, 1500),
    ("aorta", Tissue.SOFT, 700),
    ("spleen", Tissue.SOFT, 600),
    ("kidney", Tissue.SOFT, 600),
)


def load_trunk(folder: Path, name: str = "bodyparts3d") -> Skeleton:
    """A whole skeleton (C7-L5, ribs, sternum, shoulders, arms, pelvis, lungs) from one folder."""
    landmarks = _landmarks(folder)
    vertebrae: dict[Level, Vertebra] = {}
    frames: dict[Level, BodyFrame] = {}
    for level in CHAIN:
        vertebra, frame = load_vertebra(folder, level, landmarks)
        vertebrae[level] = vertebra
        frames[level] = frame
    parts: dict[str, Part] = {}
    for path in sorted(folder.glob("*.stl")):
        for prefix, tissue, triangles in _TISSUES:
            if path.stem.startswith(prefix):
                parts[path.stem] = Part(tissue, decimate(_read(path), triangles))
                break
    return Skeleton(name, vertebrae, frames, parts)


def load_lumbar(folder: Path) -> dict[Level, Vertebra]:
    """L1-L5 in their body frames, to stand in another skeleton."""
    landmarks = _landmarks(folder)
    return {
        level: load_vertebra(folder, level, landmarks)[0]
        for level in CHAIN
        if level.value.startswith("L")
    }


def _landmarks(folder: Path) -> dict[str, Any]:
    path = folder / "landmarks.json"
    if not path.is_file():
        raise ConfigurationError(
            f"{folder}: no landmarks.json",
            expected="a folder of STL meshes with landmarks.json",
            remedy="give the folder of one skeleton, or leave --anatomy out",
        )
    levels: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["levels"]
    return levels


def load_vertebra(
    folder: Path, level: Level, landmarks: dict[str, Any] | None = None
) -> tuple[Vertebra, BodyFrame]:
    """One vertebra and where it stands; `landmarks` spares reading the file again."""
    landmarks = _landmarks(folder) if landmarks is None else landmarks
    full = _read(folder / f"{level}.stl")
    if level.value in landmarks:
        record = landmarks[level.value]
        plane_x_mm = float(record["plane_x_mm"])
        outline = np.array(record["outline_yz_mm"], dtype=np.float64)
    else:
        plane_x_mm = float(full.vertices[:, 0].mean())
        outline = _section(full, plane_x_mm)
    small = refine(decimate(full, VERTEBRA_TRIANGLES), LONGEST_EDGE_MM)
    return vertebra_from_world(level, small, outline, plane_x_mm)


def _read(path: Path) -> Mesh:
    import trimesh

    loaded = trimesh.load_mesh(path)
    return Mesh(
        np.asarray(loaded.vertices, dtype=np.float64), np.asarray(loaded.faces, dtype=np.int32)
    )


def _section(mesh: Mesh, plane_x_mm: float) -> Floats:
    """The most anterior loop of the section at x = `plane_x_mm`: the body, (n, 2) of y, z."""
    import trimesh

    whole = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    cut = whole.section(plane_origin=[plane_x_mm, 0, 0], plane_normal=[1, 0, 0])
    if cut is None:
        raise ValueError(f"the plane x = {plane_x_mm} mm misses the mesh")
    loops = [np.asarray(loop)[:, 1:] for loop in cut.discrete]
    loops = [loop for loop in loops if np.ptp(loop[:, 1]) > 6.0]
    chosen: Floats = min(loops, key=lambda loop: float(loop[:, 0].mean()))
    return chosen
