"""The real commands in this process; every line of their output must be strict JSON."""

from __future__ import annotations

import json
from typing import Any

import typer
from typer.testing import CliRunner

Lines = tuple[int, list[dict[str, Any]]]


def ran_command(name: str, *arguments: object) -> Lines:
    """The exit code and the JSON objects of `measure` or `dxa`."""
    from zoom_imaging.commands import dxa, measure

    app = typer.Typer()
    app.command()({"measure": measure, "dxa": dxa}[name].command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    assert "\x1b" not in result.stdout

    def never(constant):
        raise AssertionError(f"{constant} is no JSON")

    return result.exit_code, [
        json.loads(line, parse_constant=never) for line in result.stdout.splitlines()
    ]
