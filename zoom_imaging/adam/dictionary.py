"""The ADaM datasets as a document, made from the definitions that also make define.xml."""

from __future__ import annotations

from collections.abc import Iterator

from zoom_imaging.adam.datasets import DATASETS
from zoom_imaging.adam.variable import Kind, Variable


def dictionary_markdown() -> str:
    """docs/adam.md, the whole document."""
    return "\n".join(_document()) + "\n"


def _document() -> Iterator[str]:
    yield "# Analysis datasets (ADaM)"
    yield ""
    yield (
        "Made from `zoom_imaging/adam/datasets.py` by `python -m zoom_imaging.adam.dictionary > "
        "docs/adam.md`. Do not edit."
    )
    yield ""
    yield (
        "Every run writes `adam/` with each dataset as CSV, SAS transport version 5 and "
        "Dataset-JSON 1.1, and `define.xml` 2.1. A missing value is null and REASON says why; "
        "nothing is carried from one visit to another. Record flags are `Y` or null, population "
        "flags `Y` or `N`. SRCUID names the DICOM object that a value was read from. Transport "
        "files are ASCII: other letters are written as `?` there, and in full elsewhere."
    )
    for dataset in DATASETS:
        yield ""
        yield f"## {dataset.name}: {dataset.label}"
        yield ""
        yield f"{dataset.structure.capitalize()}. Key: {', '.join(dataset.keys)}."
        yield ""
        yield "| variable | label | type | origin | values | how it is made |"
        yield "|---|---|---|---|---|---|"
        for variable in dataset.variables:
            yield _line(variable)


def _line(variable: Variable) -> str:
    kind = variable.kind.value
    if variable.kind is Kind.TEXT:
        kind += f", {variable.length}"
    if variable.required:
        kind += ", never null"
    values = ", ".join(f"`{code}`" for code, _ in variable.codes)
    cells = (
        f"`{variable.name}`",
        variable.label,
        kind,
        variable.origin.value,
        values,
        variable.method.replace("|", "\\|"),
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(dictionary_markdown(), end="")
