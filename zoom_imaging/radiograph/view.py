"""The view of a radiograph; what the header's words mean is decided in the ingest room."""

from __future__ import annotations

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.classify import classify
from zoom_imaging.ingest.header import ParsedFile
from zoom_imaging.ingest.view import view_of


def read_view(parsed: ParsedFile) -> tuple[View, str]:
    """Lateral, AP, other or unknown, with the sentence why.

    A film whose header does not name the spine is told by the same words: whether it shows a spine
    is seen in the picture.
    """
    header, clues = parsed.header, parsed.clues
    if header is None:
        return View.UNKNOWN, "the header cannot be read"
    found = classify(header, clues)
    if found.view_reason:
        return found.view, found.view_reason
    return view_of(
        header.view_position,
        clues.view_codes,
        clues.patient_orientation,
        (clues.series_description, clues.protocol, clues.study_description),
    )
