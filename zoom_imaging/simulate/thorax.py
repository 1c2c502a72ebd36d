"""Everything around our own spine: ribs, sternum, shoulders, arms, sacrum, pelvis, lungs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Floats, Mesh, decimate
from zoom_imaging.simulate.proportions import NORMAL
from zoom_imaging.simulate.skeleton import BodyFrame, Part, Tissue, Vertebra
from zoom_imaging.simulate.solids import (
    SignedField,
    capsule,
    ellipsoid,
    mesh_of,
    smooth_maximum,
    smooth_union,
    tube,
)

# Of ribs 1 to 12: half width and depth of the cage, fall from back to front (mm), and how far the
# rib runs round (radians; pi is the breastbone).
_RIBS: tuple[tuple[float, float, float, float], ...] = (
    (52, 78, 32, 2.75),
    (74, 100, 48, 2.70),
    (90, 118, 60, 2.65),
    (101, 132, 68, 2.60),
    (109, 143, 74, 2.58),
    (115, 151, 78, 2.52),
    (119, 156, 80, 2.45),
    (121, 157, 84, 2.25),
    (121, 154, 88, 2.10),
    (118, 148, 92, 1.95),
    (112, 138, 82, 1.45),
    (100, 120, 60, 1.00),
)
_BEHIND_MM = 30.0


def trunk_parts(
    frames: Mapping[Level, BodyFrame], vertebrae: Mapping[Level, Vertebra]
) -> dict[str, Part]:
    """All parts in world coordinates at rest."""
    parts = _cage(frames)
    parts |= _shoulders(frames)
    parts |= _pelvis(frames, vertebrae)
    parts |= _lungs(frames)
    return parts


def _ring(frames: Mapping[Level, BodyFrame], number: int, turn: Floats) -> Floats:
    """Points of a rib or its cartilage on the patient's left, by angle round the cage."""
    half_wide, deep, fall, _ = _RIBS[number - 1]
    spine = frames[Level(f"T{number}")].origin
    half_deep = (deep + _BEHIND_MM) / 2
    sag = 1.25 * fall * (turn / np.pi) ** 0.85
    return np.stack(
        [
            half_wide * np.sin(turn),
            spine[1] + _BEHIND_MM - half_deep * (1.0 - np.cos(turn)),
            spine[2] + 3.0 - sag,
        ],
        axis=1,
    )


def _cage(frames: Mapping[Level, BodyFrame]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for number, (half_wide, _, _, end) in enumerate(_RIBS, start=1):
        head = (
            frames[Level(f"T{number}")].origin
            + np.array([0.0, 0.45, 0.0]) * NORMAL[Level(f"T{number}")].depth_mm
        )
        path = _ring(frames, number, np.linspace(18.0 / half_wide, end, 26))
        path = np.concatenate([[head + np.array([11.0, 2.0, 2.0])], path])
        gristle = _ring(frames, number, np.linspace(end + 0.03, 2.95, 6))
        for side, name in ((1.0, "left"), (-1.0, "right")):
            flip = np.array([side, 1.0, 1.0])
            parts[f"rib_{name}_{number:02d}"] = Part(Tissue.RIB, tube(path * flip, 3.2, 6.2))
            if number <= 7:
                parts[f"cartilage_{name}_{number:02d}"] = Part(
                    Tissue.CARTILAGE, tube(gristle * flip, 4.0, 6.5)
                )
    front = np.array([_ring(frames, number, np.array([3.0]))[0] for number in range(1, 8)])
    front[:, 0] = 0.0
    parts["sternum"] = Part(Tissue.BONE, _flat_tube(front, 17.0, 5.5))
    return parts


def _flat_tube(path: Floats, half_wide_mm: float, half_thick_mm: float) -> Mesh:
    """A tube wide to left and right: `tube` on swapped axes."""
    swap = [2, 1, 0]
    made = tube(path[:, swap], half_thick_mm, half_wide_mm)
    return Mesh(made.vertices[:, swap], made.faces)


def _shoulders(frames: Mapping[Level, BodyFrame]) -> dict[str, Part]:
    high = frames[Level.T2].origin
    joint = high + np.array([165.0, -28.0, -18.0])
    blade = smooth_union(
        [
            ellipsoid((96.0, high[1] + 34.0, high[2] - 65.0), (40.0, 6.0, 72.0)),
            capsule(
                (60.0, high[1] + 46.0, high[2] - 45.0), (158.0, high[1] + 8.0, high[2] + 8.0), 5.0
            ),
            capsule(
                (120.0, high[1] + 20.0, high[2] - 15.0),
                (148.0, high[1] - 12.0, high[2] - 18.0),
                11.0,
            ),
        ],
        6.0,
    )
    breast = _ring(frames, 1, np.array([2.9]))[0]
    collar = np.array(
        [
            breast + np.array([8.0, 0.0, 4.0]),
            breast + np.array([60.0, 10.0, 18.0]),
            breast + np.array([100.0, 38.0, 22.0]),
            np.array([joint[0] - 8.0, joint[1] + 18.0, joint[2] + 24.0]),
        ]
    )
    collar = np.stack(
        [np.interp(np.linspace(0, 3, 14), range(4), collar[:, axis]) for axis in range(3)], axis=1
    )
    humerus = smooth_union(
        [
            ellipsoid(tuple(joint), (23.0, 23.0, 24.0)),
            capsule(
                (joint[0] + 8, joint[1], joint[2]),
                (joint[0] + 10, joint[1], joint[2] - 290.0),
                10.5,
            ),
        ],
        4.0,
    )
    meshes = {
        "scapula": (
            Tissue.SHOULDER,
            mesh_of(
                blade, (50, high[1] - 30, high[2] - 145), (170, high[1] + 60, high[2] + 22), 3.0
            ),
            1800,
        ),
        "clavicle": (Tissue.SHOULDER, tube(collar, 5.5, 6.0), 10_000),
        "humerus": (
            Tissue.ARM,
            mesh_of(
                humerus,
                (joint[0] - 30, joint[1] - 30, joint[2] - 305),
                (joint[0] + 35, joint[1] + 30, joint[2] + 30),
                3.5,
            ),
            1200,
        ),
    }
    return _both_sides(meshes)


def _both_sides(meshes: dict[str, tuple[Tissue, Mesh, int]]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for name, (tissue, mesh, triangles) in meshes.items():
        small = decimate(mesh, triangles)
        parts[f"{name}_left"] = Part(tissue, small)
        flipped = Mesh(small.vertices * np.array([-1.0, 1.0, 1.0]), small.faces[:, ::-1])
        parts[f"{name}_right"] = Part(tissue, flipped)
    return parts


def _pelvis(
    frames: Mapping[Level, BodyFrame], vertebrae: Mapping[Level, Vertebra]
) -> dict[str, Part]:
    lowest = frames[Level.L5]
    floor = vertebrae[Level.L5].corner_points[2:].mean(axis=0)
    place = lowest.to_world(np.array([[0.0, floor[0], floor[1] - NORMAL[Level.L5].disc_height_mm]]))
    top = place[0]
    lean = np.deg2rad(40.0)

    def sacral(points: Floats) -> Floats:
        at = points - top
        ahead = -at[:, 1] * np.cos(lean) - at[:, 2] * np.sin(lean)
        down = -(at[:, 2] * np.cos(lean) - at[:, 1] * np.sin(lean))
        # The sacrum curves forwards below its middle.
        ahead = ahead + 0.0035 * down * np.abs(down) - 0.16 * down
        taper = np.clip(1.0 - down / 150.0, 0.2, 1.0)
        wide = np.abs(at[:, 0]) / (52.0 * taper) - 1.0
        thick = np.abs(ahead + 3.0) / (17.0 * taper**1.2) - 1.0
        side = smooth_maximum(wide * 40.0 * taper, thick * 15.0 * taper, 8.0)
        return smooth_maximum(side, np.maximum(-down, down - 115.0), 3.0)

    wing = smooth_union(
        [
            _plate(top + np.array([84.0, -30.0, 8.0]), (5.0, 62.0, 52.0), 0.30),
            ellipsoid((92.0, top[1] - 42.0, top[2] - 72.0), (20.0, 30.0, 30.0)),
            capsule(
                (60.0, top[1] + 18.0, top[2] - 20.0), (88.0, top[1] - 30.0, top[2] - 60.0), 11.0
            ),
            capsule(
                (80.0, top[1] - 55.0, top[2] - 85.0), (12.0, top[1] - 95.0, top[2] - 110.0), 9.0
            ),
            capsule(
                (82.0, top[1] - 25.0, top[2] - 90.0), (62.0, top[1] - 12.0, top[2] - 150.0), 13.0
            ),
        ],
        9.0,
    )
    head = (92.0, top[1] - 46.0, top[2] - 80.0)
    femur = smooth_union(
        [
            ellipsoid(head, (24.0, 24.0, 24.0)),
            capsule(head, (132.0, head[1] + 4.0, head[2] - 35.0), 14.0),
            capsule(
                (135.0, head[1] + 4.0, head[2] - 30.0), (120.0, head[1], head[2] - 230.0), 14.0
            ),
        ],
        8.0,
    )
    box = ((-60, top[1] - 40, top[2] - 130), (60, top[1] + 110, top[2] + 25))
    sacrum = decimate(mesh_of(sacral, *box, 2.2), 4000)
    meshes = {
        "hip_bone": (
            Tissue.PELVIS,
            mesh_of(wing, (4, top[1] - 115, top[2] - 170), (120, top[1] + 55, top[2] + 70), 3.0),
            3500,
        ),
        "femur": (
            Tissue.FEMUR,
            mesh_of(
                femur, (60, head[1] - 35, head[2] - 250), (160, head[1] + 35, head[2] + 30), 3.5
            ),
            1500,
        ),
    }
    return {"sacrum": Part(Tissue.PELVIS, sacrum), **_both_sides(meshes)}


def _plate(centre: Floats, semi_axes: tuple[float, float, float], flare: float) -> SignedField:
    """A bent plate that opens outwards with height: the iliac wing."""
    flat = ellipsoid((0.0, 0.0, 0.0), semi_axes)

    def field(points: Floats) -> Floats:
        at = points - centre
        bent = at.copy()
        bent[:, 0] = at[:, 0] - flare * at[:, 2] - 0.25 * np.abs(at[:, 1])
        return flat(bent)

    return field


def _lungs(frames: Mapping[Level, BodyFrame]) -> dict[str, Part]:
    middle = frames[Level.T6].origin
    dome = frames[Level.T10].origin
    parts: dict[str, Part] = {}
    for side, name, rise in ((1.0, "left", 0.0), (-1.0, "right", 12.0)):
        lobe = ellipsoid((58.0 * side, middle[1] - 36.0, middle[2] - 22.0), (50.0, 86.0, 140.0))
        floor = ellipsoid((58.0 * side, dome[1] - 62.0, dome[2] - 85.0 + rise), (90.0, 88.0, 108.0))
        hollow = ellipsoid((10.0 * side, middle[1] - 72.0, middle[2] - 50.0), (48.0, 48.0, 62.0))

        def field(
            points: Floats,
            lobe: SignedField = lobe,
            floor: SignedField = floor,
            hollow: SignedField = hollow,
        ) -> Floats:
            aired = smooth_maximum(lobe(points), -floor(points), 6.0)
            return smooth_maximum(aired, -hollow(points), 6.0)

        x_low, x_high = sorted((4.0 * side, 112.0 * side))
        mesh = mesh_of(
            field,
            (x_low, middle[1] - 130.0, middle[2] - 190.0),
            (x_high, middle[1] + 60.0, middle[2] + 125.0),
            6.0,
        )
        parts[f"lung_{name}"] = Part(Tissue.LUNG, decimate(mesh, 2500))
    return parts
