"""What a hostile file costs: measured in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_METER = """
import json, resource, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.read import read_report
from zoom_imaging.errors import InputError
from zoom_imaging.ingest.build import build_catalogue
from zoom_imaging.radiograph.read import read_radiographs
door, path = sys.argv[1], Path(sys.argv[2])
charter = load_charter()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    if door == "catalogue":
        entries = build_catalogue([path], charter).entries
        said = [[e.source.path, e.disposition.value, e.reason] for e in entries]
    else:
        read = {"dxa": read_report, "measure": read_radiographs}[door]
        read(path.read_bytes(), "file")
        said = "read"
except InputError as refusal:
    said = refusal.reason
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([said, taken]))
"""


@pytest.fixture(scope="session")
def cost() -> Callable[[str, Path], tuple[object, float]]:
    """`cost(door, path)`: what the door says of the file, and the MiB that it took at its peak."""

    def of(door: str, path: Path) -> tuple[object, float]:
        done = subprocess.run(
            [sys.executable, "-c", _METER, door, str(path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        said, kibibytes = json.loads(done.stdout)
        return said, kibibytes / 1024

    return of
