"""The DICOM network: objects from and to a PACS, by DIMSE (C-STORE, C-MOVE, C-GET) or DICOMweb.

What arrives becomes a file in a folder, whole or not at all, and never in place of another. Nothing
is transcoded. Needs the extra `pacs`.
"""
