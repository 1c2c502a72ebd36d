"""Pandera schemas of the tables, made from the data dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from zoom_imaging.endpoints.column import Column, Kind, Table
from zoom_imaging.endpoints.write import Row
from zoom_imaging.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

_CHECKED_AT_ONCE = 20_000
_DTYPES = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.INTEGER: "Int64",
    Kind.DECIMAL: "Float64",
    Kind.FLAG: "boolean",
}


def schema(table: Table) -> pa.DataFrameSchema:
    """Exactly the columns of the dictionary, in their order, with their codes and limits."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                _DTYPES[column.kind],
                checks=_checks(column),
                nullable=not column.required,
            )
            for column in table.columns
        },
        strict=True,
        ordered=True,
        unique=list(table.key) or None,
        name=table.file_name,
    )


def frame(table: Table, rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as a typed frame in the order of the dictionary."""
    import pandas as pd

    content: dict[str, Any] = {}
    for column in table.columns:
        dtype: Any = _DTYPES[column.kind]
        content[column.name] = pd.array([row[column.name] for row in rows], dtype=dtype)
    return pd.DataFrame(content)


def checked(table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, once they are found to be what the dictionary says; else OutputError.

    Some thousand are looked at together, and no more are in memory.
    """
    coming, keys = iter(rows), set[tuple[object, ...]]()
    while part := list(islice(coming, _CHECKED_AT_ONCE)):
        check(table, part)
        for row in part if table.key else ():
            key = tuple(row[name] for name in table.key)
            if key in keys:
                raise OutputError(
                    f"{table.file_name} has two rows with the key {key}",
                    remedy="please report this as a fault of the program",
                )
            keys.add(key)
        yield from part


def check(table: Table, rows: Sequence[Row]) -> None:
    """OutputError with the first broken rules if the rows are not what the dictionary says."""
    from pandera.errors import SchemaErrors

    known = set(table.names)
    for row in rows:
        if set(row) != known:
            raise OutputError(
                f"{table.file_name}: a row and the data dictionary differ in "
                f"{', '.join(sorted(set(row) ^ known))}"
            )
    try:
        schema(table).validate(frame(table, rows), lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.head(5)
        faults = "; ".join(
            f"{case.column}: {case.failure_case!r} breaks {case.check}"
            for case in cases.itertuples()
        )
        raise OutputError(
            f"{table.file_name} breaks its own data dictionary: {faults}",
            remedy="please report this as a fault of the program",
        ) from errors


def _checks(column: Column) -> list[pa.Check]:
    import pandera.pandas as pa

    checks = []
    if column.codes:
        checks.append(pa.Check.isin(column.codes))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    if column.required and column.kind is Kind.TEXT:
        checks.append(pa.Check.str_length(min_value=1))
    return checks
