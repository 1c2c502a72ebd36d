"""Addresses of PACS and the allow-list."""

from __future__ import annotations

import pytest

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.network.peer import (
    AllowedPeer,
    DimsePeer,
    WebPeer,
    is_loopback,
    parse_allowed,
    parse_peer,
)


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("https://pacs.example.org/dicom-web/", WebPeer("https://pacs.example.org/dicom-web")),
        ("ORTHANC@127.0.0.1:4242", DimsePeer("ORTHANC", "127.0.0.1", 4242)),
        ("A@B@pacs:104", DimsePeer("A@B", "pacs", 104)),
        ("PACS@[::1]:104", DimsePeer("PACS", "::1", 104)),
    ],
)
def test_addresses(text, peer):
    assert parse_peer(text) == peer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PACS",
        "PACS@host",
        "PACS@host:0",
        "PACS@host:70000",
        "PACS@host:1:2",
        "@host:104",
        "A_TITLE_OF_TOO_MANY@host:104",
        "A\\B@host:104",
        "ÄE@host:104",
        "ftp://host/",
        "https://",
        "https://host:70000/",
        "https://host/?x=1",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigurationError):
        parse_peer(text)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(ConfigurationError) as refused:
        parse_peer("https://me:secret@pacs.example.org/")
    assert "secret" not in refused.value.reason
    assert "ZOOM_PACS_PASSWORD" in refused.value.reason


@pytest.mark.parametrize(
    ("allowed", "aet", "address", "admitted"),
    [
        ("DEXA1", "DEXA1", "192.0.2.1", True),
        ("DEXA1", "DEXA1 ", "192.0.2.1", True),
        ("DEXA1", "dexa1", "192.0.2.1", False),
        ("DEXA1@192.0.2.1", "DEXA1", "192.0.2.1", True),
        ("DEXA1@192.0.2.1", "DEXA1", "::ffff:192.0.2.1", True),
        ("DEXA1@192.0.2.1", "DEXA1", "192.0.2.2", False),
        ("DEXA1@192.0.2.1:104", "DEXA1", "192.0.2.1", True),
        ("DEXA1@no.such.host.invalid", "DEXA1", "192.0.2.1", False),
    ],
)
def test_who_is_admitted(allowed, aet, address, admitted):
    assert parse_allowed(allowed).admits(aet, address) is admitted


def test_the_port_of_an_allowed_peer_is_optional():
    assert parse_allowed("DEXA1@scanner:11113") == AllowedPeer("DEXA1", "scanner", 11113)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback(host, ours):
    assert is_loopback(host) is ours
