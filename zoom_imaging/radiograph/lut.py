"""Modality LUT and VOI LUT of a header, as tables or as formulas (PS3.3 C.11.1 and C.11.2).

pydicom's own functions refuse tables of 12 bits and tables coded with 0 entries in odd VRs, and
warn where they should name a value; here a table or a window is used, or named and left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from zoom_imaging.errors import UnreadableError
from zoom_imaging.radiograph.decimals import converted_value, decimals, header_text
from zoom_imaging.radiograph.layout import Layout

Floats = NDArray[np.float32]
Notes = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A look-up table: `first` is the input value of the first entry."""

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def look_up(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Entries for values; beyond both ends the first and the last entry (PS3.3 C.11.1.1)."""
        index = np.rint(values).astype(np.int64) - self.first
        found: NDArray[np.uint16] = self.entries[np.clip(index, 0, len(self.entries) - 1)]
        return found


@dataclass(frozen=True)
class Modality:
    """Values behind the modality LUT; `step` is the smallest difference that they can have."""

    values: Floats
    step: float


class TableFaultError(ValueError):
    """A table of the header that contradicts itself."""


def read_table(item: Dataset, *, signed: bool, little_endian: bool) -> Table:
    """A table from one item of a LUT sequence; TableFaultError says what is wrong with it."""
    words = _words(item, "LUTDescriptor", little_endian)
    if words is None or len(words) != 3:
        raise TableFaultError("LUT Descriptor (0028,3002) has not three values")
    count, first, bits = (int(word) for word in words)
    count = count or 65536
    if signed and first & 0x8000:
        first -= 0x10000
    entries = _entries(item, count, little_endian)
    if not 1 <= bits <= 16:
        raise TableFaultError(f"LUT Descriptor (0028,3002) declares {bits} bits an entry")
    needed = max(int(entries.max()).bit_length(), 1)
    return Table(first, entries, max(bits, needed))


def _raw(item: Dataset, keyword: str) -> Any:
    if keyword not in item:
        return None
    element = item.get_item(keyword, keep_deferred=True)
    return element.value if element is not None else None


def _words(item: Dataset, keyword: str, little_endian: bool) -> NDArray[np.uint16] | None:
    value = _raw(item, keyword)
    if value is None:
        return None
    if isinstance(value, bytes):
        whole = value[: len(value) // 2 * 2]
        return np.frombuffer(whole, dtype="<u2" if little_endian else ">u2").astype(np.uint16)
    numbers = [value] if isinstance(value, int) else list(value)
    return (np.array(numbers, dtype=np.int64) & 0xFFFF).astype(np.uint16)


def _entries(item: Dataset, count: int, little_endian: bool) -> NDArray[np.uint16]:
    value = _raw(item, "LUTData")
    if isinstance(value, bytes) and count <= len(value) < 2 * count:
        return np.frombuffer(value[:count], dtype="u1").astype(np.uint16)
    words = _words(item, "LUTData", little_endian)
    held = 0 if words is None else len(words)
    if words is None or held < count:
        raise TableFaultError(f"LUT Data (0028,3006) holds {held} of {count} entries")
    return words[:count]


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    tag = tag_for_keyword(keyword)
    sequence = converted_value(dataset, tag) if tag is not None else None
    return sequence[0] if isinstance(sequence, Sequence) and len(sequence) else None


def _is_little_endian(dataset: Dataset) -> bool:
    return bool(dataset.original_encoding[1] is not False)


def modality_values(
    values: NDArray[np.int32], dataset: Dataset, layout: Layout, path: str
) -> tuple[Modality, Notes]:
    """Apply the modality LUT: the table, else rescale slope and intercept, else nothing.

    A slope of 0 or one that is no number has lost the picture's grey values or their direction:
    UnreadableError. So has a table that contradicts itself.
    """
    item = _first_item(dataset, "ModalityLUTSequence")
    slope, intercept = decimals(dataset, "RescaleSlope"), decimals(dataset, "RescaleIntercept")
    notes = slope.faults + intercept.faults
    if item is not None:
        try:
            table = read_table(item, signed=layout.signed, little_endian=_is_little_endian(dataset))
        except TableFaultError as error:
            raise UnreadableError(
                f"{path}: the Modality LUT (0028,3000) cannot be applied ({error})",
                remedy="export the image again",
            ) from error
        if slope.first not in {None, 1.0} or intercept.first not in {None, 0.0}:
            notes += ("Modality LUT and rescale slope are both given; the LUT was applied",)
        return Modality(table.look_up(values).astype(np.float32), 1.0), notes
    factor = slope.first if slope.is_present else 1.0
    offset = intercept.first if intercept.is_present else 0.0
    if factor is None or factor == 0 or not math.isfinite(factor):
        raise UnreadableError(
            f"{path}: Rescale Slope (0028,1053) is invalid, so the grey values and their direction "
            "are not known",
            expected="a number other than 0",
            found="0" if factor == 0 else "no number",
            remedy="export the image again",
        )
    if offset is None:
        notes += ("Rescale Intercept (0028,1052) is no number; 0 was used",)
        offset = 0.0
    scaled = (values.astype(np.float64) * factor + offset).astype(np.float32)
    return Modality(scaled, abs(factor)), notes


def voi_values(modality: Modality, dataset: Dataset, layout: Layout) -> tuple[Floats | None, Notes]:
    """Apply the first VOI LUT, else the first valid window; None if there is neither.

    Returns values 0..1. What is invalid is named in the notes and left out.
    """
    notes: Notes = ()
    item = _first_item(dataset, "VOILUTSequence")
    if item is not None:
        signed = layout.signed or float(modality.values.min()) < 0
        try:
            table = read_table(item, signed=signed, little_endian=_is_little_endian(dataset))
        except TableFaultError as error:
            notes += (f"the VOI LUT (0028,3010) was not used: {error}",)
        else:
            looked_up = table.look_up(modality.values).astype(np.float32)
            return looked_up / np.float32((1 << table.bits) - 1), notes
    centres, widths = decimals(dataset, "WindowCenter"), decimals(dataset, "WindowWidth")
    notes += centres.faults + widths.faults
    function = header_text(dataset, "VOILUTFunction").upper() or "LINEAR"
    if function not in {"LINEAR", "LINEAR_EXACT", "SIGMOID"}:
        notes += (f"VOI LUT Function (0028,1056) {function!r} is not known; LINEAR was used",)
        function = "LINEAR"
    if len(centres.values) != len(widths.values):
        notes += (
            f"Window Center has {len(centres.values)} values and Window Width "
            f"{len(widths.values)}; pairs were used",
        )
    for centre, width in zip(centres.values, widths.values, strict=False):
        if centre is None or width is None:
            continue
        if width <= 0:
            notes += (f"Window Width (0028,1051) {width:g} is not above 0; not used",)
            continue
        return window(modality.values, centre, width, function, modality.step), notes
    if not centres.is_present and not widths.is_present:
        return None, notes
    return None, (*notes, "no valid window; grey values scaled by percentiles")


def window(
    values: NDArray[np.floating[Any]], centre: float, width: float, function: str, step: float = 1.0
) -> Floats:
    """One window, to 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    The standard's LINEAR takes half a unit from the centre and one from the width because values
    are whole numbers. Where a slope below 1 makes the step smaller than one, the step takes the
    place of the unit; otherwise a slope of 0.001 would cut a quarter off the picture.
    """
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - centre) / width, -50, 50)
        return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float32)
    unit = min(1.0, step) if function == "LINEAR" else 0.0
    span = width - unit
    middle = centre - unit / 2
    if span <= 0:  # a width of one step is a threshold
        return np.asarray(values > middle, dtype=np.float32)
    return np.asarray(np.clip((values - middle) / span + 0.5, 0, 1), dtype=np.float32)
