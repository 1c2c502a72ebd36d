"""One subject: films decide which vertebrae stand behind the lumbar BMD."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, LUMBAR_DXA_LEVELS, Grade, Level, Visit
from zoom_imaging.batch.study import Outcome
from zoom_imaging.batch.subject import assemble
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, Scanner, Site
from zoom_imaging.ingest.catalogue import CatalogueEntry, Disposition, FileKind, SourceFile

from ..endpoints.conftest import film

CHARTER = load_charter()
AREA = 10.0


def report(path, bmds, day):
    results = [
        DxaResult(Site.LUMBAR_SPINE, level.value, AREA, AREA * bmd, bmd, -1.0)
        for level, bmd in zip(LUMBAR_DXA_LEVELS, bmds, strict=True)
    ]
    total = sum(bmds) / len(bmds)
    results.append(
        DxaResult(Site.LUMBAR_SPINE, "L1-L4", 4 * AREA, 4 * AREA * total, round(total, 3), -1.1)
    )
    return DxaReport(
        path,
        f"1.9.{path}",
        DxaSource.HOLOGIC_TEXT,
        day,
        Scanner("HOLOGIC", "Horizon", "S1", "13"),
        "f",
        "13",
        "White Female",
        LUMBAR_DXA_LEVELS,
        tuple(results),
        scan_id=path,
    )


def entry(path, kind, visit, disposition=Disposition.USED, reason=""):
    return CatalogueEntry(
        SourceFile(path, f"/{path}"), path, kind, disposition, reason, None, "0012", visit
    )


ENTRIES = [
    entry("d0", FileKind.DXA_REPORT, Visit.BASELINE),
    entry("d1", FileKind.DXA_REPORT, Visit.MONTH12),
    entry("f0", FileKind.SPINE_RADIOGRAPH, Visit.BASELINE),
    entry("f1", FileKind.SPINE_RADIOGRAPH, Visit.MONTH12),
]
REPORTS = {
    "d0": Outcome(Disposition.USED, report=report("d0", (0.8, 0.8, 0.8, 0.8), date(2025, 3, 1))),
    "d1": Outcome(Disposition.USED, report=report("d1", (0.8, 1.0, 0.8, 0.8), date(2026, 3, 1))),
}


def films(after):
    return {
        "f0": Outcome(Disposition.USED, films=(film("f0", {}),)),
        "f1": Outcome(Disposition.USED, films=(film("f1", after),)),
    }


@pytest.mark.parametrize(
    ("after", "levels", "change"),
    [
        ({}, "L1-L4", 6.25),
        ({Level.L2: (0.35, Grade.MODERATE)}, "L1,L3-L4", 0.0),
        ({Level.T12: (0.35, Grade.MODERATE)}, "L1-L4", 6.25),
    ],
)
def test_a_new_lumbar_fracture_leaves_the_bmd_at_both_visits(after, levels, change):
    subject = assemble("0012", None, ENTRIES, REPORTS | films(after), CHARTER)
    found = subject.bmd_changes["lumbar_spine"]
    assert found.levels == levels
    assert found.change_pct == pytest.approx(change)
    assert subject.fractures.any_new is bool(after)
    assert [change.level for change in subject.changes] == list(GRADED_LEVELS)
    assert [source.path for source in subject.film_sources[Visit.MONTH12]] == ["f1"]
    if Level.L2 in after:
        assert "L2" in found.reason
        assert found.excluded_levels == (Level.L2,)


def test_a_value_that_is_missing_names_the_file_that_was_lost():
    lost = entry("d1", FileKind.DXA_REPORT, Visit.MONTH12, Disposition.CONFLICTING, "two contents")
    subject = assemble("0012", None, [ENTRIES[0], lost], REPORTS, CHARTER)
    found = subject.bmd_changes["lumbar_spine"]
    assert found.month12_g_per_cm2 is None
    assert found.change_pct is None
    assert "d1 is conflicting: two contents" in found.reason


def test_a_film_without_a_reading_gives_levels_their_reason():
    dark = replace(film("f1", {}, ()), refusal="dark")
    refused = {"f1": Outcome(Disposition.USED, "dark", films=(dark,))}
    subject = assemble("0012", None, ENTRIES, REPORTS | films({}) | refused, CHARTER)
    assert {one.state.value for one in subject.vertebrae[Visit.MONTH12]} == {"not_imaged"}
    assert all("dark" in one.reason for one in subject.vertebrae[Visit.MONTH12])
    assert subject.fractures.any_new is None


def test_a_subject_without_files_is_there_with_reasons():
    subject = assemble("0012", None, [], {}, CHARTER)
    assert set(subject.bmd_changes) == {"lumbar_spine", "total_hip", "femoral_neck"}
    assert all(change.reason for change in subject.bmd_changes.values())
    assert subject.fractures.levels_evaluable_both == 0
