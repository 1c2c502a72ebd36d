"""`doctor`: says what is missing, and what brings it."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from zoom_imaging.commands import doctor
from zoom_imaging.commands.doctor import Check, CheckState, requirement_name
from zoom_imaging.errors import ModelMissingError


def run(*arguments: str):
    app = typer.Typer()
    app.command()(doctor.command)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def sound_model(monkeypatch):
    monkeypatch.setattr(
        doctor, "model_check", lambda: Check("model", "stub", CheckState.OK, "version 1")
    )


def test_this_installation_decodes_every_syntax_that_we_promise(sound_model):
    result = run("--json")
    content = json.loads(result.stdout)
    checks = {check["name"]: check for check in content["checks"]}
    assert result.exit_code == 0, [c for c in content["checks"] if c["state"] == "missing"]
    assert content["ok"] is True
    for syntax in ("JPEGExtended12Bit", "JPEG2000Lossless", "JPEGLSLossless"):
        assert checks[syntax]["state"] == "ok"
    assert checks["pydicom"]["detail"]


def test_a_missing_model_fails_and_names_the_remedy(monkeypatch):
    def missing(*a, **k):
        raise ModelMissingError("the bundle is not there")

    monkeypatch.setattr("zoom_imaging.vision.bundle.load_bundle", missing)
    result = run("--json")
    (check,) = [c for c in json.loads(result.stdout)["checks"] if c["group"] == "model"]
    assert result.exit_code == 1
    assert check["state"] == "missing"
    assert check["remedy"]


def test_a_missing_codec_fails_and_names_what_to_install(sound_model, monkeypatch):
    from zoom_imaging.commands.doctor import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "gdcm" else find(name))
    result = run("--json")
    missing = [c for c in json.loads(result.stdout)["checks"] if c["state"] == "missing"]
    assert result.exit_code == 1
    assert [check["remedy"] for check in missing] == ["install python-gdcm"]


def test_a_missing_extra_costs_nothing(sound_model, monkeypatch):
    from zoom_imaging.commands.doctor import util

    monkeypatch.setattr(doctor, "_EXTRAS", (("something", "no_such_module", "pip install it"),))
    assert util.find_spec("no_such_module") is None
    result = run("--json")
    (check,) = [c for c in json.loads(result.stdout)["checks"] if c["group"] == "extras"]
    assert result.exit_code == 0
    assert (check["state"], check["remedy"]) == ("optional", "pip install it")


def test_the_table_is_for_people(sound_model):
    result = run()
    assert result.exit_code == 0
    assert "codecs" in result.stdout
    assert "JPEG" in result.stdout


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("pandera[pandas]>=0.24", "pandera"),
        ("torch<2.14,>=2.10", "torch"),
        ("scikit-image>=0.25", "scikit-image"),
        ("numba>=0.61; extra == 'simulate'", "numba"),
    ],
)
def test_names_of_requirements(line, name):
    assert requirement_name(line) == name
