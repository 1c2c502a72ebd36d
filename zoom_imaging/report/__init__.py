"""Pictures of films and the HTML report of a run: one folder that opens offline.

Data ends here: `build.write_report` turns `TrialResults` into pages that a radiologist and an
auditor read, `picture.draw_overlay` draws one film with its reading. Nothing is measured in this
room; what is missing is said in words.
"""
