"""Damage densitometry files in thousands of ways and see that nothing crashes, hangs or lies.

Valid files of every format are made, then bytes are changed, lost, doubled or cut off. Each file is
read under a time limit. An accepted BMD that differs from the true one counts as *seen wrong* where
the file's own area and BMC still contradict it: then a check failed. Where the damage leaves
numbers that agree with each other nothing can tell; those are counted apart.

python scripts/fuzz_dxa.py --files 20000
"""

from __future__ import annotations

import json
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pydicom.uid import ExplicitVRLittleEndian

SECONDS_A_FILE = 20
LUMBAR = (0.742, 0.821, 0.903, 0.992)
DAY = date(2025, 3, 5)


@dataclass(frozen=True)
class Sample:
    """One valid file and the BMD of each of its regions."""

    name: str
    content: bytes
    truth: dict[tuple[str, str, str], float]


def samples() -> list[Sample]:
    """Every format in several styles."""
    from zoom_imaging.dxa.read import read_report
    from zoom_imaging.simulate.report_header import file_bytes

    found = []
    for name, dataset in _datasets():
        content = file_bytes(dataset)
        report = read_report(content, name)
        truth = {
            (r.site.value, r.side.value, r.region): r.bmd_g_per_cm2
            for r in report.results
            if r.bmd_g_per_cm2 is not None
        }
        found.append(Sample(name, content, truth))
    return found


def _datasets() -> Iterator[tuple[str, Any]]:
    from zoom_imaging.dxa.read import read_report
    from zoom_imaging.dxa.result import Side
    from zoom_imaging.exchange.densitometry_sr import densitometry_sr
    from zoom_imaging.simulate.densitometry import IDXA, exam_of
    from zoom_imaging.simulate.hologic_report import HologicStyle, Part, hologic_report
    from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image
    from zoom_imaging.simulate.lunar_report import LunarStyle, Scan, lunar_report
    from zoom_imaging.simulate.printed_report import Manner, printed_report
    from zoom_imaging.simulate.report_header import file_bytes

    both = (Side.LEFT, Side.RIGHT)
    earlier = [exam_of("P-1", date(2023, 2, 1), (1.1, 1.1, 1.1, 1.1))]
    hologic = exam_of("P-1", DAY, LUMBAR, sides=both, earlier=earlier)
    lunar = exam_of("P-1", DAY, LUMBAR, scanner=IDXA, sides=both)
    for part in Part:
        yield f"hologic {part.value}", _without_pixels(hologic_report(hologic, part=part))
    style = HologicStyle(implicit=True, vr="UN", history=True)
    yield "hologic implicit", _without_pixels(hologic_report(hologic, style=style))
    yield "lunar sr", lunar_report(lunar)
    yield "lunar sr old", lunar_report(lunar, style=LunarStyle(old=True, decimal_comma=True))
    for form in XmlForm:
        yield f"lunar xml {form.value}", _without_pixels(lunar_image(lunar, form=form))
    yield "lunar xml hip", _without_pixels(lunar_image(lunar, scan=Scan.LEFT_FEMUR))
    source = hologic_report(hologic)
    yield "own sr", densitometry_sr(read_report(file_bytes(source), "a.dcm"), source)
    for manner in Manner:
        yield f"pdf {manner.value}", printed_report(hologic, manner)


def _without_pixels(dataset: Any) -> Any:
    """A picture of sixteen pixels, not compressed: damage should meet the text."""
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows = dataset.Columns = 4
    dataset.PixelData = b"\0" * (16 * int(dataset.SamplesPerPixel))
    dataset["PixelData"].is_undefined_length = False
    return dataset


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """One to eight changes; half of the files keep their length and have only text changed.

    Changed lengths are seen by the parser and seldom get further; changed text reaches the reader.
    """
    data = bytearray(content)
    text = np.flatnonzero(_is_text(content)) if rng.random() < 0.5 else None
    for _ in range(int(rng.integers(1, 9))):
        if text is not None:
            at = int(rng.choice(text))
            data[at] = _other(data[at], rng)
            continue
        kind, at = int(rng.integers(0, 6)), int(rng.integers(0, max(len(data), 1)))
        length = int(rng.integers(1, 24))
        if kind == 0:
            data[at : at + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1 and data:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        elif kind == 4:
            data[at:at] = data[at : at + length]
        elif rng.random() < 0.15:
            del data[at:]
    return bytes(data)


def _is_text(content: bytes) -> np.ndarray:
    """Bytes that stand in runs of text: printable, and so are their neighbours."""
    values = np.frombuffer(content, np.uint8)
    printable = (values >= 32) & (values < 127)
    inside = printable.copy()
    for shift in (1, 2, 3):
        inside[shift:] &= printable[:-shift]
        inside[:-shift] &= printable[shift:]
    return inside


def _other(byte: int, rng: np.random.Generator) -> int:
    """A digit becomes another digit most of the time, everything else any byte."""
    if 48 <= byte <= 57 and rng.random() < 0.8:
        return int(rng.integers(48, 58))
    return int(rng.integers(0, 256))


def judge(job: tuple[int, Sample, bytes]) -> tuple[str, str, str]:
    """Read one damaged file: (format, outcome, detail)."""
    from zoom_imaging.dxa.read import read_report
    from zoom_imaging.dxa.result import ResultState
    from zoom_imaging.errors import InputError

    seed, sample, content = job
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS_A_FILE)
    try:
        report = read_report(content, "a.dcm")
    except InputError as refusal:
        if not refusal.reason.startswith("a.dcm"):
            return sample.name, "crash", f"seed {seed}: a reason without the file: {refusal.reason}"
        return sample.name, f"refused ({type(refusal).__name__})", ""
    except TimeoutError:
        return sample.name, "hang", f"seed {seed}"
    except Exception as error:
        return sample.name, "crash", f"seed {seed}: {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    outcome, detail = "read, all accepted values true", ""
    for result in report.results:
        if result.state is not ResultState.ACCEPTED or result.bmd_g_per_cm2 is None:
            continue
        key = (result.site.value, result.side.value, result.region)
        if result.bmd_g_per_cm2 == sample.truth.get(key):
            continue
        shown = f"seed {seed}: {key} {result.bmd_g_per_cm2}, true {sample.truth.get(key)}"
        area, bmc = result.area_cm2, result.bmc_g
        if area and bmc and abs(bmc / area - result.bmd_g_per_cm2) > 0.0035:
            return sample.name, "seen wrong", shown
        outcome, detail = "changed, in itself consistent", shown
    return sample.name, outcome, detail


def _too_long(*_: object) -> None:
    raise TimeoutError


def main(
    *,
    files: Annotated[int, typer.Option(min=1)] = 20000,
    seed: int = 1,
    jobs: int = 2,
    out: Annotated[Path | None, typer.Option(help="Counts as JSON.")] = None,
) -> None:
    """Damage, read, count; exit 1 if anything crashed, hung or was seen wrong."""
    valid = samples()
    started = time.perf_counter()
    counts: dict[str, Counter[str]] = {sample.name: Counter() for sample in valid}
    details: list[str] = []

    def work() -> Iterator[tuple[int, Sample, bytes]]:
        for number in range(files):
            sample = valid[number % len(valid)]
            rng = np.random.default_rng([seed, number])
            yield number, sample, mutated(sample.content, rng)

    with get_context("fork").Pool(jobs) as pool:
        for name, outcome, detail in pool.imap_unordered(judge, work(), chunksize=50):
            counts[name][outcome] += 1
            if detail and outcome != "changed, in itself consistent":
                details.append(f"{name}: {outcome}: {detail}")
    total = sum(counts.values(), Counter())
    for outcome, count in total.most_common():
        typer.echo(f"{count:6d}  {outcome}")
    for line in details[:40]:
        typer.echo(line)
    typer.echo(f"{files} files of {len(valid)} kinds, {time.perf_counter() - started:.0f} s")
    if out is not None:
        kept = {name: dict(found) for name, found in counts.items()}
        out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if details:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
