"""The second pass finds what the cleaning has left, and takes the file away."""

from __future__ import annotations

import io
import re
from datetime import date

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.exchange.deidentify.dataset import Cleaner
from zoom_imaging.exchange.deidentify.identifiers import Identifiers, gather
from zoom_imaging.exchange.deidentify.leaks import Kind, Search
from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.exchange.deidentify.scrub import (
    folded,
    name_spellings,
    spelled,
    telling_parts,
    whole_word,
)

from .made import NAME, SUBJECT, bytes_of, cleaned, film

DAY = date(2025, 3, 10)
PLANTED = {
    "name in a description": ("SeriesDescription", "spine of Hwangbo, Mirae", Kind.NAME),
    "name turned around": ("StudyDescription", "MIRAE HWANGBO", Kind.NAME),
    "given name alone": ("ProtocolName", "for mirae", Kind.NAME),
    "another person": ("SeriesDescription", "asked by Namgung", Kind.NAME),
    "id": ("StationName", "MR-40417", Kind.ID),
    "accession number": ("SeriesDescription", "ACC-778812", Kind.ID),
    "date": ("SeriesDescription", "control of 10.03.2025", Kind.DATE),
    "birth date in words": ("SeriesDescription", "born 3 Feb 1955", Kind.DATE),
    "UID": ("FrameOfReferenceUID", "1.2.826.0.1.9999.20250310", Kind.UID),
    "institution": ("ProtocolName", "Invented Hospital of Nowhere", Kind.PLACE),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_identifier_is_found_and_the_file_is_taken_away(tmp_path, monkeypatch, planted):
    keyword, value, kind = PLANTED[planted]
    real = Cleaner.clean

    def careless(self):
        counts = real(self)
        setattr(self._dataset, keyword, value)
        return counts

    monkeypatch.setattr(Cleaner, "clean", careless)
    result = cleaned(tmp_path, film(DAY))
    assert {leak.kind for _, leak in result.outcome.leaks} >= {kind}
    assert result.files == []
    assert [row.state for row in result.outcome.rows] == [State.LEAKED]
    assert kind.value in result.reasons[0]
    assert value not in result.reasons[0]
    assert value.encode() not in result.everything


def test_leak_in_a_private_element_or_a_sequence_is_found(tmp_path, monkeypatch):
    real = Cleaner.clean

    def careless(self):
        counts = real(self)
        inner = pydicom.Dataset()
        inner.add_new(0x00091001, "UN", "황보미래".encode("euc_kr"))
        self._dataset.RequestAttributesSequence = [inner]
        return counts

    monkeypatch.setattr(Cleaner, "clean", careless)
    result = cleaned(tmp_path, film(DAY, name="Hwangbo^Mirae=皇甫^美來=황보^미래"))
    assert {leak.kind for _, leak in result.outcome.leaks} == {Kind.NAME}
    assert result.files == []


def test_leak_that_the_parser_passes_over_is_found_in_the_raw_bytes():
    own = gather(film(DAY))
    clean = film(date(1999, 1, 2), subject="S-22222222", name="S-22222222")
    for keyword in ("StudyDescription", "InstitutionName", "ReferringPhysicianName"):
        setattr(clean, keyword, "")
    clean.PatientBirthDate, clean.AccessionNumber = "19301111", ""
    content = bytes_of(clean)
    assert Search(own).file(content, "S-22222222/IM1", own) == []
    hidden = content[:20] + b"HWANGBO^MIRAE" + content[33:]
    assert [leak.kind for leak in Search(own).file(hidden, "IM1", own)] == [Kind.NAME]


def test_leak_in_the_name_of_a_file_is_found():
    own = gather(film(DAY))
    nothing = io.BytesIO()
    pydicom.dcmwrite(nothing, pydicom.Dataset(), implicit_vr=True, little_endian=True)
    found = Search(own).file(nothing.getvalue(), f"S-1/{SUBJECT}.dcm", own)
    assert [leak.kind for leak in found] == [Kind.ID]


def test_identifiers_of_another_subject_are_looked_for_as_well():
    """A report filed under the wrong patient names somebody else."""
    other = Identifiers(names=frozenset({"GREENLEAF^OTTOLINE"}))
    search = Search(gather(film(DAY)) | other)
    assert list(search.text("Ottoline Greenleaf", Identifiers()))


@pytest.mark.parametrize(
    "text",
    [
        "Whole spine lateral",
        "L1-L4",
        "White Female",
        "Ward",
        "2.25.20250310195502031234567890123456",
    ],
)
def test_words_of_every_report_are_no_leak(text):
    own = Identifiers(
        names=frozenset({"WHITE^NECK", "WARD^SPINE", NAME}),
        days=frozenset({DAY, date(1955, 2, 3)}),
    )
    assert list(Search(own).text(text, own)) == []


PARTS = st.sampled_from(["an", "ann", "anna", "k", "황보", "황", "o'b", "미래"])
IDS = st.sampled_from(["MR-4", "MR-40", "4041", "0417", "ACC-7.7", "an-4041"])
PIECES = st.sampled_from(
    [*"k^ -017", "an", "anna", "황보", "미래", "o'b", "mr-4", "41", ".7", "ACC-"]
)


@given(
    names=st.frozensets(st.lists(PARTS, min_size=1).map("^".join), max_size=4),
    ids=st.frozensets(IDS),
    text=st.lists(PIECES, max_size=12).map("".join),
)
def test_all_identifiers_at_once_are_found_as_each_by_its_own_pattern(names, ids, text):
    """Thousands of subjects are looked for at once; nobody may get lost among the others."""
    patterns = {whole_word(folded(one)): Kind.ID for one in ids}
    for name in names:
        patterns |= {spelled(words): Kind.NAME for words in name_spellings(name)}
        patterns |= {whole_word(part): Kind.NAME for part in telling_parts(name)}
    expected = {kind for pattern, kind in patterns.items() if re.search(pattern, folded(text))}
    search = Search(Identifiers(names=names, ids=ids))
    assert set(search.text(text, Identifiers())) == expected


def test_maker_may_share_a_word_with_a_name(tmp_path):
    """The maker is kept: a given name that is also a maker's is no leak, a whole name is."""
    result = cleaned(tmp_path, film(DAY, name="TESTPERSON^MAKER"))
    assert result.datasets[0].Manufacturer == "MAKER"
    made = film(DAY, name="TESTPERSON^MAKER")
    made.Manufacturer = "Maker Testperson"
    assert cleaned(tmp_path, made).datasets[0].Manufacturer == ""
