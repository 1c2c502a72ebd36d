"""`make audit` says what is known, and says so when it could not ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
SKIPPED = {"name": "torch", "skip_reason": "not found on PyPI"}
BAD = {
    "name": "pillow",
    "version": "11.0.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["11.1"], "aliases": [], "description": ""}],
}


def found(*dependencies):
    return json.dumps({"dependencies": dependencies, "fixes": []})


@pytest.mark.parametrize(
    ("output", "errors", "code", "words"),
    [
        (found(SOUND), "", 0, "1 packages looked up, 0 vulnerabilities."),
        (found(SOUND, BAD), "", 1, "pillow 11.0.0: PYSEC-1, mended in 11.1"),
        (found(SOUND, SKIPPED), "", 0, "not looked up: torch (not found on PyPI)"),
        (found(SKIPPED), "", 0, "Not audited: the service that answers knows none of 1 packages."),
        ("", "requests.exceptions.ConnectionError: no route", 0, "Not audited: the service of"),
        ("", "ERROR: invalid requirements input", 2, "pip-audit did not work"),
        ("{}", "", 2, "pip-audit did not work"),
    ],
)
def test_what_was_found_decides_the_exit_code(script, output, errors, code, words):
    got, said = script("audit_packages").report(output, errors)
    assert got == code
    assert words in said


def test_without_a_network_it_says_so_and_fails_nothing(root):
    pytest.importorskip("pip_audit", reason="pip-audit is not installed")
    nowhere = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "audit_packages.py")],
        env=kept | nowhere,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Not audited: the service of known vulnerabilities cannot be reached." in done.stdout
