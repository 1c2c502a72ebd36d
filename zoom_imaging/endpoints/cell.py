"""One cell of a table: how text, numbers and flags are written, and how text is made harmless.

Text comes from patients' files and may hold spreadsheet formulas, terminal escapes or lone
surrogates of an undecodable file name. Numbers are written with a fixed count of decimals.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal

from zoom_imaging.ingest.text import visible

FORMULA_STARTS: tuple[str, ...] = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take text for a formula."""

LIST_SEPARATOR = ";"
"""Between the members of a list in one cell."""

_ANY_FLOAT = Context(prec=400, rounding=ROUND_HALF_EVEN)


def text_cell(text: str) -> str:
    """Text for a CSV cell: visible, and with an apostrophe where it would be a formula."""
    guard = "'" if text.startswith(FORMULA_STARTS) else ""
    return guard + visible(text)


def number_cell(value: float | None, decimals: int) -> str:
    """A number with `decimals` places, half to even, never "-0.00"; empty for None.

    ValueError for NaN and infinity: they must have been refused long before they reach a table.
    """
    if value is None:
        return ""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"table cell: expected a finite number, found {number}")
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(number)).quantize(step, context=_ANY_FLOAT)
    return format(abs(rounded) if rounded == 0 else rounded, "f")


def flag_cell(value: bool | None) -> str:
    """`Y`, `N`, or empty where it cannot be told."""
    if value is None:
        return ""
    return "Y" if value else "N"
