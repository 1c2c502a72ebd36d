"""How long 1,000 densitometry reports take, against `pydicom.dcmread` of the same files.

`dcmread` leaves sequences of declared length as bytes until somebody asks for them, so that a
structured report costs it next to nothing. The ratio is therefore given twice: against `dcmread`
alone, and against `dcmread` and a visit to every element, which is what reading a report takes.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated

import typer

KINDS = ("hologic", "lunar sr", "lunar xml")


def files(count: int) -> list[bytes]:
    """A third each of Hologic, Lunar SR and Lunar XML, with their pictures, of different people."""
    from zoom_imaging.simulate.densitometry import HORIZON, IDXA, exam_of
    from zoom_imaging.simulate.hologic_report import hologic_report
    from zoom_imaging.simulate.lunar_image import lunar_image
    from zoom_imaging.simulate.lunar_report import lunar_report
    from zoom_imaging.simulate.report_header import file_bytes

    made = []
    for number in range(count):
        lumbar = [0.6 + 0.001 * ((number * 37 + k * 113) % 700) for k in range(4)]
        scanner = HORIZON if number % 3 == 0 else IDXA
        exam = exam_of(f"P-{number}", date(2025, 3, 5), lumbar, scanner=scanner)
        make = (hologic_report, lunar_report, lunar_image)[number % 3]
        made.append(file_bytes(make(exam)))
    return made


def main(count: Annotated[int, typer.Option(min=3)] = 1000, rounds: int = 3) -> None:
    """Print the best of some rounds of each, and their ratio."""
    from pydicom import dcmread

    from zoom_imaging.dxa.read import read_report

    warnings.filterwarnings("ignore")
    contents = files(count)
    ways: dict[str, Callable[[bytes], object]] = {
        "dcmread": lambda content: dcmread(io.BytesIO(content)),
        "dcmread, all visited": lambda content: list(dcmread(io.BytesIO(content)).iterall()),
        "read_report": lambda content: read_report(content, "a.dcm"),
    }
    kinds = {"all": contents, **{name: contents[k::3] for k, name in enumerate(KINDS)}}
    for kind, chosen in kinds.items():
        best = {
            name: min(_seconds(way, chosen) for _ in range(rounds)) for name, way in ways.items()
        }
        ours = best["read_report"]
        typer.echo(
            f"{kind:10} {len(chosen)} files: "
            + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in best.items())
            + f"; ratios {ours / best['dcmread']:.1f} and {ours / best['dcmread, all visited']:.2f}"
        )


def _seconds(way: Callable[[bytes], object], contents: Sequence[bytes]) -> float:
    started = time.perf_counter()
    for content in contents:
        way(content)
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
