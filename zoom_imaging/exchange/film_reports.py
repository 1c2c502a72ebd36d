"""The structured reports of a run: one DICOM SR for each film that was read, by whoever read it.

A file is named by the film's UID and a digest of what is said of which bytes: a report that says
the same as one that is there already is that one, and is kept with its time of making.
"""

from __future__ import annotations

import io
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoom_imaging import __version__
from zoom_imaging.anatomy import Visit
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.errors import InputError, NotRelevantError
from zoom_imaging.exchange.radiograph_report import (
    ModelName,
    RadiographReport,
    report_of_model,
    report_of_readers,
)
from zoom_imaging.exchange.radiograph_sr import radiograph_sr
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.faults import PARSER_ERRORS
from zoom_imaging.ingest.source import open_source
from zoom_imaging.ingest.text import visible
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.verdict import SubjectVerdict
from zoom_imaging.tasks import Spread, one_by_one

_UID = re.compile(r"[0-9.]{1,64}")
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class FilmReport:
    """What is said of a film, the file of the film and the hash that it was read with."""

    report: RadiographReport
    source: SourceFile
    sha256: str

    @property
    def file_name(self) -> str:
        """Equal for equal words on equal bytes by the same software."""
        said = f"{__version__}\n{self.sha256}\n{self.report!r}".encode("utf-8", "surrogatepass")
        uid = self.report.sop_instance_uid
        film = uid if _UID.fullmatch(uid) else "film"
        return f"{film}-{sha256_of_bytes(said)[:_DIGEST_LENGTH]}.dcm"


def reports_of_run(results: TrialResults) -> Iterator[FilmReport]:
    """Every film that was read: the readers' word where they read it, else the model's."""
    model = ModelName(results.run.model_name, results.run.model_version)
    hashes = {entry.source.path: entry.sha256 for entry in results.catalogue.entries}
    for subject in results.subjects:
        if subject.verdict is not None:
            yield from reports_of_verdict(subject.verdict, model)
        else:
            yield from _of_model(subject, model, hashes)


def reports_of_verdict(verdict: SubjectVerdict, model: ModelName) -> Iterator[FilmReport]:
    """Every film of a subject on which the readers answered a level."""
    for key, film in verdict.films.items():
        try:
            yield FilmReport(report_of_readers(verdict, key, model), film.source, film.sha256)
        except NotRelevantError:
            continue  # each level of the visit is on another film of it


def _of_model(
    subject: SubjectResults, model: ModelName, hashes: Mapping[str, str]
) -> Iterator[FilmReport]:
    for visit in Visit:
        films = zip(subject.films[visit], subject.film_sources[visit], strict=True)
        for film, source in films:
            try:
                report = report_of_model(film, visit, model)
                yield FilmReport(report, source.absolute(), hashes.get(source.path, ""))
            except NotRelevantError:
                continue  # files.csv says why nothing was read on it


def write_film_reports(
    reports: Iterable[FilmReport],
    folder: Path,
    *,
    earlier: Path | None = None,
    spread: Spread = one_by_one,
) -> tuple[str, ...]:
    """Write each report into `folder`; the sentences say what could not be written.

    Reports that are in the `earlier` folder are copied from there. OSError as the file system
    raises it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for done in spread(_new(reports, folder, earlier), encoded):
        if isinstance(done.result, bytes):
            (folder / done.task.file_name).write_bytes(done.result)
        else:
            reason = done.result or done.problem
            problems.append(visible(f"{done.task.source.path}: no structured report: {reason}"))
    return tuple(sorted(problems))


def _new(reports: Iterable[FilmReport], folder: Path, earlier: Path | None) -> Iterator[FilmReport]:
    for one in reports:
        kept = earlier / one.file_name if earlier is not None else None
        if kept is not None and kept.is_file():
            shutil.copyfile(kept, folder / one.file_name)
        else:
            yield one


def encoded(one: FilmReport) -> bytes | str:
    """The report as a DICOM file, or why there is none. A pure task: it reads the film alone."""
    from pydicom import config, dcmread

    with warnings.catch_warnings(), config.disable_value_validation():
        # What is odd in the film's header was told when it was read.
        warnings.simplefilter("ignore")
        try:
            content = open_source(one.source)
            if one.sha256 and sha256_of_bytes(content) != one.sha256:
                return "it is no longer the file that was read; run again"
            source = dcmread(io.BytesIO(content), force=True, stop_before_pixels=True)
            made = radiograph_sr(one.report, source)
            file = io.BytesIO()
            made.save_as(file, enforce_file_format=True)
        except InputError as error:
            return error.reason
        except PARSER_ERRORS as error:
            return str(error)
    return file.getvalue()
