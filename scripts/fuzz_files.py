"""Damage files of every kind in thousands of ways; nothing may crash, hang or take all memory.

Every file goes through the catalogue (beside its own undamaged copy, so that identity and content
are compared, too), through `dxa` and through `measure`: decoding, scale, view, strict JSON, and
the networks for some of the films that are still read. The outcome must be a result or a refusal
with a sentence. Everything else is kept with its seed and number.

The reading is done by a process that can be killed: one file has `SECONDS_A_FILE` and
`BYTES_A_FILE`.

python scripts/fuzz_files.py --files 20000 --network-every 50 --keep build/fuzz
python scripts/fuzz_files.py --only 4711          # one file again, with its traceback
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

SECONDS_A_FILE = 30.0
BYTES_A_FILE = 3 << 30
"""Resident memory of the reading process with the networks loaded; films here are small."""


@dataclass
class Outcome:
    """What each door said of one file."""

    number: int
    sample: str
    what: str
    outcomes: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    peak_bytes: int = 0
    seconds: float = 0.0


def damaged(seed: int, number: int) -> tuple[Any, bytes, str]:
    """File `number` of a run: the valid sample, the damaged bytes and what was done."""
    from hostile_mutations import mutated

    valid = _samples()
    sample = valid[number % len(valid)]
    content, what = mutated(sample, np.random.default_rng([seed, number]))
    return sample, content, what


_valid: list[Any] = []


def _samples() -> list[Any]:
    if not _valid:
        from hostile_samples import samples

        _valid.extend(samples())
    return _valid


def judge(seed: int, number: int, networks: bool) -> Outcome:
    """Read one damaged file through every door."""
    sample, content, what = damaged(seed, number)
    outcome = Outcome(number, sample.name, what)
    started = time.perf_counter()
    _forget_peak()
    try:
        outcome.outcomes["ingest"] = _ingest(sample.content, content)
        outcome.outcomes["dxa"] = _dxa(content)
        outcome.outcomes["measure"] = _measure(content, networks)
    except BaseException:
        outcome.fault = traceback.format_exc()
    outcome.peak_bytes = _peak()
    outcome.seconds = time.perf_counter() - started
    return outcome


@lru_cache(maxsize=1)
def _charter() -> Any:
    from zoom_imaging.charter import load_charter

    return load_charter()


def _ingest(valid: bytes, content: bytes) -> str:
    from zoom_imaging.ingest.build import build_catalogue

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.dcm").write_bytes(content)
        (Path(folder) / "valid.dcm").write_bytes(valid)
        entries = build_catalogue([Path(folder)], _charter()).entries
    told = []
    for entry in entries:
        disposition = entry.disposition.value
        if disposition == "failed":
            raise AssertionError(f"{entry.source.path}: {entry.reason}")
        if bool(entry.reason) == (disposition == "used"):
            raise AssertionError(f"{entry.source.path}: {disposition}, reason '{entry.reason}'")
        _require_visible(entry.reason)
        if entry.source.path.startswith("a.dcm"):
            told.append(disposition)
    if not told:
        raise AssertionError("the file has no row")
    return told[0]


def _dxa(content: bytes) -> str:
    from zoom_imaging.commands.dxa import ReadReport
    from zoom_imaging.commands.inputs import dump, sop_instance_uid
    from zoom_imaging.commands.report_json import report_object
    from zoom_imaging.dxa.read import read_report
    from zoom_imaging.errors import InputError

    sop_instance_uid(content)
    try:
        report = read_report(content, "a.dcm")
    except InputError as refusal:
        return _refusal(refusal)
    _require_visible(*_strings(report_object(ReadReport("a.dcm", "", report))))
    dump(report_object(ReadReport("a.dcm", report.sop_instance_uid, report)))
    return "read"


def _strings(value: Any) -> Iterator[str]:
    """Every text of a JSON object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _require_visible(*texts: str) -> None:
    from zoom_imaging.ingest.text import has_controls

    for text in texts:
        if has_controls(text):
            raise AssertionError(f"control characters in {text!r}")


def _refusal(refusal: Exception) -> str:
    reason = str(refusal)
    if not reason.startswith("a.dcm"):
        raise AssertionError(f"a reason without the file: {reason}")
    _require_visible(reason)
    return f"refused ({type(refusal).__name__})"


_readers: list[Any] = []


def _measure(content: bytes, networks: bool) -> str:
    from zoom_imaging.batch.film import measure_radiograph
    from zoom_imaging.commands.inputs import dump
    from zoom_imaging.commands.measure import Measured
    from zoom_imaging.commands.reading_json import reading_object
    from zoom_imaging.errors import InputError, WrongViewError
    from zoom_imaging.radiograph.read import read_radiographs

    try:
        films = read_radiographs(content, "a.dcm")
    except InputError as refusal:
        return _refusal(refusal)
    said = "read"
    for film in films:
        if not np.isfinite(film.pixels).all():
            raise AssertionError("grey values that are no numbers")
        measured = Measured("a.dcm", film.sop_instance_uid, radiograph=film, frame=film.frame)
        if networks:
            if not _readers:
                from zoom_imaging.vision.read import SpineReader

                _readers.append(SpineReader.load())
            try:
                reading = measure_radiograph(film, _readers[0], _charter())
                measured = Measured("a.dcm", "", reading, film, reading.refusal, film.frame)
                said = "read by the networks" if not reading.refusal else "refused by the networks"
            except WrongViewError as refusal:
                said = _refusal(refusal)
        _require_visible(*_strings(reading_object(measured)))
        dump(reading_object(measured))
    return said


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak(pid: int | str = "self", name: str = "VmHWM") -> int:
    """Bytes of resident memory, by the kernel; 0 where it does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith(name)), "x 0")
    return int(line.split()[1]) << 10


def _serve(pipe: Any, seed: int) -> None:
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    _samples()
    while (job := pipe.recv()) is not None:
        pipe.send(judge(seed, *job))


class Worker:
    """A process that reads one file after another and is replaced when it has to be killed."""

    def __init__(self, seed: int, seconds: float, memory: int) -> None:
        self._seed, self._seconds, self._memory = seed, seconds, memory
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._seed), daemon=True)
        self._process.start()
        theirs.close()

    def read(self, number: int, networks: bool) -> Outcome:
        """The outcome of one file; `fault` says if the process died, hung or took too much."""
        self._pipe.send((number, networks))
        allowed = self._seconds + (60 if networks else 30)  # a new process imports first
        started = time.monotonic()
        fault = ""
        while not fault:
            try:
                if self._pipe.poll(0.1):
                    outcome: Outcome = self._pipe.recv()
                    if outcome.seconds > self._seconds and not networks:
                        outcome.fault = outcome.fault or f"hang: {outcome.seconds:.0f} s"
                    if outcome.peak_bytes > self._memory:
                        outcome.fault = outcome.fault or f"memory: {outcome.peak_bytes >> 20} MiB"
                    return outcome
            except (EOFError, ConnectionResetError):
                self._process.join()
                fault = f"crash: the process died ({self._process.exitcode})"
                break
            if time.monotonic() - started > allowed:
                fault = "hang: killed"
            elif _peak(self._process.pid or 0, "VmRSS") > self._memory:
                fault = "memory: killed"
        self.close()
        self._start()
        sample, _, what = damaged(self._seed, number)
        return Outcome(number, sample.name, what, fault=fault)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def run(
    numbers: Iterator[int] | range, seed: int, network_every: int = 0, memory: int = BYTES_A_FILE
) -> Iterator[Outcome]:
    """Read the files with these numbers, one after the other in one process."""
    worker = Worker(seed, SECONDS_A_FILE, memory)
    try:
        for number in numbers:
            yield worker.read(number, bool(network_every) and number % network_every == 0)
    finally:
        worker.close()


def main(
    *,
    files: Annotated[int, typer.Option(min=1)] = 20000,
    first: int = 0,
    seed: int = 1,
    network_every: Annotated[int, typer.Option(help="0: never.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Folder for failures and counts.")] = None,
    only: Annotated[int | None, typer.Option(help="One number, in this process.")] = None,
) -> None:
    """Damage, read, count; exit 1 if anything crashed, hung or took too much memory."""
    warnings.simplefilter("ignore")
    if only is not None:
        outcome = judge(seed, only, bool(network_every))
        typer.echo(json.dumps(vars(outcome) | {"fault": outcome.fault or None}, indent=1))
        typer.echo(outcome.fault)
        return
    counts: dict[str, Counter[str]] = {}
    faults: list[Outcome] = []
    peak, slowest = 0, 0.0
    started = time.perf_counter()
    for done, outcome in enumerate(run(range(first, first + files), seed, network_every), 1):
        for door, said in (outcome.outcomes or {"process": "lost"}).items():
            counts.setdefault(door, Counter())[said] += 1
        peak, slowest = max(peak, outcome.peak_bytes), max(slowest, outcome.seconds)
        if outcome.fault:
            faults.append(outcome)
            typer.echo(f"FAULT {outcome.number} {outcome.sample}: {outcome.what[:300]}")
            typer.echo("   " + outcome.fault.strip().splitlines()[-1][:300])
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{outcome.number}.bin").write_bytes(
                    damaged(seed, outcome.number)[1]
                )
                (keep / f"{seed}-{outcome.number}.txt").write_text(
                    f"{outcome.sample}: {outcome.what}\n{outcome.fault}\n", encoding="utf-8"
                )
        if done % 500 == 0:
            seconds = time.perf_counter() - started
            typer.echo(
                f"{done} files, {len(faults)} faults, {done / seconds:.1f} a second, "
                f"peak {peak >> 20} MiB, slowest {slowest:.1f} s"
            )
            sys.stdout.flush()
    seconds = time.perf_counter() - started
    for door, found in counts.items():
        for said, count in found.most_common():
            typer.echo(f"{door:8s} {count:6d}  {said}")
    summary = (
        f"{files} files of {len(_samples())} kinds, seed {seed}: {len(faults)} faults; "
        f"{seconds:.0f} s, {files / seconds:.1f} a second, peak {peak >> 20} MiB, "
        f"slowest {slowest:.1f} s"
    )
    typer.echo(summary)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        kept = {door: dict(found.most_common()) for door, found in counts.items()}
        (keep / f"counts-{seed}-{first}.json").write_text(
            json.dumps({"summary": summary, "counts": kept}, indent=1) + os.linesep,
            encoding="utf-8",
        )
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
