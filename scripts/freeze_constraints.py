"""Write constraints.txt: the version of every package that this environment has and we need.

    python scripts/freeze_constraints.py            # writes constraints.txt
    python scripts/freeze_constraints.py --print    # shows it

Only what pyproject.toml asks for, with all extras, and what that asks for in turn is named: what
else lies in the environment is nobody's business. A version is written without its local part
(2.13.0, not 2.13.0+cpu), so that the constraint holds for every index; paths and URLs are left out.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "constraints.txt"
PROJECT = "zoom-imaging"


def project_requirements(pyproject: Path, *, extras: bool = True) -> list[Requirement]:
    """What pyproject.toml asks for: the runtime, and with `extras` every extra."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    if extras:
        lines += [line for extra in project["optional-dependencies"].values() for line in extra]
    found = [Requirement(line) for line in lines]
    return [one for one in found if canonicalize_name(one.name) != PROJECT]


def pinned(pyproject: Path, *, extras: bool = True) -> dict[str, Version]:
    """Name and public version of the whole closure, as installed; LookupError names what lacks."""
    versions: dict[str, Version] = {}
    waiting = project_requirements(pyproject, extras=extras)
    looked_at: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        asked = (name, frozenset(requirement.extras))
        if asked in looked_at or not _applies(requirement):
            continue
        looked_at.add(asked)
        try:
            distribution = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError as error:
            raise LookupError(
                f"{requirement} is not installed; run make environment-dev"
            ) from error
        versions[name] = Version(Version(distribution.version).public)
        waiting += _asked_by(distribution, requirement.extras)
    return dict(sorted(versions.items()))


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def _asked_by(distribution: metadata.Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in distribution.requires or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            requirement.marker = None
            yield requirement


def as_text(versions: dict[str, Version]) -> str:
    """The file: a comment that says where it holds, then one line a package."""
    python = ".".join(platform.python_version_tuple()[:2])
    head = (
        "# Versions that were installed and tested together: pip install -c constraints.txt .\n"
        f"# Made by scripts/freeze_constraints.py with CPython {python} on {platform.system()}.\n"
        "# Other platforms may need packages that are not named here; pip then chooses them.\n"
    )
    return head + "".join(f"{name}=={version}\n" for name, version in versions.items())


def main() -> int:
    """Write the file, or show it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", action="store_true", help="show it, write nothing")
    arguments = parser.parse_args()
    try:
        text = as_text(pinned(ROOT / "pyproject.toml"))
    except LookupError as error:
        print(f"Error: {error.args[0]}", file=sys.stderr)
        return 1
    if arguments.print:
        sys.stdout.write(text)
    else:
        OUTPUT.write_text(text, encoding="utf-8")
        print(f"{OUTPUT.name}: {len(text.splitlines()) - 3} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
