"""A training set has the readers' outlines and the films, and nothing that tells whose they are."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState, Visit
from zoom_imaging.charter import Charter, load_charter
from zoom_imaging.errors import InputError, NotRelevantError, OutputError
from zoom_imaging.exchange.training_film import Pseudonym, film_without_patient
from zoom_imaging.exchange.training_set import write_training_set
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.radiograph.read import read_radiographs
from zoom_imaging.review.answer import Anatomy, NotEvaluableReason
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.verdict import Standing, SubjectVerdict
from zoom_imaging.vision.training.finetune import film_runs
from zoom_imaging.vision.training.labelled import labelled_films

from .readings import film_path, spine, verdict, with_spine

SOMEONE = Pseudonym("patient-0001", ("ZOOM", "a"))


@pytest.fixture(scope="module")
def charter() -> Charter:
    return load_charter()


def film_of_someone(**changed: object) -> tuple[bytes, Dataset]:
    """The sample film under a full header: names, ids, dates and texts wherever they may stand."""
    dataset = dcmread(film_path())
    dataset.PatientName = "Wintergreen^Oda"
    dataset.PatientID = "MRN-778812"
    dataset.OtherPatientIDs = ["OLD-4471", "OLD-4472"]
    dataset.InstitutionName = "St. Elsewhere"
    dataset.AccessionNumber = "ACC55123"
    dataset.ManufacturerModelName = "Detector of Wintergreen"
    dataset.PixelSpacingCalibrationDescription = "ball beside Wintergreen"
    dataset.StudyDescription = "LWS Wintergreen 19550615"
    dataset.ClinicalTrialSubjectID = "ZOOM-001"
    request = Dataset()
    request.ScheduledProcedureStepStartDate = "20240229"
    dataset.RequestAttributesSequence = [request]
    block = dataset.private_block(0x0009, "SOMEONE", create=True)
    block.add_new(1, "LO", "Wintergreen")
    dataset.add_new(0x60003000, "OW", b"Wintergreen ")
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue(), dataset


def of_bytes(content: bytes, folder: Path, whole: SubjectVerdict) -> SubjectVerdict:
    """The verdict with this film in place of its own."""
    path = folder / "film.dcm"
    path.write_bytes(content)
    film = replace(
        whole.films["f1"],
        source=SourceFile("film.dcm", str(path)),
        sha256=sha256_of_bytes(content),
    )
    return replace(whole, films={"f1": film})


def telling(dataset: Dataset) -> set[str]:
    """What must not be found: names, ids, dates and UIDs of the header, however deep."""
    found = {"Wintergreen", "WINTERGREEN", "Oda", "Elsewhere", "OLD-4471", "OLD-4472"}
    for one in dataset.iterall():
        if one.VR in {"DA", "UI", "PN"} or one.keyword in {
            "PatientID",
            "AccessionNumber",
            "ClinicalTrialSubjectID",
        }:
            found.add(str(one.value))
    return {text for text in found if text and not text.startswith("1.2.840.10008.")}


def test_training_reads_the_set_and_finds_the_readers_outlines(
    tmp_path: Path, charter: Charter
) -> None:
    visits = (Visit.BASELINE, Visit.MONTH12)
    whole = verdict(visits=visits)
    made = write_training_set([whole], tmp_path / "set", charter)
    assert [film.written for film in made.films] == [
        "patient-0001/baseline-1.dcm",
        "patient-0001/month12-1.dcm",
    ]
    films = list(labelled_films(tmp_path / "set"))
    assert {film.person for film in films} == {"patient-0001"}
    # T4 and T5 have no outline, T8 has six points only.
    expected = [level for level in (*GRADED_LEVELS[2:], Level.L5) if level is not Level.T8]
    for film, visit in zip(films, visits, strict=True):
        assert [one.level for one in film.vertebrae] == expected
        (t12,) = (one for one in film.vertebrae if one.level is Level.T12)
        answer = whole.spines[visit].answer(Level.T12)
        assert answer.points is not None
        assert np.allclose(t12.six, answer.points.to_array(), atol=0.005)
        assert np.allclose(t12.outline, answer.polygon, atol=0.005)
        assert (t12.grade, t12.evaluable) == (2, True)
        original = read_radiographs(film_path(visit=visit).read_bytes(), "a")[0]
        assert np.array_equal(film.film.pixels, original.pixels)
        assert film.film.scale == original.scale
        assert film.film.view is original.view
        assert len(list(film_runs(film))) == 1


def test_nothing_of_the_header_is_left(tmp_path: Path, charter: Charter) -> None:
    content, dataset = film_of_someone()
    named = spine().vertebrae[Level.L1].model_copy(update={"note": "Mrs Wintergreen moved"})
    whole = with_spine(verdict(), spine(L1=named))
    made = write_training_set([of_bytes(content, tmp_path, whole)], tmp_path / "set", charter)
    assert [film.written for film in made.films] == ["patient-0001/baseline-1.dcm"]
    written = {path: path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()}
    assert len(written) == 2
    forbidden = telling(dataset)
    assert {"MRN-778812", "19550615", "20240229", str(dataset.StudyInstanceUID)} <= forbidden
    for path, there in written.items():
        for text in forbidden:
            assert text.encode() not in there, f"{text} in {path.name}"
            assert text not in str(path.relative_to(tmp_path))
    copied = dcmread(tmp_path / "set" / "patient-0001" / "baseline-1.dcm")
    assert copied.PatientID == "patient-0001"
    assert copied.Manufacturer == dataset.Manufacturer
    assert "ManufacturerModelName" not in copied, "it names the patient"
    assert not [one for one in copied if one.tag.is_private or one.tag.group & 0xFF00 == 0x6000]


def test_patients_are_numbered_by_their_films_not_by_their_ids(
    tmp_path: Path, charter: Charter
) -> None:
    verdicts = [verdict(f"ZOOM-00{k}") for k in (1, 2, 3)]
    first = write_training_set(verdicts, tmp_path / "a", charter)
    renamed = [replace(one, subject_id=f"X-{9 - at}") for at, one in enumerate(reversed(verdicts))]
    again = write_training_set(renamed, tmp_path / "b", charter)
    assert sorted(film.written for film in first.films) == [
        f"patient-000{k}/baseline-1.dcm" for k in (1, 2, 3)
    ]
    for film in first.written:
        same = film.written
        assert (tmp_path / "a" / same).read_bytes() == (tmp_path / "b" / same).read_bytes()
    assert len(again.written) == 3


def test_what_is_skipped_says_why_and_takes_no_number(tmp_path: Path, charter: Charter) -> None:
    base = verdict()
    whole = base.spines[Visit.BASELINE]
    few = {level: whole.vertebrae[level] for level in (Level.T10, Level.T12, Level.L1)}
    altered = replace(base.films["f1"], sha256="0" * 64)
    gone = replace(base.films["f1"], source=SourceFile("gone.dcm", str(tmp_path / "gone.dcm")))
    cases = {
        "the reading is not final": replace(base, standing=Standing.READ_ONCE),
        "the subject has no film": replace(base, films={}, spines={}),
        "fewer than 3 neighbouring levels are outlined on this film: T10, T12, L1": with_spine(
            base, whole.model_copy(update={"vertebrae": few})
        ),
        "the spine has T13, and neighbours are not what training takes them for": with_spine(
            base, whole.model_copy(update={"anatomy": Anatomy.THIRTEEN_THORACIC})
        ),
        "IM0001 is not the file that was read: expected SHA-256 0": replace(
            base, films={"f1": altered}
        ),
        "the file cannot be opened": replace(base, films={"f1": gone}),
    }
    made = write_training_set([*cases.values(), verdict("ZOOM-002")], tmp_path / "set", charter)
    assert [film.written for film in made.written] == ["patient-0001/baseline-1.dcm"]
    reasons = [film.reason for film in made.skipped]
    assert len(reasons) == len(cases)
    for reason in cases:
        assert [found for found in reasons if found.startswith(reason)], reason


def test_states_and_grades_are_those_of_the_reader(tmp_path: Path, charter: Charter) -> None:
    base = spine().vertebrae[Level.L1]
    changes = {
        Level.L1: {"grade": Grade.BORDERLINE},
        Level.L2: {"grade": Grade.INDETERMINATE},
        Level.L3: {"grade": Grade.NOT_EVALUABLE, "reason": NotEvaluableReason.AT_SEAM},
        Level.L4: {"grade": Grade.NOT_EVALUABLE, "reason": NotEvaluableReason.POOR_QUALITY},
    }
    answers = {level.value: base.model_copy(update=change) for level, change in changes.items()}
    write_training_set([with_spine(verdict(), spine(**answers))], tmp_path / "set", charter)
    sheet = json.loads((tmp_path / "set/patient-0001/baseline-1.json").read_text())
    found = {one["level"]: (one["state"], one["genant_grade"]) for one in sheet["vertebrae"]}
    assert {level: found[level] for level in ("L1", "L2", "L3", "L4", "L5")} == {
        "L1": (VertebraState.EVALUABLE, 0.5),
        "L2": (VertebraState.EVALUABLE, "indeterminate"),
        "L3": (VertebraState.AT_SEAM, "not_evaluable"),
        "L4": (VertebraState.READER_NOT_EVALUABLE, "not_evaluable"),
        "L5": (VertebraState.EVALUABLE, None),
    }


def test_a_film_in_an_archive_is_taken_out_of_it(tmp_path: Path, charter: Charter) -> None:
    content, _ = film_of_someone()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("film.dcm", content)
    whole = verdict()
    source = SourceFile("a.zip!film.dcm", str(tmp_path / "a.zip"), "film.dcm", 0, (0,))
    film = CaseFilm(Visit.BASELINE, source, sha256_of_bytes(content), whole.films["f1"].reading)
    made = write_training_set([replace(whole, films={"f1": film})], tmp_path / "set", charter)
    assert len(made.written) == 1


def test_a_folder_in_use_is_refused(tmp_path: Path, charter: Charter) -> None:
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(OutputError, match="is not empty"):
        write_training_set([], tmp_path, charter)


def test_a_name_in_unused_bits_stays_behind() -> None:
    """An overlay of old devices lies above the high bit, where a viewer does not look."""
    dataset = dcmread(film_path())
    dataset.decompress(generate_instance_uid=False)
    pixels = dataset.pixel_array.astype("<u2")
    pixels[100:140, 100:300] |= 0x1000
    dataset.PixelData = pixels.tobytes()
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    copied = film_without_patient(stream.getvalue(), "a", None, SOMEONE)
    kept = np.frombuffer(dcmread(io.BytesIO(copied)).PixelData, "<u2")
    assert int(kept.max()) < 0x1000


def test_burned_in_text_and_colour_stay_here() -> None:
    content, _ = film_of_someone(BurnedInAnnotation="YES")
    with pytest.raises(InputError, match="text is burned into the picture"):
        film_without_patient(content, "a", None, SOMEONE)
    dataset = dcmread(film_path())
    dataset.decompress(generate_instance_uid=False)
    grey = (dataset.pixel_array >> 4).astype(np.uint8)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    coloured = np.repeat(grey[..., None], 3, axis=2).tobytes()
    dataset.PixelData = coloured + b"\0" * (len(coloured) % 2)
    dataset["PixelData"].VR = "OB"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    with pytest.raises(NotRelevantError, match="a colour picture"):
        film_without_patient(stream.getvalue(), "a", None, SOMEONE)


@pytest.mark.parametrize(
    "case",
    [
        "container-multi-frame/two_frames.dcm",
        "grey-high-bit-15/high_bit_15.dcm",
        "grey-monochrome1-window/mono1.dcm",
        "grey-padding-stitched/padded.dcm",
        "scale-decimal-comma/comma.dcm",
        "scale-long-ds/long_ds.dcm",
        "syntax-lies/j2k_as_native.dcm",
        "syntax-no-meta-no-extension/dicom/IM0002",
        "jpeg-extended-12-bit/film.dcm",
    ],
)
def test_hard_films_measure_as_before(shared: Path, case: str) -> None:
    content = (shared / "cases" / case).read_bytes()
    for at, film in enumerate(read_radiographs(content, case)):
        copied = film_without_patient(content, case, film.frame, SOMEONE)
        (again,) = read_radiographs(copied, "a")
        assert np.array_equal(again.pixels, film.pixels), at
        assert again.scale.source is film.scale.source
        assert again.scale.as_list == pytest.approx(film.scale.as_list, rel=1e-6)
