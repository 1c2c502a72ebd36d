"""The Containerfile, as far as it can be looked at without an engine."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture(scope="module")
def instructions(root):
    """(instruction, arguments) of the file, continued lines joined."""
    text = (root / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


def test_what_it_copies_is_in_the_source_and_in_the_context(root, instructions):
    """.dockerignore lets nothing else through: results, readings and .git stay outside."""
    let_through = {
        line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    copied = {
        source
        for name, arguments in instructions
        if name == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    }
    assert copied == let_through
    for source in copied:
        assert (root / source).exists()


def test_nobody_in_it_is_root(instructions):
    """Every stage that is run ends as the user that it made."""
    users, user = [], ""
    for name, arguments in instructions:
        if name == "FROM":
            users.append(user)
            user = user if arguments.startswith("run ") else ""
        elif name == "USER":
            user = arguments
    assert [*users, user][2:] == ["reader", "reader"]


def test_packages_are_the_tested_ones_and_torch_needs_no_gpu(instructions):
    installs = [arguments for name, arguments in instructions if " install " in arguments]
    assert len(installs) == 2
    for arguments in installs:
        assert "-c constraints.txt" in arguments
        assert "download.pytorch.org/whl/cpu" in arguments


def test_its_commands_are_ours(instructions):
    """`python -m zoom_imaging COMMAND`, with options that the command knows."""
    import typer

    from zoom_imaging.__main__ import app

    root_command = typer.main.get_command(app)
    commands = [json.loads(arguments) for name, arguments in instructions if name == "CMD"]
    assert commands
    for module, name, *options in commands:
        assert module == "zoom_imaging"
        known = {word for one in root_command.commands[name].params for word in one.opts}
        assert {word for word in options if word.startswith("--")} <= known


def test_the_health_check_asks_for_a_page_that_answers_strangers(instructions):
    (check,) = [arguments for name, arguments in instructions if name == "HEALTHCHECK"]
    from zoom_imaging.commands.review import DEFAULT_PORT

    assert f"http://127.0.0.1:{DEFAULT_PORT}/login" in check
