"""Densitometry reports: one module a format, all leaving as `DxaReport` with provenance.

A file enters through `read.read_report`. `hologic`, `lunar_sr`, `lunar_xml` and `generic_sr` turn a
format into `RegionRow`s (what the report prints); `checks` and `totals` turn rows into results with
a state; `analyses` orders several reports of one scan. Nothing here writes or decides an endpoint.
"""
