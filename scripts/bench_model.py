"""Time and memory of reading a film: torch against openvino, and against importing torch alone.

python scripts/bench_model.py data/sample_dicom [--films 4] [--bundle DIR]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated

import typer


def lateral_films(folder: Path, count: int) -> list[Path]:
    """The first lateral films below a folder."""
    from zoom_imaging.anatomy import View
    from zoom_imaging.errors import InputError
    from zoom_imaging.radiograph.read import read_radiographs

    found: list[Path] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if len(found) == count:
            break
        try:
            (film,) = read_radiographs(path.read_bytes(), str(path))
        except (InputError, ValueError):
            continue
        if film.view is View.LATERAL:
            found.append(path)
    return found


def one(paths: list[Path], engine: str, bundle: Path | None) -> None:
    """Read all films with one engine; print seconds a film and the peak of memory in MiB."""
    import torch

    alone = _peak_mib()
    torch.set_num_threads(2)
    if engine == "none":
        print(f"0 {alone:.0f}")
        return
    from zoom_imaging.radiograph.read import read_radiographs
    from zoom_imaging.vision.read import SpineReader

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(bundle, engine)
    films = [read_radiographs(path.read_bytes(), str(path))[0] for path in paths]
    reader.read(films[0])
    started = time.perf_counter()
    for film in films:
        reader.read(film)
    print(f"{(time.perf_counter() - started) / len(films):.3f} {_peak_mib():.0f}")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(
    source: Annotated[Path, typer.Argument(exists=True)],
    *,
    films: Annotated[int, typer.Option(min=1)] = 4,
    bundle: Annotated[Path | None, typer.Option(file_okay=False)] = None,
    engine: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Each engine in a process of its own, one after the other."""
    paths = lateral_films(source, films)
    if engine:
        one(paths, engine, bundle)
        return
    found: dict[str, tuple[float, float]] = {}
    for name in ("none", "torch", "openvino"):
        command = [sys.executable, __file__, str(source), "--films", str(films), "--engine", name]
        command += ["--bundle", str(bundle)] if bundle else []
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        took, peak = text.split()[-2:]
        found[name] = (float(took), float(peak))
    alone = found["none"][1]
    for name in ("torch", "openvino"):
        seconds, mib = found[name]
        typer.echo(f"{name:9} {seconds:.2f} s a film, {mib - alone:.0f} MiB above torch alone")
    typer.echo(f"openvino takes {found['openvino'][0] / found['torch'][0]:.2f} of torch's time")


if __name__ == "__main__":
    typer.run(main)
