"""Structured reports told by codes: what a site or concept means, and what is left alone."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from zoom_imaging.dxa.generic_sr import is_densitometry, read_generic_sr
from zoom_imaging.dxa.repeats import merge_repeats
from zoom_imaging.dxa.result import Side, Site

from .sr_items import code, item, number, tree


def site(meaning: str, value: str = "X2", *children: Dataset) -> Dataset:
    return item(
        "CODE",
        code("Finding Site", "363698007", "SCT"),
        *children,
        ConceptCodeSequence=[code(meaning, value, "SCT")],
    )


def side(meaning: str) -> Dataset:
    return item("CODE", code("Laterality", "272741003", "SCT"), ConceptCodeSequence=[code(meaning)])


def group(*children: Dataset) -> Dataset:
    return item("CONTAINER", code("Measurement Group", "125007", "DCM"), *children)


def read(*children: Dataset):
    content = read_generic_sr(tree(*children)[0])
    return {(row.site, row.side, row.label): row for row in content.rows}, content.warnings


def test_a_report_of_anything_else_is_none_of_densitometry():
    other, _ = tree(group(site("Liver"), number("Diameter", "12", unit="mm")))
    assert not is_densitometry(other)
    bone, _ = tree(group(site("Lumbar spine"), number("BMD", "0.9")))
    assert is_densitometry(bone)


@pytest.mark.parametrize(
    ("stated", "label"),
    [
        (site("First lumbar vertebra", "36470004"), "L1"),
        (site("Second lumbar vertebra"), "L2"),
        (site("L3"), "L3"),
        (site("Fourth lumbar vertebra"), "L4"),
        (site("Lumbar spine", "122496007"), "Total"),
        (site("Columna lumbar", "122496007"), "Total"),
        (site("L1-L4"), "L1-L4"),
        (site("L1-L3"), "L1-L3"),
    ],
)
def test_the_finding_site_of_a_group_names_the_lumbar_region(stated, label):
    rows, warnings = read(group(stated, number("BMD", "0.912"), number("BMC", "11.2", unit="g")))
    (row,) = rows.values()
    assert (row.site, row.label) == (Site.LUMBAR_SPINE, label)
    assert (row.bmd.value, row.bmc.value) == (0.912, 11.2)
    assert warnings == ()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (
            (site("Neck of femur"), side("Left")),
            (Site.FEMORAL_NECK, Side.LEFT, "Neck"),
        ),
        (
            (site("Neck of femur", "29627003", side("Right")),),
            (Site.FEMORAL_NECK, Side.RIGHT, "Neck"),
        ),
        ((site("Left total hip"),), (Site.TOTAL_HIP, Side.LEFT, "Total")),
        (
            (site("Intertrochanteric region of right femur"),),
            (Site.INTERTROCHANTER, Side.RIGHT, "Inter"),
        ),
        ((site("Greater trochanter"), side("Left")), (Site.TROCHANTER, Side.LEFT, "Troch")),
    ],
)
def test_a_hip_region_with_its_side(stated, expected):
    rows, _ = read(group(*stated, number("BMD", "0.701")))
    assert list(rows) == [expected]


def test_a_site_beside_the_number_holds_for_this_number_alone():
    rows, _ = read(
        group(
            number("BMD", "0.912", site("First lumbar vertebra")),
            number("BMD", "0.987", site("Second lumbar vertebra")),
        )
    )
    assert {label: row.bmd.value for (_, _, label), row in rows.items()} == {
        "L1": 0.912,
        "L2": 0.987,
    }


def test_loinc_concepts_name_measure_and_scan():
    root, _ = tree(
        number(code("DXA Lumbar spine [Mass/Area] Bone density", "24966-4", "LN"), "0.934"),
        number(code("DXA Lumbar spine [T-score] Bone density", "38267-1", "LN"), "-2.1", unit="1"),
    )
    (row,) = merge_repeats(read_generic_sr(root).rows)
    assert (row.site, row.label) == (Site.LUMBAR_SPINE, "Total")
    assert (row.bmd.value, row.t_score.value) == (0.934, -2.1)


def test_a_region_in_front_of_the_measure():
    rows, _ = read(
        item(
            "CONTAINER",
            "AP Spine",
            number("L1 BMD", "0.901"),
            number("L2 BMD", "0.955"),
            number("BMD", "0.930"),
        )
    )
    assert {label: row.bmd.value for (_, _, label), row in rows.items()} == {
        "L1": 0.901,
        "L2": 0.955,
        "Total": 0.930,
    }


def test_a_site_that_is_not_known_is_used_for_nothing_and_is_named():
    rows, warnings = read(
        group(site("Calcaneus"), number("BMD", "0.512")),
        group(site("L1"), number("BMD", "0.901")),
    )
    assert [label for _, _, label in rows] == ["L1"]
    assert any("BMD" in warning for warning in warnings)


def test_the_number_of_another_measure_is_no_bmd():
    rows, _ = read(group(site("L1"), number("Trabecular bone score", "1.301", unit="1")))
    assert all(row.bmd is None or row.bmd.value is None for row in rows.values())
