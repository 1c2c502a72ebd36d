from __future__ import annotations

from zoom_imaging.adam.columns import Columns
from zoom_imaging.adam.datasets import ADBMD
from zoom_imaging.adam.records import bmd_records


def test_records_come_back_as_they_went_in(trial):
    records = list(bmd_records(trial))
    columns = Columns(ADBMD)
    for record in records:
        columns.add(record)
    assert list(columns) == records
    assert len(columns) == len(records)
    assert list(columns.column("PARAMCD")) == [record["PARAMCD"] for record in records]
