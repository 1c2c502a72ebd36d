"""`dxa`: one strict JSON object a file, whatever the file is; the numbers as the scanner printed
them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date, time

import pytest
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.dxa.result import Side
from zoom_imaging.simulate.densitometry import IDXA, exam_of
from zoom_imaging.simulate.hologic_report import Part, hologic_report
from zoom_imaging.simulate.lunar_image import lunar_image
from zoom_imaging.simulate.lunar_report import lunar_report

KEYS = {
    "path",
    "sop_instance_uid",
    "state",
    "reason",
    "source",
    "scan_date",
    "scanner",
    "scan_mode",
    "reference",
    "included_levels",
    "results",
    "warnings",
}
RESULT_KEYS = {
    "site",
    "side",
    "region",
    "area_cm2",
    "bmc_g",
    "bmd_g_per_cm2",
    "t_score",
    "z_score",
    "state",
    "reason",
}
DAY = date(2025, 3, 4)
BOTH = (Side.LEFT, Side.RIGHT)
LUMBAR = (0.742, 0.781, 0.803, 0.792)


def run(*arguments):
    """Exit code, parsed lines and stderr of `python -m zoom_imaging dxa ... --json`."""
    result = CliRunner().invoke(app, ["dxa", *map(str, arguments), "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, lines, result.stderr


def save(dataset, path):
    dataset.save_as(path, enforce_file_format=True)
    return path


def regions(report, state="accepted"):
    return {
        one["region"]: one["bmd_g_per_cm2"]
        for one in report["results"]
        if one["site"] == "lumbar_spine" and one["state"] == state
    }


@pytest.mark.parametrize(
    ("source", "made", "scanner"),
    [
        ("hologic_text", hologic_report, {}),
        ("lunar_sr", lunar_report, {"scanner": IDXA}),
        ("lunar_xml", lunar_image, {"scanner": IDXA}),
    ],
)
def test_the_numbers_of_every_maker_with_the_keys_of_the_contract(tmp_path, source, made, scanner):
    exam = exam_of("Z-001", DAY, LUMBAR, **scanner)
    code, (report,), _ = run(save(made(exam), tmp_path / "report"))
    assert code == 0
    assert set(report) == KEYS
    assert all(set(result) == RESULT_KEYS for result in report["results"])
    assert (report["state"], report["source"]) == ("read", source)
    assert report["scan_date"] == "2025-03-04"
    assert report["included_levels"] == ["L1", "L2", "L3", "L4"]
    printed = {line.region: line.bmd_g_per_cm2 for line in exam.spine_lines()}
    total = printed.pop(exam.spine_lines()[-1].region)
    assert regions(report) == pytest.approx(printed | {"L1-L4": total}, abs=0.0011)
    assert report["scanner"]["serial"] == exam.scanner.serial


def test_every_file_has_a_line_in_the_order_in_which_it_was_named(tmp_path):
    exam = exam_of("Z-001", DAY, LUMBAR)
    text = tmp_path / "notes.txt"
    text.write_text("no DICOM")
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    good = save(hologic_report(exam), tmp_path / "good")
    cut = tmp_path / "cut"
    cut.write_bytes(good.read_bytes()[:900])
    code, lines, _ = run(text, good, empty, cut, tmp_path / "absent")
    assert code == 0
    assert [line["state"] for line in lines] == ["refused", "read"] + ["refused"] * 3
    for line in lines:
        assert set(line) == KEYS
        assert bool(line["reason"]) == (line["state"] == "refused")
    assert lines[0]["results"] == []


def test_a_folder_stands_for_its_files(tmp_path):
    for number, bmd in enumerate((0.7, 0.8)):
        exam = exam_of(f"Z-00{number}", DAY, (bmd,) * 4)
        save(hologic_report(exam), tmp_path / f"{number}")
    _, lines, _ = run(tmp_path)
    assert [line["path"] for line in lines] == [str(tmp_path / "0"), str(tmp_path / "1")]


def test_a_film_is_no_densitometry_report(sample):
    film = sample / "ZOOM-001" / "baseline" / "IM0001"
    _, (line,), _ = run(film)
    assert line["state"] == "refused"
    assert "densitometry" in line["reason"].lower()


def analysed(subject, bmd, time):
    dataset = lunar_report(exam_of(subject, DAY, (bmd,) * 4, scanner=IDXA))
    dataset.ContentTime = time
    return dataset


def test_an_older_analysis_of_one_person_is_superseded(tmp_path):
    older = save(analysed("Z-001", 0.80, "100000"), tmp_path / "older")
    newer = save(analysed("Z-001", 0.82, "160000"), tmp_path / "newer")
    another_person = save(analysed("Z-002", 0.90, "110000"), tmp_path / "another")
    _, lines, _ = run(older, newer, another_person)
    assert set(regions(lines[0], "superseded")) == {"L1", "L2", "L3", "L4", "L1-L4"}
    assert regions(lines[0]) == {}
    assert regions(lines[1])["L1-L4"] == pytest.approx(0.82, abs=0.0011)
    assert regions(lines[2])["L1-L4"] == pytest.approx(0.90, abs=0.0011)


def test_a_table_for_people(tmp_path):
    exam = exam_of("Z-001", DAY, LUMBAR)
    path = save(hologic_report(exam), tmp_path / "report")
    result = CliRunner().invoke(app, ["dxa", str(path), str(tmp_path / "absent")])
    assert result.exit_code == 0
    assert f"{exam.spine_lines()[-1].bmd_g_per_cm2:.3f}" in result.stdout
    assert "accepted" in result.stdout
    assert "refused: " in result.stdout


def test_an_unknown_charter_is_a_usage_error(tmp_path):
    path = save(hologic_report(exam_of("Z-001", DAY, LUMBAR)), tmp_path / "report")
    result = CliRunner().invoke(app, ["dxa", str(path), "--charter", str(tmp_path / "none.toml")])
    assert result.exit_code == 2
    assert "none.toml" in result.stderr


def test_no_file_named_is_a_usage_error():
    assert CliRunner().invoke(app, ["dxa"]).exit_code == 2


def test_the_day_is_the_one_that_is_written_in_every_time_zone(tmp_path):
    paths = []
    for at, offset in ((time(23, 55), "-0800"), (time(0, 5), "+0900")):
        report = lunar_report(exam_of("Z-001", DAY, LUMBAR, scanner=IDXA, at=at))
        report.TimezoneOffsetFromUTC = offset
        paths.append(save(report, tmp_path / offset))
    printed = {
        subprocess.run(
            [sys.executable, "-m", "zoom_imaging", "dxa", *map(str, paths), "--json"],
            env=os.environ | {"TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Seoul", "America/Los_Angeles")
    }
    (lines,) = printed
    days = [json.loads(line)["scan_date"] for line in lines.splitlines()]
    assert days == ["2025-03-04", "2025-03-04"]


class TestCases:
    """The hard inputs of ../shared/cases."""

    def read(self, shared, case, *names):
        code, lines, _ = run(*(shared / "cases" / case / name for name in names))
        assert code == 0
        return lines

    def test_a_tree_600_deep_is_refused_and_costs_its_neighbour_nothing(self, shared):
        deep, good = self.read(shared, "container-nested-sequences", "deep.dcm", "good.dcm")
        assert (deep["state"], good["state"]) == ("refused", "read")
        assert "L1-L4" in regions(good)

    def test_days_near_midnight(self, shared):
        late, early = self.read(shared, "when-time-zone", "late.dcm", "early.dcm")
        assert (late["scan_date"], early["scan_date"]) == ("2026-02-28", "2025-12-02")
        (other,) = self.read(shared, "midnight-and-time-zone", "report.dcm")
        assert other["scan_date"] == "2025-03-01"

    @pytest.mark.parametrize("case", ["text-wrong-character-set", "charset-term-not-defined"])
    def test_a_name_in_another_encoding_costs_no_number(self, shared, case):
        names = sorted(path.name for path in (shared / "cases" / case).glob("*.dcm"))
        for line in self.read(shared, case, *names):
            assert line["state"] == "read", line["path"]
            assert regions(line)["L1-L4"] is not None
            assert "\x1b" not in json.dumps(line, ensure_ascii=False)

    def test_items_without_a_name_are_used_for_nothing(self, shared):
        (report,) = self.read(shared, "sr-tree-oddities", "odd.dcm")
        assert set(regions(report)) == {"L1", "L2", "L3", "L4", "L1-L4"}
        values = [value for one in report["results"] for value in one.values()]
        assert not {9.999, 8.888} & {value for value in values if isinstance(value, float)}
        assert any("without a name" in warning for warning in report["warnings"])

    def test_decimal_strings_in_all_forms(self, shared):
        (report,) = self.read(shared, "ds-long-and-comma", "report.dcm")
        for one in report["results"]:
            if one["site"] == "lumbar_spine" and one["state"] == "accepted":
                assert one["bmd_g_per_cm2"] == pytest.approx(0.9, abs=0.0011)


def test_csv_has_a_line_for_every_region_and_for_a_refused_file(tmp_path):
    save(hologic_report(exam_of("P-1", DAY, LUMBAR)), tmp_path / "a.dcm")
    (tmp_path / "b.txt").write_text("no dicom")
    result = CliRunner().invoke(app, ["dxa", str(tmp_path), "--csv"])
    assert result.exit_code == 0
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [line["region"] for line in lines] == ["L1", "L2", "L3", "L4", "L1-L4", ""]
    assert [line["state"] for line in lines] == ["accepted"] * 5 + ["refused"]
    assert lines[0]["bmd_g_per_cm2"] == "0.742"
    assert lines[0]["included_levels"] == "L1 L2 L3 L4"
    assert lines[0]["scanner_serial"] == "300412M"
    assert "b.txt" in lines[5]["path"]
    assert "DICOM" in lines[5]["reason"]


def test_a_pattern_stands_for_the_files_that_it_matches(tmp_path):
    for name in ("a.dcm", "b.dcm", "c.img"):
        save(hologic_report(exam_of(name, DAY, LUMBAR)), tmp_path / name)
    code, lines, _ = run(tmp_path / "*.dcm")
    assert code == 0
    assert [os.path.basename(line["path"]) for line in lines] == ["a.dcm", "b.dcm"]
    odd = save(hologic_report(exam_of("P-9", DAY, LUMBAR)), tmp_path / "odd[1].dcm")
    code, lines, _ = run(odd)
    assert [line["state"] for line in lines] == ["read"]
    code, lines, _ = run(tmp_path / "*.none")
    assert [line["state"] for line in lines] == ["refused"]


def test_sr_and_fhir_are_written_beside_the_table(tmp_path):
    inputs = tmp_path / "in"
    inputs.mkdir()
    save(hologic_report(exam_of("P-1", DAY, LUMBAR)), inputs / "a.dcm")
    (inputs / "b.txt").write_text("no dicom")
    sr, fhir = tmp_path / "sr", tmp_path / "bundle.json"
    code, first, said = run(inputs, "--sr", sr, "--fhir", fhir)
    assert code == 0
    (made,) = sr.iterdir()
    assert made.name in said
    code, (again,), _ = run(made)
    read = {r["region"]: r["bmd_g_per_cm2"] for r in again["results"]}
    assert read == {
        r["region"]: r["bmd_g_per_cm2"] for r in first[0]["results"] if r["state"] == "accepted"
    }
    assert again["scan_date"] == DAY.isoformat()
    bundle = json.loads(fhir.read_text())
    assert len(bundle["entry"]) == 25


@pytest.mark.parametrize("part", list(Part))
def test_a_name_left_in_the_private_text_goes_into_nothing_that_is_written(tmp_path, part):
    dataset = hologic_report(exam_of("REAL-4711", DAY, LUMBAR, sides=BOTH), part=part)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "ANON", "Z-001", ""
    identified = ("REAL", "SIMULATED", "19530615", "1953-06-15")
    path = save(dataset, tmp_path / "report")
    content = path.read_bytes()
    assert all(word.encode() in content for word in identified[:2])
    sr, fhir = tmp_path / "sr", tmp_path / "bundle.json"
    code, (line,), _ = run(path, "--sr", sr, "--fhir", fhir)
    assert (code, line["state"]) == (0, "read")
    table = CliRunner().invoke(app, ["dxa", str(path), "--csv"]).stdout
    people = CliRunner().invoke(app, ["dxa", str(path)]).stdout
    structured = next(sr.iterdir()).read_bytes().decode("latin-1")
    for text in (json.dumps(line), table, people, fhir.read_text(), structured):
        assert not [word for word in identified if word in text]


def test_json_and_csv_exclude_each_other(tmp_path):
    result = CliRunner().invoke(app, ["dxa", str(tmp_path), "--csv", "--json"])
    assert result.exit_code == 2
