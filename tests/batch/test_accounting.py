"""Every input file keeps exactly one row, and its last disposition says what became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.batch.accounting import account, counts, failed, supersede
from zoom_imaging.batch.study import Outcome, failure
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, ResultState, Scanner, Site
from zoom_imaging.ingest.catalogue import (
    Catalogue,
    CatalogueEntry,
    Disposition,
    FileKind,
    SourceFile,
)

ENTRY = CatalogueEntry(
    SourceFile("a", "/a"), "ab", FileKind.DXA_REPORT, Disposition.USED, warnings=("odd charset",)
)


def report(*states, warnings=()):
    results = tuple(
        DxaResult(Site.LUMBAR_SPINE, "L1", state=state, reason=f"is {state.value}")
        for state in states
    )
    return DxaReport(
        "a", "1", DxaSource.LUNAR_SR, None, Scanner(), "", "", "", (), results, warnings=warnings
    )


A, S, H, Q = (
    ResultState.ACCEPTED,
    ResultState.SUPERSEDED,
    ResultState.HISTORY,
    ResultState.QUARANTINED,
)


@pytest.mark.parametrize(
    ("states", "disposition"),
    [
        ((A,), Disposition.USED),
        ((S, S), Disposition.SUPERSEDED),
        ((S, H), Disposition.SUPERSEDED),
        ((S, A), Disposition.USED),
        ((H,), Disposition.USED),
        ((Q,), Disposition.USED),
        ((), Disposition.USED),
    ],
)
def test_a_report_is_superseded_when_all_it_has_was_overtaken(states, disposition):
    read = report(*states)
    (entry,) = supersede(Catalogue((ENTRY,)), [read]).entries
    assert entry.disposition is disposition
    if disposition is Disposition.SUPERSEDED:
        assert entry.reason == "is superseded"


def test_a_refusal_replaces_used_and_nothing_else():
    duplicate = replace(ENTRY, disposition=Disposition.DUPLICATE, reason="as b")
    cut = Outcome(Disposition.UNREADABLE, "cut")
    final = account(Catalogue((ENTRY, duplicate)), {"a": cut}).entries
    assert [(entry.disposition, entry.reason) for entry in final] == [
        (Disposition.UNREADABLE, "cut"),
        (Disposition.DUPLICATE, "as b"),
    ]


def test_what_was_odd_about_a_used_file_is_told():
    read = report(A, warnings=("comma", "odd charset"))
    outcome = Outcome(Disposition.USED, report=read)
    (entry,) = account(Catalogue((ENTRY,)), {"a": outcome}).entries
    assert entry.reason == "odd charset; comma"


def test_counts_name_every_disposition():
    lost = replace(ENTRY, disposition=Disposition.FAILED)
    found = counts(Catalogue((ENTRY, lost)), subjects=3, queries=4)
    assert found["files"] == sum(found[kind.value] for kind in Disposition) == 2
    assert (found["subjects"], found["queries"]) == (3, 4)
    assert failed((ENTRY, lost)) == (lost,)
    assert failure("x").disposition is Disposition.FAILED
