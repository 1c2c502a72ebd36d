"""The tree of a structured report: values as stored, and what is odd in it told."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from .sr_items import code, item, number, tree


@pytest.mark.parametrize("text", ["0.9", "+0.9000", "9.0E-1", "0.90000000000001"])
def test_a_number_keeps_its_text(text):
    root, warnings = tree(number("BMD", text))
    assert (root.children[0].text, root.children[0].unit) == (text, "g/cm2")
    assert warnings == []


@pytest.mark.parametrize(
    ("value_type", "keyword", "value", "text"),
    [
        ("TEXT", "TextValue", "-1.0", "-1.0"),
        ("TEXT", "TextValue", "−1.0", "−1.0"),
        ("TEXT", "TextValue", "김 영희", "김 영희"),
        ("DATE", "Date", "20250304", "20250304"),
        ("DATETIME", "DateTime", "20250304093000", "20250304093000"),
        ("UIDREF", "UID", "1.2.3", "1.2.3"),
    ],
)
def test_values_of_every_type_as_written(value_type, keyword, value, text):
    root, _ = tree(item(value_type, "Value", **{keyword: value}))
    assert root.children[0].text == text


def test_a_coded_value_by_meaning_and_code():
    root, _ = tree(item("CODE", "Finding Site", ConceptCodeSequence=[code("Lumbar", "122496007")]))
    assert (root.children[0].text, root.children[0].value_code) == ("Lumbar", "122496007")
    assert root.children[0].code == "X1"


def test_two_measured_values_in_one_item_are_both_shown_and_so_none_is_taken():
    two = number("BMD", "0.9")
    second = Dataset()
    second.NumericValue = "0.8"
    two.MeasuredValueSequence = [*two.MeasuredValueSequence, second]
    assert tree(two)[0].children[0].text == "0.9 | 0.8"


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda one: delattr(one, "RelationshipType"), "no relationship"),
        (lambda one: delattr(one, "ConceptNameCodeSequence"), "no name (value 0.9)"),
        (lambda one: delattr(one, "ValueType"), "no value type"),
    ],
)
def test_what_an_item_lacks_is_told(break_it, words):
    odd = number("BMD", "0.9")
    break_it(odd)
    _, warnings = tree(odd)
    assert any(words in warning for warning in warnings)


def test_an_empty_container_and_a_reference_to_nothing_are_told():
    _, warnings = tree(item("CONTAINER", "AP Spine"), item("IMAGE", "Source"))
    assert any("'AP Spine'" in warning and "empty" in warning for warning in warnings)
    assert any("refers to no object" in warning for warning in warnings)


def test_a_hundred_oddities_are_counted_and_not_all_listed():
    odd = [number(f"BMD {index}", "0.9") for index in range(100)]
    for one in odd:
        del one.RelationshipType
    _, warnings = tree(*odd)
    assert len(warnings) < 20
    assert "88 more" in warnings[-1]
