"""Lateral or anteroposterior, and which part of the spine, in the words that sites use."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.view import SpinePart, spine_part, view_of


@pytest.mark.parametrize(
    ("position", "codes", "orientation", "texts", "view"),
    [
        ("LL", (), "", (), View.LATERAL),
        ("rl", (), "", (), View.LATERAL),
        ("LATERAL", (), "", (), View.LATERAL),
        ("AP", (), "", (), View.AP),
        ("PA", (), "", (), View.AP),
        ("LLO", (), "", (), View.OTHER),
        ("", ("399173006", "left lateral"), "", (), View.LATERAL),
        ("", ("399348003", "antero-posterior"), "", (), View.AP),
        ("", ("r-10206",), "", (), View.AP),
        ("", (), "P\\F", (), View.LATERAL),
        ("", (), "A\\F", (), View.LATERAL),
        ("", (), "L\\F", (), View.AP),
        ("", (), "F\\P", (), View.LATERAL),
        ("", (), "A\\L", (), View.OTHER),
        ("", (), "P", (), View.UNKNOWN),
        ("", (), "", ("L-SPINE LAT",), View.LATERAL),
        ("", (), "", ("요추 측면",), View.LATERAL),
        ("", (), "", ("Spine AP",), View.AP),
        ("", (), "", ("Spine AP/LAT", "lateral"), View.LATERAL),
        ("", (), "", ("Spine AP & LAT",), View.UNKNOWN),
        ("", (), "", ("Plate of capsules",), View.UNKNOWN),
        ("", (), "", ("L-spine both oblique",), View.OTHER),
        ("", (), "", (), View.UNKNOWN),
        ("LL", (), "L\\F", (), View.UNKNOWN),
        ("AP", (), "", ("Whole spine lateral",), View.UNKNOWN),
    ],
)
def test_view(position, codes, orientation, texts, view):
    found, said = view_of(position, codes, orientation, texts)
    assert found is view
    assert said


@pytest.mark.parametrize(
    ("texts", "part"),
    [
        (("SPINE",), SpinePart.WHOLE),
        (("WSPINE",), SpinePart.WHOLE),
        (("Whole spine standing",), SpinePart.WHOLE),
        (("TLSPINE",), SpinePart.WHOLE),
        (("Thoracolumbar",), SpinePart.WHOLE),
        (("scoliosis series",), SpinePart.WHOLE),
        (("전척추 측면",), SpinePart.WHOLE),
        (("TSPINE",), SpinePart.THORACIC),
        (("T-Spine lat",), SpinePart.THORACIC),
        (("dorsal spine",), SpinePart.THORACIC),
        (("흉추",), SpinePart.THORACIC),
        (("LSPINE",), SpinePart.LUMBAR),
        (("L SPINE", "anything"), SpinePart.LUMBAR),
        (("L-S spine",), SpinePart.LUMBAR),
        (("lumbosacral",), SpinePart.LUMBAR),
        (("T-spine", "L-spine"), SpinePart.WHOLE),
        (("CSPINE",), SpinePart.CERVICAL),
        (("sacrum",), SpinePart.SACRAL),
        (("CHEST", "chest PA"), None),
        (("spinal",), SpinePart.WHOLE),
        (("HAND",), None),
        (("",), None),
    ],
)
def test_spine_part(texts, part):
    assert spine_part(texts) is part


def test_films_of_parts_overlap_with_the_whole_spine_only():
    assert SpinePart.WHOLE.overlaps(SpinePart.LUMBAR)
    assert not SpinePart.THORACIC.overlaps(SpinePart.LUMBAR)
