"""The phantom's builders, as one fixture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def phantom() -> ModuleType:
    """The module `phantom.py` beside this file."""
    spec = importlib.util.spec_from_file_location("phantom", Path(__file__).parent / "phantom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
