"""A run speaks plainly, and nothing in a file can steer the terminal."""

from __future__ import annotations

import pytest

from zoom_imaging.batch.progress import Voice


def talk(voice):
    with voice.stage("Reading files", 200) as stage:
        for _ in range(200):
            stage.advance()
    voice.say("a\x1b[31mb")
    voice.show("one\ntwo\x07")
    voice.warn("bad")


def test_plain_lines_are_few_and_harmless(capsys):
    talk(Voice(terminal=False))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == "Reading files (200) ..."
    assert lines[1:11] == [f"  {n} of 200" for n in range(20, 201, 20)]
    assert lines[11:] == ["a\\x1b[31mb", "bad"]
    assert out == "one\ntwo\\x07\n"


def test_quiet_leaves_warnings_only(capsys):
    talk(Voice(quiet=True, terminal=False))
    assert capsys.readouterr() == ("", "bad\n")


@pytest.mark.parametrize("terminal", [True, False])
def test_stages_are_timed(capsys, terminal):
    voice = Voice(terminal=terminal)
    with voice.stage("One"):
        pass
    with pytest.raises(KeyError), voice.stage("Two", 3):
        raise KeyError
    assert list(voice.seconds) == ["One", "Two"]
    assert all(seconds >= 0 for seconds in voice.seconds.values())
