"""Text of structured reports: what a content item may keep by what its name says that it is.

Results that stand in text items (scores), dates, versions, references and sites are kept; any other
text is replaced. A name that holds a date (Lunar's trends) gets it moved, and its code a token.
"""

from __future__ import annotations

import re

from zoom_imaging.dxa.naming import measure_named, scan_named
from zoom_imaging.dxa.region import hip_region, level_set
from zoom_imaging.exchange.deidentify.days import days_in, only_day, shifted_text
from zoom_imaging.exchange.deidentify.profile import DUMMY_TEXT
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.vocabulary import known_words

_DATES_LIST = """
    scandate dateofscan examdate dateofexam measured measurementdate analysisdate analyzed
    analysed dateofanalysis
"""
DATES = frozenset(_DATES_LIST.split())
_DEVICE_LIST = """
    encoreversion softwareversion analysisversion version referencepopulation
    referencedatabase reference population serialnumber deviceserialnumber systemserialnumber
"""
DEVICE = frozenset(_DEVICE_LIST.split())
_MODES_LIST = """
    scanmode acquisitionmode mode
"""
MODES = frozenset(_MODES_LIST.split())
_SCAN_IDS_LIST = """
    scanid scannumber fileid
"""
SCAN_IDS = frozenset(_SCAN_IDS_LIST.split())
_PLACES_LIST = """
    findingsite anatomicregion region site roi targetsite trackingidentifier laterality side
    imagelaterality languageofcontentitem
"""
PLACES = frozenset(_PLACES_LIST.split())
_NUMERIC = re.compile(r"^[<>~]?\s*[-+\u2212]?\d*[.,]?\d+\s*[A-Za-z%²^/0-9 ]{0,10}$")


def known_region(text: str) -> bool:
    """Whether a label is a lumbar level or total, a region of the hip, or a scan."""
    plain = " ".join(text.split())
    return len(plain) <= 32 and (
        level_set(plain) is not None or hip_region(plain) is not None or _is_scan(plain)
    )


def _is_scan(text: str) -> bool:
    return scan_named(text) is not None and known_words(text) == text


def text_value(meaning: str, text: str, scrubber: Scrubber, secret: Secret) -> str:
    """The text that stands in the place of a text item's value."""
    key = re.sub(r"[^a-z0-9]", "", meaning.lower())
    if measure_named(meaning) is not None:
        return text if _NUMERIC.match(text.strip()) or not text.strip() else DUMMY_TEXT
    if key in DATES:
        return _moved_day(text, scrubber)
    if key in SCAN_IDS:
        return secret.token("scan", text.strip())
    if key in DEVICE:
        return scrubber.device(text) or DUMMY_TEXT
    if key in MODES or key in PLACES:
        kept = known_words(
            text, {"radius", "ulna", "english", "korean", "third", "mid", "vertebra"}
        )
        return (text if known_region(text) else kept) or DUMMY_TEXT
    return DUMMY_TEXT


def _moved_day(text: str, scrubber: Scrubber) -> str:
    """The date moved; nothing is kept of a text that says anything else."""
    plain = text.strip()
    if not any(True for _ in days_in(plain)) or only_day(plain) != plain:
        return DUMMY_TEXT
    return shifted_text(plain, scrubber.shift_days)


def meaning(text: str, scrubber: Scrubber) -> str:
    """A code's meaning without identifiers, its dates moved."""
    return scrubber.text(text)
