"""The document, the definitions and the codes agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoom_imaging.adam.datasets import DATASETS
from zoom_imaging.adam.dictionary import dictionary_markdown


def test_the_document_is_the_one_that_the_definitions_make(root: Path):
    assert (root / "docs" / "adam.md").read_text(encoding="utf-8") == dictionary_markdown()


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_names_labels_and_codes_fit_a_transport_file(dataset):
    assert len(set(dataset.names)) == len(dataset.names)
    assert set(dataset.keys) <= set(dataset.names)
    for variable in dataset.variables:
        assert len(variable.name) <= 8
        assert len(variable.label) <= 40
        for code, _ in variable.codes:
            assert len(code) <= variable.length, (variable.name, code)


def test_every_parameter_code_has_eight_characters_at_most():
    for dataset in DATASETS:
        for variable in dataset.variables:
            if variable.name == "PARAMCD":
                assert all(len(code) <= 8 for code, _ in variable.codes)
