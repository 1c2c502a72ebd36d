"""De-identification: DICOM files in, the same files without a person's identity out.

PS3.15 Annex E, basic profile, with the options of domain rules section 10. `job.deidentify` is the
way through: every identifier of the input is gathered first (`identifiers`), each file is cleaned
(`dataset`, with `hologic`, `lunar` and `structured` for the texts that densitometers write, and
`pixels` for what is burned in), written, and read again by a second pass that searches it for every
identifier (`leaks`). What cannot be cleaned for certain is not written, and the report says why.
"""
