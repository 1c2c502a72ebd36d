"""What a run tells the person who waits for it: bars on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

_LINES_IN_A_STAGE = 10
_FEWEST_A_LINE = 20


class Voice:
    """Speaks to stderr, so that stdout stays for results; `quiet` leaves warnings only.

    `seconds` has the wall time of every stage that has ended.
    """

    def __init__(self, quiet: bool = False, terminal: bool | None = None) -> None:
        """`terminal` None: look whether stderr is one."""
        self.quiet = quiet
        self.terminal = sys.stderr.isatty() if terminal is None else terminal
        self.seconds: dict[str, float] = {}

    def say(self, sentence: str) -> None:
        """A plain line that `quiet` leaves out."""
        if not self.quiet:
            self.warn(sentence)

    def warn(self, sentence: str) -> None:
        """A plain line that is always shown; nothing in it can steer the terminal."""
        from zoom_imaging.ingest.text import visible

        _put(visible(sentence), sys.stderr)

    def show(self, text: str) -> None:
        """What the run found, on stdout; `quiet` leaves it out."""
        from zoom_imaging.ingest.text import visible

        if not self.quiet:
            _put("\n".join(visible(line) for line in text.split("\n")), sys.stdout)

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Stage]:
        """A stage of the run, with a bar of `total` steps where that is known."""
        start = time.perf_counter()
        stage = Stage(self, name, total)
        try:
            with stage:
                yield stage
        finally:
            self.seconds[name] = round(time.perf_counter() - start, 3)


class Stage:
    """One stage; `advance` is called once for each step that is done."""

    def __init__(self, voice: Voice, name: str, total: int | None) -> None:
        """Shown from `__enter__` to `__exit__`."""
        self._voice = voice
        self._name = name
        self._total = total
        self._done = 0
        self._bar: Progress | None = None
        self._told = 0

    def __enter__(self) -> Stage:
        if self._voice.quiet:
            return self
        if self._voice.terminal:
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task(self._name, total=self._total)
        else:
            of_total = f" ({self._total})" if self._total else ""
            self._voice.say(f"{self._name}{of_total} ...")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, total=self._total or 1, completed=self._done or 1)
            self._bar.stop()

    def advance(self) -> None:
        """One more step is done."""
        self.reach(self._done + 1, self._total)

    def reach(self, done: int, total: int | None) -> None:
        """`done` of `total` steps are done, where the total becomes known on the way."""
        self._done, self._total = done, total
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], total=total, completed=done)
        elif total and done - self._told >= max(_FEWEST_A_LINE, total // _LINES_IN_A_STAGE):
            self._told = done
            self._voice.say(f"  {done} of {total}")


def _put(text: str, stream: TextIO) -> None:
    """Print what `stream` can show; that nobody listens any more is no reason to stop a run."""
    encoding = stream.encoding or "ascii"
    with suppress(BrokenPipeError):
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<28}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
