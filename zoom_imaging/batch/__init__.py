"""A whole run: lock the result folder, compute what is not cached, and account for every file.

`lock.py` keeps two runs apart, `cache.py` remembers what was computed from which bytes, `study.py`
is one file as a pure task, `cluster.py` spreads tasks over worker processes and survives their
death, `workers.py` knows where workers come from, `pipeline.py` leads from sources to results and
`accounting.py` counts the dispositions.
"""
