"""The charter's values as a table, with the values that are assumed until the trial confirms them.

Which values are assumed stands only in the comments of the charter's TOML, so its text is read
beside the validated model; without the text the report says that it cannot tell.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from zoom_imaging.charter import Charter, default_charter_path

_SECTION = re.compile(r"\s*\[+\s*([A-Za-z0-9_.\-]+)\s*\]+\s*(?:#.*)?$")
_KEY = re.compile(r"([A-Za-z0-9_\-]+)\s*=")
ASSUMED_MARK = "ASSUMED"


@dataclass(frozen=True)
class CharterValue:
    """One rule: where it stands, its value, whether it is assumed (None: cannot be told)."""

    section: str
    name: str
    value: str
    assumed: bool | None
    note: str


def charter_values(charter: Charter, source: Path | None = None) -> tuple[CharterValue, ...]:
    """Every value of the charter in the order of its schema.

    `source` is the file that it was read from. Its comments count only if it holds these very
    values; without it the default charter is tried. A rule that the file leaves to the program's
    default is assumed: nobody has stated it.
    """
    text = _matching_text(charter, source if source is not None else default_charter_path())
    notes = _notes(text) if text is not None else {}
    written = _written(text) if text is not None else frozenset()
    values = []
    for section, rules in charter.model_dump(mode="json").items():
        for name, value in _flat(rules):
            key = f"{section}.{name}"
            assumed, note = notes.get(key, (False if text is not None else None, ""))
            if text is not None and key not in written and value != []:
                assumed, note = True, "not in this charter: the default of the program"
            values.append(CharterValue(section, name, _shown(value), assumed, note))
    return tuple(values)


def _written(text: str) -> frozenset[str]:
    return frozenset(
        f"{section}.{name}"
        for section, rules in tomllib.loads(text).items()
        for name, _ in _flat(rules)
    )


def _matching_text(charter: Charter, source: Path) -> str | None:
    try:
        text = source.read_text(encoding="utf-8")
        same = Charter.model_validate(tomllib.loads(text)) == charter
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError):
        return None
    return text if same else None


def _notes(text: str) -> dict[str, tuple[bool, str]]:
    """For each key whether the comment above it says that it is assumed, and that comment.

    A comment holds for all keys below it up to the next comment, blank line or section. To call a
    value assumed that is not does less harm than the reverse.
    """
    notes: dict[str, tuple[bool, str]] = {}
    section, comment, fresh = "", "", False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            said = stripped.lstrip("# ")
            comment = f"{comment} {said}" if fresh else said
            fresh = True
            continue
        if not stripped:
            comment, fresh = "", False
            continue
        heading = _SECTION.match(stripped)
        if heading:
            section = heading.group(1)
            comment, fresh = "", False
            continue
        key = _KEY.match(stripped)
        if key:
            beside = stripped.partition(" #")[2].strip()
            assumed = ASSUMED_MARK in comment or ASSUMED_MARK in beside
            above = comment if fresh else ("as above" if comment else "")
            notes[f"{section}.{key.group(1)}"] = (assumed, beside or above)
        fresh = False
    return notes


def _flat(rules: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for name, value in rules.items():
        if isinstance(value, dict):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((prefix + name, value))
    return flat


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(_shown(member) for member in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(member)}" for name, member in value.items())
    return str(value)
