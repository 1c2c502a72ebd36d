"""A small trial with drawn films, as real DICOM bytes on disk, and its results made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Arm,
    Grade,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    VertebraState,
    View,
    Visit,
)
from zoom_imaging.change.record import BmdChange, ChangeKind, VertebraChange
from zoom_imaging.change.subject import summarise_fractures
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, ResultState, Scanner, Site
from zoom_imaging.endpoints.results import BMD_SITES, RunMetadata, SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import (
    Catalogue,
    CatalogueEntry,
    Disposition,
    FileKind,
    Header,
    SourceFile,
)
from zoom_imaging.ingest.clinical import ClinicalRow
from zoom_imaging.morphometry.reading import FilmReading, Heights, Ratios, VertebraReading
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.query import Query, QueryKind
from zoom_imaging.radiograph.film import Radiograph, Scale

ROWS, COLUMNS, PITCH, DEPTH, HEIGHT = 600, 260, 44, 60, 30
FAULT = "<script>alert('x')</script>"
HOSTILE_IDS = (
    '"><img src=x onerror=alert(1)>',
    "../../etc/passwd",
    FAULT,
    "ZOOM 00\u202e1",
    "Z\udcff&amp;",
)
MILLIMETRES = Scale(SpacingSource.GEOMETRY, 0.5, 0.5, "drawn")


def drawn_pixels() -> np.ndarray:
    """Thirteen bright bodies on a gradient, with some grain."""
    grain = np.random.default_rng(7).normal(0.0, 0.01, (ROWS, COLUMNS))
    film = np.linspace(0.2, 0.5, COLUMNS)[np.newaxis, :] + grain
    for at in range(len(GRADED_LEVELS)):
        top, left = body_corner(at)
        film[top : top + HEIGHT, left : left + DEPTH] += 0.4
    return np.clip(film, 0.0, 1.0).astype(np.float32)


def body_corner(at: int) -> tuple[int, int]:
    """Row and column of the upper anterior corner of a body, along a gentle curve."""
    return 20 + at * PITCH, 90 + round(12 * np.sin(at / 3))


def film_bytes(pixels: np.ndarray, uid: str) -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.Modality = "DX"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = (pixels * 60000).astype("<u2").tobytes()
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def vertebra(
    level: Level,
    grade: Grade = Grade.NORMAL,
    state: VertebraState = VertebraState.EVALUABLE,
    shape: Shape = Shape.NONE,
) -> VertebraReading:
    top, left = body_corner(GRADED_LEVELS.index(level))
    right, middle, bottom = left + DEPTH - 1, left + DEPTH / 2, top + HEIGHT - 1
    points = [(left, top), (middle, top), (right, top)]
    points += [(left, bottom), (middle, bottom), (right, bottom)]
    return VertebraReading(
        level=level,
        state=state,
        reason="" if state is VertebraState.EVALUABLE else "the shoulder hides it",
        six_points=SixPoints.from_array(points),
        polygon=((left, top), (right, top), (right, bottom), (left, bottom)),
        sd_px=(1.0,) * 6,
        heights=Heights(14.5, 14.5, 14.5),
        ratios=Ratios(1.0, 1.0, 1.0),
        ratio_sd=0.02,
        grade=grade if state is VertebraState.EVALUABLE else Grade.NOT_EVALUABLE,
        shape=shape,
        p_grades=(0.9, 0.05, 0.03, 0.02),
    )


def film_reading(
    path: str = "film.dcm",
    graded: dict[Level, Grade] | None = None,
    levels: tuple[Level, ...] = GRADED_LEVELS,
    scale: Scale | None = MILLIMETRES,
) -> FilmReading:
    grades = graded or {}
    return FilmReading(
        path=path,
        sop_instance_uid="1.2.3",
        scale=scale,
        vertebrae=tuple(
            vertebra(level, grades.get(level, Grade.NORMAL), shape=Shape.WEDGE)
            if level is not Level.T4
            else vertebra(level, state=VertebraState.OBSCURED)
            for level in levels
        ),
        view="lateral",
    )


def radiograph(
    scale: Scale | None = None, pixels: np.ndarray | None = None, **changes: object
) -> Radiograph:
    grey = drawn_pixels() if pixels is None else pixels
    film = Radiograph(
        path="film.dcm",
        sop_instance_uid="1.2.3",
        pixels=grey,
        valid=np.ones(grey.shape, dtype=bool),
        scale=scale or MILLIMETRES,
        view=View.LATERAL,
        view_reason="drawn",
        acquired_on=None,
    )
    return replace(film, **changes)


@pytest.fixture(scope="session")
def build() -> type:
    """The makers of this file, for tests that need films and readings of their own."""

    class Build:
        rows, columns, body_height, body_depth = ROWS, COLUMNS, HEIGHT, DEPTH
        hostile_ids = HOSTILE_IDS
        corner = staticmethod(body_corner)
        pixels = staticmethod(drawn_pixels)
        bytes_of = staticmethod(film_bytes)
        vertebra = staticmethod(vertebra)
        reading = staticmethod(film_reading)
        radiograph = staticmethod(radiograph)
        subject = staticmethod(subject_results)
        trial = staticmethod(trial_results)

    return Build


def _entry(
    source: SourceFile, subject_id: str, visit: Visit | None, digest: str, kind: FileKind
) -> CatalogueEntry:
    day = date(2025, 3, 1) if visit is Visit.BASELINE else date(2026, 3, 4)
    header = Header(
        sop_class_uid="1.2",
        sop_instance_uid="1.2.3",
        transfer_syntax_uid="1.2",
        modality="DX",
        manufacturer="",
        model="",
        body_part="SPINE",
        view_position="",
        view=View.LATERAL,
        study_date=day,
        acquired_on=day,
        date_source="acquisition date",
        subject_id=subject_id,
        time_point="",
        study_instance_uid="",
        series_instance_uid="",
        patient_name=f"{FAULT}^Invented",
    )
    return CatalogueEntry(source, digest, kind, Disposition.USED, "", header, subject_id, visit)


def _report(path: str, visit: Visit) -> DxaReport:
    bmd = 0.800 if visit is Visit.BASELINE else 0.840
    return DxaReport(
        path=path,
        sop_instance_uid="1.2",
        source=DxaSource.HOLOGIC_TEXT,
        scan_date=date(2025, 3, 1),
        scanner=Scanner("Hologic", "Horizon W", "300000M", "13.6"),
        scan_mode="fast array",
        analysis_version="13.6",
        reference=f"reference {FAULT}",
        included_levels=(Level.L1, Level.L2),
        results=(
            DxaResult(Site.LUMBAR_SPINE, "L1", 10.0, 8.0, bmd, -2.1, -1.0),
            DxaResult(
                Site.FEMORAL_NECK,
                "neck",
                state=ResultState.WITHHELD,
                reason="the cell of the neck is blank",
            ),
            DxaResult(Site.LUMBAR_SPINE, "L4", bmd_g_per_cm2=0.111, state=ResultState.HISTORY),
        ),
    )


def subject_results(
    folder: Path,
    subject_id: str,
    visits: tuple[Visit, ...] = tuple(Visit),
    changed: ChangeKind = ChangeKind.NEW,
) -> tuple[SubjectResults, list[CatalogueEntry]]:
    """A subject with one film and one report at each of `visits`; L1 changes."""
    charter = load_charter()
    entries: list[CatalogueEntry] = []
    films: dict[Visit, tuple[FilmReading, ...]] = dict.fromkeys(Visit, ())
    sources: dict[Visit, tuple[SourceFile, ...]] = dict.fromkeys(Visit, ())
    vertebrae: dict[Visit, tuple[VertebraReading, ...]] = dict.fromkeys(Visit, ())
    dxa: dict[Visit, tuple[DxaReport, ...]] = dict.fromkeys(Visit, ())
    for visit in visits:
        name = sha256_of_bytes(subject_id.encode("utf-8", "surrogatepass"))[:8]
        place = folder / f"{name}_{visit.value}.dcm"
        content = film_bytes(drawn_pixels(), "1.2.3")
        place.write_bytes(content)
        source = SourceFile(f"{subject_id}/{visit.value}.dcm", str(place))
        entries.append(
            _entry(source, subject_id, visit, sha256_of_bytes(content), FileKind.SPINE_RADIOGRAPH)
        )
        after = visit is Visit.MONTH12
        reading = film_reading(source.path, {Level.L1: Grade.MODERATE} if after else {})
        films[visit], sources[visit], vertebrae[visit] = (reading,), (source,), reading.vertebrae
        report_path = f"{subject_id}/{visit.value}_dxa.dcm"
        entries.append(
            _entry(
                SourceFile(report_path, report_path),
                subject_id,
                visit,
                "cd" * 32,
                FileKind.DXA_REPORT,
            )
        )
        dxa[visit] = (_report(report_path, visit),)
    changes: tuple[VertebraChange, ...] = ()
    if len(visits) == len(Visit):
        changes = tuple(
            VertebraChange(level, Grade.NORMAL, Grade.MODERATE, changed, "", 33.0, 4.8, True, True)
            if level is Level.L1
            else VertebraChange(level, Grade.NORMAL, Grade.NORMAL, ChangeKind.NONE, "")
            for level in GRADED_LEVELS
            if level is not Level.T4
        )
    both = bool(changes)
    bmd = {
        site: BmdChange(
            site,
            "L2-L4",
            0.8 if both else None,
            0.84 if both else None,
            5.0 if both and site == "lumbar_spine" else None,
            True if both and site == "lumbar_spine" else None,
            "L1 is fractured" if both else f"no report {FAULT} at one visit",
            excluded_levels=(Level.L1,) if both else (),
        )
        for site in BMD_SITES
    }
    asked = Query(QueryKind.NUMBERING, subject_id, f"Which level? {FAULT}", "L4 or L5", None)
    return (
        SubjectResults(
            subject_id=subject_id,
            clinical=ClinicalRow(subject_id, Arm.TWICE, 3.0, date(2025, 3, 1)) if both else None,
            arm_planned=Arm.TWICE if both else None,
            arm_actual=Arm.ONCE_THEN_RISEDRONATE if both else None,
            dxa=dxa,
            films=films,
            film_sources=sources,
            vertebrae=vertebrae,
            changes=changes,
            fractures=summarise_fractures(
                changes, vertebrae[Visit.BASELINE], vertebrae[Visit.MONTH12], charter.fracture
            ),
            bmd_changes=bmd,
            queries=(asked,),
        ),
        entries,
    )


def trial_results(
    subjects: list[tuple[SubjectResults, list[CatalogueEntry]]],
    others: tuple[CatalogueEntry, ...] = (),
) -> TrialResults:
    entries = [entry for _, more in subjects for entry in more] + list(others)
    people = tuple(one for one, _ in subjects)
    return TrialResults(
        charter=load_charter(),
        catalogue=Catalogue(tuple(entries), (), (f"linked folder {FAULT}",)),
        clinical=(),
        subjects=people,
        queries=tuple(query for one in people for query in one.queries),
        run=RunMetadata(
            versions={"zoom_imaging": "0.1.0", "python": "3.11"},
            model_name="spine_lateral",
            model_version="1",
            model_sha256="ab" * 32,
            charter_sha256="ef" * 32,
            engine="torch",
            counts={},
        ),
    )


@pytest.fixture(scope="session")
def hostile_trial(tmp_path_factory: pytest.TempPathFactory) -> TrialResults:
    """Subjects whose ids try to break out, one without films, and files that were not used."""
    folder = tmp_path_factory.mktemp("films")
    subjects = [subject_results(folder, HOSTILE_IDS[0])]
    subjects.append(subject_results(folder, HOSTILE_IDS[1], (Visit.BASELINE,)))
    subjects += [subject_results(folder, name, ()) for name in HOSTILE_IDS[2:]]
    lost = tuple(
        CatalogueEntry(
            SourceFile(f"lost/{FAULT}/{kind.value}.dcm", ""),
            "",
            FileKind.OTHER_DICOM,
            kind,
            f"the reason of {kind.value} {FAULT}",
        )
        for kind in Disposition
        if kind is not Disposition.USED
    )
    return trial_results(subjects, lost)


@pytest.fixture(scope="session")
def report(hostile_trial: TrialResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hostile trial, films opened through the product's own doors."""
    from zoom_imaging.endpoints.analysis.answer import trial_answer
    from zoom_imaging.report.build import write_report

    folder = tmp_path_factory.mktemp("out") / "report"
    write_report(folder, hostile_trial, trial_answer(hostile_trial))
    return folder
