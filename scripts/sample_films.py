"""Films of one simulated subject as DICOM files, and the two files of the sample that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sample_cohort import SubjectPlan

from zoom_imaging.anatomy import GRADED_LEVELS, Level, VertebraState, Visit
from zoom_imaging.provenance import uid_from
from zoom_imaging.simulate.acquisition import WHOLE_SPINE, Acquisition, Facing, Field
from zoom_imaging.simulate.dicom import FilmHeader, film_dataset, scale_of, write_film
from zoom_imaging.simulate.film import Look
from zoom_imaging.simulate.fracture import make_fracture
from zoom_imaging.simulate.person import Person, random_person
from zoom_imaging.simulate.posture import Position
from zoom_imaging.simulate.simulator import SimulatedFilm, simulate_film
from zoom_imaging.simulate.skeleton import Skeleton

PIXEL_MM = 0.42
ROOM = {Visit.BASELINE: (1800.0, 260.0), Visit.MONTH12: (1750.0, 285.0)}
"""Focus to detector, and spine to detector, in mm: the room differs a little between visits."""


def person_at(plan: SubjectPlan, visit: Visit) -> Person:
    """The subject with the fractures of a visit; nothing else about the bones changes."""
    person = random_person(plan.seed, prevalence=0.0, variety=0.6)
    rng = np.random.default_rng([plan.seed, 3])
    return person.with_fractures(
        {
            level: make_fracture(shape, loss, rng)
            for level, (shape, loss) in plan.fractures(visit).items()
        }
    )


def acquisition_of(plan: SubjectPlan, visit: Visit, field: Field) -> Acquisition:
    """How the subject stood at a visit."""
    rng = np.random.default_rng([plan.seed, 5, visit is Visit.MONTH12])
    to_detector, spine = ROOM[visit]
    return Acquisition(
        seed=plan.seed + (visit is Visit.MONTH12),
        pixel_mm=PIXEL_MM,
        field=field,
        facing=Facing.RIGHT if plan.films.faces_right else Facing.LEFT,
        source_to_detector_mm=to_detector,
        spine_to_detector_mm=spine,
        position=Position(lean_deg=float(rng.normal(0, 2)), rotation_deg=float(rng.normal(0, 1.5))),
    )


def look_of(plan: SubjectPlan, visit: Visit) -> Look:
    """The maker's processing; the site's system is the same at both visits."""
    rng = np.random.default_rng([plan.seed, 7])
    marker = "R" if plan.films.faces_right else "L"
    return Look(
        equalise=float(rng.uniform(0.5, 0.75)),
        equalise_mm=float(rng.uniform(20, 40)),
        photons=float(rng.uniform(9000, 20000)),
        gamma=float(rng.uniform(0.85, 1.15)),
        marker=marker if visit is Visit.BASELINE else "",
    )


def header_of(plan: SubjectPlan, visit: Visit, film: SimulatedFilm, number: int) -> FilmHeader:
    """A header as a hospital's system writes it."""
    day = plan.visit_date(visit).strftime("%Y%m%d")
    return FilmHeader(
        patient_id=plan.subject_id,
        patient_name=f"SIMULATED^{plan.subject_id.replace('-', '')}",
        birth_date=f"{1948 + plan.seed % 15}0615",
        study_date=day,
        study_time=f"10{15 + number:02d}00",
        study_uid=uid_from("sample study", plan.subject_id, visit.value),
        series_uid=uid_from("sample series", plan.subject_id, visit.value, number),
        instance_uid=uid_from("sample film", plan.subject_id, visit.value, number),
        series_number=number,
        facing=Facing.RIGHT if plan.films.faces_right else Facing.LEFT,
        photometric=plan.films.photometric,
        encoding=plan.films.encoding,
        scale=scale_of(film),
    )


def write_films(folder: Path, plan: SubjectPlan, visit: Visit, skeleton: Skeleton) -> set[Level]:
    """Write all films of a visit; returns the graded levels that at least one of them shows whole.

    A scapula's border over a body leaves it readable, so that "obscured" counts as shown here.
    """
    if visit not in plan.films.visits:
        return set()
    person, look = person_at(plan, visit), look_of(plan, visit)
    shown: set[Level] = set()
    for number, field in enumerate(plan.films.fields, start=1):
        rng = np.random.default_rng([plan.seed, 11, visit is Visit.MONTH12, number])
        film = simulate_film(skeleton, person, acquisition_of(plan, visit, field), rng, look)
        write_film(folder / f"IM{number:04d}", film.image, header_of(plan, visit, film, number))
        shown |= {
            truth.level
            for truth in film.truth
            if truth.level in GRADED_LEVELS
            and truth.state in {VertebraState.EVALUABLE, VertebraState.OBSCURED}
        }
    if plan.films.with_ap:
        _write_ap(folder / f"IM{len(plan.films.fields) + 1:04d}", plan, visit, skeleton)
    return shown


def _write_ap(path: Path, plan: SubjectPlan, visit: Visit, skeleton: Skeleton) -> None:
    """The frontal film that lies beside the lateral one and is not graded."""
    turned = Acquisition(
        seed=plan.seed, pixel_mm=PIXEL_MM, field=WHOLE_SPINE, position=Position(rotation_deg=90.0)
    )
    number = len(plan.films.fields) + 1
    rng = np.random.default_rng([plan.seed, 13])
    film = simulate_film(skeleton, person_at(plan, visit), turned, rng, look_of(plan, visit))
    dataset = film_dataset(film.image, header_of(plan, visit, film, number))
    dataset.ViewPosition = "AP"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ViewCodeSequence[0].CodeValue = "399348003"
    dataset.ViewCodeSequence[0].CodeMeaning = "antero-posterior"
    dataset.StudyDescription = "Spine"
    dataset.SeriesDescription = "Whole spine AP"
    dataset.save_as(path, enforce_file_format=True)
