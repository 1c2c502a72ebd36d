"""One input file as a pure task: bytes in, measured records or a refusal out, nothing else touched.

The result crosses from worker to main process, and lies in the cache, as JSON, so that a value is
the same whether it was computed now or remembered.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoom_imaging.charter import Charter
from zoom_imaging.dxa.result import DxaReport
from zoom_imaging.errors import (
    InputError,
    ModelError,
    NotDicomError,
    NotRelevantError,
    UnreadableError,
    UnsupportedTransferSyntaxError,
    WrongViewError,
)
from zoom_imaging.ingest.catalogue import Disposition, FileKind, SourceFile
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.provenance import sha256_of_bytes

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from zoom_imaging.vision.read import SpineReader

_DISPOSITIONS: tuple[tuple[type[InputError], Disposition], ...] = (
    (NotDicomError, Disposition.NOT_DICOM),
    (UnsupportedTransferSyntaxError, Disposition.UNSUPPORTED_TRANSFER_SYNTAX),
    (NotRelevantError, Disposition.NOT_RELEVANT),
    (WrongViewError, Disposition.WRONG_VIEW),
    (InputError, Disposition.UNREADABLE),
)


@dataclass(frozen=True)
class Study:
    """One file to be read: a densitometry report or a radiograph."""

    source: SourceFile
    sha256: str
    kind: FileKind


@dataclass(frozen=True)
class Outcome:
    """What a file gave: `report` or `films`, or a disposition other than used with its reason.

    A film that the model could not read is used, with its refusal as the reason. `passing`: the
    reason is about the moment and not about the bytes, e.g. a file that was gone.
    """

    disposition: Disposition
    reason: str = ""
    report: DxaReport | None = None
    films: tuple[FilmReading, ...] = ()
    passing: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd about the file and how it was read all the same, each once."""
        readings = (*((self.report,) if self.report else ()), *self.films)
        return tuple(dict.fromkeys(text for reading in readings for text in reading.warnings))

    def at(self, path: str) -> Outcome:
        """The same outcome for equal bytes that lie at another path."""
        return replace(
            self,
            report=replace(self.report, path=path) if self.report else None,
            films=tuple(replace(film, path=path) for film in self.films),
        )

    def to_json(self) -> bytes:
        """Strict JSON; ValueError where a number is not finite."""
        content = _adapter().dump_python(self, mode="json", warnings="error")
        return json.dumps(content, ensure_ascii=True, allow_nan=False).encode("ascii")

    @classmethod
    def from_json(cls, content: bytes) -> Outcome:
        """ValueError for what `to_json` did not write."""
        outcome: Outcome = _adapter().validate_python(json.loads(content))
        return outcome


def failure(sentence: str) -> Outcome:
    """The outcome of a file that met an error which nobody foresaw."""
    return Outcome(Disposition.FAILED, sentence)


@dataclass(frozen=True)
class Networks:
    """The model of a run: its bundle (None: the package's own) and its engine."""

    model: Path | None = None
    engine: str = "torch"


def run(study: Study, charter: Charter, networks: Networks) -> bytes:
    """Read one file and give its `Outcome` as JSON; only a ModelError is raised."""
    try:
        return _outcome(study, charter, networks).to_json()
    except ModelError:
        raise
    except Exception as error:
        return failure(
            f"unexpected error while reading this file ({type(error).__name__}: {error}); "
            "please report it"
        ).to_json()


def _outcome(study: Study, charter: Charter, networks: Networks) -> Outcome:
    with warnings.catch_warnings():
        # What matters in them is in the records; a worker's terminal is nobody's.
        warnings.simplefilter("ignore")
        try:
            content = _content(study)
        except InputError as refusal:
            return replace(_refused(refusal), passing=True)
        try:
            if study.kind is FileKind.DXA_REPORT:
                return _report(content, study.source.path, charter)
            return _films(content, study.source.path, charter, _reader(networks))
        except InputError as refusal:
            return _refused(refusal)
        except OSError as error:
            return replace(_refused(_not_readable(error)), passing=True)


def _content(study: Study) -> bytes:
    """The bytes that the catalogue was made from; UnreadableError where they are not there now."""
    from zoom_imaging.ingest.source import open_source

    try:
        content = open_source(study.source)
    except OSError as error:
        raise _not_readable(error) from error
    if sha256_of_bytes(content) != study.sha256:
        raise UnreadableError("the file changed while the run was working", remedy="run again")
    return content


def _not_readable(error: OSError) -> UnreadableError:
    return UnreadableError(f"the file cannot be read ({error.strerror or type(error).__name__})")


def _refused(refusal: InputError) -> Outcome:
    disposition = next(found for kind, found in _DISPOSITIONS if isinstance(refusal, kind))
    return Outcome(disposition, refusal.reason)


def _report(content: bytes, path: str, charter: Charter) -> Outcome:
    from zoom_imaging.dxa.checks import Tolerances
    from zoom_imaging.dxa.read import read_report

    tolerances = Tolerances.from_rules(charter.dxa)
    return Outcome(Disposition.USED, report=read_report(content, path, tolerances))


def _films(content: bytes, path: str, charter: Charter, reader: SpineReader) -> Outcome:
    from zoom_imaging.batch.film import read_film

    films = read_film(content, path, reader, charter)
    # A film without a reading stays in the flow: its levels say why they are not evaluable, and
    # readers may still judge it.
    return Outcome(
        Disposition.USED,
        "; ".join(dict.fromkeys(film.refusal for film in films if film.refusal)),
        films=films,
    )


@lru_cache(maxsize=1)
def _reader(networks: Networks) -> SpineReader:
    """The model, loaded once for each process."""
    import torch

    from zoom_imaging.vision.read import SpineReader

    # The last digits of a sum depend on the number of threads; results must not.
    torch.set_num_threads(1)
    return SpineReader.load(networks.model, networks.engine)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(Outcome)
