"""A DICOMDIR: a row of its own, and what it lists is found or missed aloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from zoom_imaging.ingest.build import build_catalogue
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.ingest.dicomdir import (
    MEDIA_DIRECTORY_UID,
    climbs_out,
    resolve_below,
)
from zoom_imaging.ingest.discover import discover


def dicomdir(specimen, *references) -> bytes:
    ds = Dataset()
    ds.FileSetID = "TEST"
    records = []
    for parts in references:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = list(parts)
        records.append(record)
    ds.DirectoryRecordSequence = Sequence(records)
    return specimen.dicom(
        ds, MediaStorageSOPClassUID=MEDIA_DIRECTORY_UID, MediaStorageSOPInstanceUID="1.2.3.4.5.6"
    )


@pytest.fixture
def medium(tmp_path, specimen) -> Path:
    specimen.put(tmp_path / "OUTSIDE", specimen.dicom(specimen.film()))
    root = tmp_path / "cd"
    specimen.put(root / "IMG/IM1", specimen.dicom(specimen.film()))
    specimen.put(root / "img2/im2", specimen.dicom(specimen.report(SOPInstanceUID="1.2.3.4.5.7")))
    specimen.put(root / "not_listed", b"x")
    content = dicomdir(
        specimen, ("IMG", "IM1"), ("IMG2", "IM2"), ("IMG", "GONE"), ("UP", "OUTSIDE")
    )
    content = specimen.replaced(content, b"UP\\OUTSIDE", b"..\\OUTSIDE")
    specimen.put(root / "DICOMDIR", content)
    return root


def test_in_a_folder_it_has_a_row_and_says_what_is_missing(medium, charter):
    entries = {e.source.path: e for e in build_catalogue([medium], charter).entries}
    assert set(entries) == {"DICOMDIR", "IMG/IM1", "img2/im2", "not_listed"}
    row = entries["DICOMDIR"]
    assert (row.kind, row.disposition) == (FileKind.DICOMDIR, Disposition.NOT_RELEVANT)
    assert "the 4 files it lists" in row.reason
    assert "1 of them are not there: IMG/GONE" in row.reason
    assert "1 references lead out of its folder: ../OUTSIDE" in row.reason


def test_given_alone_it_brings_what_it_lists_below_its_folder(medium):
    found = [one.source.path for one in discover([medium / "DICOMDIR"]).files]
    assert found == ["DICOMDIR", "IMG/IM1", "img2/im2"]


def test_a_link_below_the_folder_that_leads_out_is_not_taken(medium):
    (medium / "IMG/GONE").symlink_to(medium.parent / "OUTSIDE")
    assert resolve_below(medium, ("IMG", "GONE")) is None


@pytest.mark.parametrize(
    "parts", [("..", "x"), ("a", "..\\x"), ("/etc", "x"), ("C:", "x"), (), ("a/../..", "x")]
)
def test_references_that_climb_out(parts):
    assert climbs_out(parts)
