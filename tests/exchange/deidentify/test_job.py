"""A whole de-identification: who is one person, what is left out, where it goes, what is said."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date

import pytest

from zoom_imaging.charter import load_charter
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.exchange.deidentify.clinical import rewritten_table
from zoom_imaging.exchange.deidentify.job import Request, deidentify
from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.ingest.clinical import read_clinical_table

from .made import SECRET, SUBJECT, Result, bytes_of, cleaned, command, film, header, table

FIRST, SECOND = date(2025, 1, 10), date(2026, 1, 12)
SPELLINGS = [
    "HWANGBO^MIRAE",
    "HWANGBO^MIRAE^",
    "HWANGBO^MIRAE^^^",
    "Hwangbo^Mirae",
    "HWANGBO^MIRAE^K",
]


def days_of(result: Result) -> list[date]:
    return sorted(
        date(int(ds.AcquisitionDate[:4]), int(ds.AcquisitionDate[4:6]), int(ds.AcquisitionDate[6:]))
        for ds in result.datasets
    )


def test_one_person_in_many_spellings_has_one_pseudonym_and_shift(tmp_path):
    made = [film(FIRST, name=name, number=n) for n, name in enumerate(SPELLINGS)]
    made.append(film(SECOND, subject=f" {SUBJECT} "))
    result = cleaned(tmp_path, *made)
    assert {ds.PatientID for ds in result.datasets} == {SECRET.pseudonym(SUBJECT)}
    assert {str(ds.PatientName) for ds in result.datasets} == {SECRET.pseudonym(SUBJECT)}
    days = days_of(result)
    assert len(set(days)) == 2
    assert (days[-1] - days[0]).days == (SECOND - FIRST).days


def test_same_key_gives_the_same_bytes_and_another_key_other_ones(tmp_path):
    made = [film(FIRST), film(SECOND)]
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    one, two = (cleaned(folder, *made) for folder in folders[:2])
    other = cleaned(folders[2], *made, secret=Secret(b"quite another key, but as long as it."))
    names = [path.relative_to(one.out) for path in one.files]
    assert names == [path.relative_to(two.out) for path in two.files]
    assert one.everything == two.everything
    assert {ds.PatientID for ds in one.datasets}.isdisjoint(ds.PatientID for ds in other.datasets)


def test_visit_that_is_cleaned_later_fits_to_the_first(tmp_path):
    """The shift hangs on the key and the id alone, not on what else is in the folder."""
    for name in ("both", "first", "later"):
        (tmp_path / name).mkdir()
    both = cleaned(tmp_path / "both", film(FIRST), film(SECOND))
    alone = [cleaned(tmp_path / "first", film(FIRST)), cleaned(tmp_path / "later", film(SECOND))]
    assert days_of(both) == sorted(day for result in alone for day in days_of(result))


def test_no_path_of_the_output_says_anything_of_the_input(tmp_path):
    source = tmp_path / "in"
    (source / "HWANGBO_MIRAE" / "baseline").mkdir(parents=True)
    (source / "HWANGBO_MIRAE" / "baseline" / "IM0001").write_bytes(bytes_of(film(FIRST)))
    (source / "MR-40417_20260112.dcm").write_bytes(bytes_of(film(SECOND)))
    result = cleaned(tmp_path)
    pseudonym = SECRET.pseudonym(SUBJECT)
    names = {str(path.relative_to(result.out)) for path in result.files}
    assert f"{pseudonym}/baseline/IM0001" in names
    assert len(names) == 2
    lower = result.everything.lower()
    for trace in (b"hwangbo", b"mirae", b"40417", b"20260112", b"20250110", str(tmp_path).encode()):
        assert trace not in lower


def test_every_input_file_is_accounted_for_once(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    good = bytes_of(film(FIRST))
    (source / "IM1").write_bytes(good)
    (source / "IM2").write_bytes(good[: len(good) // 2])
    (source / "notes.txt").write_text("Ms Hwangbo called")
    (source / "empty").write_bytes(b"")
    with zipfile.ZipFile(source / "more.zip", "w") as archive:
        archive.writestr("deep/IM3", bytes_of(film(SECOND)))
    result = cleaned(tmp_path)
    rows = result.report["files"]
    assert len(rows) == len(result.outcome.rows) == 6
    assert [row["number"] for row in rows] == list(range(1, 7))
    states = sorted(row["state"] for row in rows)
    assert states == ["left_out"] * 2 + ["quarantined"] * 2 + ["written"] * 2
    assert all(row["reason"] for row in rows if row["state"] != "written")
    assert len(table(result.out / "deidentify.csv")) == 6


def test_report_counts_what_was_removed_without_its_values(tmp_path):
    made = film(FIRST)
    made.PatientAddress, made.PatientComments = "7 Nowhere Lane", "calls herself Mimi"
    result = cleaned(tmp_path, made)
    removed = result.report["removed"]
    assert removed["PatientAddress"] == removed["PatientComments"] == 1
    assert b"Nowhere" not in result.everything
    assert b"Mimi" not in result.everything


def test_dicomdir_is_left_out(tmp_path):
    """It names persons and files; nothing of it may come out."""
    from pydicom.fileset import FileSet

    made = film(FIRST)
    made.PatientID, made.StudyTime, made.SeriesNumber, made.InstanceNumber = SUBJECT, "1015", 1, 1
    source = tmp_path / "one.dcm"
    source.write_bytes(bytes_of(made))
    files = FileSet()
    files.add(source)
    files.write(tmp_path / "in")
    result = cleaned(tmp_path)
    assert {row.state for row in result.outcome.rows} == {State.WRITTEN, State.LEFT_OUT}
    assert not list(result.out.rglob("DICOMDIR"))
    assert any("DICOMDIR" in reason for reason in result.reasons)


@pytest.mark.parametrize("subject", ["", "  "])
def test_file_without_a_subject_is_quarantined(tmp_path, subject):
    result = cleaned(tmp_path, film(FIRST, subject=subject))
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "no subject id" in result.reasons[0]
    assert result.files == []


def test_object_of_another_kind_is_quarantined(tmp_path):
    made = header(FIRST)
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.11.1", "PR"
    result = cleaned(tmp_path, made)
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "Presentation State" in result.reasons[0]


def test_one_bad_file_never_stops_the_others(tmp_path, monkeypatch):
    from zoom_imaging.exchange.deidentify import cleaning

    real = cleaning.written

    def failing(content, known, *more, **options):
        if known.header.acquired_on == FIRST:
            raise KeyError("HWANGBO^MIRAE")
        return real(content, known, *more, **options)

    monkeypatch.setattr(cleaning, "written", failing)
    result = cleaned(tmp_path, film(FIRST), film(SECOND))
    assert sorted(row.state for row in result.outcome.rows) == [State.FAILED, State.WRITTEN]
    assert b"HWANGBO" not in result.everything


def test_second_run_replaces_the_first_and_its_pseudonyms(tmp_path):
    first = cleaned(tmp_path, film(FIRST))
    other = Secret(b"quite another key, but as long as it.")
    second = cleaned(tmp_path, secret=other)
    assert {path.name for path in second.out.iterdir() if path.is_dir()} == {
        other.pseudonym(SUBJECT)
    }
    assert first.out == second.out


def test_folder_of_something_else_is_never_written_into(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(ConfigurationError, match="other files"):
        cleaned(tmp_path, film(FIRST))
    assert [path.name for path in out.iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize("where", ["in/out", "."])
def test_output_inside_of_the_source_is_refused(tmp_path, where):
    source = tmp_path / "in"
    source.mkdir()
    (source / "IM1").write_bytes(bytes_of(film(FIRST)))
    request = Request((source,), tmp_path / where, SECRET, load_charter(None))
    with pytest.raises(ConfigurationError, match="lie in each other"):
        deidentify(request)


CLINICAL = (
    "subject_id,arm,denosumab_years,zol1_date,zol2_date,second_dose,ctx_m6,phone\n"
    f"{SUBJECT},twice,4.1,2025-01-20,2025-07-21,zoledronic acid,0.24,010-5555-0199\n"
    "MR-00002,once,1.8,2025-02-03,,asked her daughter,,\n"
)


def test_clinical_table_goes_along_with_pseudonyms_and_moved_dates(tmp_path):
    path = tmp_path / "clinical.csv"
    path.write_text(CLINICAL)
    before = read_clinical_table(path)
    out = tmp_path / "moved.csv"
    out.write_text(rewritten_table(before, SECRET))
    after = read_clinical_table(out)
    for row in before.rows:
        moved = after.by_subject[SECRET.pseudonym(row.subject_id)]
        assert moved.arm_actual == row.arm_actual
        assert moved.ctx_m6 == row.ctx_m6
        assert (moved.zol1_date - row.zol1_date).days == SECRET.shift_days(row.subject_id)
        assert len(moved.questions(load_charter(None))) == len(row.questions(load_charter(None)))
    text = out.read_text()
    for trace in ("MR-", "5555", "phone", "daughter", "2025"):
        assert trace not in text


def test_clinical_table_lies_in_the_output_and_fits_to_the_images(tmp_path):
    path = tmp_path / "clinical.csv"
    path.write_text(CLINICAL)
    result = cleaned(tmp_path, film(FIRST), clinical=read_clinical_table(path))
    rows = {row["subject_id"]: row for row in table(result.out / "clinical.csv")}
    (day,) = days_of(result)
    zol1 = date.fromisoformat(rows[SECRET.pseudonym(SUBJECT)]["zol1_date"])
    assert (day - zol1).days == (FIRST - date(2025, 1, 20)).days


def test_map_says_who_became_whom_to_its_owner_alone(tmp_path):
    import json

    path = tmp_path / "map.json"
    result = cleaned(tmp_path, film(FIRST), map_out=path)
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads(path.read_text())
    assert found["subjects"] == [
        {
            "subject_id": SUBJECT,
            "pseudonym": SECRET.pseudonym(SUBJECT),
            "shift_days": SECRET.shift_days(SUBJECT),
        }
    ]
    assert found["files"][0]["input"] == "IM0001"
    assert (result.out / found["files"][0]["output"]).is_file()


def test_command_makes_a_key_and_a_cleaned_folder(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "IM1").write_bytes(bytes_of(film(FIRST)))
    done = command("in", "--out", "out", "--key", "key", "--new-key", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 file: 1 written" in done.stdout
    first = sorted(path.name for path in (tmp_path / "out").iterdir())
    shutil.rmtree(tmp_path / "out")
    again = command("in", "--out", "out", "--key", "key", "--quiet", cwd=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == first


@pytest.mark.parametrize(
    "arguments",
    [
        ("in", "--out", "out"),
        ("in", "--key", "key"),
        ("in", "--out", "out", "--key", "nowhere"),
        ("nowhere", "--out", "out", "--key", "key"),
        ("in", "--out", "out", "--key", "key", "--clinical-out", "c.csv"),
    ],
)
def test_command_that_is_asked_wrongly_ends_with_2_and_writes_nothing(tmp_path, arguments):
    (tmp_path / "in").mkdir()
    (tmp_path / "key").write_bytes(SECRET.key)
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Error" in done.stderr
    assert not (tmp_path / "out").exists()
