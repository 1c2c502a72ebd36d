"""Fixtures that every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def _strict_pydicom() -> None:
    """Values that the tests write must be valid DICOM; a test of bad input writes bytes."""
    import pydicom

    pydicom.config.settings.writing_validation_mode = pydicom.config.RAISE


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference material beside the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not there: hard inputs and validation films are optional")
    return folder


@pytest.fixture(scope="session")
def sample() -> Path:
    """The simulated trial that ships with the source."""
    return ROOT / "data" / "sample_dicom"
