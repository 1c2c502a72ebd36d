"""Cases of `run`: identity, containers, encodings, and what operators do to a run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pydicom.config
import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from zoom_imaging.errors import ConfigurationError, OutputFolderBusyError

from ..batch.trial_folder import write_clinical, write_pair
from .checks import assert_table, rows_of

pytestmark = pytest.mark.model


@pytest.fixture
def ran(go, case, tmp_path, shared_reader):
    """The result folder of one run over a case."""

    def run(name, clinical="clinical.csv"):
        source = case(name)
        dicom = source / "dicom" if (source / "dicom").is_dir() else source
        go(dicom, tmp_path / "OUT", source / clinical)
        return tmp_path / "OUT"

    return run


def one(out, table, **where):
    (row,) = [
        row for row in rows_of(out, table) if all(row[key] == value for key, value in where.items())
    ]
    return row


def dispositions(out):
    return {Path(row["path"]).name: row["disposition"] for row in rows_of(out, "files.csv")}


@pytest.mark.parametrize(
    "name",
    [
        "truncated-many-ways",
        "id-zeros-and-spaces",
        "clinical-csv-bom-quotes-crlf",
        "dates-with-dots",
        "zip-korean-nested-apple",
    ],
)
def test_checks_of_the_case(ran, cases, name):
    out = ran(name)
    for check in cases[name]["expect"]["checks"]:
        assert_table(check, out)
    for row in rows_of(out, "files.csv"):
        assert bool(row["reason"]) == (row["disposition"] != "used"), row


def test_syntax_no_meta_no_extension(ran, reference):
    out = ran("syntax-no-meta-no-extension")
    found = dispositions(out)
    assert (found["IM0001"], found["SPINE.DCM"]) == ("used", "used")
    assert found["notes.dcm"] == "not_dicom"
    assert any(row["ls_bmd_baseline_g_per_cm2"] for row in rows_of(out, "endpoints.csv"))
    expected = {v["level"]: v for v in reference["vertebrae"] if v["state"] == "evaluable"}
    seen = 0
    for row in rows_of(out, "vertebrae.csv"):
        if row["state"] == "evaluable" and row["level"] in expected:
            height = expected[row["level"]]["heights_mm"]["posterior"]
            assert float(row["height_posterior_mm"]) == pytest.approx(height, abs=0.3)
            seen += 1
    assert seen >= 5


def test_container_zip_slip(ran, tmp_path):
    """Nothing leaves OUT, each bad member is named with its reason, the good ones count."""
    out = ran("container-zip-slip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["OUT", "container-zip-slip"]
    inside = list((tmp_path / "container-zip-slip").rglob("*"))
    assert {path.name for path in inside if path.is_file()} == {"clinical.csv", "site7.zip"}
    rows = rows_of(out, "files.csv")
    bad = [row for row in rows if re.search(r"escaped|link$|bomb", row["path"])]
    assert len(bad) >= 4
    assert all(row["disposition"] == "unreadable" and row["reason"] for row in bad)
    assert any(row["ls_bmd_change_pct"] for row in rows_of(out, "endpoints.csv"))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert size < 50 << 20


def test_container_non_ascii_path(ran, tmp_path):
    """Both spellings stay apart, and a path of files.csv opens its file again."""
    out = ran("container-non-ascii-path")
    rows = [row for row in rows_of(out, "files.csv") if row["path"].endswith(".dcm")]
    assert {row["disposition"] for row in rows} == {"used"}
    base = tmp_path / "container-non-ascii-path" / "dicom"
    for row in rows:
        assert (base / row["path"]).is_file() or (base.parent / row["path"]).is_file()
    on_disk = list(base.rglob("*.dcm"))
    assert len(rows) == len(on_disk)
    folders = {path.relative_to(base).parts[0] for path in on_disk}
    assert {row["path"].split("/")[0] for row in rows} >= folders or len(folders) == 1
    assert len({unicodedata.normalize("NFC", name) for name in folders}) <= len(folders)


def test_who_id_spaces_zeros(ran):
    out = ran("who-id-spaces-zeros")
    subjects = {row["subject_id"]: row for row in rows_of(out, "endpoints.csv")}
    assert {"007", "7"} <= set(subjects)
    assert subjects["007"]["arm_planned"] != "" or subjects["7"]["arm_planned"] != ""
    baselines = {name: subjects[name]["ls_bmd_baseline_g_per_cm2"] for name in ("007", "7")}
    assert baselines["007"] != baselines["7"]
    for table in ("files.csv", "dxa.csv"):
        named = {row["subject_id"] for row in rows_of(out, table)} - {""}
        assert named <= set(subjects)


@pytest.mark.parametrize("reverse", [False, True])
def test_who_same_uid_other_content(go, case, tmp_path, shared_reader, reverse):
    """Whatever the order of the files, neither of two contents is taken."""
    source = case("who-same-uid-other-content")
    if reverse:
        for path in sorted((source / "dicom").iterdir()):
            path.rename(path.with_name(f"{'abcdefghijz'[-len(path.name) % 11]}-{path.name}"))
    out = tmp_path / "OUT"
    go(source / "dicom", out, source / "clinical.csv")
    for row in rows_of(out, "files.csv"):
        name = row["path"]
        if re.search("base|edited|film_", name):
            assert row["disposition"] == "conflicting", row
        elif re.search("copy|reencoded", name):
            assert row["disposition"] in {"conflicting", "duplicate"}, row
    (subject,) = rows_of(out, "endpoints.csv")
    assert subject["ls_bmd_baseline_g_per_cm2"] == ""
    assert subject["ls_bmd_reason"]
    assert rows_of(out, "queries.csv")


@pytest.mark.parametrize("variant", ["bom", "cp949", "semicolon", "crlf"])
def test_clinical_encodings(go, case, tmp_path, variant):
    """The same endpoints as from UTF-8, or no run at all; never one without arms."""
    source = case("clinical-encodings")
    go(source / "dicom", tmp_path / "a", source / "clinical_utf8.csv")
    wanted = (tmp_path / "a" / "endpoints.csv").read_bytes()
    assert all(row["arm_planned"] for row in rows_of(tmp_path / "a", "endpoints.csv"))
    refusal = ""
    try:
        go(source / "dicom", tmp_path / "b", source / f"clinical_{variant}.csv")
    except ConfigurationError as error:
        refusal = error.reason
    if (tmp_path / "b").exists():
        assert (tmp_path / "b" / "endpoints.csv").read_bytes() == wanted
    else:
        assert f"clinical_{variant}.csv" in refusal
        assert "expected" in refusal


def test_text_formula_and_html(ran):
    """No cell is a formula, and one spelling of an id joins all tables."""
    out = ran("text-formula-and-html")
    spellings = set()
    for path in out.glob("*.csv"):
        for row in rows_of(out, path.name):
            for name, cell in row.items():
                number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)
                assert not re.search(r"[\x00-\x08\x0b-\x1f]", cell), (name, cell)
            if row.get("subject_id"):
                spellings.add(row["subject_id"])
    subjects = {row["subject_id"]: row for row in rows_of(out, "endpoints.csv")}
    assert spellings == set(subjects)
    assert subjects["'=1+1"]["ls_bmd_change_pct"].startswith("-3.9")
    assert all(row["arm_planned"] for row in subjects.values())


def test_ops_same_size_older_clock(go, case, tmp_path):
    """A file replaced by one of the same size and an older time is read again."""
    source, out = case("ops-same-size-older-clock"), tmp_path / "OUT"
    dicom = tmp_path / "dicom"
    shutil.copytree(source / "v1", dicom)
    go(dicom, out, source / "clinical.csv")
    before = rows_of(out, "endpoints.csv")
    tables = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    os.utime(dicom / "m12.dcm", (1, 1))
    go(dicom, out, source / "clinical.csv")
    assert {path.name: path.read_bytes() for path in out.glob("*.csv")} == tables
    for path in (source / "v2").iterdir():
        shutil.copy(path, dicom / path.name)
        os.utime(dicom / path.name, (1000, 1000))
    go(dicom, out, source / "clinical.csv")
    assert rows_of(out, "endpoints.csv") != before


def test_ops_two_runs_one_folder(go, case, tmp_path):
    """While one process holds the folder, a run of another trial is refused and changes nothing."""
    source, out = case("ops-two-runs-one-folder"), tmp_path / "OUT"
    go(source / "trial_a", out, source / "clinical_trial_a.csv")
    tables = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from zoom_imaging.endpoints.lock import hold\n"
            "with hold(Path(sys.argv[1]), print): print('held', flush=True); sys.stdin.read()",
            str(out),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputFolderBusyError, match=str(holder.pid)):
            go(source / "trial_b", out, source / "clinical_trial_b.csv")
        assert {path.name: path.read_bytes() for path in out.glob("*.csv")} == tables
    finally:
        holder.kill()
        holder.communicate()
    go(source / "trial_b", out, source / "clinical_trial_b.csv")
    assert {row["subject_id"] for row in rows_of(out, "endpoints.csv")} == {"RB-0101", "RB-0102"}


def test_link_loop(go, cases, tmp_path):
    """A link to a folder above, one to itself and one to nowhere end; each file has one row."""
    source = tmp_path / "in"
    write_pair(source, "ZR-2601", 0.9, 0.918)
    (source / "deep").mkdir()
    (source / "deep" / "up").symlink_to("..")
    (source / "self").symlink_to("self")
    (source / "dangling.dcm").symlink_to("nowhere")
    clinical = write_clinical(tmp_path / "clinical.csv", "ZR-2601")
    go(source, tmp_path / "OUT", clinical)
    for check in cases["link-loop"]["expect"]["checks"]:
        if "table" in check:
            assert_table({"tol": 0.05} | check | {"tol": 0.05}, tmp_path / "OUT")


def test_scale_long_ds_in_the_structured_report(go, folder, tmp_path, shared_reader):
    """No decimal string over 16 characters in what is written from a film that has one."""
    source = tmp_path / "in"
    source.mkdir()
    shutil.copy(folder / "scale-long-ds" / "long_ds.dcm", source)
    with pydicom.config.disable_value_validation():
        subject = str(dcmread(source / "long_ds.dcm", stop_before_pixels=True).PatientID)
    clinical = write_clinical(tmp_path / "clinical.csv", subject)
    go(source, tmp_path / "OUT", clinical)
    reports = list((tmp_path / "OUT" / "sr").iterdir())
    assert reports
    for path in reports:
        with pydicom.config.disable_value_validation():
            texts = list(decimal_strings(dcmread(path)))
        assert texts
        assert max(map(len, texts)) <= 16


def decimal_strings(dataset: Dataset):
    for element in dataset:
        if isinstance(element, DataElement) and element.VR == "SQ":
            for item in element.value:
                yield from decimal_strings(item)
        elif element.VR == "DS" and element.value is not None:
            values = element.value if element.VM > 1 else [element.value]
            yield from (str(value) for value in values)
