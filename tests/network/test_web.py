"""DICOMweb services with faults that Orthanc does not have, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.network.peer import WebPeer
from zoom_imaging.network.web import Credentials, WebArchive

from .made import dicom, thing, uid

STUDIES = "/studies"
SERIES = f"{STUDIES}/{uid(900)}/series"


def instances(series: int) -> str:
    return f"{SERIES}/{uid(series)}/instances"


def study(patient: str = "ZOOM-001", number: int = 900, day: str = "20250110") -> dict:
    return {
        "0020000D": {"vr": "UI", "Value": [uid(number)]},
        "00100020": {"vr": "LO", "Value": [patient]},
        "00080020": {"vr": "DA", "Value": [day]},
    }


def series(number: int, modality: str = "DX") -> dict:
    return {
        "0020000E": {"vr": "UI", "Value": [uid(number)]},
        "00080060": {"vr": "CS", "Value": [modality]},
    }


def instance(number: int) -> dict:
    return {"00080018": {"vr": "UI", "Value": [uid(number)]}}


def part(content: bytes) -> bytes:
    head = b"--frontier\r\nContent-Type: application/dicom\r\n\r\n"
    return head + content + b"\r\n--frontier--\r\n"


@contextmanager
def service(answers: dict[str, object]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A service that answers each path, whatever the query; a number is an error's status."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization", "")))
            answer = answers.get(self.path.partition("?")[0], 404)
            if isinstance(answer, int):
                self.reply(answer, b"", "text/plain")
            elif isinstance(answer, bytes):
                kind = 'multipart/related; type="application/dicom"; boundary=frontier'
                self.reply(200, answer, kind)
            else:
                self.reply(200, json.dumps(answer).encode(), "application/dicom+json")

        def reply(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(url: str, folder, *conditions: str):
    chosen = conditions or ("--patient-id", "ZOOM-*")
    return CliRunner().invoke(
        app, ["fetch", "--from", url, "--into", str(folder), *map(str, chosen)]
    )


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch):
    for name in ("TOKEN", "USER", "PASSWORD"):
        monkeypatch.delenv(f"ZOOM_PACS_{name}", raising=False)


WHOLE = {
    STUDIES: [study()],
    SERIES: [series(801)],
    instances(801): [instance(1)],
    f"{instances(801)}/{uid(1)}": part(dicom(thing(1, series=801))),
}


def test_a_service_without_pages_is_asked_until_nothing_is_new(tmp_path):
    """It answers with everything, whatever the offset: that ends, and each object comes once."""
    with service(WHOLE) as (url, asked):
        done = fetch(url, tmp_path / "in")
    assert done.exit_code == 0, done.output
    assert "1 fetched" in done.output
    assert len(asked) == 7


def test_a_service_that_ignores_the_conditions_does_not_fill_the_folder(tmp_path):
    """Other patients, days and modalities that it offers all the same are not asked for."""
    answers = {
        **WHOLE,
        STUDIES: [study(), study("ELSE-9", 905), study(number=906, day="20200101"), study("", 907)],
        SERIES: [series(801), series(802, "US")],
    }
    with service(answers) as (url, asked):
        done = fetch(
            *(url, tmp_path / "in", "--patient-id", "ZOOM-00?"),
            *("--study-date", "20250101-", "--modality", "DX"),
        )
    assert done.exit_code == 0, done.output
    assert "1 objects of 1 studies: 1 fetched" in done.output
    paths = " ".join(path for path, _ in asked)
    assert not any(uid(number) in paths for number in (802, 905, 906, 907))


def test_what_cannot_be_listed_or_given_is_told_and_the_rest_comes(tmp_path):
    """A series without a list, an object without a file, one with the file of another: exit 3."""
    answers = {
        **WHOLE,
        SERIES: [series(801), series(802), series(803)],
        instances(802): 500,
        instances(803): [instance(3), instance(4), instance(5)],
        f"{instances(803)}/{uid(4)}": part(dicom(thing(1))),
        f"{instances(803)}/{uid(5)}": part(b"no DICOM at all"),
    }
    with service(answers) as (url, _):
        done = fetch(url, tmp_path / "in")
    assert done.exit_code == 3, done.output
    assert f"series {uid(802)} not listed: " in done.output
    assert f"{uid(3)} failed: {url} does not give it: HTTP 404" in done.output
    assert f"{uid(4)} failed: the data set has another SOP Instance UID" in done.output
    assert f"{uid(5)} failed: " in done.output
    assert "1 fetched, 0 there already, 4 failed" in done.output
    assert [path.name for path in (tmp_path / "in").iterdir()] == [f"{uid(1)}.dcm"]


def test_a_service_that_is_not_there_ends_with_exit_1(tmp_path):
    with service({}) as (url, _):
        pass
    done = fetch(url, tmp_path / "in")
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({"ZOOM_PACS_TOKEN": "abc"}, "Bearer abc"),
        ({"ZOOM_PACS_USER": "a", "ZOOM_PACS_PASSWORD": "ü:b"}, "Basic YTrDvDpi"),
        ({}, ""),
    ],
)
def test_credentials_come_from_the_environment(tmp_path, monkeypatch, variables, header):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with service(WHOLE) as (url, asked):
        done = fetch(url, tmp_path / "in")
    assert done.exit_code == 0, done.output
    assert {found for _, found in asked} == {header}


@pytest.mark.parametrize(
    "variables",
    [
        {"ZOOM_PACS_TOKEN": "abc", "ZOOM_PACS_USER": "a"},
        {"ZOOM_PACS_USER": "a"},
        {"ZOOM_PACS_PASSWORD": "secret"},
    ],
)
def test_half_or_double_credentials_are_refused(variables):
    with pytest.raises(ConfigurationError) as refused:
        Credentials.from_environment(variables)
    assert "secret" not in refused.value.reason


def test_a_password_does_not_go_over_an_open_line():
    with pytest.raises(ConfigurationError, match="https"):
        WebArchive(WebPeer("http://pacs.example.org"), Credentials(user="a", password="b"))


def test_a_secret_is_not_shown():
    assert "hidden" not in repr(Credentials(token="hidden"))


@pytest.mark.parametrize(
    "conditions",
    [
        (),
        ("--patient-id", "*"),
        ("--study-date", "2025"),
        ("--study-date", "20250230-"),
        ("--study-date", "20251231-20250101"),
        ("--modality", "dx"),
        ("--study-uid", "../x"),
        ("--patient-id", "a\\b"),
    ],
)
def test_conditions_that_mean_nothing_are_refused(tmp_path, conditions):
    arguments = ["fetch", "--from", "http://127.0.0.1:1", "--into", str(tmp_path / "in")]
    done = CliRunner().invoke(app, [*arguments, *conditions])
    assert done.exit_code == 2, done.output
    assert not (tmp_path / "in").exists()
