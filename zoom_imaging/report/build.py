"""The report as a folder: `index.html`, a page for each subject, pictures and one style sheet.

It opens offline: links are relative, nothing is requested from elsewhere, no script runs. Equal
results give equal bytes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoom_imaging.endpoints.results import TrialResults
from zoom_imaging.report.drawing import FilmLoader, load_film
from zoom_imaging.report.figures import write_figures
from zoom_imaging.report.gallery import Gallery
from zoom_imaging.report.overview import overview
from zoom_imaging.report.page import page_name, render, write_text
from zoom_imaging.report.subject import subject_page
from zoom_imaging.tasks import Spread, one_by_one

PICTURES, SUBJECTS, FIGURES, STYLE = "pictures", "subjects", "figures", "style.css"

_PICTURE_NAME = re.compile(r"[0-9a-f]{24}\.png(\.part)?")
_SUBJECT_NAME = re.compile(r"[a-z0-9-]+-[0-9a-f]{8}\.html")


def write_report(
    folder: Path,
    results: TrialResults,
    answer: Mapping[str, Any],
    *,
    earlier: Path | None = None,
    charter_source: Path | None = None,
    spread: Spread = one_by_one,
    load: FilmLoader = load_film,
) -> None:
    """Write the report of a run into `folder`, one subject in memory at a time.

    `answer` is what `trial_answer` says of the results. Pictures that are already in `folder`, or
    in the `earlier` report, are kept where film and reading are unchanged; pages and pictures of
    earlier results are removed. `charter_source` is the charter's file, whose comments say which
    values are assumed. A film that cannot be opened again gives a sentence, not an error. OSError
    as the file system raises it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(
        folder / PICTURES,
        earlier / PICTURES if earlier is not None else None,
        {entry.source.path: entry for entry in results.catalogue.entries},
    )
    gallery.draw(results.subjects, spread=spread, load=load)
    pages, pictures = set(), set()
    ids = ["", *(subject.subject_id for subject in results.endpoints), ""]
    for at, subject in enumerate(results.subjects):
        shown = gallery.pictures(subject)
        pictures |= {picture.file_name for picture in shown}
        name = page_name(subject.subject_id)
        pages.add(name)
        content = subject_page(subject, results, shown, (ids[at], ids[at + 2]))
        write_text(folder / SUBJECTS / name, render("subject.html", root="../", **content))
    figures = write_figures(folder / FIGURES, results, answer)
    content = overview(results, charter_source) | {"answer": answer, "figures": figures}
    write_text(folder / "index.html", render("index.html", root="", **content))
    shutil.copyfile(Path(__file__).parent / "assets" / STYLE, folder / STYLE)
    _remove_others(folder / PICTURES, _PICTURE_NAME, pictures)
    _remove_others(folder / SUBJECTS, _SUBJECT_NAME, pages)


def _remove_others(folder: Path, ours: re.Pattern[str], kept: set[str]) -> None:
    """Take away what an earlier report left; files that no report wrote are not touched."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if ours.fullmatch(path.name) and path.name not in kept:
            path.unlink()
