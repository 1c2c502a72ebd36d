"""Authorities and certificates, made by openssl for one run of the tests."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPENSSL = shutil.which("openssl")


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: Path
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        """Of our commands."""
        return ("--tls-cert", str(self.certificate), "--tls-key", str(self.key))


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    own: Signed

    @property
    def certificate(self) -> Path:
        return self.own.certificate

    @property
    def options(self) -> tuple[str, ...]:
        """Of our commands: to trust this authority."""
        return ("--tls-ca", str(self.certificate))

    def sign(self, name: str, *alternatives: str) -> Signed:
        """A certificate for names such as `DNS:localhost` or `IP:127.0.0.1`."""
        folder = self.certificate.parent
        made, request = _files(folder, name), folder / f"{name}.csr"
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n")
        openssl("req", *_new_key(made.key), "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.own.certificate, "-CAkey", self.own.key, "-CAcreateserial")
        openssl(
            *("x509", "-req", "-in", request, *signer, "-days", 2),
            *("-extfile", extensions, "-out", made.certificate),
        )
        return made


def authority(folder: Path, name: str) -> Authority:
    (folder / name).mkdir()
    own = _files(folder / name, name)
    openssl(
        *("req", "-x509", *_new_key(own.key), "-out", own.certificate),
        *("-days", 2, "-subj", f"/CN={name}"),
    )
    return Authority(own)


def openssl(*arguments: object) -> None:
    command = [str(OPENSSL), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def _files(folder: Path, name: str) -> Signed:
    return Signed(folder / f"{name}.pem", folder / f"{name}.key")


def _new_key(path: Path) -> tuple[object, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path)
