from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Visit
from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.report.drawing import load_film
from zoom_imaging.report.gallery import Gallery, Picture
from zoom_imaging.tasks import Done, one_by_one


@pytest.fixture
def one(build, tmp_path):
    subject, entries = build.subject(tmp_path, "ZOOM-001")
    return subject, {entry.source.path: entry for entry in entries}


def pictures_of(folder, entries, subject, *, load=load_film, earlier=None) -> tuple[Picture, ...]:
    """Draw what is missing, then ask for the subject's pictures."""
    gallery = Gallery(folder, earlier, entries)
    gallery.draw([subject], load=load)
    return gallery.pictures(subject)


def refuse(source, sha256):
    raise AssertionError(f"{source.path} was opened")


def test_films_of_both_visits_are_one_picture_with_words_for_it(one, tmp_path):
    subject, entries = one
    (picture,) = pictures_of(tmp_path / "p", entries, subject)
    assert (tmp_path / "p" / picture.file_name).is_file()
    assert "Baseline · 2025-03-01" in picture.alt
    assert "grade 2 wedge: L1" in picture.alt
    assert "not evaluable: T4" in picture.alt
    assert "L1 new" in picture.alt


def test_pictures_are_kept_while_film_and_reading_are_the_same(one, tmp_path):
    subject, entries = one
    first = pictures_of(tmp_path / "a", entries, subject)
    assert pictures_of(tmp_path / "a", entries, subject, load=refuse) == first
    moved = pictures_of(tmp_path / "b", entries, subject, load=refuse, earlier=tmp_path / "a")
    assert moved == first
    name = first[0].file_name
    assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_another_reading_is_another_picture(one, build, tmp_path):
    subject, entries = one
    before = pictures_of(tmp_path / "p", entries, subject)
    path = subject.film_sources[Visit.MONTH12][0].path
    films = {**subject.films, Visit.MONTH12: (build.reading(path, {Level.T9: Grade.MILD}),)}
    after = pictures_of(tmp_path / "p", entries, replace(subject, films=films))
    assert before[0].file_name != after[0].file_name


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("changed", "is no longer the file that was read"),
        ("gone", "cannot be opened"),
        ("refused", "cut short"),
        ("broken", "unexpected error while drawing (KeyError"),
    ],
)
def test_a_film_that_cannot_be_opened_gives_a_sentence_and_the_other_its_picture(
    one, tmp_path, fault, sentence
):
    subject, entries = one
    lost = subject.film_sources[Visit.MONTH12][0]

    def load(source: SourceFile, sha256: str):
        if source.path == lost.path and fault == "refused":
            raise UnreadableError(f"{source.path} is cut short")
        if source.path == lost.path and fault == "broken":
            raise KeyError("inside a decoder")
        return load_film(source, sha256)

    place = tmp_path / lost.location.rpartition("/")[2]
    if fault == "changed":
        place.write_bytes(place.read_bytes() + b"\0\0")
    elif fault == "gone":
        place.unlink()
    pictures = pictures_of(tmp_path / "p", entries, subject, load=load)
    assert [bool(picture.problem) for picture in pictures] == [False, True]
    assert sentence in pictures[1].problem
    assert pictures[1].file_name == ""
    assert len(list((tmp_path / "p").iterdir())) == 1


def test_a_worker_that_dies_over_a_pair_leaves_each_film_its_own_picture(one, tmp_path):
    subject, entries = one

    def dying(tasks, function):
        for task in tasks:
            if len(task.films) == 2:
                yield Done(task, None, "the worker process died")
            else:
                yield from one_by_one([task], function)

    gallery = Gallery(tmp_path / "p", None, entries)
    gallery.draw([subject], spread=dying)
    assert [bool(picture.problem) for picture in gallery.pictures(subject)] == [False, False]
    gallery = Gallery(tmp_path / "q", None, entries)
    gallery.draw([subject], spread=lambda tasks, _: (Done(task, None, "died") for task in tasks))
    assert [picture.problem for picture in gallery.pictures(subject)] == ["died", "died"]


def test_a_full_disk_is_not_taken_for_a_bad_film(one, tmp_path):
    subject, entries = one
    (tmp_path / "p").write_text("a file where the folder must be")
    with pytest.raises(OSError, match="p"):
        pictures_of(tmp_path / "p", entries, subject)


def test_two_films_a_visit_are_paired_by_their_levels(one, build, tmp_path):
    subject, entries = one
    upper, lower = GRADED_LEVELS[:7], GRADED_LEVELS[6:]
    films, sources = {}, {}
    for visit, order in ((Visit.BASELINE, (upper, lower)), (Visit.MONTH12, (lower, upper))):
        source = subject.film_sources[visit][0]
        films[visit] = tuple(build.reading(source.path, levels=levels) for levels in order)
        sources[visit] = (source, source)
    double = replace(subject, films=films, film_sources=sources)
    pictures = pictures_of(tmp_path / "p", entries, double)
    levels = [
        [tuple(v.level for v in film.reading.vertebrae) for film in picture.films]
        for picture in pictures
    ]
    assert levels == [[upper, upper], [lower, lower]]


def test_a_refused_film_is_shown_and_called_not_read(one, build, tmp_path):
    subject, entries = one
    refused = replace(build.reading(levels=()), refusal="no spine was found in this film")
    films = {**subject.films, Visit.MONTH12: (refused,)}
    pictures = pictures_of(tmp_path / "p", entries, replace(subject, films=films))
    assert len(pictures) == 2
    assert pictures[1].alt == "Lateral spine film, Month 12 · 2026-03-04: not read."
    assert not pictures[1].problem
