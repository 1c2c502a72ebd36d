"""The outcome of every study of a run: remembered from an earlier one, or computed now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from zoom_imaging.batch.cache import Cache, worth_keeping
from zoom_imaging.batch.cluster import Team
from zoom_imaging.batch.elsewhere import spread_over_files
from zoom_imaging.batch.progress import Voice
from zoom_imaging.batch.study import Outcome, Study, failure
from zoom_imaging.errors import OutputError
from zoom_imaging.ingest.catalogue import FileKind


@dataclass(frozen=True)
class StudyReader:
    """How studies are read: `task` gives the outcome of one as JSON, where `memory` has none."""

    task: Callable[[Study], bytes]
    memory: Cache
    team: Team

    def outcomes(self, studies: Sequence[Study], voice: Voice) -> Iterator[tuple[Study, Outcome]]:
        """Each study with its outcome, in whatever order."""
        unknown: list[Study] = []
        with self.memory as cache:
            for one, known in cache.known(studies):
                if known is None:
                    unknown.append(one)
                else:
                    yield one, known
            if len(unknown) < len(studies):
                count = len(studies) - len(unknown)
                voice.say(f"{count} of {len(studies)} files are known from before.")
            if unknown:
                yield from self._computed(unknown, cache, voice)

    def _computed(
        self, unknown: Sequence[Study], cache: Cache, voice: Voice
    ) -> Iterator[tuple[Study, Outcome]]:
        remember = _Memory(cache, voice)
        with voice.stage("Reading reports and films", len(unknown)) as stage:
            for done in spread_over_files(self.team, unknown, self.task, light=_is_report):
                body = done.result or failure(done.problem).to_json()
                outcome = Outcome.from_json(body)
                if worth_keeping(outcome):
                    remember.put(done.task, body)
                else:
                    voice.warn(f"{done.task.source.path}: {outcome.reason}")
                yield done.task, outcome
                stage.advance()
            remember.flush()


def _is_report(one: Study) -> bool:
    """A report is read in milliseconds, less than a task of its own costs; a film in seconds."""
    return one.kind is FileKind.DXA_REPORT


class _Memory:
    """The cache, as far as it can be written: results are at hand even where it cannot.

    Whether the tables can be written is told when they are.
    """

    def __init__(self, cache: Cache, voice: Voice) -> None:
        self._cache: Cache | None = cache
        self._voice = voice

    def put(self, one: Study, body: bytes) -> None:
        self._try(lambda cache: cache.put(one, body))

    def flush(self) -> None:
        self._try(Cache.flush)

    def _try(self, write: Callable[[Cache], None]) -> None:
        if self._cache is None:
            return
        try:
            write(self._cache)
        except OutputError as error:
            self._cache = None
            self._voice.say(f"From here on not remembered for the next run: {error.reason}")
