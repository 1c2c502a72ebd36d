"""What a file is that is not DICOM, by its first bytes: a sentence for its row."""

from __future__ import annotations

_UNPACK = "unpack it and run again"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x00\x05\x16\x07", "an AppleDouble resource fork that macOS adds to copies"),
    (b"\x00\x05\x16\x00", "an AppleSingle file of macOS"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive, which is not read; {_UNPACK}"),
    (b"Rar!", f"a RAR archive, which is not read; {_UNPACK}"),
    (b"\x1f\x8b", f"a gzip file, which is not read; {_UNPACK}"),
    (b"BZh", f"a bzip2 file, which is not read; {_UNPACK}"),
    (b"\xfd7zXZ", f"an xz file, which is not read; {_UNPACK}"),
    (b"\x28\xb5\x2f\xfd", f"a zstd file, which is not read; {_UNPACK}"),
    (b"MZ", "a program of Windows"),
    (b"\x7fELF", "a program of Linux"),
    (b"%PDF", "a PDF outside of DICOM"),
    (b"\xff\xd8\xff", "a JPEG picture outside of DICOM"),
    (b"\x89PNG", "a PNG picture outside of DICOM"),
    (b"GIF8", "a GIF picture outside of DICOM"),
    (b"BM", "a bitmap outside of DICOM"),
    (b"II*\x00", "a TIFF picture outside of DICOM"),
    (b"MM\x00*", "a TIFF picture outside of DICOM"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
)


def what_else(head: bytes) -> str:
    """A sentence for a file whose first bytes are not those of DICOM."""
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            return sentence
    if head[257:262] == b"ustar":
        return f"a tar archive, which is not read; {_UNPACK}"
    if _is_text(head):
        return "a text file"
    return "neither a DICOM file nor a zip archive"


def _is_text(head: bytes) -> bool:
    controls = bytes(range(9)) + bytes(range(14, 32))
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head):  # not only a character cut at the end of the sample
            return False
    return not any(byte in controls for byte in head)
