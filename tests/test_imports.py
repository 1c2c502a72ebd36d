"""The direction of imports, and what stays cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_imports_go_leftwards_only(root):
    """The contract in pyproject.toml: each room imports only rooms that data has passed before."""
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(root / "pyproject.toml"), cache_dir=None) == 0


@pytest.mark.parametrize("module", ["zoom_imaging.run", "zoom_imaging"])
def test_help_is_quick_because_heavy_packages_stay_away(module):
    """`--help` answers without the packages that take seconds to import."""
    program = (
        "import sys, runpy\n"
        f"sys.argv = ['x', '--help']\n"
        "try:\n"
        f"    runpy.run_module({module!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'torch', 'monai', 'pandas', 'distributed', 'matplotlib', 'SimpleITK'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Usage" in done.stdout
    assert done.stdout.strip().splitlines()[-1] == "HEAVY []"
