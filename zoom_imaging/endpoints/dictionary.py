"""The data dictionary: every table and column of the result folder, and the document made of it."""

from __future__ import annotations

from collections.abc import Iterator

from zoom_imaging.endpoints.column import Column, Kind, Table
from zoom_imaging.endpoints.image_columns import (
    CHANGE_COLUMNS,
    DXA_COLUMNS,
    VERTEBRA_COLUMNS,
    level_column,
    reason_column,
    uid_column,
    visit_column,
)
from zoom_imaging.endpoints.subject_columns import SUBJECT_COLUMNS
from zoom_imaging.ingest.catalogue import Disposition, FileKind


def _text(name: str, label: str, definition: str, required: bool = False) -> Column:
    return Column(
        name=name,
        label=label,
        kind=Kind.TEXT,
        definition=definition,
        source="this program",
        required=required,
    )


def _codes(name: str, label: str, codes: tuple[str, ...], definition: str) -> Column:
    return Column(
        name=name,
        label=label,
        kind=Kind.CODE,
        codes=codes,
        definition=definition,
        source="this program",
        required=True,
    )


def _optional_subject() -> Column:
    return _text("subject_id", "Subject", "As in endpoints.csv; empty where it is not known.")


_FILE_COLUMNS = (
    _text(
        "path",
        "Path",
        "Relative to the source where there is one; ARCHIVE!MEMBER for a member of an archive; "
        "undecodable bytes as \\xNN.",
        required=True,
    ),
    _text("sha256", "SHA-256", "Of the bytes of the file; empty where they could not be read."),
    uid_column(required=False),
    _codes(
        "kind", "Kind", tuple(kind.value for kind in FileKind), "What the file is, by its content."
    ),
    _optional_subject(),
    visit_column(required=False),
    _codes(
        "disposition",
        "What became of the file",
        tuple(disposition.value for disposition in Disposition),
        "used, or why not. failed: an error that nobody foresaw, the run ends with exit 3.",
    ),
    reason_column("Sentence why the file is not used, or what to know about it."),
)

_QUERY_COLUMNS = (
    _text(
        "query_id",
        "Query",
        "Depends on what is asked about whom, so it is the same in every run.",
        required=True,
    ),
    _optional_subject(),
    visit_column(required=False),
    level_column(required=False),
    _text("question", "Question", "What a person must answer.", required=True),
    _text("values", "Values", "What contradicts what."),
    _codes("status", "Status", ("open", "answered", "closed"), "A run writes open queries."),
)

TABLES: tuple[Table, ...] = (
    Table("endpoints.csv", "subject", ("subject_id",), SUBJECT_COLUMNS),
    Table(
        "vertebrae.csv",
        "subject, visit and level",
        ("subject_id", "visit", "level"),
        VERTEBRA_COLUMNS,
    ),
    Table("changes.csv", "subject and level", ("subject_id", "level"), CHANGE_COLUMNS),
    Table("dxa.csv", "subject, visit, site and region of a report", (), DXA_COLUMNS),
    Table("files.csv", "input file", ("path",), _FILE_COLUMNS),
    Table("queries.csv", "query", ("query_id",), _QUERY_COLUMNS),
)
"""The CSV tables in the order in which they are written."""

OUTLINE_FIELDS: tuple[tuple[str, str], ...] = (
    ("sop_instance_uid", "DICOM object of the film."),
    ("level", "Vertebral level."),
    (
        "six_points_px",
        "sup_ant, sup_mid, sup_post, inf_ant, inf_mid, inf_post: [column, row], 0-based pixel "
        "centres of the stored image.",
    ),
    ("polygon_px", "Outline of the vertebral body, [[column, row], ...], closed implicitly."),
    (
        "sd_px",
        "One standard deviation of each of the six points, in their order, in pixels; empty where "
        "a reader placed them.",
    ),
)
"""Keys of a line of outlines.jsonl."""


def table(file_name: str) -> Table:
    """The table of this file name; KeyError without one."""
    return {one.file_name: one for one in TABLES}[file_name]


def dictionary_markdown() -> str:
    """docs/data_dictionary.md, the whole document."""
    return "\n".join(_document()) + "\n"


def _document() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield (
        "Made from `zoom_imaging/endpoints/dictionary.py` by `python -m "
        "zoom_imaging.endpoints.dictionary > docs/data_dictionary.md`. Do not edit."
    )
    yield ""
    yield (
        "Tables are CSV in UTF-8 with LF line ends. An empty cell means that there is no value: it "
        "is never zero and never normal; the reason stands beside it. Flags are `Y`, `N` or empty. "
        "Numbers have a fixed count of decimals, a point, and no thousands mark. Text that begins "
        "with `=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe before it, and "
        "control characters are written as `\\xNN`. *Assumed* marks values that rest on a rule of "
        "the charter which the trial has not confirmed."
    )
    for one in TABLES:
        yield ""
        yield f"## {one.file_name}"
        yield ""
        key = f" Key: {', '.join(f'`{name}`' for name in one.key)}." if one.key else ""
        yield f"One row for each {one.one_row_for}.{key}"
        yield ""
        yield "| column | label | type | unit | values | definition | source |"
        yield "|---|---|---|---|---|---|---|"
        for column in one.columns:
            yield _line(column)
    yield ""
    yield "## outlines.jsonl"
    yield ""
    yield "One JSON object a line for each vertebra that was delineated."
    yield ""
    yield "| key | definition |"
    yield "|---|---|"
    for name, definition in OUTLINE_FIELDS:
        yield f"| `{name}` | {definition} |"


def _line(column: Column) -> str:
    kind = column.kind.value
    if column.kind is Kind.DECIMAL:
        kind += f", {column.decimals} places"
    if column.required:
        kind += ", never empty"
    limits = [
        f"{word} {value:g}"
        for word, value in (("from", column.minimum), ("to", column.maximum))
        if value is not None
    ]
    values = ", ".join(f"`{code}`" for code in column.codes) or " ".join(limits)
    source = column.source + (" (assumed)" if column.assumed else "")
    definition = column.definition.replace("|", "\\|")
    cells = (f"`{column.name}`", column.label, kind, column.unit, values, definition, source)
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(dictionary_markdown(), end="")
