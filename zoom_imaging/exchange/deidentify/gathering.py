"""The first pass: every input file, whose it is, and every identifier that it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from zoom_imaging.charter import Charter
from zoom_imaging.errors import InputError
from zoom_imaging.exchange.deidentify.cleaning import unexpected
from zoom_imaging.exchange.deidentify.clinical import identifiers_of
from zoom_imaging.exchange.deidentify.identifiers import Identifiers, gather, united
from zoom_imaging.exchange.deidentify.place import shown_path
from zoom_imaging.exchange.deidentify.report import Row, State
from zoom_imaging.exchange.deidentify.written import NAME
from zoom_imaging.ingest.catalogue import Disposition, FileKind, SourceFile
from zoom_imaging.ingest.clinical import ClinicalTable
from zoom_imaging.ingest.dataset import open_source
from zoom_imaging.ingest.discover import FoundFile
from zoom_imaging.ingest.scan import Scanned, scan
from zoom_imaging.ingest.source import SourceReader
from zoom_imaging.ingest.subject import subject_of

NOTHING = Identifiers()
_NO_SUBJECT = "no subject id by the charter: nobody can tell whose file it is"


@dataclass
class InputFile:
    """One input file on its way; with a `problem`, what it tells of the person is not known."""

    found: FoundFile
    scanned: Scanned | None
    subject_id: str = ""
    identifiers: Identifiers = NOTHING
    problem: str = ""

    @property
    def source(self) -> SourceFile:
        """Where it lies."""
        return self.found.source


@dataclass
class Gathered:
    """All files, what each subject's files say of the person, and what all say together."""

    files: list[InputFile]
    of_subject: dict[str, Identifiers] = field(default_factory=dict)
    everyone: Identifiers = NOTHING


def gather_all(
    found: Sequence[FoundFile], charter: Charter, clinical: ClinicalTable | None
) -> Gathered:
    """Read every file once: whose it is, and what in it may tell who that is."""
    wanted = [one for one in found if one.disposition is not Disposition.UNREADABLE]
    scanned = dict(
        zip(
            (one.source.path for one in wanted),
            scan([one.source for one in wanted]),
            strict=True,
        )
    )
    files = [InputFile(one, scanned.get(one.source.path)) for one in found]
    gathered = Gathered(files)
    parts: dict[str, list[Identifiers]] = defaultdict(list)
    with SourceReader() as reader:
        for file in files:
            if file.found.kind is not None or file.scanned is None or not file.scanned.sound:
                continue
            file.subject_id = subject_of(file.scanned.parsed.clues, charter.identity).subject_id
            own = parts[file.subject_id]  # a subject also where none of its files can be opened
            try:
                file.identifiers = gather(open_source(reader.read(file.source), NAME).dataset)
            except InputError:
                continue  # it is refused for the same reason when it is cleaned
            except Exception as error:
                file.problem = unexpected(error, f"while gathering file {file.scanned.sha256}")
                continue
            own.append(file.identifiers)
    if clinical is not None:
        for subject_id, identifiers in identifiers_of(clinical).items():
            parts[subject_id].append(identifiers)
    for subject_id, many in parts.items():
        if subject_id:
            many.append(Identifiers(ids=frozenset({subject_id})))
            gathered.of_subject[subject_id] = united(many)
    everyone = united(one for many in parts.values() for one in many)
    gathered.everyone = replace(everyone, days=frozenset())
    return gathered


def settled(file: InputFile) -> Row:
    """The row of a file by what `ingest` found; `written` where it goes on to be cleaned."""
    scanned, found = file.scanned, file.found
    row = Row(
        path=file.source.path,
        shown=shown_path(file.source.path),
        sha256=scanned.sha256 if scanned else "",
        state=State.LEFT_OUT,
    )
    reason, state = "", State.LEFT_OUT
    if found.kind is FileKind.ARCHIVE:
        reason = "an archive: its members have their own rows"
    elif scanned is None or scanned.parsed.problem is Disposition.UNREADABLE:
        state = State.QUARANTINED
        reason = "the file is damaged or cannot be read, so it cannot be cleaned"
    elif scanned.parsed.problem is Disposition.NOT_DICOM:
        reason = "no DICOM file"
    elif not scanned.sound or scanned.classified is None:
        reason, state = "the header cannot be read", State.QUARANTINED
    elif scanned.classified.kind is FileKind.DICOMDIR:
        reason = "a DICOMDIR: it names files and persons, and is left out"
    elif not file.subject_id:
        reason, state = _NO_SUBJECT, State.QUARANTINED
    elif file.problem:
        reason, state = file.problem, State.FAILED
    else:
        state = State.WRITTEN
    return replace(row, state=state, reason=reason)
