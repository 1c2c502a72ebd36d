"""The first pass over all files: hash and header of each, in several processes where it pays.

A file's bytes are hashed always; the header of bytes that were parsed before (the cache) is not
read again. A file that kills its process is `failed`, and the others are read all the same.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import multiprocessing
import sys
import threading
from collections.abc import Callable, Collection, Iterator, MutableMapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import BinaryIO

from zoom_imaging.errors import InputError
from zoom_imaging.ingest.archive import DEFAULT_LIMITS, Limits
from zoom_imaging.ingest.catalogue import Disposition, SourceFile
from zoom_imaging.ingest.classify import Classified, classify
from zoom_imaging.ingest.clues import ParsedFile
from zoom_imaging.ingest.header import parse, parse_stream
from zoom_imaging.ingest.source import SourceReader, cause, open_regular, read_whole
from zoom_imaging.provenance import sha256_of_bytes

Key = tuple[str, int]
"""SHA-256 and size in bytes: what a file's content is known by."""

Cache = MutableMapping[Key, ParsedFile]
Progress = Callable[[int, int], None]

_IN_MEMORY_BYTES = 32 << 20
_WORTH_PROCESSES = 400
_CHUNK_FILES = 100


@dataclass(frozen=True)
class Scanned:
    """One file's hash and what its bytes say; `size_bytes` is what was hashed.

    `classified` is None for what has no header, `sound` says whether it was read to its end.
    """

    sha256: str
    size_bytes: int
    parsed: ParsedFile
    classified: Classified | None = None

    @property
    def sound(self) -> bool:
        """Whether the file is a DICOM object that was read to its end."""
        return self.parsed.problem is None and self.classified is not None


@dataclass(frozen=True)
class _Answer:
    sha256: str
    size_bytes: int
    parsed: ParsedFile | None
    classified: Classified | None = None


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """No search for cyclic garbage meanwhile: it takes longer the more headers are kept."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def scan(
    sources: Sequence[SourceFile],
    *,
    jobs: int = 1,
    limits: Limits = DEFAULT_LIMITS,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> list[Scanned]:
    """Hash and parse every file, in the order given; `cache` is read and filled.

    `progress` is told how many of how many files are done.
    """
    known = frozenset(cache) if cache else frozenset()
    answers: list[_Answer | None] = [None] * len(sources)
    done = 0
    for positions, chunk in _answers(sources, jobs, limits, known):
        for position, answer in zip(positions, chunk, strict=True):
            answers[position] = answer
        done += len(positions)
        if progress is not None:
            progress(done, len(sources))
    return [_scanned(answer, cache) for answer in answers if answer is not None]


def _scanned(answer: _Answer, cache: Cache | None) -> Scanned:
    key = (answer.sha256, answer.size_bytes)
    parsed, classified = answer.parsed, answer.classified
    if parsed is None:
        parsed = cache[key] if cache is not None else ParsedFile()
        classified = _classified(parsed)
    elif cache is not None and answer.sha256:
        cache[key] = parsed
    return Scanned(answer.sha256, answer.size_bytes, parsed, classified)


def _classified(parsed: ParsedFile) -> Classified | None:
    return classify(parsed.header, parsed.clues) if parsed.header is not None else None


def _answers(
    sources: Sequence[SourceFile], jobs: int, limits: Limits, known: Collection[Key]
) -> Iterator[tuple[Sequence[int], list[_Answer]]]:
    unfinished = [
        range(start, min(start + _CHUNK_FILES, len(sources)))
        for start in range(0, len(sources), _CHUNK_FILES)
    ]
    if jobs <= 1 or len(sources) < _WORTH_PROCESSES:
        with SourceReader(limits) as reader:
            for chunk in unfinished:
                yield chunk, [_read(sources[p], reader, limits, known) for p in chunk]
        return
    done: set[range] = set()
    with _pool(jobs, limits, known) as pool:
        try:
            futures: dict[Future[list[_Answer]], range] = {
                pool.submit(_read_in_worker, [sources[p] for p in chunk]): chunk
                for chunk in unfinished
            }
            for future in as_completed(futures):
                answers = future.result()
                done.add(futures[future])
                yield futures[future], answers
        except BrokenProcessPool:
            pass
    for chunk in unfinished:
        if chunk not in done:
            yield chunk, _apart([sources[p] for p in chunk], limits, known)


def _pool(jobs: int, limits: Limits, known: Collection[Key]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=jobs,
        mp_context=multiprocessing.get_context(_start_method()),
        initializer=_begin_worker,
        initargs=(limits, known),
    )


def _start_method() -> str:
    """Forking is quick, and safe only while no other thread may hold a lock."""
    forks = sys.platform.startswith("linux") and "fork" in multiprocessing.get_all_start_methods()
    return "fork" if forks and threading.active_count() == 1 else "spawn"


def _apart(sources: Sequence[SourceFile], limits: Limits, known: Collection[Key]) -> list[_Answer]:
    """Read files in a process of their own, after one was lost; if it dies too, one by one."""
    try:
        with _pool(1, limits, known) as pool:
            return pool.submit(_read_in_worker, sources).result()
    except BrokenProcessPool:
        if len(sources) > 1:
            return [_apart([source], limits, known)[0] for source in sources]
        died = ParsedFile(
            problem=Disposition.FAILED,
            reason="the process that read this file's header died; please report it",
        )
        return [_Answer("", sources[0].size_bytes, died)]


@dataclass
class _Worker:
    """What a worker process keeps between chunks, so that an archive is opened once."""

    limits: Limits = DEFAULT_LIMITS
    known: Collection[Key] = ()
    reader: SourceReader = field(default_factory=SourceReader)


_worker = _Worker()


def _begin_worker(limits: Limits, known: Collection[Key]) -> None:
    gc.disable()  # headers have no cycles: looking for them costs a fifth of the time
    _worker.limits, _worker.known, _worker.reader = limits, known, SourceReader(limits)


def _read_in_worker(sources: Sequence[SourceFile]) -> list[_Answer]:
    return [_read(one, _worker.reader, _worker.limits, _worker.known) for one in sources]


def _read(
    source: SourceFile, reader: SourceReader, limits: Limits, known: Collection[Key]
) -> _Answer:
    try:
        if source.member_indices:
            return _answer(reader.read(source), limits, known)
        content = read_whole(source.location, _IN_MEMORY_BYTES)
        if content is not None:
            return _answer(content, limits, known)
        with open_regular(source.location) as stream:
            return _streamed(stream, limits, known)
    except InputError as error:
        return _refused(source, error.reason)
    except OSError as error:
        return _refused(source, f"the file cannot be read ({cause(error)})")
    except Exception as error:  # one file never stops the others
        return _Answer("", source.size_bytes, _failure(error))


def _answer(content: bytes, limits: Limits, known: Collection[Key]) -> _Answer:
    digest = sha256_of_bytes(content)
    if (digest, len(content)) in known:
        return _Answer(digest, len(content), None)
    return _judged(digest, len(content), lambda: parse(content, limits))


def _streamed(stream: BinaryIO, limits: Limits, known: Collection[Key]) -> _Answer:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    size = stream.tell()
    if (digest, size) in known:
        return _Answer(digest, size, None)
    stream.seek(0)
    return _judged(digest, size, lambda: parse_stream(stream, size, limits))


def _judged(digest: str, size: int, read: Callable[[], ParsedFile]) -> _Answer:
    try:
        parsed = read()
        return _Answer(digest, size, parsed, _classified(parsed))
    except OSError:
        raise
    except Exception as error:  # the hash is kept, so that the row can be found again
        return _Answer(digest, size, _failure(error))


def _failure(error: BaseException) -> ParsedFile:
    return ParsedFile(
        problem=Disposition.FAILED,
        reason=f"unexpected error while reading the header ({type(error).__name__}); "
        "please report it",
    )


def _refused(source: SourceFile, reason: str) -> _Answer:
    return _Answer("", source.size_bytes, ParsedFile(problem=Disposition.UNREADABLE, reason=reason))
