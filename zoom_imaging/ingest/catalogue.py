"""What was found: one entry for each input file, with its subject, visit, kind and disposition."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from zoom_imaging.anatomy import View, Visit
from zoom_imaging.query import Query


class Disposition(StrEnum):
    """What became of an input file."""

    USED = "used"
    NOT_DICOM = "not_dicom"
    UNREADABLE = "unreadable"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported_transfer_syntax"
    NOT_RELEVANT = "not_relevant"
    WRONG_VIEW = "wrong_view"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    UNKNOWN_SUBJECT = "unknown_subject"
    OUTSIDE_VISIT_WINDOW = "outside_visit_window"
    CONFLICTING = "conflicting"
    FAILED = "failed"


class FileKind(StrEnum):
    """What a file is, told from its content."""

    DXA_REPORT = "dxa_report"
    SPINE_RADIOGRAPH = "spine_radiograph"
    ARCHIVE = "archive"
    DICOMDIR = "dicomdir"
    CLINICAL_TABLE = "clinical_table"
    OTHER_DICOM = "other_dicom"
    NOT_DICOM = "not_dicom"


@dataclass(frozen=True)
class SourceFile:
    r"""One input file as it lies on disk, or one member of an archive.

    `path` is what tables show: relative to the source where there is one, `ARCHIVE!MEMBER` for a
    member, undecodable bytes as `\xNN`. `location` is the real path to open; for a member it is
    the archive and `member` its raw name; nested archives join their members with "!".
    `member_indices` are the positions in the directories of the archives, outermost first: names
    inside an archive need not be unique.
    """

    path: str
    location: str
    member: str = ""
    size_bytes: int = 0
    member_indices: tuple[int, ...] = ()

    def absolute(self) -> SourceFile:
        """The same file for a process with another working directory."""
        return replace(self, location=os.path.abspath(self.location))


@dataclass(frozen=True)
class Header:
    """What the first pass reads from one DICOM file, without pixels. Empty text where absent."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    modality: str
    manufacturer: str
    model: str
    body_part: str
    view_position: str
    view: View
    study_date: date | None
    acquired_on: date | None
    date_source: str
    subject_id: str
    time_point: str
    study_instance_uid: str
    series_instance_uid: str
    rows: int = 0
    columns: int = 0
    patient_name: str = ""


@dataclass(frozen=True)
class CatalogueEntry:
    """One input file and what is known of it so far; `reason` is a sentence unless it is used.

    `warnings` name what was odd about the file and how it was read all the same.
    """

    source: SourceFile
    sha256: str
    kind: FileKind
    disposition: Disposition
    reason: str = ""
    header: Header | None = None
    subject_id: str = ""
    visit: Visit | None = None
    warnings: tuple[str, ...] = ()

    @property
    def sop_instance_uid(self) -> str:
        """Empty for what is no DICOM object."""
        return self.header.sop_instance_uid if self.header else ""


@dataclass(frozen=True)
class Catalogue:
    """Every input file exactly once, in the order of their paths, and the questions they raise.

    `notes` tell what has no row of its own, such as a linked folder that was not followed.
    """

    entries: tuple[CatalogueEntry, ...]
    queries: tuple[Query, ...] = ()
    notes: tuple[str, ...] = ()

    def used(self, kind: FileKind) -> tuple[CatalogueEntry, ...]:
        """Entries of a kind that go on into the flow."""
        return tuple(
            entry
            for entry in self.entries
            if entry.kind is kind and entry.disposition is Disposition.USED
        )
