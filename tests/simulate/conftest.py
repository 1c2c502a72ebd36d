"""One coarse parametric skeleton for all tests of this room."""

from __future__ import annotations

import pytest

from zoom_imaging.simulate.parametric import parametric_skeleton
from zoom_imaging.simulate.skeleton import Skeleton


@pytest.fixture(scope="session")
def skeleton() -> Skeleton:
    return parametric_skeleton(0, step_mm=2.2)
