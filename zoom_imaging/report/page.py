"""One HTML page: its environment, its words for numbers and states, and its safe file name.

Pages open from a folder without a server. They hold no script, a strict content security policy,
and every text of a file is escaped and shown with its control characters visible.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoom_imaging.html import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment

NOT_GIVEN = "not given"
"""Stands wherever a value is missing: an empty cell could be read as normal."""

_SLUG_LENGTH = 32
_DIGEST_LENGTH = 8
_SPELLED = {
    "dxa": "DXA",
    "dicom": "DICOM",
    "dicomdir": "DICOMDIR",
    "month12": "month 12",
    "bmd": "BMD",
    "lsc": "LSC",
    "ocr": "OCR",
    "pdf": "PDF",
    "sr": "SR",
    "xml": "XML",
    "ap": "AP",
}
_MINUS = "\N{MINUS SIGN}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of this package, escaping everything; an unknown name is an error."""
    made = template_environment(Path(__file__).parent / "templates")
    made.filters.update(number=number, signed=signed, answer=answer, listed=listed, words=words)
    return made


def render(template: str, **content: Any) -> str:
    """A whole page as text."""
    return environment().get_template(template).render(**content)


def write_text(path: Path, text: str) -> None:
    """UTF-8 with LF; OSError as the file system raises it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def page_name(subject_id: str) -> str:
    """File name of a subject's page: harmless letters of the id and a digest of all of it."""
    digest = hashlib.sha256(subject_id.encode("utf-8", "surrogatepass")).hexdigest()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", subject_id)[:_SLUG_LENGTH].strip("-").lower()
    return f"{slug or 'subject'}-{digest[:_DIGEST_LENGTH]}.html"


def number(value: float | None, decimals: int = 2) -> str:
    """A number with a true minus sign, or the words for a missing one."""
    if value is None:
        return NOT_GIVEN
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", _MINUS)


def signed(value: float | None, decimals: int = 2) -> str:
    """Like `number`, with a plus sign where it is positive."""
    text = number(value, decimals)
    plain = value is None or text.startswith(_MINUS) or float(text) == 0
    return text if plain else f"+{text}"


def answer(value: bool | None) -> str:
    """Yes, no, or that it cannot be told."""
    if value is None:
        return "cannot be told"
    return "yes" if value else "no"


def listed(values: Any, none: str = "none") -> str:
    """Members of a sequence in one line."""
    return ", ".join(str(getattr(value, "value", value)) for value in values) or none


def words(value: Any) -> str:
    """A code of an enumeration as words: `outside_visit_window` becomes "outside visit window"."""
    return " ".join(
        _SPELLED.get(word, word) for word in str(getattr(value, "value", value)).split("_")
    )
