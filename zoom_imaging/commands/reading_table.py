"""A reading as a table for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from zoom_imaging.change.match import FilmComparison
    from zoom_imaging.commands.measure import Measured
    from zoom_imaging.morphometry.reading import VertebraReading

_NONE = "-"


def print_reading(measured: Measured, results: TextIO) -> None:
    """The film's line, its vertebrae, and what had to be said about it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(file=results, highlight=False, soft_wrap=True)
    frame = f", frame {measured.frame}" if measured.frame is not None else ""
    console.print(f"[bold]{escape(measured.path)}[/bold]{frame}")
    if measured.reading is None or not measured.is_read:
        console.print(f"  refused: {escape(measured.reason)}")
        return
    scale = measured.reading.scale
    if scale is not None:
        console.print(f"  scale: {scale.source.value} ({escape(scale.reason)})")
    table = Table(box=None, pad_edge=False)
    for heading in ("level", "state", "Ha mm", "Hm mm", "Hp mm", "Ha/Hp", "Hm/Hp"):
        table.add_column(heading, justify="left" if heading in {"level", "state"} else "right")
    table.add_column("sd", justify="right")
    table.add_column("grade")
    table.add_column("shape")
    table.add_column("P(grade 0 1 2 3)")
    for vertebra in measured.reading.vertebrae:
        table.add_row(*(escape(cell) for cell in _cells(vertebra)))
    console.print(table, soft_wrap=False)
    for warning in measured.reading.warnings:
        console.print(f"  warning: {escape(warning)}")


def _text(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _cells(vertebra: VertebraReading) -> tuple[str, ...]:
    heights, ratios = vertebra.heights, vertebra.ratios
    return (
        vertebra.level.value,
        vertebra.state.value,
        _text(heights.anterior_mm if heights else None, 1),
        _text(heights.middle_mm if heights else None, 1),
        _text(heights.posterior_mm if heights else None, 1),
        _text(ratios.anterior_posterior if ratios else None, 2),
        _text(ratios.middle_posterior if ratios else None, 2),
        _text(vertebra.ratio_sd, 3),
        vertebra.grade.value,
        vertebra.shape.value,
        " ".join(f"{p:.2f}" for p in vertebra.p_grades) if vertebra.p_grades else _NONE,
    )


def print_changes(comparison: FilmComparison | None, results: TextIO) -> None:
    """One line a level at both visits, and the questions that remain."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(file=results, highlight=False, soft_wrap=True)
    if comparison is None:
        console.print("no comparison: both films must be read")
        return
    table = Table(box=None, pad_edge=False)
    headings = ("level", "baseline", "month 12", "change", "loss %", "loss mm", "flag", "reason")
    for heading in headings:
        table.add_column(heading, justify="right" if heading.startswith("loss") else "left")
    for change in comparison.changes:
        cells = (
            change.level.value,
            change.grade_baseline.value,
            change.grade_month12.value,
            change.kind.value,
            _text(change.height_change_max_pct, 1),
            _text(change.height_change_max_mm, 1),
            "reader" if change.flagged else "",
            change.reason,
        )
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table, soft_wrap=False)
    for query in comparison.queries:
        console.print(f"  query {query.query_id}: {escape(query.question)} {escape(query.values)}")
