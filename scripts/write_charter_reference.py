"""Write docs/charter.md: every rule of the charter, from the schema and the comments of zoom.toml.

python scripts/write_charter_reference.py > docs/charter.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from zoom_imaging.charter import Charter, load_charter
from zoom_imaging.report.charter_text import ASSUMED_MARK, CharterValue, charter_values

_HEAD = (
    "# The charter\n\n"
    "Made from `zoom_imaging/charter.py` and `charters/zoom.toml` by "
    "`python scripts/write_charter_reference.py > docs/charter.md`. Do not edit.\n\n"
    "The charter is a TOML file that holds every rule which a trial may define differently. "
    "`--charter FILE` of `run`, `measure` and `dxa` names it; without it `charters/zoom.toml` "
    "holds. A rule that is missing, unknown or out of bounds is refused with its name. Each result "
    "folder says in `run.json` which charter made it, with its hash, and its report prints all "
    "values.\n\n"
    "*Assumed* marks a value that the ZOOM trial has not published: it is a usual one of the field "
    "and holds until the trial's own charter says otherwise. The program takes the mark from the "
    "word ASSUMED in the comment above a value; write the same in your own charter.\n"
)
_LIMITS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
)
_KINDS = {"number": "number", "integer": "whole number", "boolean": "true or false"}


def reference() -> str:
    """The whole document."""
    schema = Charter.model_json_schema()
    values = charter_values(load_charter())
    parts = [_HEAD]
    for section in schema["properties"]:
        model = _resolved(schema, schema["properties"][section])
        parts.append(f"## `[{section}]`\n")
        parts.append(f"{inspect.cleandoc(model['description'])}\n")
        parts.append("| key | ZOOM | allowed | |\n|---|---|---|---|")
        parts += [
            _row(value, _field(schema, model, value.name))
            for value in values
            if value.section == section
        ]
        parts.append("")
    parts += list(_cross_calibration(schema))
    return "\n".join(parts)


def _resolved(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    """The field itself, or the definition that it names."""
    name = field.get("$ref", "").rpartition("/")[2]
    return {**schema["$defs"][name], **field} if name else field


def _field(schema: dict[str, Any], model: dict[str, Any], name: str) -> dict[str, Any]:
    field = model
    for part in name.split("."):
        field = _resolved(schema, field["properties"][part])
    return field


def _row(value: CharterValue, field: dict[str, Any]) -> str:
    shown = {"yes": "true", "no": "false"}.get(value.value, value.value)
    said = "" if value.note == "as above" else value.note
    note = f"*Assumed.* {_without_mark(said)}" if value.assumed else said
    cells = [f"`{value.name}`", f"`{shown}`", _allowed(field), note.strip()]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _without_mark(note: str) -> str:
    return note.replace(f"{ASSUMED_MARK}: ", "").replace(f"{ASSUMED_MARK} ", "")


def _allowed(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if field.get("type") == "array":
        items = field["items"]
        return f"list of {_allowed(items)}" if "enum" in items else "list"
    words = [_KINDS.get(field.get("type", ""), "text")]
    words += [text.format(f"{field[key]:g}") for key, text in _LIMITS if key in field]
    return ", ".join(words)


def _cross_calibration(schema: dict[str, Any]) -> Iterator[str]:
    model = schema["$defs"]["CrossCalibration"]
    yield "## `[[dxa.cross_calibrations]]`\n"
    yield f"{inspect.cleandoc(model['description'])} One table for each pair of scanners.\n"
    yield "| key | allowed |\n|---|---|"
    for name, field in model["properties"].items():
        yield f"| `{name}` | {_allowed(field)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference())
