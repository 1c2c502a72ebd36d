"""One cell of a table: how numbers and flags are written; for text see `ingest.text.text_cell`."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal

LIST_SEPARATOR = ";"
"""Between the members of a list in one cell."""

_ANY_FLOAT = Context(prec=400, rounding=ROUND_HALF_EVEN)


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
