"""Results to tables: subject rows, vertebrae, changes, densitometry, files and queries.

`results.py` holds what a whole run found; `dictionary.py` defines every column once; the `*_rows`
functions of `tables.py` and `subjects.py` turn results into rows, `schemas.py` checks them and
`write.py` puts a whole set of tables into a folder or none of it.
"""
