"""Look for known vulnerabilities of what is installed: pip-audit over our own closure.

    python scripts/audit_packages.py

Every package that pyproject.toml needs is looked up at its installed version, without local part,
so that the CPU build of PyTorch is looked up too. Exit 0: nothing known, or the service cannot be
reached or knows no package at all, which is said in words; 1: vulnerabilities are known; 2:
pip-audit did not work.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import util
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from freeze_constraints import ROOT, as_text, pinned

_NO_NETWORK = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "Could not connect",
    "may be blocking this service",
)


def report(output: str, errors: str) -> tuple[int, str]:
    """Exit code and words for what pip-audit wrote (`--format json`) and complained of."""
    try:
        looked_up = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if any(word in errors for word in _NO_NETWORK):
            return 0, "Not audited: the service of known vulnerabilities cannot be reached."
        return 2, f"pip-audit did not work:\n{errors.strip() or output.strip()}"
    lines = []
    skipped = [one for one in looked_up if "skip_reason" in one]
    if len(skipped) == len(looked_up):
        # As behind a mirror that passes packages on, but not what is known of them.
        return 0, f"Not audited: the service that answers knows none of {len(skipped)} packages."
    lines += [f"not looked up: {one['name']} ({one['skip_reason']})" for one in skipped]
    known = 0
    for one in looked_up:
        for vulnerability in one.get("vulns", []):
            known += 1
            mended = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
            lines.append(
                f"{one['name']} {one['version']}: {vulnerability['id']}, mended in {mended}"
            )
    lines.append(f"{len(looked_up) - len(skipped)} packages looked up, {known} vulnerabilities.")
    return (1 if known else 0), "\n".join(lines)


def audit(requirements: Path, more: Sequence[str] = ()) -> tuple[int, str]:
    """Run pip-audit over a file of pinned versions; it resolves and installs nothing."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements)]
    command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    return report(done.stdout, done.stderr)


def main() -> int:
    """Audit this environment."""
    if util.find_spec("pip_audit") is None:
        print("pip-audit is missing; run make environment-dev", file=sys.stderr)
        return 2
    try:
        versions = pinned(ROOT / "pyproject.toml")
    except LookupError as error:
        print(f"Error: {error.args[0]}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(as_text(versions), encoding="utf-8")
        code, words = audit(requirements)
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main())
