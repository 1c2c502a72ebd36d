"""constraints.txt pins everything that we need, within what pyproject.toml allows, for anyone."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def pins(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    return dict(line.split("==") for line in pinned)


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def unmet(lines, pins):
    """What the pins do not satisfy, each with the version that is pinned."""
    found = []
    for line in lines:
        requirement = Requirement(line)
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{line} (pinned: {version})")
    return found


def test_every_requirement_of_the_runtime_is_pinned_within_its_bounds(pins, project):
    assert project["dependencies"]
    assert unmet(project["dependencies"], pins) == []


def test_every_extra_is_pinned_within_its_bounds(pins, project):
    """After a change of pyproject.toml: python scripts/freeze_constraints.py"""
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    assert unmet([line for line in lines if not line.startswith("zoom_imaging")], pins) == []


def test_a_pin_holds_on_every_index_and_names_no_machine(root):
    """A path, a URL or a local version (+cpu) would fail for everybody else."""
    for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[a-z0-9][a-z0-9-]*==[A-Za-z0-9.]+", line), line


def test_what_is_asked_for_by_what_we_ask_for_is_pinned_too(pins):
    """MarkupSafe comes with jinja2, llvmlite with numba of an extra; neither is in pyproject."""
    assert {"markupsafe", "llvmlite", "starlette"} <= pins.keys()


def test_extras_of_a_requirement_are_followed(script, tmp_path):
    """dask[distributed] needs distributed, dask alone does not."""
    pyproject = tmp_path / "pyproject.toml"
    content = '[project]\ndependencies = ["dask{}"]\n[project.optional-dependencies]\n'
    freeze = script("freeze_constraints")
    pyproject.write_text(content.format(""))
    assert "distributed" not in freeze.pinned(pyproject)
    pyproject.write_text(content.format("[distributed]"))
    assert "distributed" in freeze.pinned(pyproject)


def test_a_requirement_that_is_not_installed_is_named(script, tmp_path):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[project]\ndependencies = ["no-such-thing>=1"]\n[project.optional-dependencies]\n'
    )
    with pytest.raises(LookupError, match="no-such-thing>=1 is not installed"):
        script("freeze_constraints").pinned(pyproject)
