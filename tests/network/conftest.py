"""Receivers, and a PACS where one is installed."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: zoom_imaging[pacs]")

from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.receiver import Listening, Receiver
from zoom_imaging.network.storing import Received
from zoom_imaging.network.tls import NO_TLS, Tls

from .orthanc import PASSWORD, USER, Orthanc, orthanc, why_not


@dataclass
class Post:
    """A receiver that runs, with what it said and took."""

    receiver: Receiver
    inbox: Inbox
    said: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.receiver.port

    @property
    def files(self) -> list[str]:
        """Every name in the folder, hidden ones too."""
        return sorted(path.name for path in self.inbox.folder.iterdir())


@pytest.fixture(autouse=True)
def _quiet_library() -> None:
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)


@pytest.fixture
def lost_socket() -> Iterator[None]:
    """For tests where pynetdicom 3.0 leaves a socket open.

    It closes a socket only if it could be shut down, which one that is not connected cannot be.
    """
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture
def post_office(tmp_path: Path):
    """Make receivers, which have all ended afterwards."""
    running: list[Receiver] = []

    def start(*allowed, folder: Path | None = None, tls: Tls = NO_TLS) -> Post:
        said: list[str] = []
        received: list[Received] = []
        inbox = Inbox(folder or tmp_path / "in")
        listening = Listening("ZOOM", "127.0.0.1", 0, tuple(allowed), tls)
        receiver = Receiver(listening, inbox, said.append, told=received.append)
        receiver.start()
        running.append(receiver)
        return Post(receiver, inbox, said, received)

    yield start
    for receiver in running:
        receiver.stop()


@pytest.fixture
def post(post_office) -> Post:
    """A receiver that takes from everyone."""
    return post_office()


@pytest.fixture
def pacs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Orthanc]:
    """Orthanc, and the environment with the password of its web service."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    monkeypatch.setenv("ZOOM_PACS_USER", USER)
    monkeypatch.setenv("ZOOM_PACS_PASSWORD", PASSWORD)
    monkeypatch.delenv("ZOOM_PACS_TOKEN", raising=False)
    with orthanc(tmp_path / "orthanc") as running:
        yield running
