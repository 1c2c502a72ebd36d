"""Hard inputs from public bug reports of neighbouring tools, as far as the catalogue goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zoom_imaging.ingest.build import build_catalogue
from zoom_imaging.ingest.clinical import read_clinical_table

UID = r"[\d.]+"
OUTCOMES = {
    "container-zip-slip": {
        r"base\.dcm$": "used",
        r"(more\.zip!deep/m12|ok/m12)\.dcm$": "used|duplicate",
        r"escaped": "unreadable",
        r"link$": "unreadable",
        r"bomb": "unreadable",
    },
    "container-non-ascii-path": {r"\.dcm$": "used"},
    "clinical-csv-bom-quotes-crlf": {r"\.dcm$": "used"},
    "dates-with-dots": {r"\.dcm$": "used"},
    "id-zeros-and-spaces": {r"\.dcm$": "used"},
    "who-id-spaces-zeros": {r"\.dcm$": "used"},
    "syntax-no-meta-no-extension": {r"IM0001|IM0002|SPINE\.DCM": "used", r"notes": "not_dicom"},
    "text-formula-and-html": {r"\.dcm$": "used"},
    "truncated-many-ways": {
        r"cut|head_only|empty": "unreadable",
        r"good/|m12_202": "used",
    },
    "who-same-uid-other-content": {
        r"base|edited|film_": "conflicting",
        r"copy|reencoded": "conflicting|duplicate",
        r"m12": "used",
    },
    "zip-korean-nested-apple": {
        r"기저\.dcm$|m12/IM1$": "used",
        r"/\._IM1|^\._x\.zip$": "not_dicom",
        r"기타": "not_dicom",
        r"cut\.zip$": "unreadable",
    },
}


def catalogue_of(folder: Path, charter, clinical: Path | None = None):
    source = folder / "dicom" if (folder / "dicom").is_dir() else folder
    table = clinical or next(iter(sorted(folder.glob("clinical*.csv"))), None)
    return build_catalogue([source], charter, read_clinical_table(table) if table else None)


@pytest.mark.parametrize("case", sorted(OUTCOMES))
def test_case(shared, charter, case):
    entries = catalogue_of(shared / "cases" / case, charter).entries
    paths = [entry.source.path for entry in entries]
    assert len(set(paths)) == len(paths)
    for pattern, outcome in OUTCOMES[case].items():
        found = [entry for entry in entries if re.search(pattern, entry.source.path)]
        assert found, pattern
        for entry in found:
            assert re.fullmatch(outcome, entry.disposition.value), (entry.source.path, entry.reason)


@pytest.mark.parametrize("case", ["charset-term-not-defined", "text-wrong-character-set"])
def test_a_character_set_costs_no_file(shared, charter, case):
    for entry in catalogue_of(shared / "cases" / case, charter).entries:
        assert entry.kind.value == "dxa_report"
        assert entry.disposition.value == "outside_visit_window"  # there is no clinical table
        assert "\x1b" not in entry.header.patient_name


@pytest.mark.parametrize("variant", ["bom", "crlf", "utf8"])
def test_clinical_tables_that_are_read_give_one_catalogue(shared, charter, variant):
    folder = shared / "cases" / "clinical-encodings"
    catalogue = catalogue_of(folder, charter, folder / f"clinical_{variant}.csv")
    table = read_clinical_table(folder / f"clinical_{variant}.csv")
    assert [str(row.arm_actual) for row in table.rows] == ["once", "once_then_risedronate"]
    assert catalogue.queries == ()


def test_every_dicom_file_of_all_cases_has_a_plausible_row(shared, charter):
    for entry in build_catalogue([shared / "cases"], charter).entries:
        assert entry.disposition.value != "failed", entry
        assert bool(entry.reason) == (entry.disposition.value != "used")
