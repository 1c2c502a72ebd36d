"""One row of the catalogue while it is being decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zoom_imaging.anatomy import View, Visit
from zoom_imaging.ingest.catalogue import (
    CatalogueEntry,
    Disposition,
    FileKind,
    Header,
    SourceFile,
)
from zoom_imaging.ingest.classify import Classified
from zoom_imaging.ingest.clues import Clues, ParsedFile
from zoom_imaging.ingest.discover import FoundFile
from zoom_imaging.ingest.scan import Scanned
from zoom_imaging.ingest.subject import SubjectOf

FLOWING = frozenset({FileKind.DXA_REPORT, FileKind.SPINE_RADIOGRAPH})
"""Kinds that go on into the flow."""


@dataclass
class Draft:
    """One row while it is being decided."""

    source: SourceFile
    sha256: str
    kind: FileKind
    disposition: Disposition = Disposition.USED
    reason: str = ""
    header: Header | None = None
    clues: Clues = field(default_factory=Clues)
    classified: Classified | None = None
    subject: SubjectOf = field(default_factory=lambda: SubjectOf(""))
    visit: Visit | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """A DICOM object that was read to its end."""
        return self.classified is not None

    def refuse(self, disposition: Disposition, reason: str) -> None:
        """Settle the row, unless it is settled already: the first reason stays."""
        if self.disposition is Disposition.USED:
            self.disposition, self.reason = disposition, reason

    def _seen(self) -> Header | None:
        """The header with the view that the classification found."""
        if self.header is None or self.classified is None or self.classified.view is View.UNKNOWN:
            return self.header
        return replace(self.header, view=self.classified.view)

    def entry(self) -> CatalogueEntry:
        """The finished row."""
        return CatalogueEntry(
            source=self.source,
            sha256=self.sha256,
            kind=self.kind,
            disposition=self.disposition,
            reason=self.reason,
            header=self._seen(),
            subject_id=self.subject.subject_id,
            visit=self.visit,
            warnings=self.warnings,
        )


def draft_of(file: FoundFile, scanned: Scanned | None) -> Draft:
    """The row of one file by its own content, before it is compared with others.

    `scanned` is None for what was settled when it was found and is not to be read, such as a member
    of an archive that would inflate without end.
    """
    if scanned is None:
        scanned = Scanned("", file.source.size_bytes, ParsedFile())
    source, parsed = file.source, scanned.parsed
    if source.size_bytes != scanned.size_bytes:
        source = replace(source, size_bytes=scanned.size_bytes)
    draft = Draft(source, scanned.sha256, FileKind.NOT_DICOM)
    if file.kind is not None and file.disposition is not None:
        draft.kind, draft.disposition, draft.reason = file.kind, file.disposition, file.reason
        return draft
    draft.clues, draft.warnings, draft.header = parsed.clues, parsed.warnings, parsed.header
    if scanned.classified is not None:
        draft.kind = scanned.classified.kind
    if scanned.classified is None or not scanned.sound:
        draft.disposition = parsed.problem or Disposition.FAILED
        draft.reason = parsed.reason
        return draft
    draft.classified = scanned.classified
    draft.disposition = scanned.classified.disposition or Disposition.USED
    draft.reason = scanned.classified.reason
    return draft
