"""How a run grows: 100, 1,000 and 10,000 subjects, workers, resuming, catalogue and store.

`python scripts/bench_scale.py [--subjects 100 1000 10000] [--write]`. `--write` puts the tables and
the plot into docs/performance.md and docs/performance.svg. Subjects are simulated: two small
Hologic reports each, so that the time is the machinery's and not the networks'. Ratios are of times
within one sitting. Not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample_dicom"
DOCUMENT, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
VISITS = ((date(2025, 3, 10), 0.9), (date(2026, 3, 12), 0.918))
FILMS, ROUNDS = 24, 3
STUDIES = 1_000_000
PACK = 25
LIFE_S = 6 * 3600.0
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests" / "batch"))


@dataclass(frozen=True)
class Run:
    """One run of the real command: seconds in all and by stage, and the main process's peak."""

    subjects: int
    seconds: float
    peak_mib: float
    stages: dict[str, float]


def main() -> None:
    """Print every table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--catalogue", type=int, default=100_000, help="files of the catalogue")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md and .svg")
    parser.add_argument("--only", choices=["runs", "workers", "catalogue", "store", "plan"])
    arguments = parser.parse_args()
    parts: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        where = Path(folder)
        steps: dict[str, Callable[[], list[str]]] = {
            "runs": lambda: runs(where, arguments.subjects, plot=arguments.write),
            "workers": workers,
            "catalogue": lambda: catalogue(where, arguments.catalogue),
            "store": lambda: store(where, arguments.catalogue),
            "plan": lambda: plan(where),
        }
        for name, step in steps.items():
            if arguments.only in (None, name):
                parts[name] = step()
                print("\n".join(parts[name]), end="\n\n", flush=True)
    if arguments.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        for name, lines in parts.items():
            text = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                lambda found, lines=lines: found[1] + "\n".join(lines) + "\n" + found[2],
                text,
                flags=re.DOTALL,
            )
        DOCUMENT.write_text(text, encoding="utf-8")


def runs(where: Path, sizes: Sequence[int], *, plot: bool) -> list[str]:
    """First run, second run, and a run after one subject in a hundred changed, for each size."""
    lines = [
        "| subjects | files | first run, s | ms a subject | growth exponent | memory, MiB "
        "| again, nothing new | again, 1 % changed |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    first: list[Run] = []
    for size in sizes:
        source, out = where / "in", where / "out"
        write_subjects(source, size)
        found = run(source, out, size)
        again = run(source, out, size)
        write_subjects(source, max(1, size // 100), bmd_offset=0.01)
        changed = run(source, out, size)
        exponent = f"{growth(first[-1], found):.2f}" if first else ""
        first.append(found)
        lines.append(
            f"| {size:,} | {2 * size:,} | {found.seconds:.1f} | "
            f"{1000 * found.seconds / size:.1f} | {exponent} | {found.peak_mib:.0f} | "
            f"{again.seconds / found.seconds:.2f} | {changed.seconds / found.seconds:.2f} |"
        )
        shutil.rmtree(source)
        shutil.rmtree(out)
    names = list(first[-1].stages)
    lines += ["", "| stage, seconds | " + " | ".join(f"{size:,}" for size in sizes) + " |"]
    lines += ["|---|" + "---:|" * len(sizes)]
    for name in names:
        lines.append(f"| {name} | " + " | ".join(f"{one.stages[name]:.2f}" for one in first) + " |")
    if plot:
        draw(first)
    return lines


def growth(smaller: Run, larger: Run) -> float:
    """The exponent of time over subjects between two sizes; 1 is proportional."""
    return math.log(larger.seconds / smaller.seconds) / math.log(larger.subjects / smaller.subjects)


def run(source: Path, out: Path, subjects: int, jobs: int = 2) -> Run:
    """The real command in a process of its own."""
    command = [sys.executable, "-m", "zoom_imaging.run", str(source), "--out", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--jobs", str(jobs), "--quiet"], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    stages = json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"]
    return Run(subjects, seconds, usage.ru_maxrss / 1024, stages)


def workers() -> list[str]:
    """The same films by one worker and by two, against two processes that share nothing.

    The model is loaded before the time is taken: that is done once a run, whatever its length.
    """
    from functools import partial

    from zoom_imaging.batch import study
    from zoom_imaging.batch.cluster import Crew, Team
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue
    from zoom_imaging.ingest.catalogue import FileKind

    charter = load_charter()
    films = build_catalogue([SAMPLE], charter).used(FileKind.SPINE_RADIOGRAPH)[:FILMS]
    tasks = [study.Study(film.source, film.sha256, film.kind) for film in films]
    read = partial(study.run, charter=charter, networks=study.Networks())

    def crew(jobs: int) -> tuple[float, float, float]:
        before = processor_s()
        with Team(Crew(jobs=jobs)) as team:
            list(team.spread(tasks[: 2 * jobs], read))
            spent = seconds(lambda: list(team.spread(tasks, read)))
        mine, theirs = (after - at for after, at in zip(processor_s(), before, strict=True))
        return spent, mine, theirs

    def bare(count: int) -> float:
        program = (
            "import sys\nfrom functools import partial\nfrom pathlib import Path\n"
            "sys.path.insert(0, sys.argv[1])\nfrom scripts import bench_scale\n"
            "bench_scale.read_films(int(sys.argv[2]), int(sys.argv[3]))\n"
        )
        parts = [
            [sys.executable, "-c", program, str(ROOT), str(number), str(count)]
            for number in range(count)
        ]

        started = [subprocess.Popen(part, cwd=ROOT, stdout=subprocess.PIPE) for part in parts]
        return max(float(process.communicate()[0]) for process in started)

    rounds = [(bare(1), *crew(1), bare(2), *crew(2)) for _ in range(ROUNDS)]
    alone, one, _, of_one, side_by_side, two, of_main, of_two = map(
        median, zip(*rounds, strict=True)
    )
    serial = of_main / (of_main + of_two)
    return [
        f"| {len(tasks)} films, one thread each, median of {ROUNDS} | 1, s | 2, s | speed-up |",
        "|---|---:|---:|---:|",
        f"| workers of a run | {one:.1f} | {two:.1f} | {one / two:.2f} |",
        f"| bare processes, nothing in common | {alone:.1f} | {side_by_side:.1f} | "
        f"{alone / side_by_side:.2f} |",
        "",
        f"Processor time, with loading the model and two films a worker before: {of_one:.1f} s of "
        f"one worker, {of_two:.1f} s of two, and {of_main:.1f} s of the main process. With "
        f"{serial:.1%} of the work in one process, two free "
        f"cores allow a speed-up of {1 / (serial + (1 - serial) / 2):.2f} (Amdahl).",
    ]


def processor_s() -> tuple[float, float]:
    """Processor time of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    mine, theirs = (usage.ru_utime + usage.ru_stime for usage in both)
    return mine, theirs


def read_films(part: int, parts: int) -> None:
    """Every `parts`-th film of the sample from `part` on, in this process; prints the seconds."""
    from zoom_imaging.batch import study
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue
    from zoom_imaging.ingest.catalogue import FileKind

    charter = load_charter()
    films = build_catalogue([SAMPLE], charter).used(FileKind.SPINE_RADIOGRAPH)[:FILMS]
    tasks = [study.Study(film.source, film.sha256, film.kind) for film in films[part::parts]]
    study.run(tasks[0], charter, study.Networks())
    print(seconds(lambda: [study.run(task, charter, study.Networks()) for task in tasks]))


def catalogue(where: Path, count: int) -> list[str]:
    """The catalogue of many files, by two processes."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue

    lines = ["| files | catalogue, s | ms a file | memory, MiB |", "|---:|---:|---:|---:|"]
    charter = load_charter()
    for files in (count // 10, count):
        write_subjects(where / "many", files // 2)
        spent = seconds(lambda: build_catalogue([where / "many"], charter, None, 2))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines.append(f"| {files:,} | {spent:.1f} | {1000 * spent / files:.2f} | {peak:.0f} |")
        shutil.rmtree(where / "many")
    return lines


def store(where: Path, count: int) -> list[str]:
    """The store of results against a file for each study."""
    from dataclasses import replace

    from zoom_imaging.batch import study
    from zoom_imaging.batch.cache import Cache
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.catalogue import FileKind, SourceFile
    from zoom_imaging.provenance import sha256_of_bytes

    charter = load_charter()
    path = write_subjects(where / "one", 1)[0]
    first = study.Study(
        SourceFile(path.name, str(path)), sha256_of_bytes(path.read_bytes()), FileKind.DXA_REPORT
    )
    body = study.run(first, charter, study.Networks())
    studies = [replace(first, sha256=f"{number:064x}") for number in range(count)]

    def put() -> None:
        with Cache(where / "store", charter, "", "torch") as cache:
            for one in studies:
                cache.put(one, body)

    def get() -> None:
        found = Cache(where / "store", charter, "", "torch").known(studies)
        assert all(outcome for _, outcome in found)

    def put_files() -> None:
        for one in studies:
            path = where / "files" / one.sha256[-2:] / one.sha256
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".new").write_bytes(body)
            path.with_suffix(".new").replace(path)

    def get_files() -> None:
        for one in studies:
            path = where / "files" / one.sha256[-2:] / one.sha256
            assert study.Outcome.from_json(path.read_bytes())

    lines = [
        f"| {count:,} reports | write, s | read, s | MB on disk | remove, s |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, folder, write, read in (
        ("one SQLite file", where / "store", put, get),
        ("a file for each study", where / "files", put_files, get_files),
    ):
        spent = seconds(write), seconds(read)
        blocks = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
        removed = seconds(lambda folder=folder: shutil.rmtree(folder))
        lines.append(
            f"| {name} | {spent[0]:.1f} | {spent[1]:.1f} | {blocks / 1e6:.0f} | {removed:.1f} |"
        )
    return lines


def plan(where: Path) -> list[str]:
    """A simulated run over a million studies, half of them films, from what was measured here."""
    film, report = one_study(SAMPLE), one_study(write_subjects(where / "one", 1)[0].parent)
    numbers = list(range(4000))
    from zoom_imaging.batch.cluster import Crew, Team

    with Team(Crew(jobs=2)) as team:
        list(team.spread([1, 2], abs))
        dask_s = seconds(lambda: list(team.spread(numbers, abs))) / len(numbers)
    lines = [
        "| measured here | film | report |",
        "|---|---:|---:|",
        f"| one core reads it, s | {film[0]:.2f} | {report[0]:.4f} |",
        f"| result in the store, kB | {film[1] / 1e3:.1f} | {report[1] / 1e3:.1f} |",
        f"| main process and scheduler, ms a task | {1000 * dask_s:.1f} | "
        f"{1000 * dask_s / PACK:.2f} (packs of {PACK}) |",
        "",
        f"| workers | reading {STUDIES:,} studies, h | core-hours | busy | main process busy |",
        "|---:|---:|---:|---:|---:|",
    ]
    for count in (16, 64, 256, 1024, 4096):
        hours, busy, main_busy = simulate(count, film[0], report[0], dask_s)
        lines.append(
            f"| {count:,} | {hours:.1f} | {hours * count:,.0f} | {busy:.0%} | {main_busy:.0%} |"
        )
    stored = STUDIES / 2 * (film[1] + report[1]) / 1e9
    lines += ["", f"The store of results holds {stored:.1f} GB."]
    return lines


def one_study(source: Path) -> tuple[float, int]:
    """Seconds of one core, the model being loaded, and bytes in the store."""
    import zlib

    from zoom_imaging.batch import study
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue
    from zoom_imaging.ingest.catalogue import FileKind

    charter, networks = load_charter(), study.Networks()
    found = build_catalogue([source], charter)
    entries = found.used(FileKind.SPINE_RADIOGRAPH) or [
        entry for entry in found.entries if entry.kind is FileKind.DXA_REPORT
    ]
    tasks = [study.Study(one.source, one.sha256, one.kind) for one in entries[:4]]
    study.run(tasks[0], charter, networks)
    spent = seconds(lambda: [study.run(task, charter, networks) for task in tasks])
    return spent / len(tasks), len(zlib.compress(study.run(tasks[0], charter, networks), 1))


def simulate(
    count: int, film_s: float, report_s: float, task_s: float
) -> tuple[float, float, float]:
    """Hours, share of time that workers work, and that the main process works.

    Workers ask one main process, which serves them in turn with `task_s` a task. A study's time
    varies by a factor (log-normal, 30 %); a worker lives six hours, as a job of a queue does, loses
    its study and is replaced after two minutes.
    """
    chance = random.Random(1)
    packs = STUDIES // 2 // PACK
    waiting = [(chance.uniform(0, 60.0), chance.uniform(0, LIFE_S)) for _ in range(count)]
    heapq.heapify(waiting)
    free_at = worked = served = end = 0.0
    left = [film_s] * (STUDIES // 2) + [report_s * PACK] * packs
    while left:
        asks, age = heapq.heappop(waiting)
        free_at = max(free_at, asks) + task_s
        served += task_s
        task = left.pop()
        takes = task * chance.lognormvariate(-0.045, 0.3)
        if age + takes > LIFE_S:
            left.append(task)
            heapq.heappush(waiting, (free_at + takes + 120.0, 0.0))
            continue
        worked += takes
        end = max(end, free_at + takes)
        heapq.heappush(waiting, (free_at + takes, age + (free_at - asks) + takes))
    return end / 3600, worked / (end * count), served / end


def write_subjects(folder: Path, count: int, bmd_offset: float = 0.0) -> list[Path]:
    """Two reports a subject: a template's bytes with other ids of the same length."""
    from trial_folder import write_report

    written = []
    for number, (day, bmd) in enumerate(VISITS):
        subject, uid = "S-0000000", "1.2.826.0.1.3680043.8.498.10000000"
        template = write_report(
            folder / f"template{number}", subject, day, bmd + bmd_offset, uid=f"{uid}{number}"
        )
        content = template.read_bytes()
        template.unlink()
        for path, own, own_uid in names(folder, count, subject, uid):
            target = path / f"{day}.dcm"
            path.mkdir(parents=True, exist_ok=True)
            target.write_bytes(
                content.replace(subject.encode(), own.encode()).replace(
                    uid.encode(), own_uid.encode()
                )
            )
            written.append(target)
    return written


def names(folder: Path, count: int, subject: str, uid: str) -> Iterator[tuple[Path, str, str]]:
    """Folder, id and UID of each subject."""
    for number in range(1, count + 1):
        own = f"{subject[:-7]}{number:07d}"
        yield folder / own[:-2] / own, own, f"{uid[:-7]}{number:07d}"


def draw(found: Sequence[Run]) -> None:
    """Time by stage and memory over the number of subjects."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "zoom_imaging", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        subjects = [one.subjects for one in found]
        left.loglog(subjects, [one.seconds for one in found], "o-k", label="whole run")
        for name in found[0].stages:
            spent = [one.stages[name] for one in found]
            if max(spent) > 0.02 * found[-1].seconds:
                left.loglog(subjects, spent, ".-", label=name)
        left.set(xlabel="subjects", ylabel="seconds")
        left.legend(fontsize=7, frameon=False)
        right.semilogx(subjects, [one.peak_mib for one in found], "o-k")
        right.set(xlabel="subjects", ylabel="peak memory of the main process, MiB", ylim=0)
        for axes in (left, right):
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(PLOT, metadata={"Date": None})


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
