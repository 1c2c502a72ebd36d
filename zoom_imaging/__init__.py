"""DICOM in, endpoint table out: an imaging-core toolkit for osteoporosis trials."""

__version__ = "0.1.0"
