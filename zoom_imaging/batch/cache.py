"""What was computed from which bytes, so that a second run redoes only what changed.

An entry is named by the hash of everything that decides its content: the input's bytes, the program
and its packages, the charter and, for films, the model. Clocks and paths play no part.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from zoom_imaging.batch.study import Outcome, Study
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.write import writing
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.provenance import package_versions, sha256_of_bytes

CACHE_NAME = ".cache"


class Cache:
    """Outcomes in a folder; a damaged entry counts as absent."""

    def __init__(self, folder: Path, charter: Charter, model_sha256: str, engine: str) -> None:
        """Entries live in `folder`/.cache and hold for this charter and this model only."""
        self.folder = folder / CACHE_NAME
        rules = (charter_sha256(charter), program_sha256())
        self._salts: Mapping[FileKind, tuple[str, ...]] = {
            FileKind.DXA_REPORT: rules,
            FileKind.SPINE_RADIOGRAPH: (*rules, model_sha256, engine),
        }

    def get(self, study: Study) -> Outcome | None:
        """The remembered outcome for these bytes, or None where it must be computed."""
        try:
            digest, _, body = self._path(study).read_bytes().partition(b"\n")
            if digest.decode("ascii") != sha256_of_bytes(body):
                return None
            return Outcome.from_json(body).at(study.source.path)
        except (OSError, ValueError):
            return None

    def put(self, study: Study, body: bytes) -> None:
        """Remember an outcome as `study.run` gave it; OutputError where it cannot be written."""
        path = self._path(study)
        fresh = path.with_suffix(".new")
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                fresh.write_bytes(sha256_of_bytes(body).encode("ascii") + b"\n" + body)
                os.replace(fresh, path)
            except OSError:
                with suppress(OSError):
                    fresh.unlink(missing_ok=True)
                raise

    def clear(self) -> None:
        """Forget everything; OutputError where it cannot be removed."""
        with writing(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _path(self, study: Study) -> Path:
        parts = (study.kind.value, study.sha256, *self._salts[study.kind])
        key = sha256_of_bytes("\x1f".join(parts).encode("utf-8"))
        return self.folder / key[:2] / f"{key}.json"


def worth_keeping(outcome: Outcome) -> bool:
    """An unexpected error may have been the machine's: it is tried again in the next run."""
    return outcome.disposition is not Disposition.FAILED


def charter_sha256(charter: Charter) -> str:
    """Hash of the charter's values, whatever its file looks like."""
    return sha256_of_bytes(charter.model_dump_json().encode("utf-8"))


@lru_cache(maxsize=1)
def program_sha256() -> str:
    """Hash of this program's source and of the versions of the packages that make numbers."""
    package = Path(__file__).resolve().parents[1]
    lines = [f"{name}={version}" for name, version in sorted(package_versions().items())]
    lines += [
        f"{path.relative_to(package).as_posix()} {sha256_of_bytes(path.read_bytes())}"
        for path in sorted(package.rglob("*.py"))
    ]
    return sha256_of_bytes("\n".join(lines).encode("utf-8"))
