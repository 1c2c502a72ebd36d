"""Words that identify nobody: what descriptions, file names and region labels may keep.

A description is written by people, so nothing in it is safe but words that are known to be. The
list has the words by which `ingest` and `dxa` tell what a file is, and little else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ANATOMY = """
    spine spinal spines lspine tspine cspine sspine lsspine vertebra vertebrae vertebral rachis
    columna wirbelsaeule lumbar lumbo lumbal lumbosacral lsp thoracic thorakal thoraco thoracolumbar
    dorsal cervical sacral sacrum coccyx iliac pelvis hip hips femur femora femoral dualfemur neck
    forearm radius ulna arm chest head skull knee hand foot leg body wholebody total whole full
    entire long part level levels
"""
_VIEWS = """
    lateral laterals lat lats ll rl llat rlat sag sagittal ap pa frontal coronal anteroposterior
    posteroanterior antero postero anterior posterior oblique obl view views standing supine upright
    erect left right lt rt both dual mean side lva iva vfa eos scoliosis scolio kyphosis stitched
    composite flexion extension
"""
_EXAMINATIONS = """
    bone densitometry density mineral dxa dexa bmd bmc osteoporosis assessment morphometry report
    reports result results summary scan scans image images picture pictures film films xray ray
    radiograph radiography radiographs digital computed exam examination study series analysis
    history trend table page research trial baseline follow up followup month months week weeks day
    year visit screening control bl fu imaging core reading
"""
_SMALL = "and of the with without for to in vs no not a l t c s w d v m x"
_FILES = """
    im img image dcm dicom dx cr sr sc ot ct frame frames one two three pdf xml hologic lunar ge
    base m bl month visit v w week follow fu followup copy file files data good film films spine
    lateral dxa hip femur report series study se st
"""
_RESULTS = """
    region regions roi area bmc bmd cm g sup small sub score scores pr peak reference am
    matched age matched total neck troch trochanter trochanteric inter intertroch
    intertrochanteric ward wards triangle shaft global mid ud distal third net tscore zscore
    date change baseline previous vs results summary history white black hispanic asian korean
    japanese female male women source hologic nhanes young adult adults mean fx risk major
    osteoporotic fracture z caucasian combined usa us lunar aktiv ge
"""
_KOREAN = """
    전척추 전체 척추 흉요추 흉추 요추 요천추 경추 천추 미추 측면 전후 사위 골밀도 검사
    촬영 기저 추적
"""

WORDS = frozenset(f"{_ANATOMY} {_VIEWS} {_EXAMINATIONS} {_SMALL}".split())
RESULT_WORDS = frozenset(_RESULTS.split())
"""Words of tables of results: regions, headings, reference populations."""

_FILE_WORDS = frozenset(f"{_FILES} {_SMALL} {_ANATOMY} {_VIEWS} {_EXAMINATIONS}".split())
_KOREAN_WORDS = re.compile("(?:" + "|".join(sorted(_KOREAN.split(), key=len, reverse=True)) + ")+")
_PIECE = re.compile(r"[A-Za-z]+|\d+|[^\W\d_]+|\s+|.", re.S)
_SIGNS = frozenset("-/,()&+.:%")
_MOST_DIGITS = 2
_MOST_FILE_DIGITS = 4


def known_words(text: str, more: Iterable[str] = ()) -> str:
    """The text with its known words, numbers of up to two digits and signs; the rest is gone."""
    allowed = WORDS | {word.casefold() for word in more}
    kept = (piece if _is_known(piece, allowed) else " " for piece in _PIECE.findall(text))
    plain = " ".join("".join(kept).split())
    return plain if any(character.isalnum() for character in plain) else ""


def _is_known(piece: str, allowed: frozenset[str]) -> bool:
    if piece.isascii():
        if piece.isdigit():
            return len(piece) <= _MOST_DIGITS
        return piece.casefold() in allowed if piece.isalpha() else piece in _SIGNS
    return bool(_KOREAN_WORDS.fullmatch(piece))


def harmless_name(part: str) -> bool:
    """Whether a part of a path is made of such words and short numbers alone (IM0021, month12)."""
    pieces = re.findall(r"[A-Za-z]+|\d+|[^A-Za-z\d]", part)
    return bool(pieces) and all(
        len(piece) <= _MOST_FILE_DIGITS
        if piece.isdigit()
        else piece.casefold() in _FILE_WORDS
        if piece.isalpha() and piece.isascii()
        else piece in "-_. "
        for piece in pieces
    )
