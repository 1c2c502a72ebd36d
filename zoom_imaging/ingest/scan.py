"""The first pass over all files: hash and header of each, in several processes where it pays.

A file's bytes are hashed always; the header of bytes that were parsed before (the cache) is not
read again. A file that kills its process is `failed`, and the others are read all the same.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, MutableMapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import BinaryIO

from zoom_imaging.errors import InputError
from zoom_imaging.ingest.archive import DEFAULT_LIMITS, Limits
from zoom_imaging.ingest.catalogue import Disposition, SourceFile
from zoom_imaging.ingest.header import ParsedFile, parse, parse_stream
from zoom_imaging.ingest.source import SourceReader, cause, open_regular
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
    """One file's hash and what its bytes say; `size_bytes` is what was hashed."""

    sha256: str
    size_bytes: int
    parsed: ParsedFile


@dataclass(frozen=True)
class _Answer:
    sha256: str
    size_bytes: int
    parsed: ParsedFile | None


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
    parsed = answer.parsed
    if parsed is None:
        parsed = cache[key] if cache is not None else ParsedFile()
    elif cache is not None and answer.sha256:
        cache[key] = parsed
    return Scanned(answer.sha256, answer.size_bytes, parsed)


def _answers(
    sources: Sequence[SourceFile], jobs: int, limits: Limits, known: Collection[Key]
) -> Iterator[tuple[Sequence[int], list[_Answer]]]:
    chunks = _chunks(sources)
    if jobs <= 1 or len(sources) < _WORTH_PROCESSES:
        for positions in chunks:
            yield positions, _read_chunk([sources[p] for p in positions], limits, known)
        return
    unfinished = dict(enumerate(chunks))
    with _pool(jobs, limits, known) as pool:
        try:
            futures: dict[Future[list[_Answer]], int] = {
                pool.submit(_read_in_worker, [sources[p] for p in positions]): number
                for number, positions in unfinished.items()
            }
            for future in as_completed(futures):
                chunk = future.result()
                yield unfinished.pop(futures[future]), chunk
        except BrokenProcessPool:
            pass
    for positions in unfinished.values():
        for position in positions:
            yield [position], [_alone(sources[position], limits, known)]


def _chunks(sources: Sequence[SourceFile]) -> list[Sequence[int]]:
    """Positions in runs of one archive or of `_CHUNK_FILES` files: an archive is opened once."""
    found: list[Sequence[int]] = []
    run: list[int] = []
    for position, source in enumerate(sources):
        whole = len(run) >= _CHUNK_FILES and not (
            source.member_indices and source.location == sources[run[-1]].location
        )
        if whole:
            found.append(run)
            run = []
        run.append(position)
    if run:
        found.append(run)
    return found


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


def _alone(source: SourceFile, limits: Limits, known: Collection[Key]) -> _Answer:
    """Read one file in a process of its own, after a process was lost on some file."""
    try:
        with _pool(1, limits, known) as pool:
            return pool.submit(_read_in_worker, [source]).result()[0]
    except BrokenProcessPool:
        return _Answer(
            "",
            source.size_bytes,
            ParsedFile(
                problem=Disposition.FAILED,
                reason="the process that read this file's header died; please report it",
            ),
        )


_worker: tuple[Limits, Collection[Key]] = (DEFAULT_LIMITS, frozenset())


def _begin_worker(limits: Limits, known: Collection[Key]) -> None:
    global _worker  # noqa: PLW0603 - set once in each worker process, before any file
    _worker = (limits, known)


def _read_in_worker(sources: Sequence[SourceFile]) -> list[_Answer]:
    return _read_chunk(sources, *_worker)


def _read_chunk(
    sources: Sequence[SourceFile], limits: Limits, known: Collection[Key]
) -> list[_Answer]:
    with SourceReader(limits) as reader:
        return [_read(source, reader, limits, known) for source in sources]


def _read(
    source: SourceFile, reader: SourceReader, limits: Limits, known: Collection[Key]
) -> _Answer:
    try:
        if source.member_indices:
            return _answer(reader.read(source), limits, known)
        with open_regular(source.location) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > _IN_MEMORY_BYTES:
                return _streamed(stream, limits, known)
            return _answer(stream.read(), limits, known)
    except InputError as error:
        return _refused(source, error.reason, Disposition.UNREADABLE)
    except OSError as error:
        return _refused(source, f"the file cannot be read ({cause(error)})", Disposition.UNREADABLE)
    except Exception as error:  # one file never stops the others
        return _refused(
            source,
            f"unexpected error while reading the header ({type(error).__name__}); please report it",
            Disposition.FAILED,
        )


def _answer(content: bytes, limits: Limits, known: Collection[Key]) -> _Answer:
    digest = sha256_of_bytes(content)
    if (digest, len(content)) in known:
        return _Answer(digest, len(content), None)
    return _Answer(digest, len(content), _parsed(lambda: parse(content, limits)))


def _streamed(stream: BinaryIO, limits: Limits, known: Collection[Key]) -> _Answer:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    size = stream.tell()
    if (digest, size) in known:
        return _Answer(digest, size, None)
    stream.seek(0)
    return _Answer(digest, size, _parsed(lambda: parse_stream(stream, size, limits)))


def _parsed(read: Callable[[], ParsedFile]) -> ParsedFile:
    try:
        return read()
    except OSError:
        raise
    except Exception as error:  # the hash is kept, so that the row can be found again
        return ParsedFile(
            problem=Disposition.FAILED,
            reason=f"unexpected error while reading the header ({type(error).__name__}); "
            "please report it",
        )


def _refused(source: SourceFile, reason: str, disposition: Disposition) -> _Answer:
    return _Answer("", source.size_bytes, replace(ParsedFile(), problem=disposition, reason=reason))
