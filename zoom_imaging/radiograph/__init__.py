"""From the bytes of a DICOM file to radiographs that can be measured.

`read.read_radiographs` is the one door: it opens the data set whatever its declared transfer syntax
says (`ingest.dataset`), decodes the stored values (`layout`, `decode`, `ingest.codec`), brings
them to grey values with bone bright (`grey`, `lut`, `colour`), marks what is picture (`field`) and
where films were joined (`seams`), and finds the millimetres with their source (`scale`,
`decimals`).
"""
