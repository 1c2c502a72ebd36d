"""One structured report a film; what cannot be made is a sentence, and costs no other one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread

from zoom_imaging.anatomy import Visit
from zoom_imaging.exchange.film_reports import FilmReport, write_film_reports
from zoom_imaging.exchange.radiograph_report import report_of_model
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.provenance import sha256_of_file
from zoom_imaging.tasks import Done, one_by_one

from .readings import MODEL, film_path, model_reading


@pytest.fixture
def reports(tmp_path: Path) -> list[FilmReport]:
    """Of two films, in the order of their names."""
    found = []
    for name, visit in (("a.dcm", Visit.BASELINE), ("b.dcm", Visit.MONTH12)):
        place = tmp_path / name
        shutil.copyfile(film_path(visit=visit), place)
        report = report_of_model(model_reading(dcmread(place)), visit, MODEL)
        found.append(FilmReport(report, SourceFile(name, str(place)), sha256_of_file(place)))
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_report_that_says_the_same_as_an_earlier_one_is_that_one(reports, tmp_path):
    assert write_film_reports(reports, tmp_path / "first") == ()

    def not_made(tasks, function):
        assert not list(tasks)
        return iter(())

    again = tmp_path / "again"
    assert write_film_reports(reports, again, earlier=tmp_path / "first", spread=not_made) == ()
    assert names(again) == names(tmp_path / "first") == sorted(one.file_name for one in reports)
    for name in names(again):
        assert (again / name).read_bytes() == (tmp_path / "first" / name).read_bytes()


def test_a_film_that_changed_or_is_gone_has_no_report_and_says_so(reports, tmp_path):
    Path(reports[0].source.location).write_bytes(b"something else")
    Path(reports[1].source.location).unlink()
    changed, gone = write_film_reports(reports, tmp_path / "sr")
    assert changed.startswith("a.dcm: no structured report: it is no longer the file")
    assert gone.startswith("b.dcm: no structured report: the file cannot be opened")
    assert names(tmp_path / "sr") == []


def test_a_worker_that_dies_over_a_report_costs_no_other_one(reports, tmp_path):
    def dying(tasks, function):
        for task in tasks:
            if task.source.path == "a.dcm":
                yield Done(task, None, "the worker process died")
            else:
                yield from one_by_one([task], function)

    (problem,) = write_film_reports(reports, tmp_path / "sr", spread=dying)
    assert problem == "a.dcm: no structured report: the worker process died"
    assert names(tmp_path / "sr") == [reports[1].file_name]
