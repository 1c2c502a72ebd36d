"""Files that the tests make, as one fixture, and the default charter."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from zoom_imaging.charter import Charter, load_charter


@pytest.fixture(scope="session")
def specimen() -> ModuleType:
    """The module `specimen.py` beside this file."""
    spec = importlib.util.spec_from_file_location("specimen", Path(__file__).parent / "specimen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def charter() -> Charter:
    return load_charter()
