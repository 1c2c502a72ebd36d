"""What `dxa` writes beside its table: structured reports and a FHIR bundle."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from zoom_imaging.commands.dxa import ReadReport


def write_reports(read: Sequence[ReadReport], folder: Path) -> None:
    """One DICOM SR for each report with an accepted number, named by its SOP Instance UID.

    What cannot be written is told on stderr and stops nothing.
    """
    from pydicom import config, dcmread

    from zoom_imaging.errors import NotRelevantError
    from zoom_imaging.exchange.densitometry_sr import densitometry_sr

    folder.mkdir(parents=True, exist_ok=True)
    for one in read:
        if one.report is None:
            continue
        with warnings.catch_warnings(), config.disable_value_validation():
            # What is odd in the source was told when it was read.
            warnings.simplefilter("ignore")
            try:
                source = dcmread(one.path, force=True, stop_before_pixels=True)
                made = densitometry_sr(one.report, source)
            except (NotRelevantError, OSError, ValueError, TypeError, AttributeError) as error:
                typer.echo(f"no structured report: {error}", err=True)
                continue
            path = folder / f"{made.SOPInstanceUID}.dcm"
            made.save_as(path, enforce_file_format=True)
        typer.echo(f"{path}: {one.path}", err=True)


def write_bundle(read: Sequence[ReadReport], path: Path) -> None:
    """All reports as one FHIR R4 Bundle."""
    from zoom_imaging.exchange.densitometry_fhir import densitometry_bundle

    bundle = densitometry_bundle(one.report for one in read if one.report is not None)
    text = json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
