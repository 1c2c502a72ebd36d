"""A PACS of its own for each test: Orthanc, in a temporary folder, on free ports of loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

from .talk import free_port

USER, PASSWORD = "trial", "not-a-secret"
_PROGRAMS = ("Orthanc", "/usr/sbin/Orthanc")
_PLUGINS = ("/usr/share/orthanc/plugins", "/usr/lib", "/usr/local/share/orthanc/plugins")
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Orthanc:
    """A PACS that runs; `receiver_port` is where it knows our AE title ZOOM."""

    http_port: int
    dicom_port: int
    receiver_port: int
    client: httpx.Client

    @property
    def web(self) -> str:
        """The DICOMweb service."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    @property
    def dimse(self) -> str:
        """The application entity."""
        return f"ORTHANC@127.0.0.1:{self.dicom_port}"

    def put(self, *files: bytes) -> None:
        for content in files:
            answer = self.client.post("/instances", content=content)
            assert answer.status_code == 200, answer.text

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def held(self) -> set[str]:
        """SOP Instance UIDs of everything that it has."""
        found = self.get("/instances?expand")
        return {one["MainDicomTags"]["SOPInstanceUID"] for one in found}


def why_not() -> str:
    """Why there can be no PACS here; "" where there can."""
    if _program() is None:
        return "Orthanc is not installed (Debian: orthanc)"
    if _plugin() is None:
        return "Orthanc's DICOMweb plugin is not installed (Debian: orthanc-dicomweb)"
    return ""


@contextmanager
def orthanc(folder: Path, tls: Mapping[str, object] | None = None) -> Iterator[Orthanc]:
    """A PACS that has always ended afterwards; only where `why_not` has no reason.

    With settings of `tls` it speaks that on its DICOM port, and to our receiver.
    """
    folder.mkdir()
    http_port, dicom_port, receiver_port = free_port(), free_port(), free_port()
    settings = {
        "Name": "test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomModalities": {
            "zoom": {
                "AET": "ZOOM",
                "Host": "127.0.0.1",
                "Port": receiver_port,
                "UseDicomTls": tls is not None,
            }
        },
        "MaximumStorageCacheSize": 0,
        "DicomCheckCalledAet": True,
        "SynchronousCMove": True,
        "Plugins": [str(_plugin())],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **(tls or {}),
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), "ascii")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [str(_program()), str(folder / "orthanc.json")],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        base = f"http://127.0.0.1:{http_port}"
        with httpx.Client(base_url=base, auth=(USER, PASSWORD), timeout=60) as client:
            _wait(client, process, folder / "log")
            yield Orthanc(http_port, dicom_port, receiver_port, client)
    finally:
        process.terminate()
        try:
            process.wait(_LONGEST_SECONDS)
        finally:
            process.kill()
            process.wait()


def _program() -> str | None:
    return next((found for found in map(shutil.which, _PROGRAMS) if found), None)


def _plugin() -> Path | None:
    for folder in map(Path, _PLUGINS):
        for pattern in ("libOrthancDicomWeb.so*", "orthanc/libOrthancDicomWeb.so*"):
            for found in sorted(folder.glob(pattern)):
                return found
    return None


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        try:
            if client.get("/system").status_code == 200:
                return
        except httpx.TransportError:
            pass
        running = process.poll() is None and time.monotonic() < deadline
        assert running, log.read_text("utf-8", "replace")
        time.sleep(0.05)
