"""Write docs/cli.md: every command with its arguments and options, from the commands themselves.

python scripts/write_cli_reference.py > docs/cli.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from zoom_imaging import __main__ as commands
from zoom_imaging import run

_HEAD = (
    "# Commands\n\n"
    "Made from the commands by `python scripts/write_cli_reference.py > docs/cli.md`. "
    "Do not edit.\n\n"
    "Exit codes: 0 done, and every input is accounted for; 1 it could not be done "
    "(`readings verify`: something was found); 2 usage; 3 some input met an unexpected error, "
    "which is named.\n"
)


def reference() -> str:
    """The whole document."""
    parts = [_HEAD]
    apps = (("python -m zoom_imaging.run", run.app), ("python -m zoom_imaging", commands.app))
    for name, app in apps:
        parts += list(_command(typer.main.get_command(app), name, 2))
    return "\n".join(parts)


def _command(command: Any, name: str, depth: int) -> Iterator[str]:
    # A group has commands; which class that is differs from one version of typer to the next.
    children: dict[str, Any] = getattr(command, "commands", {})
    yield f"{'#' * depth} `{name}`\n"
    if command.help:
        yield f"{inspect.cleandoc(command.help)}\n"
    if children:
        for child, one in children.items():
            yield from _command(one, f"{name} {child}", depth + 1)
        return
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if not _is_option(one)]
    options = [one for one in shown if _is_option(one) and one.name != "help"]
    words = [name, *(_argument(one) for one in arguments)]
    words += [f"{one.opts[0]} {_value(one)}".strip() for one in options if one.required]
    optional = any(not one.required for one in options)
    yield f"```text\n{' '.join(words)}{' [OPTION...]' if optional else ''}\n```\n"
    if shown:
        yield "| | default | |\n|---|---|---|"
        for one in arguments:
            yield _row(_argument(one), "" if one.required else "optional", one.help)
        for one in options:
            yield _row(_names(one), "required" if one.required else _default(one), one.help)
        yield ""


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _argument(parameter: Any) -> str:
    word: str = parameter.metavar or parameter.name.upper()
    if parameter.nargs == -1 and not word.endswith("..."):
        word += "..."
    return word if parameter.required else f"[{word}]"


def _names(parameter: Any) -> str:
    return " ".join([*parameter.opts, _value(parameter)]).strip()


def _value(parameter: Any) -> str:
    """What follows the option: its own word, its choices, or the kind of its default."""
    if parameter.is_flag:
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    if isinstance(parameter.default, Enum):
        return "|".join(str(one.value) for one in type(parameter.default))
    return "N" if isinstance(parameter.default, int | float) else "TEXT"


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.is_flag or value in (None, "", ()):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _row(name: str, default: str, text: str | None) -> str:
    cells = (f"`{name}`", default, " ".join((text or "").split()))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
