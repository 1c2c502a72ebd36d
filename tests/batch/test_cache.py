"""A second run redoes only what changed, told by content and never by clocks or paths."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from zoom_imaging.anatomy import Grade, Level, SixPoints, VertebraState
from zoom_imaging.batch.cache import Cache, charter_sha256, worth_keeping
from zoom_imaging.batch.study import Outcome, Study, failure
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, Scanner, Site
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
    moved = replace(REPORT, source=SourceFile("b/copy.dcm", "/y/copy.dcm"))
    assert cache.get(REPORT) == READ_REPORT
    assert cache.get(moved).report == replace(READ_REPORT.report, path="b/copy.dcm")


@pytest.mark.parametrize("study", [REPORT, FILM])
def test_other_bytes_or_another_kind_are_unknown(cache, study):
    cache.put(study, READ_REPORT.to_json())
    assert cache.get(replace(study, sha256="ef" * 32)) is None
    other = FileKind.SPINE_RADIOGRAPH if study is REPORT else FileKind.DXA_REPORT
    assert cache.get(replace(study, kind=other)) is None


def test_another_charter_forgets_all_and_another_model_forgets_films(tmp_path, cache):
    cache.put(REPORT, READ_REPORT.to_json())
    cache.put(FILM, READ_FILM.to_json())
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
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[:40],
        lambda content: content.replace(b"0.3", b"0.4"),
        lambda content: b"\xff" + content,
    ],
)
def test_a_damaged_entry_counts_as_absent(cache, damage):
    cache.put(REPORT, READ_REPORT.to_json())
    (path,) = [found for found in cache.folder.rglob("*") if found.is_file()]
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(REPORT) is None


def test_clear_forgets(cache):
    cache.put(REPORT, READ_REPORT.to_json())
    cache.clear()
    cache.clear()
    assert cache.get(REPORT) is None


def test_an_unexpected_error_is_not_remembered():
    assert not worth_keeping(failure("x"))
    assert worth_keeping(Outcome(Disposition.UNREADABLE, "cut"))
