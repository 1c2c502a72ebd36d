from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.anatomy import SpacingSource, View
from zoom_imaging.errors import ModelError
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.vision.bundle import NETWORKS
from zoom_imaging.vision.read import SpineReader


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
    try:
        return SpineReader.load()
    except ModelError as error:
        pytest.skip(f"the trained bundle is not there: {error}")
