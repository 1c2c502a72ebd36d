"""`measure`: one strict JSON object a film, whatever the file is, and the same reading for the
same picture however it is stored."""

from __future__ import annotations

import importlib.util
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from zoom_imaging.anatomy import GRADED_LEVELS, Level, SixPoints, VertebraState
from zoom_imaging.commands import measure
from zoom_imaging.vision.finding import SpineReading, VertebraFinding

KEYS = {
    "path",
    "sop_instance_uid",
    "state",
    "reason",
    "view",
    "spacing_mm",
    "spacing_source",
    "vertebrae",
}
VERTEBRA_KEYS = {
    "level",
    "state",
    "reason",
    "six_points_px",
    "polygon_px",
    "heights_mm",
    "ratios",
    "ratio_sd",
    "genant_grade",
    "genant_shape",
    "p_grades",
}
CHANGE_KEYS = {
    "level",
    "change",
    "height_change_max_pct",
    "height_change_max_mm",
    "p_incident",
    "flagged",
    "reason",
}


@pytest.fixture(scope="module")
def phantom():
    path = Path(__file__).parents[1] / "radiograph" / "phantom.py"
    spec = importlib.util.spec_from_file_location("phantom", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class StubReader:
    """Thirteen equal vertebrae in a column, 20 x 14 pixels; L1 wedged to `l1_anterior`."""

    def __init__(self, l1_anterior: float = 14.0) -> None:
        self.l1_anterior = l1_anterior

    def read(self, radiograph) -> SpineReading:
        findings = []
        for number, level in enumerate(GRADED_LEVELS):
            top, left = 6.0 + 22 * number, 30.0
            anterior = self.l1_anterior if level is Level.L1 else 14.0
            middle = (anterior + 14.0) / 2
            points = [
                (left, top),
                (left + 10, top),
                (left + 20, top),
                (left, top + anterior),
                (left + 10, top + middle),
                (left + 20, top + 14),
            ]
            findings.append(
                VertebraFinding(
                    level=level,
                    level_probability=0.99,
                    state=VertebraState.EVALUABLE,
                    reason="",
                    centre=(left + 10, top + 7),
                    six_points=SixPoints.from_array(points),
                    six_points_sd_px=(0.5,) * 6,
                    polygon=(points[0], points[2], points[5], points[3]),
                    ratio_sd=0.02,
                    p_grades=(0.97, 0.01, 0.01, 0.01),
                )
            )
        return SpineReading(tuple(findings), "stub", "0", "0" * 64)


class FailingReader:
    def read(self, radiograph):
        print("a library that prints")
        raise KeyError("nobody expected this")


@pytest.fixture
def tall(phantom):
    """A film that holds thirteen stub vertebrae."""
    return phantom.base_pixels(300, 90)


@pytest.fixture
def use_reader(monkeypatch):
    from zoom_imaging.vision.read import SpineReader

    def use(reader):
        monkeypatch.setattr(SpineReader, "load", classmethod(lambda cls, *a, **k: reader))

    use(StubReader())
    return use


@pytest.fixture(scope="session")
def model():
    """The trained bundle, whose files have the hashes that it names."""
    from zoom_imaging.vision.bundle import load_bundle

    return load_bundle()


def run(*arguments: object):
    """The command's exit code and its JSON lines; every line of stdout must be strict JSON."""
    app = typer.Typer()
    app.command()(measure.command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    lines = result.stdout.splitlines() if "--json" in arguments else []

    def never(constant):
        raise AssertionError(f"{constant} is no JSON")

    return result.exit_code, [json.loads(line, parse_constant=never) for line in lines], result


def test_the_contract_of_one_film(phantom, tall, use_reader, tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(phantom.film_bytes(tall))
    code, (film,), _ = run(path, "--json")
    assert code == 0
    assert set(film) >= KEYS
    assert film["path"] == str(path)
    assert film["sop_instance_uid"] == "1.2.826.0.1.3680043.10.1999.77.1"
    assert (film["state"], film["reason"], film["view"]) == ("read", "", "lateral")
    assert film["spacing_mm"] == [0.6, 0.6]
    assert film["spacing_source"] == "imager_over_magnification"
    assert [v["level"] for v in film["vertebrae"]] == [level.value for level in GRADED_LEVELS]
    t4 = film["vertebrae"][0]
    assert set(t4) >= VERTEBRA_KEYS
    assert t4["state"] == "evaluable"
    assert t4["six_points_px"]["sup_ant"] == [30.0, 6.0]
    assert t4["polygon_px"][0] == [30.0, 6.0]
    assert t4["heights_mm"] == pytest.approx({"anterior": 8.4, "middle": 8.4, "posterior": 8.4})
    assert t4["ratios"]["anterior_posterior"] == pytest.approx(1.0)
    assert len(t4["p_grades"]) == 4


def test_without_a_scale_heights_are_null_and_ratios_stand(phantom, tall, use_reader, tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(phantom.film_bytes(tall, ImagerPixelSpacing=phantom.ABSENT))
    _, (film,), _ = run(path, "--json")
    assert (film["spacing_mm"], film["spacing_source"]) == (None, "none")
    assert all(vertebra["heights_mm"] is None for vertebra in film["vertebrae"])
    assert all(vertebra["ratios"] is not None for vertebra in film["vertebrae"])


def test_a_folder_of_everything_has_a_line_for_every_file(phantom, tall, use_reader, tmp_path):
    files = {
        "a/film.dcm": phantom.film_bytes(tall),
        "a/ap.dcm": phantom.film_bytes(
            tall, ViewPosition="AP", PatientOrientation=["L", "F"], SeriesDescription="SPINE AP"
        ),
        "a/silent.dcm": phantom.film_bytes(
            tall, ViewPosition="", PatientOrientation=None, SeriesDescription="SPINE"
        ),
        "b/cut.dcm": phantom.film_bytes(tall)[:3000],
        "b/notes.txt": b"not a film",
        "b/empty.dcm": b"",
        "b/환자.dcm": phantom.film_bytes(tall),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "b" / "dangling.dcm").symlink_to(tmp_path / "nowhere")
    code, lines, _ = run(tmp_path, tmp_path / "missing.dcm", "--json")
    found = {line["path"].removeprefix(str(tmp_path) + "/"): line for line in lines}
    assert code == 0
    assert set(found) == {*files, "b/dangling.dcm", "missing.dcm"}
    read = {path for path, line in found.items() if line["state"] == "read"}
    assert read == {"a/film.dcm", "b/환자.dcm"}
    for path in set(found) - read:
        assert found[path]["reason"], path
        assert found[path]["vertebrae"] == []
    assert found["a/ap.dcm"]["view"] == "ap"
    assert found["b/cut.dcm"]["sop_instance_uid"] == "1.2.826.0.1.3680043.10.1999.77.1"


def test_a_film_of_unknown_view_is_read_on_the_users_word(phantom, tall, use_reader, tmp_path):
    path = tmp_path / "film.dcm"
    silent = {"ViewPosition": "", "PatientOrientation": None, "SeriesDescription": "SPINE"}
    path.write_bytes(phantom.film_bytes(tall, **silent))
    _, (refused,), _ = run(path, "--json")
    assert refused["state"] == "refused"
    assert "lateral" in refused["reason"]
    _, (film,), _ = run(path, "--json", "--assume-lateral")
    assert film["state"] == "read"
    assert any("taken for lateral as asked" in text for text in film["warnings"])


def test_each_frame_has_its_line(phantom, tall, use_reader, tmp_path):
    path = tmp_path / "two.dcm"
    path.write_bytes(phantom.film_bytes(np.stack([tall, tall[::-1]])))
    _, lines, _ = run(path, "--json")
    assert [line["frame"] for line in lines] == [0, 1]


def test_an_unexpected_error_is_a_line_and_exit_3(phantom, tall, use_reader, tmp_path, caplog):
    use_reader(FailingReader())
    path = tmp_path / "film.dcm"
    path.write_bytes(phantom.film_bytes(tall))
    with caplog.at_level(logging.ERROR):
        code, (film,), result = run(path, "--json")
    assert code == 3
    assert film["state"] == "refused"
    assert "KeyError" in film["reason"]
    assert "a library that prints" not in result.stdout


def test_without_a_model_every_film_says_so_and_the_exit_is_1(phantom, tall, monkeypatch, tmp_path):
    from zoom_imaging.errors import ModelMissingError
    from zoom_imaging.vision.read import SpineReader

    def missing(cls, *a, **k):
        raise ModelMissingError("no bundle")

    monkeypatch.setattr(SpineReader, "load", classmethod(missing))
    path = tmp_path / "film.dcm"
    path.write_bytes(phantom.film_bytes(tall))
    code, (film,), _ = run(path, "--json")
    assert (code, film["state"], film["reason"]) == (1, "refused", "no bundle")


@pytest.mark.parametrize("arguments", [[], ["a.dcm", "--pair", "b.dcm", "c.dcm"]])
def test_usage(arguments):
    assert run(*arguments)[0] == 2


def test_the_table_names_levels_and_refusals(phantom, tall, use_reader, tmp_path):
    (tmp_path / "film.dcm").write_bytes(phantom.film_bytes(tall))
    (tmp_path / "x[red].txt").write_bytes(b"no film")
    code, _, result = run(tmp_path)
    assert code == 0
    assert "T12" in result.stdout
    assert "refused" in result.stdout
    assert "x[red].txt" in result.stdout


def test_overlays_are_written_under_their_own_names(phantom, tall, use_reader, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "film.dcm").write_bytes(phantom.film_bytes(tall))
    pictures = tmp_path / "pictures"
    code, _, _ = run(
        tmp_path / "a" / "film.dcm", tmp_path / "b" / "film.dcm", "--json", "--overlay", pictures
    )
    assert code == 0
    assert sorted(path.name for path in pictures.iterdir()) == ["film.dcm.png", "film.dcm_2.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures.iterdir())


class TestPair:
    def pair(self, phantom, tall, use_reader, tmp_path, **elements):
        for name, uid in (("base", "1.2.826.0.1.3680043.10.1999.77.1"), ("m12", "1.2.3.4")):
            (tmp_path / f"{name}.dcm").write_bytes(
                phantom.film_bytes(tall, SOPInstanceUID=uid, **elements)
            )

        class ByFilm:
            def read(self, radiograph):
                wedged = 8.0 if radiograph.path.endswith("m12.dcm") else 14.0
                return StubReader(wedged).read(radiograph)

        use_reader(ByFilm())
        return run("--pair", tmp_path / "base.dcm", tmp_path / "m12.dcm", "--json")

    def test_a_new_fracture(self, phantom, tall, use_reader, tmp_path):
        code, (pair,), _ = self.pair(phantom, tall, use_reader, tmp_path)
        assert code == 0
        assert set(pair) >= {"baseline", "follow_up", "changes"}
        assert set(pair["baseline"]) >= KEYS
        changes = {change["level"]: change for change in pair["changes"]}
        assert list(changes) == [level.value for level in GRADED_LEVELS]
        assert all(set(change) >= CHANGE_KEYS for change in changes.values())
        assert changes["L1"]["change"] == "new"
        assert changes["L1"]["height_change_max_pct"] == pytest.approx(100 * 6 / 14, abs=1)
        assert changes["T8"]["change"] == "none"

    def test_without_magnification_no_millimetre_rule_runs(
        self, phantom, tall, use_reader, tmp_path
    ):
        silent = {
            "EstimatedRadiographicMagnificationFactor": phantom.ABSENT,
            "DistanceSourceToDetector": phantom.ABSENT,
            "DistanceSourceToPatient": phantom.ABSENT,
        }
        _, (pair,), _ = self.pair(phantom, tall, use_reader, tmp_path, **silent)
        for film in (pair["baseline"], pair["follow_up"]):
            assert film["spacing_source"] == "imager_raw"
            assert film["spacing_mm"] == [0.672, 0.672]
            assert "Magnification" in film["spacing_reason"]
        assert all(change["height_change_max_mm"] is None for change in pair["changes"])
        l1 = next(change for change in pair["changes"] if change["level"] == "L1")
        assert l1["height_change_max_pct"] == pytest.approx(100 * 6 / 14, abs=1)
        assert "magnification" in l1["reason"].lower()

    def test_an_error_of_the_comparison_keeps_both_readings(
        self, phantom, tall, use_reader, tmp_path, monkeypatch
    ):
        def fail(*a, **k):
            raise ZeroDivisionError

        monkeypatch.setattr("zoom_imaging.change.match.compare_films", fail)
        code, (pair,), _ = self.pair(phantom, tall, use_reader, tmp_path)
        assert code == 3
        assert pair["baseline"]["state"] == pair["follow_up"]["state"] == "read"
        assert "ZeroDivisionError" in pair["reason"]

    def test_the_table_of_a_pair(self, phantom, tall, use_reader, tmp_path):
        self.pair(phantom, tall, use_reader, tmp_path)
        code, _, result = run("--pair", tmp_path / "base.dcm", tmp_path / "m12.dcm")
        assert code == 0
        assert "new" in result.stdout

    def test_a_refused_film_leaves_no_change(self, phantom, tall, use_reader, tmp_path):
        (tmp_path / "base.dcm").write_bytes(phantom.film_bytes(tall))
        (tmp_path / "m12.dcm").write_bytes(b"nothing")
        code, (pair,), _ = run("--pair", tmp_path / "base.dcm", tmp_path / "m12.dcm", "--json")
        assert code == 0
        assert pair["changes"] == []
        assert pair["reason"]


def by_level(film: dict) -> dict:
    return {v["level"]: v for v in film["vertebrae"] if v["state"] == "evaluable"}


def assert_same_reading(film, reference, *, shift=(0.0, 0.0), mm=0.3, ratio=0.01):
    """The reference's evaluable levels again, at the same place after a shift."""
    found, expected = by_level(film), by_level(reference)
    assert expected, "the reference shows no evaluable vertebra: nothing would be compared"
    common = found.keys() & expected.keys()
    assert len(common) >= len(expected) - 1
    for level in common:
        a, b = found[level], expected[level]
        for part in ("anterior_posterior", "middle_posterior"):
            assert a["ratios"][part] == pytest.approx(b["ratios"][part], abs=ratio), level
        if a["heights_mm"] and film["spacing_source"] == reference["spacing_source"]:
            for part, value in b["heights_mm"].items():
                assert a["heights_mm"][part] == pytest.approx(value, abs=mm), level
        for name, (column, row) in b["six_points_px"].items():
            moved = (column + shift[0], row + shift[1])
            assert a["six_points_px"][name] == pytest.approx(moved, abs=1.0), (level, name)


@pytest.fixture(scope="module")
def films(model, shared):
    cases = shared / "cases"
    paths = [cases / "_reference" / "open_plain.dcm"]
    for folder in (
        "grey-fractional-slope",
        "grey-high-bit-15",
        "grey-monochrome1-window",
        "grey-padding-stitched",
        "scale-decimal-comma",
        "scale-imager-only",
        "scale-long-ds",
        "syntax-lies",
        "container-multi-frame",
        "container-huge-header",
    ):
        paths += sorted((cases / folder).glob("*.dcm"))
    paths.append(cases / "syntax-no-meta-no-extension" / "dicom" / "IM0002")
    code, lines, _ = run(*paths, "--json")
    assert code == 0
    return lines


@pytest.mark.model
class TestCases:
    """The hard inputs of ../shared/cases, read by the trained model."""

    def named(self, films, name):
        found = [film for film in films if film["path"].endswith(name)]
        assert found, name
        return found[0]

    @pytest.mark.parametrize(
        ("name", "tolerance"),
        [
            ("slope.dcm", {}),
            ("high_bit_15.dcm", {}),
            ("mono1.dcm", {"mm": 0.6, "ratio": 0.02}),
            ("comma.dcm", {}),
            ("long_ds.dcm", {}),
            ("imager_only.dcm", {"ratio": 0.02}),
            ("native_as_jpegll.dcm", {}),
            ("j2k_as_native.dcm", {}),
            ("j2k_as_jpegll.dcm", {}),
            ("IM0002", {}),
        ],
    )
    def test_same_reading(self, films, name, tolerance):
        film = self.named(films, name)
        assert film["state"] == "read"
        assert_same_reading(film, self.named(films, "open_plain.dcm"), **tolerance)

    def test_padding_moves_the_reading_and_changes_nothing(self, films):
        reference, film = self.named(films, "open_plain.dcm"), self.named(films, "padded.dcm")
        assert film["state"] == "read"
        assert_same_reading(film, reference, shift=(40.0, 0.0), mm=0.6, ratio=0.02)

    def test_scale(self, films):
        assert self.named(films, "imager_only.dcm")["spacing_source"] == "imager_raw"
        assert self.named(films, "long_ds.dcm")["spacing_mm"] == [0.6, 0.6]
        comma = self.named(films, "comma.dcm")
        assert comma["spacing_mm"] == [0.6, 0.6]
        assert any("(0028,0030)" in text for text in comma["warnings"])

    def test_no_frame_is_dropped_and_no_vertebra_named_twice(self, films):
        frames = [film for film in films if film["path"].endswith("two_frames.dcm")]
        assert [film["frame"] for film in frames] == [0, 1]
        for film in frames:
            levels = [vertebra["level"] for vertebra in film["vertebrae"]]
            assert len(levels) == len(set(levels))

    @pytest.mark.parametrize("name", ["zero.dcm", "rows.dcm", "length.dcm"])
    def test_refused_with_a_reason(self, films, name):
        film = self.named(films, name)
        assert film["state"] == "refused"
        assert film["reason"]

    def test_pair_of_detector_spacings(self, model, shared, tmp_path):
        source = shared / "cases" / "scale-imager-only" / "imager_only.dcm"
        for name in ("base.dcm", "m12.dcm"):
            shutil.copy(source, tmp_path / name)
        code, (pair,), _ = run("--pair", tmp_path / "base.dcm", tmp_path / "m12.dcm", "--json")
        assert code == 0
        assert all(change["height_change_max_mm"] is None for change in pair["changes"])
        assert any("magnification" in change["reason"].lower() for change in pair["changes"])
