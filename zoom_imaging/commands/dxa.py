"""`dxa`: read densitometry reports one by one, without trial logic.

With `--json` or `--csv` stdout holds nothing else; a file that cannot be read is a line with its
reason. An older analysis of a scan whose newer one is among the files is `superseded`.
Exit 0: every file was read or refused with a reason; 2: usage; 3: an unexpected error, whose
traceback went to stderr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from zoom_imaging.commands.inputs import (
    Exit,
    bytes_of,
    dump,
    input_files,
    results_only,
    sop_instance_uid,
    unexpected,
)

if TYPE_CHECKING:
    from zoom_imaging.dxa.checks import Tolerances
    from zoom_imaging.dxa.result import DxaReport


@dataclass(frozen=True)
class ReadReport:
    """One input file: its report, or the reason why there is none."""

    path: str
    sop_instance_uid: str = ""
    report: DxaReport | None = None
    reason: str = ""
    exit_code: Exit = Exit.OK


def command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="DICOM files, folders of them, or patterns."),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One line a region.")] = False,
    sr: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a DICOM SR (TID 1500) of each report to DIR."),
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all results as one FHIR R4 Bundle."),
    ] = None,
    ocr: Annotated[
        bool,
        typer.Option("--ocr", help="Read pictures, too; all of it is quarantined (extra: ocr)."),
    ] = False,
    charter_path: Annotated[
        Path | None, typer.Option("--charter", metavar="FILE", help="Default: ZOOM.")
    ] = None,
) -> None:
    """Read bone mineral density from densitometry reports (Hologic, GE Lunar, generic SR)."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.commands.report_files import write_bundle, write_reports
    from zoom_imaging.dxa.checks import Tolerances
    from zoom_imaging.errors import ConfigurationError

    if as_json and as_csv:
        raise typer.BadParameter("choose --json or --csv")
    try:
        tolerances = Tolerances.from_rules(load_charter(charter_path).dxa)
    except ConfigurationError as error:
        typer.echo(error.reason, err=True)
        raise typer.Exit(Exit.USAGE) from error
    with results_only() as results:
        read = without_older_analyses(
            [read_file(path, tolerances, ocr=ocr) for path in input_files(files)]
        )
        _show(read, results, as_json=as_json, as_csv=as_csv)
        if sr is not None:
            write_reports(read, sr)
        if fhir is not None:
            write_bundle(read, fhir)
    raise typer.Exit(max((one.exit_code for one in read), default=Exit.OK))


def _show(read: Sequence[ReadReport], results: TextIO, *, as_json: bool, as_csv: bool) -> None:
    from zoom_imaging.commands.report_csv import CsvReports
    from zoom_imaging.commands.report_json import report_object
    from zoom_imaging.commands.report_table import print_report

    table = CsvReports(results) if as_csv else None
    for one in read:
        if table is not None:
            table.write(one)
        elif as_json:
            results.write(dump(report_object(one)) + "\n")
        else:
            print_report(one, results)


def read_file(path: Path, tolerances: Tolerances, *, ocr: bool = False) -> ReadReport:
    """Read one file; never raises for what the file is or holds."""
    from zoom_imaging.dxa.read import read_report
    from zoom_imaging.errors import InputError
    from zoom_imaging.ingest.text import path_text

    shown = path_text(path)
    content = b""
    try:
        content = bytes_of(path)
        report = read_report(content, shown, tolerances, ocr=ocr)
    except InputError as refusal:
        return ReadReport(shown, sop_instance_uid(content), reason=refusal.reason)
    except Exception as error:
        reason = unexpected(shown, error)
        return ReadReport(
            shown, sop_instance_uid(content), reason=reason, exit_code=Exit.UNEXPECTED
        )
    return ReadReport(shown, report.sop_instance_uid, report)


def without_older_analyses(read: Sequence[ReadReport]) -> list[ReadReport]:
    """The same files in the same order; what a newer analysis overtook is marked.

    Only reports that name one and the same person are compared.
    """
    from zoom_imaging.dxa.analyses import mark_older_analyses

    settled = list(read)
    people: dict[str, list[int]] = {}
    for place, one in enumerate(read):
        if one.report is not None and one.report.subject_id:
            people.setdefault(one.report.subject_id, []).append(place)
    for places in people.values():
        reports = [report for place in places if (report := read[place].report) is not None]
        for place, report in zip(places, mark_older_analyses(reports), strict=True):
            settled[place] = replace(settled[place], report=report)
    return settled
