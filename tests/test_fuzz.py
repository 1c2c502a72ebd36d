"""Damaged files of every kind, a few hundred of them; `scripts/fuzz_files.py` makes thousands."""

from __future__ import annotations

import sys
import warnings

import pytest

SEED = 20260101
FILES = 259
"""Seven damaged files of each of the 37 valid ones."""

_DONE_BEFORE = (
    (1, 1501, "a number whose bytes do not fit its VR"),
    (1, 5628, "Pixel Representation of one byte, needed to read another element"),
    (1, 5722, "a hidden control character in Photometric Interpretation"),
    (1, 6498, "a sequence of a report that ends inside an item"),
    (1, 6502, "bytes of other elements in Modality"),
    (2, 943, "control characters in what pydicom warns of"),
    (3, 12774, "a JPEG frame at which GDCM ends its process"),
    (3, 13699, "Bits Stored at which GDCM ends its process"),
    (4, 5302, "an empty table under a VR that does not exist"),
    (4, 9742, "the same under another VR"),
    (4, 12678, "a control character in what a report has for a number"),
)


@pytest.fixture(scope="module")
def fuzz(root):
    """The script as a module, with its samples and mutations."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.syspath_prepend(str(root / "scripts"))
        import fuzz_files

        fuzz_files._samples()
        yield fuzz_files
        for name in ("fuzz_files", "fuzz_dxa", "hostile_samples", "hostile_mutations"):
            sys.modules.pop(name, None)


def outcome(fuzz, seed, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fuzz.judge(seed, number, networks=False)


def test_the_undamaged_files_are_what_they_should_be(fuzz):
    """Damage is only worth something on files that are read when whole."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in fuzz._samples():
            if sample.kind == "film":
                assert fuzz._measure(sample.content, False) == "read", sample.name
            elif sample.kind == "report":
                assert fuzz._dxa(sample.content) == "read", sample.name


def test_no_damage_ends_in_anything_but_a_result_or_a_sentence(fuzz):
    """In ingest, dxa and measure; texts have no control characters, JSON is strict."""
    said = set()
    for number in range(FILES):
        one = outcome(fuzz, SEED, number)
        assert not one.fault, f"seed {SEED}, number {number}, {one.what}\n{one.fault}"
        said |= set(one.outcomes.values())
    assert said >= {"read", "unreadable", "refused (UnreadableError)", "refused (NotDicomError)"}


@pytest.mark.parametrize(("seed", "number", "what"), _DONE_BEFORE)
def test_what_was_found_once_stays_mended(fuzz, seed, number, what):
    assert outcome(fuzz, seed, number).fault == "", what


def test_a_fault_is_seen(fuzz, monkeypatch):
    """The judge would tell of an error that nobody foresaw."""
    from zoom_imaging.radiograph import read

    def broken(*_):
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(read, "find_seams", broken)
    assert "nobody foresaw this" in outcome(fuzz, SEED, 0).fault or outcome(fuzz, SEED, 1).fault
