"""The scripts that say what is installed and shipped, as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def script(root):
    """`script("freeze_constraints")` is scripts/freeze_constraints.py as a module."""
    folder = str(root / "scripts")

    def load(name: str) -> ModuleType:
        specification = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(specification)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "path", [folder, *sys.path])
            specification.loader.exec_module(module)
        return module

    return load
