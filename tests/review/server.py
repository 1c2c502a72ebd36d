"""The reading room as a process of its own, as a trial runs it: started, used, ended or killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from zoom_imaging.review.case import READING_LIST_NAME, ReadingList, reading_list_text

from .conftest import PASSWORD, Browser

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_START_SECONDS = 120
_LONGEST_END_SECONDS = 30


@dataclass
class Server:
    """A reading room that listens at `url`."""

    process: subprocess.Popen[str]
    log: Path
    url: str = ""

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def kill(self) -> None:
        """End it as a power cut does: no goodbye, no clean-up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_LONGEST_END_SECONDS)

    def terminate(self) -> int:
        """Ask it to end, as Ctrl+C or a service manager does; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(_LONGEST_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    @property
    def complaints(self) -> str:
        """What it wrote about errors; a request that failed inside leaves its traceback here."""
        return self.log.read_text("utf-8")


def write_results(folder: Path, reading_list: ReadingList) -> Path:
    """A result folder with nothing but the reading list."""
    folder.mkdir(parents=True, exist_ok=True)
    content = "".join(reading_list_text(reading_list, reading_list.cases))
    (folder / READING_LIST_NAME).write_text(content, "utf-8")
    return folder


@contextmanager
def launched(results: Path, database: str | Path, port: int = 0) -> Iterator[Server]:
    """The process, which may not listen yet; it has always ended afterwards."""
    log = results / "server.log"
    command = [sys.executable, "-m", "zoom_imaging", "review", "--results", str(results)]
    command += ["--db", str(database), "--port", str(port)]
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=_ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    server = Server(process, log)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.terminate()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def running(results: Path, database: str | Path, port: int = 0) -> Iterator[Server]:
    """A server that listens; it has always ended afterwards."""
    with launched(results, database, port) as server:
        server.url = _wait_for_url(server)
        yield server


def _wait_for_url(server: Server) -> str:
    """From the line that the server says when it listens; a server that hangs is killed."""
    assert server.process.stdout is not None
    watchdog = threading.Timer(_LONGEST_START_SECONDS, server.process.kill)
    watchdog.start()
    try:
        said = []
        for line in server.process.stdout:
            said.append(line)
            found = re.search(r"http://\S+:\d+", line)
            if found:
                return found[0]
    finally:
        watchdog.cancel()
    raise AssertionError(f"the server did not start: {''.join(said)}{server.complaints}")


@contextmanager
def client(server: Server, token: str = "") -> Iterator[Browser]:
    """A browser at the server; `token` is the cookie of a session that is open already."""
    from zoom_imaging.review.web.guard import COOKIE

    cookies = {COOKIE: token} if token else None
    with httpx.Client(
        base_url=server.url, follow_redirects=True, timeout=60, cookies=cookies
    ) as opened:
        yield Browser(opened)


@contextmanager
def logged_in(server: Server, name: str) -> Iterator[Browser]:
    """A browser of a person who has given name and `PASSWORD`."""
    with client(server) as browser:
        answer = browser.client.post("/login", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        assert "Log out" in answer.text, answer.text
        yield browser
