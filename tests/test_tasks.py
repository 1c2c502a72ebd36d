from __future__ import annotations

import pytest

from zoom_imaging.errors import OutputError
from zoom_imaging.tasks import Done, one_by_one


def test_a_task_that_raises_costs_no_other_one():
    assert list(one_by_one(iter([2, 0, 1]), lambda number: 6 // number)) == [
        Done(2, 3),
        Done(0, None, "unexpected ZeroDivisionError: integer division or modulo by zero"),
        Done(1, 6),
    ]


def test_a_refusal_of_this_package_ends_the_work():
    def full(task: int) -> int:
        raise OutputError("no space left")

    with pytest.raises(OutputError, match="no space"):
        list(one_by_one([1], full))
