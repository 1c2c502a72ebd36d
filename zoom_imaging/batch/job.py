"""One run as it was asked for: check the request, hold the folder, compute, write, sum up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zoom_imaging.batch.accounting import failed
from zoom_imaging.batch.cluster import Crew, Team, default_jobs
from zoom_imaging.batch.elsewhere import spread_over_files
from zoom_imaging.batch.folder import write_results
from zoom_imaging.batch.pipeline import Trial, run_trial
from zoom_imaging.batch.progress import Voice
from zoom_imaging.batch.readings import load_readings
from zoom_imaging.batch.shelf import Shelf
from zoom_imaging.batch.summary import summary
from zoom_imaging.charter import Charter, default_charter_path, load_charter
from zoom_imaging.endpoints.lock import hold
from zoom_imaging.endpoints.results import SubjectResults
from zoom_imaging.endpoints.write import recover
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.clinical import ClinicalTable, read_clinical_table
from zoom_imaging.vision.engine import require_engine


@dataclass(frozen=True)
class Request:
    """The command line of a run."""

    sources: tuple[Path, ...]
    out: Path
    charter_path: Path | None = None
    clinical_path: Path | None = None
    jobs: int | None = None
    cluster: str = ""
    fresh: bool = False
    engine: str = "torch"
    model: Path | None = None
    readings: str = ""


def run_job(request: Request, voice: Voice) -> bool:
    """Do the whole run; True if some file met an unexpected error.

    ConfigurationError before any work if the request is wrong; OutputError if the result folder is
    held by another run or cannot be written; ModelError if films need a model that is not there.
    """
    charter, clinical = _check(request)
    readings = load_readings(request.readings) if request.readings else None
    crew = Crew(jobs=request.jobs or default_jobs(), address=request.cluster)
    with (
        hold(request.out, voice.warn),
        Shelf[SubjectResults](request.out) as subjects,
        Team(crew, voice.say) as team,
    ):
        if recover(request.out):
            voice.say("An earlier run was cut off while it put its results in place: completed.")
        trial = Trial(
            sources=request.sources,
            out=request.out,
            charter=charter,
            clinical=clinical,
            team=team,
            engine=request.engine,
            model=request.model and request.model.absolute(),
            fresh=request.fresh,
            readings=readings,
        )
        results = run_trial(trial, subjects, voice)
        charter_source = request.charter_path or default_charter_path()
        spread = partial(spread_over_files, team)
        write_results(request.out, results, charter_source, voice, spread=spread)
        voice.show(summary(results, request.out))
        return bool(failed(results.catalogue.entries))


def _check(request: Request) -> tuple[Charter, ClinicalTable | None]:
    """Everything that can be known to be wrong before any work."""
    require_engine(request.engine)
    charter = load_charter(request.charter_path)
    clinical = read_clinical_table(request.clinical_path) if request.clinical_path else None
    # realpath, because a link that leads to itself must not raise here.
    out = Path(os.path.realpath(request.out))
    for source in request.sources:
        if not os.path.lexists(source):
            raise ConfigurationError(
                f"source {source} does not exist",
                remedy="name folders, DICOM files, DICOMDIRs or zip archives",
            )
        if Path(os.path.realpath(source)).is_relative_to(out):
            raise ConfigurationError(
                f"source {source} lies in the result folder {request.out}",
                remedy="choose another --out: a run never reads its own results",
            )
    return charter, clinical
