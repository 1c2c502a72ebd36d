"""Who made what from what: hashes and versions that travel with every result."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path

from zoom_imaging import __version__

TRACKED_PACKAGES: tuple[str, ...] = (
    "pydicom",
    "numpy",
    "scipy",
    "scikit-image",
    "SimpleITK",
    "torch",
    "monai",
    "pandas",
    "pandera",
    "pylibjpeg",
    "pylibjpeg-openjpeg",
    "pyjpegls",
    "python-gdcm",
)
"""Packages whose version can change a number."""


def sha256_of_bytes(content: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces; OSError as the file system raises it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of this package, Python and every tracked package ("not installed" if absent)."""
    versions = {"zoom_imaging": __version__, "python": platform.python_version()}
    for name in TRACKED_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def uid_from(*words: object) -> str:
    """A DICOM UID of the 2.25 root (PS3.5 B.2) that the same words always give."""
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
