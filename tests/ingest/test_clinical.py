"""The clinical table: read exactly, or refused with the place and what was expected."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import Arm
from zoom_imaging.errors import ClinicalTableError
from zoom_imaging.ingest.clinical import read_clinical_table

HEADER = (
    "subject_id,arm,denosumab_years,zol1_date,zol2_date,second_dose,ctx_m6,ctx_m12,p1np_m6,p1np_m12"
)
ROW = "0012,twice,4.0,2025-01-15,2025-07-15,,0.21,0.34,22.1,31"


def write(tmp_path, text: str | bytes):
    path = tmp_path / "clinical.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"{HEADER}\n{ROW}",
        f"\ufeff{HEADER}\r\n{ROW}\r\n\r\n,,,,,,,,,\r\n",
        "\ufeff" + ",".join(f'"{name}"' for name in HEADER.split(",")) + f"\n{ROW}\n",
        f"{HEADER.upper()}\n\n{ROW.replace('twice', ' Twice ')}\n\n",
        f"{HEADER},,\n{ROW},,\n",
    ],
)
def test_one_table_in_the_spellings_that_are_allowed(tmp_path, text):
    (row,) = read_clinical_table(write(tmp_path, text)).rows
    assert row.subject_id == "0012"
    assert row.arm_planned is Arm.TWICE
    assert row.denosumab_years == 4.0
    assert (row.zol1_date, row.zol2_date) == (date(2025, 1, 15), date(2025, 7, 15))
    assert (row.ctx_m6, row.ctx_m12, row.p1np_m6, row.p1np_m12) == (0.21, 0.34, 22.1, 31.0)
    assert (row.ctx_baseline, row.p1np_baseline) == (None, None)  # never filled in
    assert row.arm_actual is Arm.TWICE


def test_ids_are_text_and_matched_exactly(tmp_path):
    table = read_clinical_table(write(tmp_path, "subject_id,arm\n007,once\n7,twice\n7.0,once\n"))
    assert [row.subject_id for row in table.rows] == ["007", "7", "7.0"]
    assert table.row("7").arm_planned is Arm.TWICE
    assert table.row("07") is None


def test_a_baseline_marker_is_taken_where_there_is_one_and_other_columns_are_kept(tmp_path):
    text = "subject_id,arm,ctx_baseline,note\nA,once,0.5,리세드로네이트\n"
    table = read_clinical_table(write(tmp_path, text))
    assert table.rows[0].ctx_baseline == 0.5
    assert table.rows[0].extra == (("note", "리세드로네이트"),)
    assert "column 'note'" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{HEADER}\n{ROW}\nA,once,,,,리세드로네이트,,,,".encode("cp949"),
            "line 3, column 6: expected UTF-8",
        ),
        (HEADER.encode("utf-16"), "found UTF-16"),
        (
            HEADER.replace(",", ";") + "\nA;once;1,8",
            "line 1: expected columns separated by commas, found semicolons",
        ),
        (HEADER.replace(",", "\t"), "found tabs"),
        ("", "an empty table"),
        ("\n\n", "an empty table"),
        ("id,arm\nA,once", "line 1, column subject_id: expected a column subject_id"),
        ("subject_id,zol1_date\nA,2025-01-01", "column arm: expected a column arm"),
        ("subject_id,arm,arm\n", "'arm' twice"),
        ("subject_id,arm,,x\n", "without a name"),
        (
            f"{HEADER}\n{ROW}\n{ROW}",
            "line 3, column subject_id: expected each subject once, "
            "found '0012' again (first in line 2)",
        ),
        (
            f"{HEADER}\n{ROW.replace('twice', 'both')}",
            "column arm: expected once, twice or an empty cell, found 'both'",
        ),
        (
            f"{HEADER}\n{ROW.replace('4.0', '4,0')}",
            "expected 10 columns as in the header, found 11",
        ),
        (
            f"{HEADER}\n" + ROW.replace("4.0", '"4,0"'),
            "column denosumab_years: expected a number with a decimal point",
        ),
        (f"{HEADER}\n{ROW.replace('4.0', '-4')}", "found '-4'"),
        (f"{HEADER}\n{ROW.replace('4.0', 'nan')}", "found 'nan'"),
        (f"{HEADER}\n{ROW.replace('0.21', '<0.1')}", "column ctx_m6"),
        (
            f"{HEADER}\n{ROW.replace('2025-01-15', '15/01/2025')}",
            "column zol1_date: expected a date as YYYY-MM-DD",
        ),
        (f"{HEADER}\n{ROW.replace('2025-01-15', '20250115')}", "found '20250115'"),
        (f"{HEADER}\n{ROW.replace('2025-01-15', '2025-02-30')}", "found '2025-02-30'"),
        (f"{HEADER}\n{ROW[5:]}", "expected 10 columns"),
        (f"{HEADER}\n,{ROW[5:]}", "column subject_id: expected an id"),
        (f"{HEADER}\nA\x1b[0m{ROW[4:]}", "column subject_id"),
        (f"{HEADER}\nA\0{ROW[4:]}", "line 2: expected text, found a NUL"),
        (f'{HEADER}\n"A{ROW[4:]}\n', "commas and double quotes"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ClinicalTableError) as refusal:
        read_clinical_table(path)
    assert str(path) in refusal.value.reason
    assert said in refusal.value.reason


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(ClinicalTableError, match="--clinical"):
        read_clinical_table(tmp_path / "none.csv")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("t") / "clinical.csv"
    path.write_bytes(b"subject_id,arm\n" + content)
    with contextlib.suppress(ClinicalTableError):
        read_clinical_table(path)
