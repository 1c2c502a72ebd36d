"""Presentation contexts: which kinds of object in which encodings we take and offer.

Of the encodings that a sender offers for one object we take the first of this order: uncompressed
before compressed, lossless before lossy, so that nobody is asked to compress. A sender that holds
compressed objects offers their encoding in a context of its own, and that is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_UNCOMPRESSED = (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    "1.2.840.10008.1.2.2",  # explicit VR big endian
    "1.2.840.10008.1.2.1.99",  # deflated
)
_LOSSLESS = (
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, selection value 1
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
    "1.2.840.10008.1.2.4.202",  # HTJ2K lossless with progression
    "1.2.840.10008.1.2.5",  # RLE
)
_LOSSY = (
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.203",  # HTJ2K
)
MOST_CONTEXTS = 128
"""An association has no more presentation contexts (PS3.8 9.3.2.2)."""


def transfer_syntaxes() -> list[str]:
    """Every transfer syntax of the standard, those first that are taken first."""
    from pynetdicom import ALL_TRANSFER_SYNTAXES

    known = [*_UNCOMPRESSED, *_LOSSLESS, *_LOSSY]
    return [*known, *(uid for uid in ALL_TRANSFER_SYNTAXES if uid not in known)]


def storage_classes() -> list[str]:
    """Every storage SOP Class of the standard."""
    from pynetdicom import AllStoragePresentationContexts

    return [str(context.abstract_syntax) for context in AllStoragePresentationContexts]


def is_uncompressed(transfer_syntax: str) -> bool:
    """Whether the data set can be written in another uncompressed encoding without decoding."""
    return transfer_syntax in _UNCOMPRESSED


def contexts_to_send(pairs: Iterable[tuple[str, str]]) -> list[PresentationContext]:
    """One context for each pair of SOP Class and transfer syntax of the files to send.

    Uncompressed files may also go as implicit or explicit VR little endian, which every receiver
    must understand; compressed ones go as they are or not at all.
    """
    from pynetdicom import build_context

    contexts = []
    for sop_class, syntax in pairs:
        offered = [syntax]
        if is_uncompressed(syntax):
            offered += [uid for uid in (EXPLICIT_LITTLE, IMPLICIT_LITTLE) if uid != syntax]
        contexts.append(build_context(sop_class, offered))
    return contexts


def contexts_to_get(sop_classes: Sequence[str]) -> list[PresentationContext]:
    """Contexts for objects that a C-GET brings back: each compression apart, as it is stored."""
    from pynetdicom import build_context

    contexts = []
    for sop_class in sop_classes:
        contexts.append(build_context(sop_class, [EXPLICIT_LITTLE, IMPLICIT_LITTLE]))
        contexts += [build_context(sop_class, [syntax]) for syntax in (*_LOSSLESS, *_LOSSY)]
    return contexts
