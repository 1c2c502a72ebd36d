from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.tasks import Done, one_by_one


@dataclass(frozen=True)
class Task:
    source: SourceFile
    divisor: int


def test_a_task_that_raises_costs_no_other_one():
    tasks = [Task(SourceFile(str(number), str(number)), number) for number in (2, 0, 1)]
    assert list(one_by_one(iter(tasks), lambda task: 6 // task.divisor)) == [
        Done(tasks[0], 3),
        Done(
            tasks[1],
            None,
            "unexpected ZeroDivisionError: integer division or modulo by zero",
        ),
        Done(tasks[2], 6),
    ]
