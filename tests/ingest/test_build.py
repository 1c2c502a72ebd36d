"""The catalogue: each input file once, with its subject, visit and what became of it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pydicom.data
import pytest

from zoom_imaging.anatomy import View, Visit
from zoom_imaging.ingest import scan as scan_module
from zoom_imaging.ingest.build import build_catalogue
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.ingest.clinical import read_clinical_table
from zoom_imaging.query import QueryKind

D = Disposition
M12 = dict.fromkeys(("StudyDate", "AcquisitionDate", "ContentDate"), "20260110")


class Trial:
    """A folder of files of one trial, and its clinical table."""

    def __init__(self, folder: Path, specimen, charter) -> None:
        self.folder, self._specimen, self._charter = folder / "dicom", specimen, charter
        self.folder.mkdir()
        self._clinical = folder / "clinical.csv"
        self._count = 0
        self.clinical("T-001,once,2025-01-15", "T-002,once,2025-01-15")

    def clinical(self, *rows: str) -> None:
        self._clinical.write_text("\n".join(("subject_id,arm,zol1_date", *rows)))

    def add(self, path: str, make: str = "film", syntax=None, **elements) -> None:
        self._count += 1
        defaults = {
            "SOPInstanceUID": f"{self._specimen.ROOT}.9.{self._count}",
            "StudyInstanceUID": f"{self._specimen.ROOT}.8.{self._count}",
        }
        ds = getattr(self._specimen, make)(**(defaults | elements))
        content = self._specimen.dicom(ds, syntax) if syntax else self._specimen.dicom(ds)
        self._specimen.put(self.folder / path, content)

    def catalogue(self, *, clinical: bool = True, **options):
        table = read_clinical_table(self._clinical) if clinical else None
        return build_catalogue([self.folder], self._charter, table, **options)

    def rows(self, **options):
        return {entry.source.path: entry for entry in self.catalogue(**options).entries}

    def kinds(self, **options):
        return [query.kind for query in self.catalogue(**options).queries]


@pytest.fixture
def trial(tmp_path, specimen, charter) -> Trial:
    return Trial(tmp_path, specimen, charter)


def test_films_and_reports_of_both_visits_go_on(trial):
    trial.add("film0")
    trial.add("film12", **M12)
    trial.add("dxa0", "hologic")
    trial.add("dxa12", "report", StudyDate="20260110", ContentDate="20260110")
    rows = trial.rows()
    assert {path: row.visit for path, row in rows.items() if row.header} == {
        "film0": Visit.BASELINE,
        "film12": Visit.MONTH12,
        "dxa0": Visit.BASELINE,
        "dxa12": Visit.MONTH12,
    }
    assert {row.disposition for row in rows.values()} == {D.USED}
    assert rows["film0"].header.view is View.LATERAL
    assert rows["film0"].subject_id == "T-001"
    assert len(trial.catalogue().used(FileKind.SPINE_RADIOGRAPH)) == 2
    assert trial.kinds() == []


def test_every_file_has_one_row_whatever_it_is(trial, specimen):
    trial.add("film")
    trial.add("ct", SOPClassUID=specimen.CT, Modality="CT")
    trial.add("ap", ViewPosition="AP", PatientOrientation=["L", "F"], SeriesDescription="SPINE AP")
    trial.add("nobody", PatientID="")
    trial.add("late", AcquisitionDate="20270101", ContentDate="20270101", StudyDate="20270101")
    trial.add("undated", AcquisitionDate="", ContentDate="", StudyDate="")
    specimen.put(trial.folder / "notes.txt", b"hello")
    specimen.put(trial.folder / "cut", specimen.dicom(specimen.film())[:-2])
    specimen.put(trial.folder / "a.zip", specimen.archive({"x": b"text"}))
    rows = trial.rows()
    assert {path: (row.kind.value, row.disposition.value) for path, row in rows.items()} == {
        "../clinical.csv": ("clinical_table", "used"),
        "a.zip": ("archive", "not_relevant"),
        "a.zip!x": ("not_dicom", "not_dicom"),
        "ap": ("spine_radiograph", "wrong_view"),
        "ct": ("other_dicom", "not_relevant"),
        "cut": ("spine_radiograph", "unreadable"),
        "film": ("spine_radiograph", "used"),
        "late": ("spine_radiograph", "outside_visit_window"),
        "nobody": ("spine_radiograph", "unknown_subject"),
        "notes.txt": ("not_dicom", "not_dicom"),
        "undated": ("spine_radiograph", "outside_visit_window"),
    }
    assert "no valid date" in rows["undated"].reason
    assert (rows["cut"].subject_id, rows["cut"].visit) == ("T-001", Visit.BASELINE)
    for row in rows.values():
        assert bool(row.reason) == (row.disposition is not D.USED)
        assert len(row.sha256) == 64
        assert row.source.size_bytes > 0


def test_the_result_is_the_same_however_it_is_computed(trial, specimen, monkeypatch):
    for n in range(5):
        trial.add(f"f{n}", PatientID=f"T-00{n}")
    specimen.put(trial.folder / "a.zip", specimen.archive({"x": b"1", "y": b"2"}))
    plain = trial.catalogue()
    cache: dict = {}
    assert trial.catalogue(cache=cache) == plain
    assert trial.catalogue(cache=cache) == plain
    monkeypatch.setattr(scan_module, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(scan_module, "_CHUNK_FILES", 2)
    assert trial.catalogue(jobs=2) == plain


def test_the_clinical_table_among_the_sources_is_its_own_row(tmp_path, specimen, charter):
    table = specimen.put(tmp_path / "clinical.csv", b"subject_id,arm\nT-001,once\n")
    catalogue = build_catalogue([tmp_path], charter, read_clinical_table(table))
    assert [(e.source.path, e.kind, e.disposition) for e in catalogue.entries] == [
        ("clinical.csv", FileKind.CLINICAL_TABLE, D.USED)
    ]


def test_padding_and_zeros_of_ids(trial):
    trial.clinical("007,once,2025-01-15", "7,twice,2025-01-15")
    trial.add("a", PatientID="  007")
    trial.add("b", PatientID="007 ", **M12)
    trial.add("c", PatientID="7")
    rows = trial.rows()
    assert [rows[name].subject_id for name in "abc"] == ["007", "007", "7"]
    assert all(rows[name].disposition is D.USED for name in "abc")


def test_one_uid_and_one_data_set_is_one_object_and_its_copies(trial):
    trial.add("b", SOPInstanceUID="1.2.3.4.5", StudyInstanceUID="1.2")
    trial.add("a", SOPInstanceUID="1.2.3.4.5", StudyInstanceUID="1.2", syntax="1.2.840.10008.1.2")
    trial.add("c", SOPInstanceUID="1.2.3.4.5", StudyInstanceUID="1.2")
    os.symlink("b", trial.folder / "link")
    rows = trial.rows()
    assert rows["a"].disposition is D.USED
    for name in ("b", "c", "link"):
        assert (rows[name].disposition, rows[name].reason) == (D.DUPLICATE, "the same object as a")
    assert trial.kinds() == []


@pytest.mark.parametrize("names", ["abcd", "dcba", "bdac"])
def test_one_uid_and_several_contents_are_all_in_conflict_in_any_order(trial, names):
    shared = {"SOPInstanceUID": "1.2.3.4.5", "StudyInstanceUID": "1.2"}
    for name in names[:2]:
        trial.add(name, "hologic", **shared)
    trial.add(names[2], "hologic", **shared, OperatorsName="edited")
    trial.add(names[3], "hologic", **shared, syntax="1.2.840.10008.1.2")
    rows = trial.rows()
    for name in names:
        assert rows[name].disposition is D.CONFLICTING
        assert (rows[name].subject_id, rows[name].visit) == ("T-001", Visit.BASELINE)
    (query,) = trial.catalogue().queries
    assert (query.kind, query.values) == (QueryKind.CONFLICTING_OBJECT, "a; b; c; d")


def test_a_cut_copy_does_not_touch_the_whole_one(trial, specimen):
    trial.add("whole", SOPInstanceUID="1.2.3.4.5")
    content = (trial.folder / "whole").read_bytes()
    specimen.put(trial.folder / "a_cut", content[:-3])
    rows = trial.rows()
    assert (rows["whole"].disposition, rows["a_cut"].disposition) == (D.USED, D.UNREADABLE)


def test_films_of_one_day_are_all_used_and_of_two_days_none(trial):
    trial.add("t", BodyPartExamined="TSPINE", SeriesDescription="lateral")
    trial.add("l", BodyPartExamined="LSPINE", SeriesDescription="lateral")
    assert {trial.rows()[name].disposition for name in "tl"} == {D.USED}
    trial.add("again", AcquisitionDate="20250112", ContentDate="20250112", StudyDate="20250112")
    rows = trial.rows()
    assert {rows[name].disposition for name in ("t", "l", "again")} == {D.CONFLICTING}
    (query,) = trial.catalogue().queries
    assert (query.kind, query.visit) == (QueryKind.DUPLICATE_VISIT, Visit.BASELINE)
    assert query.values == "2025-01-10, 2025-01-12"


def test_a_later_analysis_in_the_same_study_is_left_to_the_densitometry_room(trial):
    trial.add("first", "report", StudyInstanceUID="1.2.3")
    trial.add("second", "report", StudyInstanceUID="1.2.3", ContentDate="20250111")
    assert {trial.rows()[name].disposition for name in ("first", "second")} == {D.USED}


def test_what_only_a_person_can_answer(trial):
    trial.add("stranger", PatientID="T-999")
    trial.add("study", StudyDate="20241201")
    trial.add("point", ClinicalTrialTimePointID="V99", PatientID="T-002")
    trial.clinical("T-001,once,2025-01-15", "T-002,twice,2025-01-15", "T-003,twice,2025-01-15")
    asked = [(query.subject_id, query.kind) for query in trial.catalogue().queries]
    assert asked == [
        ("T-001", QueryKind.DATE),
        ("T-002", QueryKind.DATE),
        ("T-002", QueryKind.TREATMENT),
        ("T-003", QueryKind.TREATMENT),
        ("T-999", QueryKind.UNKNOWN_SUBJECT),
    ]


def test_time_point_against_date_is_used_for_neither(trial):
    trial.add("x", ClinicalTrialTimePointID="MONTH 12")
    row = trial.rows()["x"]
    assert row.disposition is D.CONFLICTING
    assert QueryKind.DATE in trial.kinds()


def test_a_file_with_the_ids_of_two_subjects_is_used_for_neither(trial):
    trial.add("x", ClinicalTrialSubjectID="T-001", PatientID="T-002")
    assert trial.rows()["x"].disposition is D.CONFLICTING
    assert QueryKind.IDENTITY in trial.kinds()


def test_without_a_clinical_table_earliest_and_latest_are_the_visits(trial):
    trial.add("film0")
    trial.add("film12", **M12)
    trial.add("alone", PatientID="T-002")
    rows = trial.rows(clinical=False)
    assert (rows["film0"].visit, rows["film12"].visit) == (Visit.BASELINE, Visit.MONTH12)
    assert rows["alone"].disposition is D.OUTSIDE_VISIT_WINDOW
    assert "one examination day only" in rows["alone"].reason


def test_old_dates_and_time_zones(trial, specimen):
    trial.add("dots", AcquisitionDate="20250110")
    path = trial.folder / "dots"
    old = path.read_bytes().replace(
        b"\x08\x00\x22\x00DA\x08\x0020250110", b"\x08\x00\x22\x00DA\x0a\x002025.01.10"
    )
    path.write_bytes(old)
    trial.add("zone", "report", TimezoneOffsetFromUTC="+1400", ContentTime="235959")
    rows = trial.rows()
    assert rows["dots"].header.acquired_on == date(2025, 1, 10)
    assert rows["zone"].header.acquired_on == date(2025, 1, 10)
    assert {rows[name].disposition for name in ("dots", "zone")} == {D.USED}


def test_text_of_hostile_headers_stays_text(trial, specimen):
    trial.clinical('"=1+1",once,2025-01-15', "@SUM(A1),once,2025-01-15")
    trial.add("a", PatientID="=1+1", PatientName="<script>alert(1)</script>")
    trial.add("b", PatientID="@SUM(A1)", SeriesDescription="SPINE lateral {{7*7}}")
    rows = trial.rows()
    assert [rows[name].subject_id for name in "ab"] == ["=1+1", "@SUM(A1)"]
    assert {rows[name].disposition for name in "ab"} == {D.USED}


def test_members_of_archives_are_files_like_others(trial, specimen):
    base = specimen.dicom(specimen.film())
    inner = specimen.archive(
        {"IM1": specimen.dicom(specimen.film(SOPInstanceUID="1.2.3.4", **M12))}
    )
    content = specimen.archive(
        {
            "검사/기저.dcm": base,
            "in.zip": inner,
            "../out.dcm": base,
            "bomb": bytes(30 << 20),
            "__MACOSX/._x": b"\x00\x05\x16\x07" + bytes(100),
        }
    )
    specimen.put(trial.folder / "a.zip", content)
    rows = trial.rows()
    assert rows["a.zip!검사/기저.dcm"].disposition is D.USED
    assert rows["a.zip!in.zip!IM1"].visit is Visit.MONTH12
    assert rows["a.zip!../out.dcm"].disposition is D.UNREADABLE
    assert rows["a.zip!bomb"].disposition is D.UNREADABLE
    assert rows["a.zip!__MACOSX/._x"].disposition is D.NOT_DICOM


def test_pydicoms_own_files_are_one_row_each(charter):
    folder = Path(pydicom.data.__file__).parent
    catalogue = build_catalogue([folder], charter)
    outside = [e for e in catalogue.entries if "!" not in e.source.path]
    assert len(outside) == sum(len(names) for _, _, names in os.walk(folder))
    assert not [entry for entry in catalogue.entries if entry.disposition is D.FAILED]
    for entry in catalogue.entries:
        assert entry.source.path.isprintable()
        assert entry.reason.isprintable()
