"""What pydicom raises for bytes that it cannot follow or convert."""

from __future__ import annotations

import struct

from pydicom.errors import BytesLengthException

PARSER_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,  # no ValueError: a number whose bytes do not fit its VR
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""Raised while a damaged data set is read, or one of its values is converted."""
