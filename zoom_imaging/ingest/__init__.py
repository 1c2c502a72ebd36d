"""From sources to a catalogue: find files, read headers, classify, assign subject and visit.

`build.build_catalogue` is the way through the room: every input file leaves it as one row with a
disposition, and what only a person can answer leaves it as a query. `clinical.read_clinical_table`
reads the trial's clinical CSV. `source.open_source` gives later rooms the bytes of a catalogued
file, also of a member of an archive, without writing anything to disk.
"""
