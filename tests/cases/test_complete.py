"""Every case of ../shared has its test, here or where its subject is tested."""

from __future__ import annotations

import re

ELSEWHERE = {
    "worker-killed": (
        "tests/batch/test_job.py",
        "test_a_study_that_kills_its_worker_fails_alone_and_is_tried_again_later",
    ),
    "disk-full": (
        "tests/batch/test_job.py",
        "test_a_full_disk_leaves_the_earlier_results_and_a_plain_run_mends_it",
    ),
}
"""Cases that need worker processes or a full disk: file and test."""


def test_every_case_has_a_test(root, cases):
    """A case that is new in cases.json fails here until it has one."""
    here = "\n".join(path.read_text("utf-8") for path in (root / "tests/cases").glob("*.py"))
    for case in cases:
        if case in ELSEWHERE:
            file, name = ELSEWHERE[case]
            assert f"def {name}(" in (root / file).read_text("utf-8")
        else:
            assert f'"{case}"' in here or re.search(f"def test_{case.replace('-', '_')}", here), (
                case
            )
