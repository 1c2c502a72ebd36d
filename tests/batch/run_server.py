"""Runs as real processes that start at once: each is forked from a process with all imports.

`python run_server.py` reads one order a line on stdin and answers each with one line:
`{"arguments": [...], "log": FILE, "fault": NAME, "path": FILE}` starts `zoom_imaging.run` and gives
its process id; `{"wait": PID}` gives its exit code once it has ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Serve until stdin ends."""
    sys.path.insert(0, str(ROOT))
    preload()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                run(order)
        print(answer, flush=True)


def preload() -> None:
    """Import what a run imports on its way; no thread may be started by it."""
    for name in (
        *("distributed.deploy.local", "jinja2", "matplotlib.backends.backend_agg"),
        *("odmlib.define_2_1.model", "pandera.pandas", "pyreadstat", "scipy.stats"),
        *("sqlalchemy.dialects.sqlite", "statsmodels.api", "zoom_imaging.adam.files"),
        *("zoom_imaging.batch.job", "zoom_imaging.exchange.film_reports"),
        *("zoom_imaging.report.build", "zoom_imaging.run"),
    ):
        import_module(name)


def run(order: Mapping[str, str]) -> None:
    """In the child: the command, with its fault, and never back."""
    code = 70
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        FAULTS[order.get("fault", "none")](order.get("path", ""))
        from zoom_imaging.run import app

        app(order["arguments"], prog_name="python -m zoom_imaging.run")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def none(path: str) -> None:
    """Nothing goes wrong."""


def vanish(path: str) -> None:
    """The file goes away between the reading of headers and its own reading."""
    before_reading(lambda: os.unlink(path))


def change(path: str) -> None:
    """Another program rewrites the file meanwhile."""
    before_reading(lambda: Path(path).write_bytes(Path(path).read_bytes()[:-2] + b"\1\1"))


def pause(path: str) -> None:
    """The run stands still until the file is there."""

    def wait() -> None:
        Path(path).with_suffix(".waits").touch()
        while not os.path.exists(path):
            time.sleep(0.02)

    before_reading(wait)


def before_reading(action: Callable[[], None]) -> None:
    """Do something when the headers are read and the reading begins."""
    from zoom_imaging.batch.outcomes import StudyReader

    outcomes = StudyReader.outcomes

    def disturbed(*arguments: object) -> object:
        action()
        return outcomes(*arguments)  # type: ignore[arg-type]

    StudyReader.outcomes = disturbed  # type: ignore[assignment,method-assign]


def backwards(path: str) -> None:
    """The clock goes back by an hour when the reading begins, and by 0.2 s every second from then.

    Dask's messages wait for the clock, so that a run stands still for as long as a step that comes
    while it reads: the later steps are small.
    """
    real = time.time
    begun: list[float] = []

    def earlier() -> float:
        back = 3600.0 + 0.2 * int(time.monotonic() - begun[0]) if begun else 0.0
        return real() - back

    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is real:
                setattr(module, name, earlier)
    before_reading(lambda: begun.append(time.monotonic()))


def small_files(path: str) -> None:
    """No file may grow over 100 kB: the system refuses as a full disk or a quota does."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


FAULTS: Mapping[str, Callable[[str], None]] = {
    fault.__name__: fault for fault in (none, vanish, change, pause, backwards, small_files)
}


if __name__ == "__main__":
    main()
