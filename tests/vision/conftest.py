from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.anatomy import Level, Shape, SpacingSource, View
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.simulate.acquisition import WHOLE_SPINE, Acquisition
from zoom_imaging.simulate.film import Look
from zoom_imaging.simulate.fracture import make_fracture
from zoom_imaging.simulate.parametric import parametric_skeleton
from zoom_imaging.simulate.person import random_person
from zoom_imaging.simulate.simulator import SimulatedFilm, simulate_film
from zoom_imaging.simulate.skeleton import Skeleton
from zoom_imaging.vision.bundle import NETWORKS
from zoom_imaging.vision.read import SpineReader

with warnings.catch_warnings():
    # ignite warns about torch at its first import, and MONAI remembers that as "not installed".
    warnings.simplefilter("ignore")
    import ignite.engine  # noqa: F401


def make_film(
    pixels: np.ndarray, mm: float | None = 0.5, seams: tuple[int, ...] = ()
) -> Radiograph:
    source = SpacingSource.NONE if mm is None else SpacingSource.IMAGER_RAW
    return Radiograph(
        path="film.dcm",
        sop_instance_uid="1.2.3",
        pixels=np.asarray(pixels, np.float32),
        valid=np.ones(pixels.shape, np.bool_),
        scale=Scale(source, mm, mm, "made by a test"),
        view=View.LATERAL,
        view_reason="made by a test",
        acquired_on=None,
        seams=seams,
    )


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle whose networks have learned nothing."""
    import torch

    from zoom_imaging.vision.training.release import release_network
    from zoom_imaging.vision.training.tasks import TASKS

    folder = tmp_path_factory.mktemp("untrained")
    torch.manual_seed(1)
    for name in NETWORKS:
        release_network(folder, name, TASKS[name].network())
    return folder


@pytest.fixture(scope="session")
def reader() -> SpineReader:
    """The released networks."""
    return SpineReader.load()


@pytest.fixture(scope="session")
def skeleton() -> Skeleton:
    return parametric_skeleton(0, step_mm=2.2)


@pytest.fixture(scope="session")
def whole_spine(skeleton: Skeleton) -> SimulatedFilm:
    """A person with a clear wedge at T12 on a whole lateral spine film."""
    person = random_person(700_013, prevalence=0.0, variety=0.6).with_fractures(
        {Level.T12: make_fracture(Shape.WEDGE, 0.42, np.random.default_rng(3))}
    )
    acquisition = Acquisition(seed=4, pixel_mm=0.5, field=WHOLE_SPINE)
    return simulate_film(skeleton, person, acquisition, np.random.default_rng(5), Look())
