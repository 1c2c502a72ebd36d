"""A reading of a spine film as SR says what was read: to us, highdicom, dcmtk and dicom3tools."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import astuple, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    Visit,
)
from zoom_imaging.errors import InputError, NotRelevantError, UnreadableError
from zoom_imaging.exchange.radiograph_codes import SITES
from zoom_imaging.exchange.radiograph_report import (
    Evaluability,
    ModelName,
    RadiographReport,
    VertebraReport,
    report_of_model,
    report_of_readers,
)
from zoom_imaging.exchange.radiograph_sr import radiograph_sr
from zoom_imaging.exchange.radiograph_sr_reading import read_radiograph_sr
from zoom_imaging.exchange.sr_parts import plain
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.ingest.classify import classify
from zoom_imaging.ingest.header import parse
from zoom_imaging.morphometry.reading import Heights, Ratios
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.answer import AbqSign, Anatomy, NonFractureCause, VertebraAnswer
from zoom_imaging.review.verdict import Observer, Standing

from .readings import (
    ADJUDICATOR,
    MODEL,
    READER,
    case_film,
    dataset,
    model_reading,
    six_points,
    spine,
    verdict,
    with_spine,
)


@pytest.fixture(scope="module")
def source() -> Dataset:
    return dataset()


@pytest.fixture(scope="module")
def by_model(source: Dataset) -> RadiographReport:
    return report_of_model(model_reading(source), Visit.BASELINE, MODEL)


@pytest.fixture(scope="module")
def by_readers() -> RadiographReport:
    return report_of_readers(verdict(), "f1", MODEL)


def through_bytes(made: Dataset) -> Dataset:
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return dcmread(io.BytesIO(stream.getvalue()))


def vertebra(report: RadiographReport, level: Level) -> VertebraReport:
    (found,) = (one for one in report.vertebrae if one.level is level)
    return found


def codes_of(made: Dataset) -> list[str]:
    return [one.value for one in made.iterall() if one.keyword in {"CodeValue", "LongCodeValue"}]


# What any report may say, so far as it does not contradict itself.

texts = st.text(st.characters(exclude_categories=["C"]), max_size=70).map(plain)
names = texts.filter(lambda text: bool(text.strip("^= \\")))
places = st.floats(-2000, 30_000)
points = st.tuples(places, places)
millimetres = st.floats(0.01, 90)


@st.composite
def vertebrae(draw: st.DrawFn, level: Level) -> VertebraReport:
    evaluability = draw(st.sampled_from(Evaluability))
    silent = evaluability in {Evaluability.NOT_ANSWERED, Evaluability.NOT_GRADED}
    graded = evaluability is Evaluability.EVALUABLE
    grades = st.sampled_from([grade for grade in Grade if grade is not Grade.NOT_EVALUABLE])
    six = draw(st.none() | st.tuples(*[points] * 6))
    polygon = tuple(draw(st.just([]) | st.lists(points, min_size=3, max_size=9)))
    return VertebraReport(
        level=level,
        evaluability=evaluability,
        grade=draw(grades) if graded else None if silent else Grade.NOT_EVALUABLE,
        given_by=draw(st.none() | st.sampled_from(GradeSource)),
        shape=draw(st.sampled_from(Shape)),
        signs=tuple(draw(st.lists(st.sampled_from(AbqSign), unique=True))),
        cause=draw(st.none() | st.sampled_from(NonFractureCause)),
        six_points=SixPoints(*six) if six else None,
        polygon=polygon,
        outlined_by_model=draw(st.booleans()),
        heights=draw(st.none() | st.builds(Heights, *[millimetres] * 3)),
        ratios=draw(st.none() | st.builds(Ratios, *[millimetres] * 2, st.none() | millimetres)),
        note=draw(texts),
    )


@st.composite
def reports(draw: st.DrawFn, uid: str) -> RadiographReport:
    levels = draw(st.sets(st.sampled_from(Level), min_size=1, max_size=5))
    observers = st.builds(
        Observer,
        names,
        st.sampled_from(GradeSource),
        texts,
        st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    )
    standing = draw(st.sampled_from([None, *Standing]))
    scales = st.builds(Scale, st.sampled_from(SpacingSource), millimetres, millimetres, texts)
    return RadiographReport(
        sop_instance_uid=uid,
        frame=draw(st.none() | st.integers(0, 40)),
        visit=draw(st.sampled_from(Visit)),
        standing=standing,
        model=draw(st.builds(ModelName, names, names)),
        observers=tuple(draw(st.lists(observers, max_size=3))) if standing else (),
        anatomy=draw(st.none() | st.sampled_from(Anatomy)),
        scale=draw(st.none() | scales | st.just(Scale(SpacingSource.NONE, None, None, "none"))),
        vertebrae=tuple(draw(vertebrae(level)) for level in Level if level in levels),
        remarks=tuple(draw(st.lists(texts.filter(bool), max_size=2))),
    )


def without_places(report: RadiographReport) -> RadiographReport:
    stripped = [replace(one, six_points=None, polygon=()) for one in report.vertebrae]
    return replace(report, vertebrae=tuple(stripped))


def places_of(one: VertebraReport) -> np.ndarray:
    six = [] if one.six_points is None else one.six_points.to_array().tolist()
    return np.array([*six, *one.polygon], float).reshape(-1, 2)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_was_written_is_read_back(source: Dataset, data: st.DataObject) -> None:
    report = data.draw(reports(str(source.SOPInstanceUID)))
    again = read_radiograph_sr(through_bytes(radiograph_sr(report, source, "Core Lab")))
    assert without_places(again) == without_places(report)
    for old, new in zip(report.vertebrae, again.vertebrae, strict=True):
        assert (old.six_points is None, len(old.polygon)) == (
            new.six_points is None,
            len(new.polygon),
        )
        assert np.allclose(places_of(old), places_of(new), rtol=0, atol=0.01)


def test_a_film_that_only_the_model_read_is_partial_and_names_no_person(
    source: Dataset, by_model: RadiographReport
) -> None:
    made = radiograph_sr(by_model, source, "Core Lab")
    assert (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag) == (
        "PARTIAL",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert "121006" not in codes_of(made)
    assert read_radiograph_sr(through_bytes(made)) == by_model
    t12 = vertebra(by_model, Level.T12)
    assert (t12.grade, t12.shape, t12.given_by) == (Grade.MODERATE, Shape.WEDGE, GradeSource.MODEL)
    assert vertebra(by_model, Level.T5).note == "the height ratios scatter"


def test_a_final_reading_is_complete_and_verified_by_those_who_signed(
    source: Dataset, by_readers: RadiographReport
) -> None:
    made = through_bytes(radiograph_sr(by_readers, source, "Core Lab"))
    assert (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag) == (
        "COMPLETE",
        "VERIFIED",
        "FINAL",
    )
    signed = made.VerifyingObserverSequence
    assert [str(one.VerifyingObserverName) for one in signed] == ["Dr. Ada Example^", "Müller^Eva"]
    assert str(signed[0].VerificationDateTime) == "20260301093001.000005+0000"
    assert {one.VerifyingOrganization for one in signed} == {"Core Lab"}
    again = read_radiograph_sr(made)
    assert again.observers == (READER, ADJUDICATOR)
    assert vertebra(again, Level.T12).given_by is GradeSource.ADJUDICATOR
    assert vertebra(again, Level.T12).note == "neu, 骨折"
    assert "arms in front of the spine" in again.remarks


@pytest.mark.parametrize(
    ("standing", "organisation", "flags"),
    [
        (Standing.FINAL, "", ("COMPLETE", "UNVERIFIED", "FINAL")),
        (Standing.READ_ONCE, "Core Lab", ("PARTIAL", "UNVERIFIED", "PRELIMINARY")),
    ],
)
def test_only_a_final_reading_of_a_named_organisation_is_verified(
    source: Dataset,
    by_readers: RadiographReport,
    standing: Standing,
    organisation: str,
    flags: tuple[str, str, str],
) -> None:
    made = radiograph_sr(replace(by_readers, standing=standing), source, organisation)
    assert (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag) == flags


def test_what_was_not_judged_says_so_and_has_no_grade(
    source: Dataset, by_readers: RadiographReport
) -> None:
    silent = {
        Level.T4: (Evaluability.OBSCURED, Grade.NOT_EVALUABLE, "OBSCURED"),
        Level.T5: (Evaluability.NOT_ANSWERED, None, "NOTANSWERED"),
        Level.L5: (Evaluability.NOT_GRADED, None, "NOTGRADED"),
    }
    assert {one.level for one in by_readers.vertebrae} == {*GRADED_LEVELS, Level.L5}
    for level, (evaluability, grade, said) in silent.items():
        one = vertebra(by_readers, level)
        assert (one.evaluability, one.grade) == (evaluability, grade)
        alone = replace(by_readers, vertebrae=(one,))
        found = codes_of(radiograph_sr(alone, source))
        assert said in found
        assert not [value for value in found if value.startswith("GENANT") or value == "RDES150"]


def test_a_point_is_half_a_pixel_further_from_the_corner_than_from_the_first_centre(
    source: Dataset, by_model: RadiographReport
) -> None:
    made = radiograph_sr(replace(by_model, vertebrae=(vertebra(by_model, Level.T6),)), source)
    data = {one.GraphicType: one.GraphicData for one in items_of(made) if one.get("GraphicType")}
    six, region = data["MULTIPOINT"], data["POLYLINE"]
    expected = six_points(Level.T6).to_array() + 0.5
    assert np.allclose(np.reshape(six, (6, 2)), expected, atol=1e-3)
    assert region[:2] == region[-2:], "the outline is closed"


def items_of(made: Dataset) -> list[Dataset]:
    """All content items, however deep."""
    return [
        item for one in made.iterall() if one.keyword == "ContentSequence" for item in one.value
    ]


def test_highdicom_finds_every_vertebra_and_its_outline(
    source: Dataset, by_readers: RadiographReport, tmp_path
) -> None:
    from highdicom.sr import MeasurementReport, srread

    path = tmp_path / "sr.dcm"
    radiograph_sr(by_readers, source).save_as(path, enforce_file_format=True)
    report = MeasurementReport.from_sequence(srread(path).content)
    regions = report.get_planar_roi_measurement_groups()
    others = report.get_image_measurement_groups()
    outlined = [one for one in by_readers.vertebrae if one.polygon]
    assert (len(regions), len(others)) == (len(outlined), len(by_readers.vertebrae) - len(outlined))
    (t12,) = report.get_planar_roi_measurement_groups(finding_site=codes.SCT.T12Vertebra)
    drawn = np.array(vertebra(by_readers, Level.T12).polygon) + 0.5
    assert np.allclose(t12.roi.value, [*drawn, drawn[0]], atol=1e-3)
    assert t12.tracking_identifier == "T12"
    said = vertebra(by_readers, Level.T12)
    numbers = [*astuple(said.heights), *astuple(said.ratios)]
    assert [one.value for one in t12.get_measurements()] == numbers
    assert numbers[3:] == pytest.approx([35 / 51, 47.75 / 51, 1.0], abs=2e-3)
    image = t12.roi.ContentSequence[0].ReferencedSOPSequence[0]
    assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_every_vertebra_that_dicom_knows_has_dicoms_code() -> None:
    for level, site in SITES.items():
        if level not in {Level.T13, Level.L6, Level.S1}:
            known = getattr(codes.SCT, f"{level}Vertebra")
            assert (site.value, site.scheme, site.meaning) == (
                known.value,
                known.scheme_designator,
                known.meaning,
            )


def test_without_a_scale_there_are_ratios_and_no_millimetres(source: Dataset) -> None:
    film = replace(case_film(), reading=model_reading(source, scale=None))
    report = report_of_readers(replace(verdict(), films={"f1": film}), "f1", MODEL)
    made = radiograph_sr(report, source)
    assert vertebra(report, Level.T12).heights is None
    assert vertebra(report, Level.T12).ratios is not None
    found = codes_of(made)
    assert "HAHP" in found
    assert "HA" not in found
    assert read_radiograph_sr(through_bytes(made)).scale is None


def test_a_frame_is_named_as_dicom_counts(source: Dataset) -> None:
    report = report_of_model(model_reading(source, frame=2), Visit.MONTH12, MODEL)
    made = radiograph_sr(report, source)
    frames = {one.value for one in made.iterall() if one.keyword == "ReferencedFrameNumber"}
    assert frames == {3}
    assert read_radiograph_sr(through_bytes(made)).frame == 2


def test_two_films_of_a_visit_share_the_levels_out() -> None:
    """A thoracic film on which T4-T10 were delineated, and a lumbar one."""
    films = {"f1": case_film(), "f2": case_film()}
    upper = set(GRADED_LEVELS[:7])
    for key, film in films.items():
        kept = [
            one if (one.level in upper) is (key == "f1") else replace(one, six_points=None)
            for one in film.reading.vertebrae
        ]
        films[key] = replace(film, reading=replace(film.reading, vertebrae=tuple(kept)))
    answers = spine("f1").model_copy(
        update={
            "vertebrae": {level: VertebraAnswer(grade=Grade.NORMAL) for level in GRADED_LEVELS[:-1]}
            | {Level.L4: spine("f2").vertebrae[Level.L4]}
        }
    )
    whole = replace(with_spine(verdict(), answers), films=films)
    parts = [{one.level for one in report_of_readers(whole, key, MODEL).vertebrae} for key in films]
    assert parts == [upper, set(GRADED_LEVELS) - upper]


def test_an_answer_on_a_film_that_is_not_there_is_refused() -> None:
    strange = spine("f9").vertebrae[Level.L1]
    whole = with_spine(verdict(), spine("f1", L1=strange))
    with pytest.raises(InputError, match=r"ZOOM-001, baseline, L1.*expected f1, found f9"):
        report_of_readers(whole, "f1", MODEL)


def test_other_films_and_foreign_reports_are_refused(
    source: Dataset, by_model: RadiographReport
) -> None:
    with pytest.raises(InputError, match="the reading is not of this film"):
        radiograph_sr(by_model, dataset("ZOOM-002"))
    refused = replace(model_reading(source), refusal="no spine was found")
    with pytest.raises(NotRelevantError, match="no spine was found"):
        report_of_model(refused, Visit.BASELINE, MODEL)
    with pytest.raises(NotRelevantError, match="no answer of a reader belongs to this film"):
        report_of_readers(replace(verdict(), spines={}), "f1", MODEL)
    with pytest.raises(NotRelevantError, match="no spine reading of this software"):
        read_radiograph_sr(source)


def test_a_damaged_report_is_refused(source: Dataset, by_model: RadiographReport) -> None:
    made = through_bytes(radiograph_sr(by_model, source))
    for one in made.iterall():
        if one.keyword == "CodeValue" and one.value == "GENANT2":
            one.value = "GENANT9"
    with pytest.raises(UnreadableError, match=r"damaged .*GENANT9"):
        read_radiograph_sr(made)


def test_a_reading_that_comes_back_from_an_archive_is_no_densitometry(
    source: Dataset, by_model: RadiographReport
) -> None:
    """Not even where a reader's note speaks of density."""
    noted = replace(vertebra(by_model, Level.T6), note="low bone density, BMD advised")
    stream = io.BytesIO()
    made = radiograph_sr(replace(by_model, vertebrae=(noted,)), source)
    made.save_as(stream, enforce_file_format=True)
    parsed = parse(stream.getvalue())
    found = classify(parsed.header, parsed.clues)
    assert (found.kind, found.disposition) == (FileKind.OTHER_DICOM, Disposition.NOT_RELEVANT)
    assert "a reading of a radiograph" in found.reason


def test_patient_study_and_uids_come_from_what_is_said(
    source: Dataset, by_model: RadiographReport
) -> None:
    made = radiograph_sr(by_model, source)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "PatientBirthDate"):
        assert made.get(keyword) == source.get(keyword)
    evidence = made.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert made.SOPInstanceUID == radiograph_sr(by_model, source).SOPInstanceUID
    changed = replace(vertebra(by_model, Level.T6), grade=Grade.MILD, shape=Shape.CRUSH)
    other = radiograph_sr(replace(by_model, vertebrae=(changed,)), source)
    assert made.SOPInstanceUID != other.SOPInstanceUID


def test_a_vertebra_has_one_tracking_uid_at_both_visits(source: Dataset) -> None:
    def tracked(visit: Visit) -> list[str]:
        film = dataset(visit=visit)
        made = radiograph_sr(report_of_model(model_reading(film), visit, MODEL), film)
        return [str(one.value) for one in made.iterall() if one.keyword == "UID"]

    assert tracked(Visit.BASELINE) == tracked(Visit.MONTH12)


def test_a_bare_header_and_another_character_set_are_enough(
    source: Dataset, by_readers: RadiographReport
) -> None:
    bare = Dataset()
    bare.SpecificCharacterSet = "ISO_IR 100"
    bare.PatientName = "Müller^Anna"
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(bare, keyword, source.get(keyword))
    made = through_bytes(radiograph_sr(by_readers, bare))
    assert str(made.PatientName) == "Müller^Anna"
    assert vertebra(read_radiograph_sr(made), Level.T12).note == "neu, 骨折"


@pytest.mark.parametrize("tool", ["dciodvfy", "dsrdump"])
@pytest.mark.parametrize("who", ["by_model", "by_readers"])
def test_other_software_finds_no_fault(
    tool: str, who: str, source: Dataset, request: pytest.FixtureRequest, tmp_path
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (Debian: dicom3tools, dcmtk)")
    path = tmp_path / "sr.dcm"
    made = radiograph_sr(request.getfixturevalue(who), source, "Core Lab")
    made.save_as(path, enforce_file_format=True)
    done = subprocess.run([tool, str(path)], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert "Error" not in said
    if tool == "dsrdump":
        assert '(23215003,SCT,"T12 vertebra")' in said
        assert "(GENANT2,99ZOOM" in said
        assert "(MULTIPOINT," in said
