"""The files say the same in every format, to software that is not ours, and in every run."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from zoom_imaging.adam.datasets import DATASETS
from zoom_imaging.adam.files import checked, dataset_json, write_adam
from zoom_imaging.adam.records import bmd_records
from zoom_imaging.adam.variable import Kind
from zoom_imaging.endpoints.results import TrialResults
from zoom_imaging.errors import OutputError

DEFINE = "{http://www.cdisc.org/ns/def/v2.1}"
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"


@pytest.fixture(scope="module")
def folder(trial: TrialResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("out") / "adam"
    write_adam(place, trial)
    return place


def test_every_dataset_is_there_in_every_format(folder: Path):
    expected = {f"{d.name.lower()}.{end}" for d in DATASETS for end in ("csv", "xpt", "json")}
    assert {path.name for path in folder.iterdir()} == expected | {"define.xml"}


def test_two_runs_are_byte_identical(folder: Path, trial: TrialResults, tmp_path: Path):
    write_adam(tmp_path, trial)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_xpt_says_what_csv_says_to_pandas_and_to_pyreadstat(folder: Path, dataset):
    import pyreadstat

    stem = folder / dataset.name.lower()
    rows = table(stem.with_suffix(".csv"))
    frames = {
        "pandas": pd.read_sas(stem.with_suffix(".xpt"), format="xport", encoding="ascii"),
        "pyreadstat": pyreadstat.read_xport(str(stem.with_suffix(".xpt")))[0],
    }
    for reader, frame in frames.items():
        assert list(frame.columns) == list(dataset.names)
        assert len(frame) == len(rows)
        for variable in dataset.variables:
            for row, value in zip(rows, frame[variable.name], strict=True):
                assert same(variable.kind, row[variable.name], value), (reader, variable.name)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def same(kind: Kind, text: str, value: object) -> bool:
    if kind is Kind.TEXT:
        shown = "" if pd.isna(value) else str(value)
        return shown == text.removeprefix("'")
    if not text:
        return bool(pd.isna(value))
    if kind is Kind.DATE:
        if isinstance(value, date):
            return date(value.year, value.month, value.day) == date.fromisoformat(text)
        return date(1960, 1, 1) + timedelta(days=float(str(value))) == date.fromisoformat(text)
    # pandas reads the zero of a transport file as 5.4e-79.
    return abs(float(str(value)) - float(text)) < 1e-70


def test_labels_travel_with_the_transport_file(folder: Path):
    import pyreadstat

    _, meta = pyreadstat.read_xport(str(folder / "adbmd.xpt"))
    assert meta.column_names_to_labels["PCHG"] == "Percent Change from Baseline"
    assert meta.table_name == "ADBMD"


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_dataset_json_is_sound_and_says_what_csv_says(folder: Path, dataset):
    from odmlib.dataset_json_1_1 import model

    content = json.loads((folder / f"{dataset.name.lower()}.json").read_text())
    rows = table(folder / f"{dataset.name.lower()}.csv")
    columns = [model.Column(**column) for column in content.pop("columns")]
    values = content.pop("rows")
    made = model.DatasetJSON(columns=columns, rows=values, **content)
    assert made.column_names == list(dataset.names)
    assert content["records"] == len(rows) == len(values)
    for row, line in zip(rows, values, strict=True):
        for name, value in zip(dataset.names, line, strict=True):
            text = row[name].removeprefix("'")
            assert (value is None and not text) or str(value) == text


def test_define_is_valid_and_names_every_variable(folder: Path):
    import xml.etree.ElementTree as ET

    from odmlib import odm_parser, schema_manager

    path = folder / "define.xml"
    validator = odm_parser.ODMSchemaValidator(schema_manager.get_schema_path("define", "2.1"))
    validator.validate_file(str(path))
    root = ET.parse(path).getroot()
    items = {item.get("OID"): item for item in root.iter(f"{ODM}ItemDef")}
    lists = {one.get("OID") for one in root.iter(f"{ODM}CodeList")}
    methods = {one.get("OID") for one in root.iter(f"{ODM}MethodDef")}
    for dataset in DATASETS:
        group = next(g for g in root.iter(f"{ODM}ItemGroupDef") if g.get("Name") == dataset.name)
        refs = group.findall(f"{ODM}ItemRef")
        assert [ref.get("ItemOID") for ref in refs] == [
            f"IT.{dataset.name}.{name}" for name in dataset.names
        ]
        assert group.find(f"{DEFINE}leaf") is not None
        for ref, variable in zip(refs, dataset.variables, strict=True):
            item = items[ref.get("ItemOID")]
            assert item.find(f"{DEFINE}Origin").get("Type") == variable.origin.value
            wanted = item.find(f"{ODM}CodeListRef")
            assert (wanted is not None) == bool(variable.codes)
            assert wanted is None or wanted.get("CodeListOID") in lists
            assert ref.get("MethodOID") is None or ref.get("MethodOID") in methods


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AVISIT": "MONTH 13"}, "none of its codes"),
        ({"AVAL": float("nan")}, "finite"),
        ({"USUBJID": None}, "null"),
        ({"PARAMCD": "LSTSC", "PARAM": "Lumbar spine T-score"}, "twice"),
        ({"MORE": 1.0}, "MORE"),
        ({"ADY": 1.5}, "integer"),
    ],
)
def test_a_record_that_breaks_the_definitions_is_not_written(trial, change, said):
    dataset = next(d for d in DATASETS if d.name == "ADBMD")
    records = list(bmd_records(trial))
    records[0] = {**records[0], **change}
    with pytest.raises(OutputError, match=said):
        checked(dataset, records)


def test_subjects_out_of_order_are_not_written(trial):
    dataset = next(d for d in DATASETS if d.name == "ADBMD")
    with pytest.raises(OutputError, match="out of order"):
        checked(dataset, reversed(list(bmd_records(trial))))


def test_text_beyond_ascii_is_marked_in_xpt_and_kept_elsewhere(trial, tmp_path: Path):
    dataset = next(d for d in DATASETS if d.name == "ADBMD")
    records = [{**record, "REASON": "Bericht fehlt: Größe"} for record in bmd_records(trial)]
    text = "".join(dataset_json(dataset, checked(dataset, records), "ZOOM", date(2025, 1, 1)))
    assert "Größe" in text
