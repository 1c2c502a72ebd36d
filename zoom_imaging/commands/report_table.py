"""A densitometry report as a table for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from zoom_imaging.commands.dxa import ReadReport
    from zoom_imaging.dxa.result import DxaResult

_NUMBERS = ("area cm2", "BMC g", "BMD g/cm2", "T", "Z")


def print_report(read: ReadReport, results: TextIO) -> None:
    """The file's line, what it measured region by region, and what had to be said about it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(file=results, highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(read.path)}[/bold]")
    report = read.report
    if report is None:
        console.print(f"  refused: {escape(read.reason)}")
        return
    scanner = report.scanner
    about = (
        f"scanned {report.scan_date or 'on an unknown day'}",
        " ".join(part for part in (scanner.manufacturer, scanner.model, scanner.serial) if part),
        report.scan_mode,
        f"read from {report.source.value}",
    )
    console.print("  " + escape(", ".join(part for part in about if part)))
    if report.reference:
        console.print(f"  reference: {escape(report.reference)}")
    table = Table(box=None, pad_edge=False)
    for heading in ("site", "side", "region"):
        table.add_column(heading, no_wrap=True)
    for heading in _NUMBERS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for result in report.results:
        table.add_row(*(escape(cell) for cell in _cells(result)))
    console.print(table, soft_wrap=False)
    for result in report.results:
        if result.reason:
            name = f"{result.side.value} {result.site.value} {result.region}".strip()
            console.print(f"  {escape(name)}, {result.state.value}: {escape(result.reason)}")
    for warning in report.warnings:
        console.print(f"  warning: {escape(warning)}")


def _cells(result: DxaResult) -> tuple[str, ...]:
    digits = (2, 2, 3, 1, 1)
    return (
        result.site.value,
        result.side.value or "-",
        result.region,
        *(
            "-" if value is None else f"{value:.{places}f}"
            for value, places in zip(result.numbers, digits, strict=True)
        ),
        result.state.value,
    )
