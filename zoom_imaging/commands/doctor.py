"""`doctor`: what this installation can do, and what to install where it cannot.

Exit 0 when everything required is there, 1 when something required is missing. Optional parts that
are absent are named with what brings them, and cost nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata, util
from pathlib import Path
from typing import Annotated

import typer


class CheckState(StrEnum):
    """Outcome of one check; only `MISSING` fails the installation."""

    OK = "ok"
    MISSING = "missing"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found and, if it is absent, what brings it."""

    group: str
    name: str
    state: CheckState
    detail: str
    remedy: str = ""


_EXTRAS: tuple[tuple[str, str, str], ...] = (
    # name, module, what brings it
    ("simulated patients", "fast_simplification", "pip install 'zoom_imaging[simulate]'"),
    ("faster engine", "openvino", "pip install 'zoom_imaging[fast]'"),
    ("DICOM network", "pynetdicom", "pip install 'zoom_imaging[pacs]'"),
    ("DICOMweb", "dicomweb_client", "pip install 'zoom_imaging[pacs]'"),
    ("pictures of reports", "pytesseract", "pip install 'zoom_imaging[ocr]'; tesseract-ocr"),
)
_LEAST_MEMORY_GB = 2.0
_SYNTAXES: tuple[str, ...] = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what is installed, which images can be decoded, and whether the model is sound."""
    checks = list(all_checks())
    failed = any(check.state is CheckState.MISSING for check in checks)
    if as_json:
        content = {"ok": not failed, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(content, allow_nan=False))
    else:
        _print(checks)
    raise typer.Exit(1 if failed else 0)


def all_checks() -> Iterator[Check]:
    """Every check in the order of the output."""
    yield from version_checks()
    yield from codec_checks()
    yield model_check()
    yield from extra_checks()
    yield from machine_checks()


def version_checks() -> Iterator[Check]:
    """Python and every package whose version can change a number."""
    from zoom_imaging.provenance import package_versions

    for name, version in package_versions().items():
        absent = version == "not installed"
        yield Check(
            "versions",
            name,
            CheckState.MISSING if absent else CheckState.OK,
            version,
            f"pip install {name}" if absent else "",
        )
    try:
        required = metadata.requires("zoom_imaging") or []
    except metadata.PackageNotFoundError:
        required = []
    named = {name.lower() for name in package_versions()}
    for requirement in required:
        name = requirement_name(requirement)
        if "extra ==" in requirement or name.lower() in named:
            continue
        version = _version(name)
        yield Check(
            "versions",
            name,
            CheckState.OK if version else CheckState.MISSING,
            version or "not installed",
            "" if version else f"pip install '{requirement}'",
        )


def requirement_name(requirement: str) -> str:
    """The name in a requirement line: `pandera[pandas]>=0.24` is `pandera`."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match.group(0) if match else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def codec_checks() -> Iterator[Check]:
    """One line a transfer syntax: the codecs that decode it, or what to install."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID, JPEGExtended12Bit

    for value in _SYNTAXES:
        syntax = UID(value)
        name = syntax.keyword
        if not syntax.is_encapsulated:
            yield Check("codecs", name, CheckState.OK, "built in")
            continue
        if syntax == JPEGExtended12Bit:
            found = util.find_spec("gdcm") is not None
            plugins: tuple[str, ...] = ("gdcm",) if found else ()
            missing = ["python-gdcm"]
        else:
            decoder = get_decoder(syntax)
            plugins, missing = decoder.available_plugins, decoder.missing_dependencies
        if plugins:
            yield Check("codecs", name, CheckState.OK, ", ".join(plugins))
        else:
            yield Check(
                "codecs", name, CheckState.MISSING, "no codec", f"install {', '.join(missing)}"
            )


def model_check() -> Check:
    """The bundle is there and every file has the hash that the bundle names."""
    from zoom_imaging.errors import ModelError

    try:
        from zoom_imaging.vision.bundle import load_bundle

        bundle = load_bundle()
    except ModelError as error:
        return Check(
            "model",
            "spine_lateral",
            CheckState.MISSING,
            error.reason,
            "install the package again, or train the model",
        )
    return Check(
        "model", bundle.name, CheckState.OK, f"version {bundle.version}, SHA-256 {bundle.sha256}"
    )


def extra_checks() -> Iterator[Check]:
    """Optional parts."""
    for name, target, remedy in _EXTRAS:
        found = util.find_spec(target)
        yield Check(
            "extras",
            name,
            CheckState.OK if found else CheckState.OPTIONAL,
            f"{target} found" if found else f"{target} is not installed",
            "" if found else remedy,
        )


def machine_checks() -> Iterator[Check]:
    """A folder that can be written, memory, cores and the encoding of file names."""
    for name, folder in (("working folder", Path.cwd()), ("scratch folder", None)):
        yield _writable(name, folder or Path(tempfile.gettempdir()))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Check("machine", "cores", CheckState.OK, f"{cores}")
    memory = _memory_gb()
    if memory is not None:
        small = memory < _LEAST_MEMORY_GB
        yield Check(
            "machine",
            "memory",
            CheckState.MISSING if small else CheckState.OK,
            f"{memory:.1f} GB",
            f"at least {_LEAST_MEMORY_GB:g} GB are needed" if small else "",
        )
    yield Check("machine", "file names", CheckState.OK, sys.getfilesystemencoding())


def _writable(name: str, folder: Path) -> Check:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        # Only --out must be writable, and that may be elsewhere.
        return Check(
            "machine",
            name,
            CheckState.OPTIONAL,
            f"{folder} cannot be written ({error.strerror})",
            "name another folder with --out or TMPDIR",
        )
    return Check("machine", name, CheckState.OK, f"{folder} can be written")


def _memory_gb() -> float | None:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None
    return pages * size / 1024**3


def _print(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("", "name", "found", "what to do"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "name")
    colours = {CheckState.OK: "green", CheckState.MISSING: "red", CheckState.OPTIONAL: "yellow"}
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            table.add_row("", f"[bold]{group}[/bold]", "", "")
        table.add_row(
            f"[{colours[check.state]}]{check.state.value}[/]",
            escape(check.name),
            escape(check.detail),
            escape(check.remedy),
        )
    console.print(table)
