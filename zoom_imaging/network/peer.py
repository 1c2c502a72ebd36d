"""Who is at the other end: a DICOMweb server by its URL, or an application entity by its address.

An application entity (AE) title has up to 16 printable ASCII characters without backslash
(PS3.5 6.2, VR AE).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from zoom_imaging.errors import ConfigurationError

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:@\[\]/]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True)
class DimsePeer:
    """An application entity that listens at an address."""

    aet: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.aet}@{host}:{self.port}"


@dataclass(frozen=True)
class WebPeer:
    """A DICOMweb service; the URL is the part before `/studies`."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        """Name or address of the server."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class AllowedPeer:
    """A calling AE that may send to us; without a host from anywhere.

    `port` is where it listens itself: storage commitment is reported there.
    """

    aet: str
    host: str = ""
    port: int = 0

    def admits(self, aet: str, address: str) -> bool:
        """Whether this is the AE that calls with this title from this address."""
        if aet.strip() != self.aet:
            return False
        return not self.host or _without_prefix(address) in _addresses(self.host)


def application_entity(text: str) -> str:
    """An AE title as it may be sent; ConfigurationError for one that may not."""
    title = text.strip(" ")
    if not 1 <= len(title) <= 16 or not title.isascii() or not title.isprintable() or "\\" in title:
        raise ConfigurationError(
            f"'{text}' is no application entity title",
            expected="1 to 16 printable ASCII characters without backslash",
        )
    return title


def parse_peer(text: str) -> DimsePeer | WebPeer:
    """`http(s)://HOST/PATH` or `AET@HOST:PORT`; ConfigurationError for anything else."""
    if "://" in text:
        return _web_peer(text)
    aet, host, port = _parts(text)
    if not host or not port:
        raise _no_peer(text)
    return DimsePeer(aet, host, port)


def parse_allowed(text: str) -> AllowedPeer:
    """`AET`, `AET@HOST` or `AET@HOST:PORT`; ConfigurationError for anything else."""
    return AllowedPeer(*_parts(text))


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine get there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _web_peer(text: str) -> WebPeer:
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        # Reading the port checks it.
        sound = sound and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        sound = False
    if not sound:
        raise _no_peer(text.rpartition("@")[2])
    if "@" in parts.netloc:
        raise ConfigurationError(
            f"the URL of {parts.hostname} has a name or password in it, which other users of this "
            "machine can read",
            remedy="set ZOOM_PACS_USER and ZOOM_PACS_PASSWORD, or ZOOM_PACS_TOKEN, instead",
        )
    return WebPeer(text.rstrip("/"))


def _parts(text: str) -> tuple[str, str, int]:
    aet, at, address = text.rpartition("@")
    if not at:
        return application_entity(address), "", 0
    found = _ADDRESS.fullmatch(address)
    port = int(found["port"] or 0) if found else 0
    if found is None or port > 65535 or (found["port"] and not port):
        raise _no_peer(text)
    return application_entity(aet), found["host"].strip("[]"), port


def _no_peer(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"'{text}' is no address of a PACS",
        expected="https://HOST/PATH or AET@HOST:PORT",
    )


def _addresses(host: str) -> set[str]:
    """What a name stands for now; a name that nobody knows admits nobody."""
    try:
        return {_without_prefix(str(found[4][0])) for found in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def _without_prefix(address: str) -> str:
    """An IPv4 address as itself, also where a socket of both kinds shows it as IPv6."""
    return address.removeprefix("::ffff:")
