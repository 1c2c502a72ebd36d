"""One file as a task: every refusal is a disposition with a sentence, and nothing escapes."""

from __future__ import annotations

import pytest

from zoom_imaging.batch import study
from zoom_imaging.batch.study import Outcome, Study
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaSource, Scanner
from zoom_imaging.errors import (
    DxaReportError,
    ModelIntegrityError,
    NotDicomError,
    NotRelevantError,
    UnreadableError,
    UnsupportedTransferSyntaxError,
    WrongViewError,
)
from zoom_imaging.ingest.catalogue import Disposition, FileKind, SourceFile
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.provenance import sha256_of_bytes

CONTENT = b"the bytes of a file"
REPORT = DxaReport(
    "a/x.dcm", "1", DxaSource.LUNAR_SR, None, Scanner(), "", "", "", (), (), warnings=("odd",)
)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read one file whose parser or model does as `behave` says."""
    path = tmp_path / "x.dcm"
    path.write_bytes(CONTENT)

    def go(kind, behave, sha256=None, location=path):
        def call(*_):
            if isinstance(behave, BaseException):
                raise behave
            return behave

        monkeypatch.setattr("zoom_imaging.dxa.read.read_report", call)
        monkeypatch.setattr("zoom_imaging.batch.film.read_film", call)
        monkeypatch.setattr(study, "_reader", lambda *_: None)
        task = Study(SourceFile("a/x.dcm", str(location)), sha256 or sha256_of_bytes(CONTENT), kind)
        return Outcome.from_json(study.run(task, load_charter(), study.Networks()))

    return go


@pytest.mark.parametrize("kind", [FileKind.DXA_REPORT, FileKind.SPINE_RADIOGRAPH])
@pytest.mark.parametrize(
    ("error", "disposition"),
    [
        (NotDicomError("x"), Disposition.NOT_DICOM),
        (UnreadableError("x"), Disposition.UNREADABLE),
        (UnsupportedTransferSyntaxError("x"), Disposition.UNSUPPORTED_TRANSFER_SYNTAX),
        (NotRelevantError("x"), Disposition.NOT_RELEVANT),
        (WrongViewError("x"), Disposition.WRONG_VIEW),
        (DxaReportError("x"), Disposition.UNREADABLE),
        (KeyError("x"), Disposition.FAILED),
        (RecursionError("x"), Disposition.FAILED),
        (MemoryError(), Disposition.FAILED),
    ],
)
def test_a_refusal_is_a_disposition_with_its_sentence(read, kind, error, disposition):
    outcome = read(kind, error)
    assert outcome.disposition is disposition
    assert "x" in outcome.reason or "MemoryError" in outcome.reason
    assert not outcome.passing
    if disposition is Disposition.FAILED:
        assert type(error).__name__ in outcome.reason
        assert "unexpected error" in outcome.reason


def test_a_model_that_is_not_whole_ends_the_run(read):
    with pytest.raises(ModelIntegrityError):
        read(FileKind.SPINE_RADIOGRAPH, ModelIntegrityError("x"))


def test_a_report_is_used_and_its_warnings_are_known(read):
    outcome = read(FileKind.DXA_REPORT, REPORT)
    assert outcome == Outcome(Disposition.USED, report=REPORT)
    assert outcome.warnings == ("odd",)


def film(refusal):
    return FilmReading("a/x.dcm", "1", None, (), refusal=refusal, view="lateral", warnings=("w",))


@pytest.mark.parametrize(
    ("films", "reason"),
    [((film(""),), ""), ((film("no spine"),), "no spine"), ((film(""), film("dark")), "dark")],
)
def test_a_film_without_a_reading_stays_in_the_flow_and_says_why(read, films, reason):
    outcome = read(FileKind.SPINE_RADIOGRAPH, films)
    assert outcome.disposition is Disposition.USED
    assert outcome.reason == reason
    assert outcome.films == films


def test_a_file_that_changed_since_the_catalogue_is_not_used(read):
    outcome = read(FileKind.DXA_REPORT, REPORT, sha256="00" * 32)
    assert outcome.disposition is Disposition.UNREADABLE
    assert "changed while the run was working" in outcome.reason
    assert outcome.passing


def test_a_file_that_is_gone_is_unreadable(read, tmp_path):
    outcome = read(FileKind.DXA_REPORT, REPORT, location=tmp_path / "gone.dcm")
    assert outcome.disposition is Disposition.UNREADABLE
    assert outcome.reason
    assert outcome.passing
