"""TLS for the classic network (PS3.15 B.12, BCP 195): who we are, and whose certificates we trust.

TLS 1.2 or newer, with the ciphers that Python chooses. All files are PEM.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from zoom_imaging.errors import ConfigurationError

SILENCE_SECONDS = 60
"""How long a peer may pause in the middle of a message."""
_PLAIN = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"}
"""What OpenSSL says of a peer that answers in plain DICOM or HTTP."""


@dataclass(frozen=True)
class Tls:
    """The files: `authority` signed the peer's certificate, `certificate` and `key` are ours."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("--tls-cert and --tls-key go together", found="one of them")

    def __bool__(self) -> bool:
        """Whether TLS is asked for at all."""
        return bool(self.authority or self.certificate)

    def calling(self) -> CallingContext:
        """For connections that we open. ConfigurationError where a file cannot be used.

        The peer's certificate must come from the authority and name the host that we call.
        """
        if self.authority is None:
            raise ConfigurationError(
                "the certificate of the PACS cannot be checked",
                remedy="name the authority that signed it with --tls-ca",
            )
        context = CallingContext(ssl.PROTOCOL_TLS_CLIENT)
        self._load(context)
        return context

    def answering(self) -> ssl.SSLContext:
        """For connections that others open. ConfigurationError where a file cannot be used.

        With an authority the caller must show a certificate of it, too.
        """
        if self.certificate is None:
            raise ConfigurationError(
                "whoever connects to us by TLS wants to see our certificate",
                remedy="name it with --tls-cert and --tls-key",
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        # A ticket makes peers wait in the middle of a message that has not begun (pynetdicom 3).
        context.num_tickets = 0
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            if self.authority is not None:
                context.load_verify_locations(self.authority)
        except OSError as error:  # ssl.SSLError is one
            raise _unusable("--tls-ca", self.authority, "a certificate", error) from error
        if self.certificate is None or self.key is None:
            return
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except OSError as error:
            files = f"{self.certificate} and {self.key}"
            wanted = "a certificate and its own key"
            raise _unusable("--tls-cert, --tls-key", files, wanted, error) from error


NO_TLS = Tls()


class CallingContext(ssl.SSLContext):
    """Keeps why a handshake failed, which pynetdicom only logs."""

    failure: OSError | None = None


class _CallingSocket(ssl.SSLSocket):
    def settimeout(self, value: float | None) -> None:
        # pynetdicom reads without a limit when something has come. It may be a ticket of TLS 1.3,
        # after which a peer may say nothing.
        super().settimeout(SILENCE_SECONDS if value is None else value)

    def do_handshake(self, block: bool = False) -> None:
        context = self.context
        try:
            super().do_handshake(block)
        except OSError as error:
            if isinstance(context, CallingContext):
                context.failure = error
            raise


CallingContext.sslsocket_class = _CallingSocket


def failed_handshake(error: OSError) -> str:
    """Why a handshake failed, as the end of a sentence about the peer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "does not answer to TLS"
    reason = getattr(error, "reason", None) or type(error).__name__
    if reason in _PLAIN:
        return "does not speak TLS on this port"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "shows no certificate"
    return f"does not agree on TLS ({reason})"


def _unusable(
    option: str, files: Path | str | None, expected: str, error: OSError
) -> ConfigurationError:
    found = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return ConfigurationError(
        f"{option}: {files} cannot be used", expected=f"{expected} in PEM form", found=found
    )


def _no_password() -> str:
    # OpenSSL would ask at the terminal.
    raise ConfigurationError(
        "--tls-key: the key is encrypted",
        remedy="name one without a password that only we can read",
    )
