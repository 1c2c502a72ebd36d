"""Ratios that tell whether a run is as quick and as small as it should be, all from one sitting.

`python scripts/bench_run.py [--files 5000]`. Times of a machine say little;
ratios of two times of one machine say where time goes. Not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

RUN = [sys.executable, "-m", "zoom_imaging.run"]
ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample_dicom"
FILM = SAMPLE / "ZOOM-001" / "baseline" / "IM0001"
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Print one line a measurement: what, seconds or MiB of both sides, ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--film", type=Path, default=FILM, help="a lateral film of the spine")
    arguments = parser.parse_args()
    print(f"{'measurement':<62}{'this':>10}{'against':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        where = Path(folder)
        headers(where / "many", arguments.files)
        memory(where)
        runs(where)
    help_time()
    radiograph(arguments.film)


def headers(folder: Path, count: int) -> None:
    """The header pass (hash, header, classification) and the whole catalogue against pydicom."""
    import pydicom

    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue
    from zoom_imaging.ingest.discover import discover
    from zoom_imaging.ingest.scan import scan

    write_films(folder / "films", count // 2)
    write_subjects(folder / "reports", count // 4)
    found = [file.source for file in discover([folder]).files]
    charter = load_charter()

    def plain() -> None:
        for source in found:
            pydicom.dcmread(source.location, stop_before_pixels=True)

    plain()  # warms the disk's cache for both
    against = seconds(plain)
    for jobs in (1, 2):
        mine = seconds(lambda jobs=jobs: scan(found, jobs=jobs))
        line(f"header pass, {len(found)} files, {jobs} jobs / dcmread loop (s)", mine, against)
    mine = seconds(lambda: build_catalogue([folder], charter, None, 2))
    line(f"catalogue, {len(found)} files, 2 jobs / dcmread loop (s)", mine, against)


def runs(where: Path) -> None:
    """A first run over the sample, and a second one over the same input."""
    command = [*RUN, str(SAMPLE), "--clinical", str(SAMPLE / "clinical.csv"), "--quiet"]
    command += ["--out", str(where / "out")]
    first = seconds(lambda: subprocess.run(command, check=True, cwd=ROOT))
    second = seconds(lambda: subprocess.run(command, check=True, cwd=ROOT))
    line("second run, nothing changed / first run over the sample (s)", second, first)


def memory(where: Path) -> None:
    """Peak memory of the main process for twenty subjects against two."""
    peaks = []
    for count in (2, 20):
        source = where / f"of{count}"
        write_subjects(source, count)
        command = [*RUN, str(source), "--out", str(where / f"out{count}"), "--quiet"]
        peaks.append(peak_mib(command))
    line("peak memory, 20 subjects / 2 subjects (MiB)", peaks[1], peaks[0])


def help_time() -> None:
    """`--help` against an empty interpreter."""
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True))
    shown = seconds(
        lambda: subprocess.run([*RUN, "--help"], check=True, capture_output=True, cwd=ROOT)
    )
    line("run --help / python -c '' (s)", shown, bare)


def radiograph(path: Path) -> None:
    """The whole path of a film against decoding and the networks alone."""
    from zoom_imaging.batch.film import read_film
    from zoom_imaging.charter import load_charter
    from zoom_imaging.radiograph.read import read_radiographs
    from zoom_imaging.vision.read import SpineReader

    content, charter, reader = path.read_bytes(), load_charter(), SpineReader.load()
    read_film(content, path.name, reader, charter)  # loads the weights
    with timed_networks(reader) as spent:
        whole = seconds(lambda: read_film(content, path.name, reader, charter))
    decode = seconds(lambda: read_radiographs(content, path.name))
    line("a film, bytes to reading / decoding + networks (s)", whole, decode + spent[0])


@contextmanager
def timed_networks(reader: object) -> Iterator[list[float]]:
    """Sum up what the engine of `reader` spends in the networks."""
    engine = reader.engine  # type: ignore[attr-defined]
    spent, forward = [0.0], engine.run

    def run(*arguments: object) -> object:
        start = time.perf_counter()
        try:
            return forward(*arguments)
        finally:
            spent[0] += time.perf_counter() - start

    engine.run = run
    try:
        yield spent
    finally:
        engine.run = forward


def write_films(folder: Path, count: int) -> None:
    """Headers of a lateral film, two films a subject, with a picture of a few bytes."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    film = pydicom.dcmread(FILM)
    film.Rows = film.Columns = 16
    film.PixelData = bytes(2 * 16 * 16)
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for number in range(count):
        film.PatientID = f"F-{number // 2:05d}"
        film.StudyDate = film.AcquisitionDate = ("20250310", "20260312")[number % 2]
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        path = folder / film.PatientID / f"{film.StudyDate}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        film.save_as(path, enforce_file_format=True)


def write_subjects(folder: Path, count: int) -> None:
    """Two small Hologic reports a subject."""
    sys.path.insert(0, str(ROOT / "tests" / "batch"))
    from trial_folder import write_report

    for number in range(count):
        subject_id = f"B-{number:05d}"
        for day, bmd in ((date(2025, 3, 10), 0.9), (date(2026, 3, 12), 0.918)):
            write_report(folder / subject_id / f"{day}.dcm", subject_id, day, bmd, padding=2048)


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def peak_mib(command: list[str]) -> float:
    """Peak resident memory of a command, without its children, in MiB."""
    program = (
        "import resource, runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n    runpy.run_module('zoom_imaging.run', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", *command[len(RUN) :]],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return int(done.stdout.split()[-1]) / unit


def line(what: str, mine: float, against: float) -> None:
    """One row of the table."""
    print(f"{what:<62}{mine:>10.2f}{against:>10.2f}{mine / against:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
