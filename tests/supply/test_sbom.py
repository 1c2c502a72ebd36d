"""The bill of materials names what runs: Python packages, the model, the viewer's packages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from zoom_imaging.vision.bundle import file_sha256, load_bundle

pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed")


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """The file, as `make sbom` writes it."""
    out = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "write_sbom.py"), str(out)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def document(made):
    return json.loads(made.read_text(encoding="utf-8"))


def component(document, name):
    (found,) = [one for one in document["components"] if one["name"] == name]
    return found


def test_it_is_valid_cyclonedx(made, document):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.read_text("utf-8")) is None
    assert document["metadata"]["component"]["version"]


def test_every_direct_dependency_is_named_as_required(root, document):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    required = {
        canonicalize_name(one["name"])
        for one in document["components"]
        if one.get("scope") == "required"
    }
    wanted = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    assert wanted - required == set()


def test_what_only_develops_is_not_called_required(document):
    assert component(document, "ruff")["scope"] == "optional"
    assert component(document, "vitest")["scope"] == "excluded"


@pytest.mark.model
def test_the_model_is_a_component_with_the_hashes_that_the_loader_checks(document):
    bundle = load_bundle()
    model = component(document, bundle.name)
    assert model["type"] == "machine-learning-model"
    assert model["version"] == bundle.version
    assert model["hashes"] == [{"alg": "SHA-256", "content": bundle.sha256}]
    files = {one["name"]: one["hashes"][0]["content"] for one in model["components"]}
    assert "models/delineator.pt" in files
    for name, digest in files.items():
        assert digest == file_sha256(bundle.folder / name)


def test_the_packages_of_the_viewer_are_those_of_its_lock_file(root, document):
    lock = json.loads((root / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    named = [one for one in document["components"] if one["bom-ref"].startswith("npm:")]
    assert len(named) == len(lock) - 1  # the viewer itself is no package
    (core,) = [
        one for one in named if (one.get("group"), one["name"]) == ("@cornerstonejs", "core")
    ]
    assert core["purl"] == f"pkg:npm/%40cornerstonejs/core@{core['version']}"
    assert core["version"] == lock["node_modules/@cornerstonejs/core"]["version"]
    assert core["scope"] == "required"
    assert [one["alg"] for one in core["hashes"]] == ["SHA-512"]


def test_nothing_of_the_machine_is_in_it(root, made):
    text = made.read_text("utf-8")
    assert str(root) not in text
    assert sys.prefix not in text
    assert not re.search(r"file:/", text)


def test_the_same_environment_gives_the_same_document(script, document, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert json.loads(script("write_sbom").sbom()) == document
