"""Whose file it is, by the charter; never by name, never by a guess."""

from __future__ import annotations

import pytest

from zoom_imaging.ingest.clues import Clues
from zoom_imaging.ingest.subject import belongs_to_another, identity_questions, subject_of

TRIAL, PATIENT = "ClinicalTrialSubjectID", "PatientID"


def clues(trial: str = "", patient: str = "", **more: str) -> Clues:
    return Clues(subject_ids=((TRIAL, trial), (PATIENT, patient)), **more)


@pytest.mark.parametrize(
    ("trial", "patient", "subject", "source"),
    [
        ("", "T-001", "T-001", PATIENT),
        ("T-001", "H123", "T-001", TRIAL),
        ("  ", "0012", "0012", PATIENT),
        ("T-001", "", "T-001", TRIAL),
    ],
)
def test_the_first_id_that_is_there(charter, trial, patient, subject, source):
    found = subject_of(clues(trial, patient), charter.identity)
    assert (found.subject_id, found.source) == (subject, source)


@pytest.mark.parametrize("bad", ["T\x1b[0m", "T\n1", "x" * 65])
def test_an_id_outside_of_the_pattern_is_nobodys_and_no_other_stands_in(charter, bad):
    found = subject_of(clues(bad, "T-001"), charter.identity)
    assert found.subject_id == ""
    assert "does not match" in found.reason
    assert found.reason.isprintable()


def test_a_sites_own_pattern(charter):
    rules = charter.identity.model_copy(update={"subject_pattern": r"^ZOOM-\d{3}$"})
    assert subject_of(clues(patient="ZOOM-001"), rules).subject_id == "ZOOM-001"
    assert subject_of(clues(patient="ZOOM-0011"), rules).subject_id == ""
    assert subject_of(clues(patient="zoom-001"), rules).subject_id == ""


def test_no_id_at_all(charter):
    assert "no subject id" in subject_of(clues(), charter.identity).reason


def test_a_second_id_of_another_known_subject_is_found(charter):
    both = clues("T-001", "T-002")
    subject = subject_of(both, charter.identity)
    assert belongs_to_another(both, subject, {"T-001", "T-002"}) == "T-002"
    assert belongs_to_another(both, subject, {"T-001"}) == ""
    assert belongs_to_another(clues("T-001", "T-001 "), subject, {"T-001"}) == ""


def test_ids_that_map_to_several_are_asked_about(charter):
    made = [
        clues("T-001", "H1", birth_date="19550203", sex="F"),
        clues("T-001", "H2", birth_date="19550203", sex="F"),
        clues("T-002", "H2", birth_date="19550203", sex="F"),
        clues("T-002", "H2", birth_date="19560203", sex="M"),
        clues("T-003", "H3"),
    ]
    asked = identity_questions((subject_of(one, charter.identity), one) for one in made)
    assert [(query.subject_id, query.question.split(":")[0], query.values) for query in asked] == [
        ("T-001", "several patient ids belong to one trial subject", "H1, H2"),
        ("", "one patient id belongs to several trial subjects", "H2: T-001, T-002"),
        ("T-002", "the birth date differs between files of one subject", "19550203, 19560203"),
        ("T-002", "the sex differs between files of one subject", "F, M"),
    ]
