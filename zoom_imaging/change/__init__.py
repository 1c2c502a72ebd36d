"""What changed between baseline and month 12: pure functions, no input or output.

`vertebra.py` compares one level, `profile.py` asks whether the same level has the same name and the
same scale on two films, `match.py` compares the films of two visits, `subject.py` sums up a
subject. `bmd.py` compares densitometry: `exam.py` chooses the report of a visit, `comparable.py`
asks whether two may be compared, `lumbar.py` which vertebrae count, `regions.py` names them.
Records: `record.py`.
"""
