"""The datasets as files: CSV for people, XPT version 5 and Dataset-JSON 1.1 for submissions.

All of one run are made from one set of records, checked against the definitions. Nothing in a file
depends on the time of day: where a format asks for a moment, it is the newest day of the data.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from zoom_imaging.adam.columns import Columns
from zoom_imaging.adam.datasets import ADBMD, ADBTM, ADSL, ADVFX, DATASETS
from zoom_imaging.adam.define import define_xml
from zoom_imaging.adam.records import (
    Record,
    Value,
    bmd_records,
    fracture_records,
    marker_records,
    subject_records,
)
from zoom_imaging.adam.variable import Dataset, Kind, Variable
from zoom_imaging.endpoints.results import TrialResults
from zoom_imaging.endpoints.write import write_text, writing
from zoom_imaging.errors import OutputError
from zoom_imaging.ingest.text import text_cell

FOLDER = "adam"
_MAKERS: Mapping[str, Callable[[TrialResults], Iterator[Record]]] = {
    ADSL.name: subject_records,
    ADBMD.name: bmd_records,
    ADVFX.name: fracture_records,
    ADBTM.name: marker_records,
}
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.FLOAT: (int, float),
    Kind.DATE: (date,),
}
_EPOCH = date(1960, 1, 1)
_NO_DATA = date(1970, 1, 1)
_XPT_MOMENT = re.compile(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d")


def write_adam(folder: Path, trial: TrialResults) -> None:
    """All datasets in three formats and define.xml; OutputError names the path or the fault."""
    records = {dataset.name: checked(dataset, _MAKERS[dataset.name](trial)) for dataset in DATASETS}
    as_of = newest_day(records)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for dataset in DATASETS:
        stem = folder / dataset.name.lower()
        with writing(stem):
            write_csv(stem.with_suffix(".csv"), dataset, records[dataset.name])
            write_xpt(stem.with_suffix(".xpt"), dataset, records[dataset.name], as_of)
        text = dataset_json(dataset, records[dataset.name], trial.charter.trial.name, as_of)
        write_text(stem.with_suffix(".json"), text)
    write_text(folder / "define.xml", [define_xml(trial.charter.trial.name, as_of)])


def newest_day(tables: Mapping[str, Columns]) -> date:
    """The newest date in the records of the datasets, by their names."""
    days = (
        value
        for dataset in DATASETS
        for variable in dataset.variables
        if variable.kind is Kind.DATE
        for value in tables[dataset.name].column(variable.name)
        if isinstance(value, date)
    )
    return max(days, default=_NO_DATA)


def checked(dataset: Dataset, records: Iterable[Record]) -> Columns:
    """The records, which come subject by subject, in key order.

    OutputError where one is not as the definitions say.
    """
    found = Columns(dataset)
    earlier = ""
    for subject, group in groupby(records, lambda record: record.get("USUBJID")):
        own: dict[tuple[str, ...], Record] = {}
        for record in group:
            _check(dataset, record)
            key = tuple(str(record[name]).zfill(3) for name in dataset.keys)
            if key in own:
                _fault(dataset, key, "the key occurs twice")
            own[key] = record
        if str(subject) <= earlier:
            _fault(dataset, (subject,), "the subject occurs twice, or out of order")
        earlier = str(subject)
        for key in sorted(own):
            found.add(own[key])
    return found


def _check(dataset: Dataset, record: Record) -> None:
    names, key = set(dataset.names), tuple(record.get(name) for name in dataset.keys)
    if set(record) != names:
        _fault(dataset, key, f"variables differ: {sorted(set(record) ^ names)}")
    for variable in dataset.variables:
        fault = _value_fault(variable, record[variable.name])
        if fault:
            _fault(dataset, key, f"{variable.name}: {fault}")


def _fault(dataset: Dataset, key: object, what: str) -> None:
    raise OutputError(
        f"{dataset.name} {key}: {what}", remedy="please report this as a fault of the program"
    )


def _value_fault(variable: Variable, value: Value) -> str:
    if value is None:
        return "required, but null" if variable.required else ""
    if not isinstance(value, _TYPES[variable.kind]) or isinstance(value, bool):
        return f"expected {variable.kind.value}, found {value!r}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"expected a finite number, found {value}"
    if isinstance(value, str):
        if len(value) > variable.length:
            return f"longer than {variable.length} characters"
        if variable.codes and value not in variable.allowed:
            return f"{value!r} is none of its codes"
    return ""


def write_csv(path: Path, dataset: Dataset, records: Columns) -> None:
    """UTF-8, LF; dates as ISO text, numbers in their shortest exact form, null as nothing."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(dataset.names)
        writer.writerows(map(_cell, record.values()) for record in records)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return text_cell(value) if isinstance(value, str) else repr(value)


def frame(dataset: Dataset, records: Columns) -> Any:
    """A pandas frame as SAS has it: text "" and number NaN for null, dates as days since 1960."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for variable in dataset.variables:
        values = records.column(variable.name)
        if variable.kind is Kind.TEXT:
            texts = {value: "" if value is None else _ascii(str(value)) for value in set(values)}
            columns[variable.name] = pd.Series([texts[value] for value in values], dtype=object)
        else:
            columns[variable.name] = pd.Series([_number(value) for value in values], dtype=float)
    return pd.DataFrame(columns)


def _number(value: Value) -> float:
    if value is None:
        return math.nan
    if isinstance(value, date):
        return float((value - _EPOCH).days)
    return float(value)


def _ascii(text: str) -> str:
    """XPT version 5 is ASCII: what is beyond it is written as a question mark."""
    return text.encode("ascii", "replace").decode("ascii")


def write_xpt(path: Path, dataset: Dataset, records: Columns, as_of: date) -> None:
    """SAS transport file version 5."""
    import pyreadstat

    pyreadstat.write_xport(
        frame(dataset, records),
        str(path),
        file_label=dataset.label[:40],
        column_labels=[variable.label for variable in dataset.variables],
        table_name=dataset.name,
        file_format_version=5,
        variable_format={
            variable.name: "E8601DA10."
            for variable in dataset.variables
            if variable.kind is Kind.DATE
        },
    )
    moment = as_of.strftime("%d%b%y:00:00:00").upper().encode()
    content = path.read_bytes()
    # The writer puts the time of day into the header: two runs would differ.
    head = _XPT_MOMENT.sub(moment, content[:800])
    path.write_bytes(head + content[800:])


def dataset_json(dataset: Dataset, records: Columns, study: str, as_of: date) -> Iterator[str]:
    """Pieces of Dataset-JSON 1.1, one record a line; dates as ISO text, null as null."""
    from odmlib.dataset_json_1_1 import model

    types = {
        Kind.TEXT: "string",
        Kind.INTEGER: "integer",
        Kind.FLOAT: "double",
        Kind.DATE: "date",
    }
    columns = [
        model.Column(
            itemOID=f"IT.{dataset.name}.{variable.name}",
            name=variable.name,
            label=variable.label,
            dataType=types[variable.kind],
            **({"length": variable.length} if variable.kind is Kind.TEXT else {}),
            **(
                {"keySequence": dataset.keys.index(variable.name) + 1}
                if variable.name in dataset.keys
                else {}
            ),
        )
        for variable in dataset.variables
    ]
    made = model.DatasetJSON(  # type: ignore[no-untyped-call]
        datasetJSONCreationDateTime=f"{as_of.isoformat()}T00:00:00",
        datasetJSONVersion="1.1.0",
        fileOID=f"{study}.{dataset.name}",
        originator="zoom_imaging",
        studyOID=f"STDY.{study}",
        metaDataVersionOID=f"MDV.{study}",
        metaDataRef="define.xml",
        itemGroupOID=f"IG.{dataset.name}",
        records=len(records),
        name=dataset.name,
        label=dataset.label,
        columns=columns,
    )
    dumps = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    yield f'{dumps(made.to_dict(), indent=1)[:-2]},\n "rows": ['
    for number, record in enumerate(records):
        row = [_json(value) for value in record.values()]
        yield f"{',' if number else ''}\n  {dumps(row)}"
    yield "\n ]\n}\n"


def _json(value: Value) -> str | float | int | None:
    return value.isoformat() if isinstance(value, date) else value
