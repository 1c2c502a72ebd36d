"""Write the software bill of materials (CycloneDX 1.6, JSON) of this environment.

    python scripts/write_sbom.py build/sbom.cdx.json

cyclonedx-py lists the Python packages. Added here: the model bundle and its files, each with the
SHA-256 that is checked before loading, and the npm packages of the browser viewer by its lock file.
Scope `required` is what runs in production, `optional` what an extra or development brings,
`excluded` what only builds and tests the viewer. Nothing of the machine is in the file, and with
SOURCE_DATE_EPOCH the same environment gives the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from packageurl import PackageURL
from packaging.utils import canonicalize_name

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from freeze_constraints import ROOT, pinned

from zoom_imaging import __version__
from zoom_imaging.vision.bundle import Bundle, file_sha256, load_bundle

_NODE_MODULES = "node_modules/"


def environment() -> Bom:
    """The Python packages of this interpreter's environment, as cyclonedx-py finds them."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "environment.json"
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
        command += ["--no-validate"]  # the whole is checked when it is written
        command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(made)]
        done = subprocess.run(
            [*command, sys.executable], stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"cyclonedx-py did not work: {done.stderr.strip()}")
        bom: Bom = Bom.from_json(json.loads(made.read_text(encoding="utf-8")))
    root = bom.metadata.component
    if root is not None:
        root.version = __version__
    needed = pinned(ROOT / "pyproject.toml", extras=False)
    for component in bom.components:
        is_needed = canonicalize_name(component.name) in needed
        component.scope = ComponentScope.REQUIRED if is_needed else ComponentScope.OPTIONAL
        # An installation from a folder names that folder; it is nobody's business.
        component.external_references = [
            one for one in component.external_references if not str(one.url).startswith("file:")
        ]
    return bom


def model(bundle: Bundle) -> Component:
    """The model bundle: its SHA-256 as `run.json` and `doctor` give it, and each file's own."""
    metadata = json.loads((bundle.folder / "configs" / "metadata.json").read_text("utf-8"))
    files = [
        Component(
            name=relative,
            type=ComponentType.FILE,
            bom_ref=f"model:{bundle.name}/{relative}",
            hashes=[_sha256(file_sha256(bundle.folder / relative))],
        )
        for relative in sorted(metadata["sha256"])
    ]
    return Component(
        name=bundle.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        version=bundle.version,
        bom_ref=f"model:{bundle.name}",
        description=metadata["task"],
        licenses=[LicenseExpression("Apache-2.0")],
        hashes=[_sha256(bundle.sha256)],
        scope=ComponentScope.REQUIRED,
        properties=[
            Property(
                name="zoom_imaging:sha256",
                value="SHA-256 over one line 'path digest' for each file, as the loader has it",
            )
        ],
        components=files,
    )


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def viewer_packages(lock: Path) -> Iterator[Component]:
    """The npm packages of the viewer; those of development alone are out of scope."""
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text("utf-8"))["packages"]
    for path, package in sorted(packages.items()):
        if not path:
            continue
        full = path.rpartition(_NODE_MODULES)[2]
        group, _, name = full.rpartition("/")
        version = package["version"]
        license_ = package.get("license")
        yield Component(
            name=name,
            group=group or None,
            version=version,
            bom_ref=f"npm:{path}",
            purl=PackageURL("npm", group or None, name, version),
            licenses=[LicenseExpression(license_)] if license_ else None,
            hashes=list(_integrity(package.get("integrity", ""))),
            scope=ComponentScope.EXCLUDED if package.get("dev") else ComponentScope.REQUIRED,
        )


def _integrity(words: str) -> Iterator[HashType]:
    for word in words.split():
        algorithm, _, digest = word.partition("-")
        if algorithm == "sha512":
            yield HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())


def sbom() -> str:
    """The whole document."""
    bom = environment()
    for component in (model(load_bundle()), *viewer_packages(ROOT / "web" / "package-lock.json")):
        bom.components.add(component)
        if bom.metadata.component is not None and component.scope is ComponentScope.REQUIRED:
            bom.register_dependency(bom.metadata.component, [component])
    # The name of the document is drawn from what it says: the same content has the same name.
    bom.serial_number = UUID(int=0)
    bom.serial_number = uuid5(NAMESPACE_URL, JsonV1Dot6(bom).output_as_string())
    text: str = JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
    return text


def check(text: str) -> None:
    """ValueError where a document is not valid CycloneDX."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise ValueError(f"not valid CycloneDX 1.6: {fault}")


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="FILE")
    out = parser.parse_args().out
    text = sbom()
    check(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(f"{out}: {len(json.loads(text)['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
