"""Structured reports of densitometry that are neither Lunar's nor Hologic's text.

Hologic's licensed SR, and reports whose values are told by codes: LOINC concepts, or measurement
groups with a finding site (TID 1500, TID 300). Codes and sites are put into the words that the
walk over a Lunar tree knows (`lunar_sr`); a site or concept that is not known stays as it is, is
used for nothing, and is named in the warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.lunar_sr import read_lunar_sr
from zoom_imaging.dxa.naming import measure_named, region_named, scan_named
from zoom_imaging.dxa.number import Quantity
from zoom_imaging.dxa.region import level_set, side_of, total_name
from zoom_imaging.dxa.result import Side
from zoom_imaging.dxa.sr_tree import SrItem

_SPINE, _FEMUR, _FOREARM = "AP Spine", "Femur", "Forearm"
_LOINC: dict[str, tuple[str, str]] = {
    "24966-4": ("BMD", _SPINE),
    "38267-1": ("T-score", _SPINE),
    "85394-5": ("Z-score", _SPINE),
    "38263-0": ("T-score", _FEMUR),
}
"""Measure and scan of a LOINC concept (loinc.org)."""

_LUMBAR_SPINE = "122496007"
_SITE_NAMES = frozenset({"finding site", "anatomic region", "region", "site", "roi", "target site"})
_TITLE_NAMES = frozenset({"tracking identifier"})
_SIDE_NAMES = frozenset({"laterality", "side", "image laterality"})
_ORDINALS = {"first": "L1", "second": "L2", "third": "L3", "fourth": "L4"}
_ORDINAL = re.compile(r"\b(first|second|third|fourth) lumbar vertebra\b")
_LUMBAR_LABEL = re.compile(r"\bL[1-4](?:\s*[-,]\s*L?[1-4])*\b", re.I)
_HIP_REGIONS: tuple[tuple[str, str], ...] = (
    (r"femoral neck|neck of femur|\bneck\b", "Neck"),
    (r"total (?:hip|femur)|(?:hip|femur|proximal femur),? total", "Total"),
    (r"intertrochanter", "Inter"),
    (r"trochanter", "Troch"),
    (r"ward", "Wards"),
    (r"shaft of femur|femoral shaft", "Shaft"),
)


@dataclass(frozen=True)
class _Place:
    """A scan and a region in it, in Lunar's words; "" where not known."""

    scan: str = ""
    region: str = ""


def is_densitometry(root: SrItem) -> bool:
    """True if at least one item is a bone mineral density or a LOINC score of it."""
    known = measure_named(root.meaning)
    if root.code in _LOINC or (known is not None and known[1] is Quantity.BMD):
        return True
    return any(is_densitometry(child) for child in root.children)


def read_generic_sr(root: SrItem, scan_date: date | None = None) -> ReportContent:
    """Everything that the tree says about densitometry; `scan_date` is the header's."""
    return read_lunar_sr(replace(root, children=tuple(_children(root, _Place()))), scan_date)


def _children(item: SrItem, place: _Place) -> Iterator[SrItem]:
    for child in item.children:
        yield from _in_known_words(child, place)


def _in_known_words(item: SrItem, place: _Place) -> Iterator[SrItem]:
    """The item with its measure, site and side as Lunar would name them."""
    stated = _stated_place(item)
    if item.value_type == "CONTAINER":
        here = stated or _named_place(item) or place
        inside = replace(item, children=tuple(_children(item, here)))
        # A container that says its site by a code says nothing by its name.
        yield _wrapped(stated, replace(inside, meaning="Measurements")) if stated else inside
        return
    measure, scan = _LOINC.get(item.code, ("", ""))
    region, named = _split(item.meaning, (stated or place).scan or scan)
    plain = replace(item, meaning=measure or named, children=())
    if measure_named(plain.meaning) is None:
        yield item
        return
    own = stated or (_Place(scan, "Total" if scan == _SPINE else "") if scan else None)
    if region:
        yield _wrapped(_Place((own or place).scan, region), plain)
    elif stated or (own and not place.scan):
        yield _wrapped(own, plain)
    elif not place.region and place.scan == _SPINE:
        yield _wrapped(_Place("", "Total"), plain)
    else:
        yield plain


def _wrapped(place: _Place | None, item: SrItem) -> SrItem:
    """The item inside of containers that name its region and scan."""
    for name in (place.region, place.scan) if place else ():
        if name:
            item = SrItem("CONTAINER", name, "", None, (item,), relationship="CONTAINS")
    return item


def _stated_place(item: SrItem) -> _Place | None:
    """The place by the finding sites and laterality that stand directly under an item.

    Several vertebrae are a total of them; other sites side by side are no one place. A site without
    a region (a forearm) has the one that the group's title ends with.
    """
    sites = _all(item, _SITE_NAMES)
    if not sites:
        return None
    sides = _all(item, _SIDE_NAMES) or _all(sites[0], _SIDE_NAMES)
    side = side_of(sides[0].text) if sides else Side.NONE
    places = [_place_of(site.text, site.value_code, side) for site in sites]
    place = places[0]
    if len(places) > 1:
        labels = [one.region for one in places if one is not None and one.scan == _SPINE]
        levels = level_set(",".join(labels)) if len(labels) == len(places) else None
        place = _Place(_SPINE, total_name(levels)) if levels else None
    if place is not None and place.scan and not place.region:
        titles = _all(item, _TITLE_NAMES)
        return replace(place, region=_region_at_end(titles[0].text, place.scan) if titles else "")
    return place


def _region_at_end(title: str, scan: str) -> str:
    """The longest end of a title (`Left Forearm Radius 33%`) that is a region of the scan."""
    known = scan_named(scan)
    words = title.split()
    ends = (" ".join(words[first:]) for first in range(1, len(words)))
    return next((end for end in ends if known and region_named(known, end)), "")


def _named_place(item: SrItem) -> _Place | None:
    scan = scan_named(item.meaning)
    return _Place(item.meaning) if scan is not None else None


def _all(item: SrItem, names: frozenset[str]) -> list[SrItem]:
    """The children with a value that have one of these names."""
    return [
        child
        for child in item.children
        if " ".join(child.meaning.lower().split()) in names and child.text
    ]


def _place_of(text: str, code: str, side: Side) -> _Place | None:
    words = " ".join(text.lower().split())
    spine = _spine_region(text, words, code)
    if spine:
        return _Place(_SPINE, spine)
    told = side if side is not Side.NONE else side_of(text)
    prefix = f"{told.value.capitalize()} " if told is not Side.NONE else ""
    for pattern, region in _HIP_REGIONS:
        if re.search(pattern, words):
            return _Place(prefix + _FEMUR, region)
    if re.search(r"\bhip\b|\bfemur\b", words):
        return _Place(prefix + _FEMUR)
    if re.search(r"\bforearm\b|\bradius\b", words):
        return _Place(prefix + _FOREARM)
    return None


def _spine_region(text: str, words: str, code: str) -> str:
    """The vertebra, the set of vertebrae or "Total"; "" for any other site."""
    ordinal = _ORDINAL.search(words)
    if ordinal:
        return _ORDINALS[ordinal[1]]
    label = _LUMBAR_LABEL.search(text)
    if label and level_set(label[0]) is not None:
        return label[0].upper()
    is_spine = code == _LUMBAR_SPINE or re.search(r"\blumbar (?:spine|vertebra)", words)
    return "Total" if is_spine else ""


def _split(meaning: str, scan: str) -> tuple[str, str]:
    """`L1 BMD`, `Neck T-score` as region and measure, where the scan has such a region."""
    known = scan_named(scan) if scan else None
    words = meaning.split()
    for count in range(1, len(words)):
        region, measure = " ".join(words[:count]), " ".join(words[count:])
        if known and region_named(known, region) and measure_named(measure):
            return region, measure
    return "", meaning
