"""What runs the networks changes the time, not the reading."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.vision.bundle import load_bundle
from zoom_imaging.vision.engine import make_engine, require_engine
from zoom_imaging.vision.read import SpineReader


def test_an_unknown_engine_is_refused_with_those_that_there_are(untrained):
    with pytest.raises(ConfigurationError, match=r"abacus.*torch, openvino"):
        make_engine("abacus", load_bundle(untrained))


def test_an_engine_that_is_not_installed_names_what_brings_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"zoom_imaging\[fast\]"):
        require_engine("openvino")


@pytest.mark.parametrize("network", ["locator", "namer", "delineator"])
def test_both_engines_give_the_same_numbers(untrained, network):
    pytest.importorskip("openvino")
    bundle = load_bundle(untrained)
    patches = np.random.default_rng(0).random((3, 2, 128, 128)).astype(np.float32)
    for given in (patches, patches[:1]):
        pairs = zip(
            make_engine("torch", bundle).run(network, given),
            make_engine("openvino", bundle).run(network, given),
            strict=True,
        )
        for expected, found in pairs:
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.model
def test_a_film_is_read_alike_by_both_engines(sample):
    pytest.importorskip("openvino")
    from zoom_imaging.radiograph.read import read_radiographs

    path = sample / "ZOOM-002" / "month12" / "IM0001"
    (film,) = read_radiographs(path.read_bytes(), path.name)
    one, other = (SpineReader.load(engine=name).read(film) for name in ("torch", "openvino"))
    assert len(one.findings) == len(other.findings) > 10
    for expected, found in zip(one.findings, other.findings, strict=True):
        assert (found.level, found.state) == (expected.level, expected.state)
        if expected.six_points is not None:
            np.testing.assert_allclose(
                found.six_points.to_array(), expected.six_points.to_array(), atol=0.05
            )
