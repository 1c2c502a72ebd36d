"""The cases of ../shared, the commands in this process with one model, and runs that are kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zoom_imaging.batch.cluster import Done, Team
from zoom_imaging.batch.job import Request, run_job
from zoom_imaging.batch.progress import Voice
from zoom_imaging.errors import ModelError

from .commands import Lines, ran_command


@pytest.fixture(scope="session")
def folder(shared) -> Path:
    """Where the inputs of the cases lie."""
    return shared / "cases"


@pytest.fixture(scope="session")
def cases(folder) -> dict[str, dict]:
    """Every case by its id."""
    listed = json.loads((folder / "cases.json").read_text("utf-8"))
    return {case["id"]: case for case in listed}


@pytest.fixture(scope="session")
def shared_reader() -> Iterator[None]:
    """The released networks, loaded once for all films of these tests."""
    from zoom_imaging.vision.read import SpineReader

    try:
        reader = SpineReader.load()
    except ModelError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SpineReader, "load", classmethod(lambda cls, *a, **k: reader))
        yield


@pytest.fixture(scope="session")
def measure(shared_reader) -> Callable[..., Lines]:
    """`measure FILE... --json` with the real networks: its exit code and one object a line."""
    return lambda *arguments: ran_command("measure", *arguments, "--json")


@pytest.fixture(scope="session")
def dxa() -> Callable[..., Lines]:
    """`dxa FILE... --json`: its exit code and one object a line."""
    return lambda *arguments: ran_command("dxa", *arguments, "--json")


@pytest.fixture(scope="session")
def reference(measure, folder) -> dict:
    """The reading of the plain film that many cases are made from."""
    code, (film,) = measure(folder / "_reference" / "open_plain.dcm")
    assert (code, film["state"]) == (0, "read")
    assert len(film["vertebrae"]) >= 10
    return film


@pytest.fixture
def go(monkeypatch) -> Callable[..., bool]:
    """A run in this process; workers have tests of their own."""

    def spread(team, tasks, function, **_):
        yield from (Done(task, function(task)) for task in tasks)

    monkeypatch.setattr(Team, "spread", spread)

    def run(source: Path, out: Path, clinical: Path | None = None) -> bool:
        request = Request((source,), out, clinical_path=clinical, jobs=1)
        return run_job(request, Voice(quiet=True))

    return run


@pytest.fixture
def case(folder, tmp_path) -> Callable[[str], Path]:
    """A copy of a case's folder, so that nothing can be written into ../shared."""

    def copied(name: str) -> Path:
        target = tmp_path / name
        shutil.copytree(folder / name, target, symlinks=True)
        return target

    return copied
