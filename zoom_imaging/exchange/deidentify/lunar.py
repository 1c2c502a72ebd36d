"""GE Lunar's XML in Image Comments, written anew with results and dates and no more.

Of each element only its name, the region, the type of the scan, the date of the exam and numbers
under known names are copied; a node of the patient or anything else does not come along.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, tostring

from zoom_imaging.dxa.naming import measure_named
from zoom_imaging.errors import UnreadableError
from zoom_imaging.exchange.deidentify.days import shifted_text
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.exchange.deidentify.structured import known_region
from zoom_imaging.exchange.deidentify.vocabulary import known_words

_FRAMES = frozenset(
    {
        "dxa_results",
        "densitometry_results",
        "current_exam",
        "scans",
        "scan",
        "rois",
        "roi",
        "trends",
        "trend",
        "exams",
        "exam",
        "change",
        "results",
    }
)
_NAMES = frozenset({"region", "trend_roi", "type"})
_DAYS = frozenset({"date", "exam_date", "baseline_exam_date"})
_DEVICE = frozenset(
    {
        "software_version",
        "encore_version",
        "version",
        "reference_population",
        "reference_database",
        "reference",
        "serial_number",
        "device_serial_number",
    }
)
_UNITS = frozenset({"units", "unit"})
_NUMBER = re.compile(r"^[<>]?\s*[-+\u2212]?[\d.,]+\s*(?:g/cm2|g/cm²|cm2|cm²|g|%)?$")
_UNIT = re.compile(r"^[A-Za-z0-9/%²^ ]{0,12}$")
_DEEPEST = 64


def rewritten_xml(text: str, scrubber: Scrubber) -> str:
    """The XML anew; UnreadableError where it cannot be taken apart and so not be cleaned."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    plain = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff")).strip(" \t\r\n\x00")
    try:
        root: Element = fromstring(plain, forbid_dtd=True)
        cleaned = _cleaned(root, scrubber, 0)
    except (DefusedXmlException, SyntaxError, ValueError, RecursionError) as error:
        raise UnreadableError(
            "the XML in Image Comments is damaged and cannot be cleaned"
        ) from error
    if cleaned is None:
        raise UnreadableError("the XML in Image Comments is of no known form")
    return tostring(cleaned, encoding="unicode")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2].strip() if isinstance(element.tag, str) else ""


def _cleaned(element: Element, scrubber: Scrubber, depth: int) -> Element | None:
    name = _name(element)
    lower = name.lower()
    if depth > _DEEPEST:
        raise ValueError(name)
    if lower in _FRAMES:
        frame = Element(name)
        _attributes(element, frame, scrubber)
        for child in element:
            inner = _cleaned(child, scrubber, depth + 1)
            if inner is not None:
                frame.append(inner)
        return frame
    value = _value(lower, " ".join((element.text or "").split()), scrubber)
    if value is None:
        return None
    leaf = Element(name)
    leaf.text = value
    _attributes(element, leaf, scrubber)
    return leaf


def _attributes(element: Element, into: Element, scrubber: Scrubber) -> None:
    for key, value in element.attrib.items():
        lower = key.lower()
        if lower in _UNITS:
            if _UNIT.match(value):
                into.set(key, value)
            continue
        cleaned = _value(lower, " ".join(value.split()), scrubber)
        if cleaned is not None and lower in _NAMES | _DAYS:
            into.set(key, cleaned)


def _value(name: str, text: str, scrubber: Scrubber) -> str | None:
    """The cleaned value of a leaf or an attribute by its name; None: not copied."""
    if name in _NAMES:
        return text if known_region(text) else known_words(text.replace("_", " "))
    if name in _DAYS:
        moved = shifted_text(text, scrubber.shift_days)
        return moved if moved != text and re.fullmatch(r"[\d/\-. :APM]*", moved) else ""
    if name in _DEVICE:
        return scrubber.device(text)
    if measure_named(name) is not None:
        return text if _NUMBER.match(text) or not text else "-"
    return None
