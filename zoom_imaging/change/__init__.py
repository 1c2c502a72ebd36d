"""What changed between baseline and month 12: pure functions, no input or output.

`vertebra.py` compares one level, `profile.py` asks whether the same level has the same name and the
same scale on two films, `match.py` compares the films of two visits, `subject.py` sums up a subject,
`bmd.py` compares densitometry with the rules of `comparable.py` and `regions.py`. Records:
`record.py`.
"""
