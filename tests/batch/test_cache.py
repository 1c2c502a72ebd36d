"""A second run redoes only what changed, told by content and never by clocks or paths."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest

from zoom_imaging.anatomy import Grade, Level, SixPoints, VertebraState
from zoom_imaging.batch.cache import CACHE_NAME, STORE_NAME, Cache, charter_sha256, worth_keeping
from zoom_imaging.batch.study import Outcome, Study, failure
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, Scanner, Site
from zoom_imaging.errors import OutputError
from zoom_imaging.ingest.catalogue import Disposition, FileKind, SourceFile
from zoom_imaging.morphometry.reading import FilmReading, Heights, Ratios, VertebraReading

CHARTER = load_charter()
REPORT = Study(SourceFile("a/base.dcm", "/x/a/base.dcm"), "ab" * 32, FileKind.DXA_REPORT)
FILM = Study(SourceFile("a/film.dcm", "/x/a/film.dcm"), "cd" * 32, FileKind.SPINE_RADIOGRAPH)
READ_REPORT = Outcome(
    Disposition.USED,
    report=DxaReport(
        path="a/base.dcm",
        sop_instance_uid="1.2.3",
        source=DxaSource.HOLOGIC_TEXT,
        scan_date=date(2025, 3, 1),
        scanner=Scanner("HOLOGIC", "Horizon W", "300000M", "13.6"),
        scan_mode="f",
        analysis_version="13.6",
        reference="White Female",
        included_levels=(Level.L1, Level.L2),
        results=(DxaResult(Site.LUMBAR_SPINE, "L1", 13.1, 0.1 + 0.2, 1 / 3, -1.2),),
    ),
)
READ_FILM = Outcome(
    Disposition.USED,
    films=(
        FilmReading(
            path="a/film.dcm",
            sop_instance_uid="1.2.4",
            scale=None,
            vertebrae=(
                VertebraReading(
                    level=Level.T12,
                    state=VertebraState.EVALUABLE,
                    reason="",
                    six_points=SixPoints.from_array([[i / 7, i / 3] for i in range(6)]),
                    polygon=((0.1, 2 / 3), (1.0, 2.0)),
                    heights=Heights(20.1, 1e-300, 1 / 3),
                    ratios=Ratios(1.0, 0.9, None),
                    grade=Grade.MILD,
                    p_grades=(0.1, 0.2, 0.3, 0.4),
                ),
            ),
        ),
    ),
)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path, CHARTER, "model", "torch")


@pytest.mark.parametrize(
    "outcome",
    [READ_REPORT, READ_FILM, failure("x"), Outcome(Disposition.UNREADABLE, "cut \udce9 김")],
)
def test_a_remembered_outcome_is_the_computed_one_to_the_last_bit(outcome):
    assert Outcome.from_json(outcome.to_json()) == outcome


def test_what_is_not_finite_never_leaves_a_worker():
    report = replace(
        READ_REPORT.report, results=(DxaResult(Site.LUMBAR_SPINE, "L1", float("nan")),)
    )
    with pytest.raises(ValueError, match="JSON"):
        replace(READ_REPORT, report=report).to_json()


def test_equal_bytes_elsewhere_are_known_and_keep_their_own_path(cache):
    cache.put(REPORT, READ_REPORT.to_json())
    cache.flush()
    moved = replace(REPORT, source=SourceFile("b/copy.dcm", "/y/copy.dcm"))
    assert cache.get(REPORT) == READ_REPORT
    assert cache.get(moved).report == replace(READ_REPORT.report, path="b/copy.dcm")


@pytest.mark.parametrize("study", [REPORT, FILM])
def test_other_bytes_or_another_kind_are_unknown(cache, study):
    cache.put(study, READ_REPORT.to_json())
    cache.flush()
    assert cache.get(replace(study, sha256="ef" * 32)) is None
    other = FileKind.SPINE_RADIOGRAPH if study is REPORT else FileKind.DXA_REPORT
    assert cache.get(replace(study, kind=other)) is None


def test_another_charter_forgets_all_and_another_model_forgets_films(tmp_path, cache):
    cache.put(REPORT, READ_REPORT.to_json())
    cache.put(FILM, READ_FILM.to_json())
    cache.flush()
    rules = CHARTER.model_copy(
        update={"dxa": CHARTER.dxa.model_copy(update={"implausible_change_pct": 9.0})}
    )
    assert charter_sha256(rules) != charter_sha256(CHARTER)
    other_rules = Cache(tmp_path, rules, "model", "torch")
    assert [other_rules.get(study) for study in (REPORT, FILM)] == [None, None]
    other_model = Cache(tmp_path, CHARTER, "other", "torch")
    assert [other_model.get(study) for study in (REPORT, FILM)] == [READ_REPORT, None]


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-1],
        lambda body: b"",
        lambda body: zlib.compress(zlib.decompress(body).replace(b"0.3", b"0.4")),
        lambda body: b"\xff" + body,
    ],
)
def test_a_damaged_entry_counts_as_absent_and_costs_no_other(cache, damage):
    other = replace(REPORT, sha256="ef" * 32)
    for study in (REPORT, other):
        cache.put(study, READ_REPORT.to_json())
    cache.flush()
    with closing(sqlite3.connect(cache.folder / STORE_NAME)) as store, store:
        key = cache._key(REPORT)
        ((body,),) = store.execute("SELECT body FROM outcomes WHERE key = ?", [key])
        store.execute("UPDATE outcomes SET body = ? WHERE key = ?", [damage(body), key])
    assert cache.get(REPORT) is None
    assert cache.get(other) == READ_REPORT
    cache.put(REPORT, READ_REPORT.to_json())
    cache.flush()
    assert cache.get(REPORT) == READ_REPORT


def test_a_store_that_is_no_database_is_begun_anew(cache):
    cache.folder.mkdir()
    (cache.folder / STORE_NAME).write_text("no database" * 1000)
    assert cache.get(REPORT) is None
    cache.put(REPORT, READ_REPORT.to_json())
    cache.flush()
    assert cache.get(REPORT) == READ_REPORT


def test_what_was_put_is_on_the_disk_when_the_block_ends(tmp_path):
    studies = [replace(REPORT, sha256=f"{number:064x}") for number in range(1200)]
    with Cache(tmp_path, CHARTER, "model", "torch") as cache:
        for study in studies[::2]:
            cache.put(study, READ_REPORT.to_json())
    known = dict(Cache(tmp_path, CHARTER, "model", "torch").known(studies))
    assert list(known) == studies
    assert [known[study] is not None for study in studies] == [True, False] * 600


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / CACHE_NAME).write_text("in the way")
    cache = Cache(tmp_path, CHARTER, "model", "torch")
    cache.put(REPORT, READ_REPORT.to_json())
    with pytest.raises(OutputError, match=CACHE_NAME):
        cache.flush()


def test_clear_forgets(cache):
    cache.put(REPORT, READ_REPORT.to_json())
    cache.flush()
    cache.clear()
    cache.clear()
    assert cache.get(REPORT) is None


def test_an_unexpected_error_is_not_remembered():
    assert not worth_keeping(failure("x"))
    assert worth_keeping(Outcome(Disposition.UNREADABLE, "cut"))


def test_a_file_that_was_gone_for_a_moment_is_not_remembered():
    assert not worth_keeping(Outcome(Disposition.UNREADABLE, "gone", passing=True))
