"""Cases from a run's reading list, and what a later run does to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from zoom_imaging.errors import ConfigurationError, NotFoundError
from zoom_imaging.review.case import load_films
from zoom_imaging.review.cases import case_films, case_of_subject, import_reading_list, trial_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.tables import CaseRow, ReadingRow

from .small_trial import SUBJECTS, charter_with, small_trial


def taken(database, reading_list):
    with database.writing() as session:
        return import_reading_list(session, reading_list)


def with_films(reading_list, **changes):
    """Every film with something else."""
    cases = [
        replace(case, films=tuple(replace(film, **changes) for film in case.films))
        for case in reading_list.cases
    ]
    return replace(reading_list, cases=tuple(cases))


def moved(reading_list):
    cases = [
        replace(
            case,
            films=tuple(
                replace(film, source=replace(film.source, location=f"/elsewhere/{at}.dcm"))
                for at, film in enumerate(case.films)
            ),
        )
        for case in reading_list.cases
    ]
    return replace(reading_list, cases=tuple(cases))


def one_case(room, subject=SUBJECTS[0]):
    with room.database.reading() as session:
        case = case_of_subject(session, subject)
        session.expunge_all()
        return case


def test_an_import_makes_each_subject_a_case_once(tmp_path):
    """A second import of the same list changes nothing, not even the trail."""
    trial = small_trial(tmp_path)
    database = Database(tmp_path / "x.sqlite3")
    assert taken(database, trial.reading_list).new == SUBJECTS
    with database.reading() as session:
        seed = trial_of(session).seed
    again = taken(database, trial.reading_list)
    assert (again.new, again.changed, again.held, again.absent) == ((), (), (), ())
    with database.reading() as session:
        assert trial_of(session).seed == seed
    database.close()


def test_a_subject_that_a_later_run_lacks_stays_and_is_said(room, trial):
    shorter = replace(trial.reading_list, cases=trial.reading_list.cases[:2])
    assert taken(room.database, shorter).absent == SUBJECTS[2:]
    assert one_case(room, SUBJECTS[2]).film_count == 2


def test_films_of_a_case_that_nobody_reads_are_replaced(room, trial):
    found = taken(room.database, with_films(trial.reading_list, sha256="f" * 64))
    assert found.changed == SUBJECTS
    assert {film.sha256 for film in load_films(one_case(room).films)} == {"f" * 64}


def test_films_that_only_moved_on_disk_keep_their_readings(room, trial):
    """The reader goes on; the viewer looks where they lie now."""
    reader = room.browser("reader1")
    data = reader.begin()
    found = taken(room.database, moved(trial.reading_list))
    assert found.held == ()
    assert len(found.changed) == len(SUBJECTS)
    with room.database.reading() as session:
        for case in session.scalars(select(CaseRow)):
            assert case.pending_films is None
            places = {film.source.location for film in case_films(case).values()}
            assert places == {"/elsewhere/0.dcm", "/elsewhere/1.dcm"}
    assert reader.save(data, data["content"]).status_code == 200


def test_other_films_do_not_change_under_a_readers_hands(room, trial):
    """The case is held: nothing is saved or signed, and what was read stays what it was."""
    reader = room.browser("reader1")
    data = reader.begin()
    found = taken(room.database, with_films(trial.reading_list, sha256="f" * 64))
    assert len(found.held) == 1
    held = one_case(room, found.held[0])
    assert "f" * 64 not in held.films
    answer = reader.save(data, data["content"])
    assert answer.status_code == 403
    assert "films" in answer.json()["reason"]
    assert taken(room.database, trial.reading_list).held == ()
    assert one_case(room, found.held[0]).pending_films is None
    assert reader.save(data, data["content"]).status_code == 200


def test_starting_again_voids_what_was_read_and_keeps_it_in_the_record(room, trial):
    """New films, new codes, nothing deleted; the reason stands in the trail."""
    reader, manager = room.browser("reader1"), room.browser("manager")
    codes = reader.read_all()
    taken(room.database, with_films(trial.reading_list, sha256="f" * 64))
    case = one_case(room)
    path = f"/cases/{case.id}"
    refused = manager.submit(path, f"{path}/restart", reason="")
    assert "give a reason" in refused.text
    manager.submit(path, f"{path}/restart", reason="better films came")
    case = one_case(room)
    assert case.pending_films is None
    assert {film.sha256 for film in load_films(case.films)} == {"f" * 64}
    with room.database.reading() as session:
        (row,) = session.scalars(select(ReadingRow).where(ReadingRow.case_id == case.id))
        assert row.state == "void"
        assert len(row.content) > 100
    assert room.audit()[-1].reason == "better films came"
    page = reader.get("/").text
    assert page.count('data-state="waiting"') == 1
    assert row.code in codes
    assert reader.get(f"/read/{row.code}").status_code == 404
    assert f'data-code="{row.code}"' not in page
    assert "has no other films" in manager.submit(path, f"{path}/restart", reason="x").text


def test_starting_again_takes_the_flags_of_the_new_films_too(room, trial):
    """A case that the model no longer flags does not come first for the old films' sake."""
    room.browser("reader1").read_all()
    cases = tuple(replace(case, flagged=()) for case in trial.reading_list.cases)
    later = replace(trial.reading_list, cases=cases)
    taken(room.database, with_films(later, sha256="f" * 64))
    path = f"/cases/{one_case(room).id}"
    room.browser("manager").submit(path, f"{path}/restart", reason="other films")
    assert one_case(room).flagged == "[]"


@pytest.mark.parametrize(
    "rules",
    [
        {"readers": 1},
        {"discordance": "fracture"},
        {"model_suggestion": "never"},
        {"repeat_share": 0.5},
    ],
)
def test_rules_of_reading_do_not_change_once_something_was_read(room, trial, rules):
    """Before, they do; afterwards it is a configuration error and nothing changes."""
    other = replace(trial.reading_list, charter=charter_with(**({"repeat_share": 0.0} | rules)))
    taken(room.database, other)
    taken(room.database, trial.reading_list)
    room.browser("reader1").begin()
    before = room.head()
    with pytest.raises(ConfigurationError, match="not those of the readings made"):
        taken(room.database, other)
    assert room.head() == before


def test_another_model_is_noted_with_the_old_and_the_new(room, trial):
    """Its suggestions are those of the run; the trail says since when."""
    taken(room.database, replace(trial.reading_list, model_sha256="1" * 64))
    assert room.audit()[-1].change == f'[["model_sha256","{"0" * 64}","{"1" * 64}"]]'


def test_film_keys_say_nothing_about_visits(tmp_path):
    """f1 is the baseline of some subjects and the later film of others."""
    trial = small_trial(tmp_path, tuple(f"Z-{number}" for number in range(20)))
    database = Database(tmp_path / "x.sqlite3")
    taken(database, trial.reading_list)
    with database.reading() as session:
        first = {case_films(case)["f1"].visit for case in session.scalars(select(CaseRow))}
    assert len(first) == 2
    database.close()


@pytest.mark.parametrize(
    "subject",
    ["Z\udcff", "<b>&'\"", "'; DROP TABLE account;--", "=1+1", "김\u202e", "a\nb", "x" * 256],
)
def test_a_subject_is_a_case_whatever_its_id(tmp_path, subject):
    """Also one that is no valid text; its films too may lie under such a name."""
    one = small_trial(tmp_path).reading_list.cases[0]
    films = tuple(
        replace(film, source=replace(film.source, path=f"{subject}/x.dcm")) for film in one.films
    )
    odd = replace(one, subject_id=subject, films=films)
    database = Database(tmp_path / "x.sqlite3")
    found = taken(database, replace(small_trial(tmp_path).reading_list, cases=(odd,)))
    kept = "Z\\xff" if subject == "Z\udcff" else subject
    assert found.new == (kept,)
    with database.reading() as session:
        case = case_of_subject(session, kept)
        assert {film.source.path for film in case_films(case).values()} == {f"{subject}/x.dcm"}
    database.close()


def test_what_is_not_there_is_not_found(tmp_path):
    database = Database(tmp_path / "x.sqlite3")
    with database.reading() as session:
        with pytest.raises(ConfigurationError, match="no trial"):
            trial_of(session)
        with pytest.raises(NotFoundError, match="no case of subject"):
            case_of_subject(session, "ZOOM-901")
    assert Path(tmp_path / "x.sqlite3").is_file()
    database.close()
