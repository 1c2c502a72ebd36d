"""The lines of text of a printed report: a PDF's text layer, or a picture read by Tesseract.

Both come from outside and may be hostile: what is opened is limited in size, pages and pixels, and
whatever a library raises becomes a refusal.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from zoom_imaging.errors import NotRelevantError, UnreadableError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from zoom_imaging.ingest.dataset import Source

LARGEST_PDF_BYTES = 20_000_000
MOST_PAGES = 20
LARGEST_PICTURE_PIXELS = 40_000_000
OCR_SECONDS = 60
NARROWEST_PAGE_PX = 1500
"""Pages narrower than this are enlarged: Tesseract wants capitals of about thirty pixels."""


def pdf_lines(dataset: Dataset) -> list[str]:
    """Text lines of an encapsulated PDF in reading order, columns kept apart by blanks.

    Raises:
        NotRelevantError: no PDF, or one without a text layer.
        UnreadableError: a PDF that is damaged, encrypted or too large.
    """
    document = bytes(dataset.get("EncapsulatedDocument") or b"")
    if not document.lstrip(b"\x00\r\n \t")[:5].startswith(b"%PDF-"):
        raise NotRelevantError("the encapsulated document is no PDF")
    if len(document) > LARGEST_PDF_BYTES:
        raise UnreadableError(
            "the PDF is too large",
            expected=f"at most {LARGEST_PDF_BYTES} bytes",
            found=str(len(document)),
        )
    lines = _pdf_text(document)
    if not any(line.strip() for line in lines):
        raise NotRelevantError(
            "a PDF without a text layer: its page is a picture",
            remedy="enter the numbers from the printed report, confirmed by a second person",
        )
    return lines


def _pdf_text(document: bytes) -> list[str]:
    from io import BytesIO

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(document), strict=False)
        if reader.is_encrypted:
            raise UnreadableError("the PDF is encrypted", remedy="export it without a password")
        pages = [
            page.extract_text(extraction_mode="layout")
            for number, page in enumerate(reader.pages)
            if number < MOST_PAGES
        ]
    except UnreadableError:
        raise
    except Exception as error:  # pypdf raises a dozen kinds on damaged files
        raise UnreadableError(
            f"the PDF is damaged ({type(error).__name__})", remedy="export it again"
        ) from error
    return [line for page in pages for line in page.splitlines()]


def picture_lines(source: Source) -> list[str]:
    """Text lines of a report picture.

    Raises:
        NotRelevantError: the picture is none that can be read, or Tesseract is not there.
        UnreadableError: the pixels are damaged or too many, or Tesseract gave up.
    """
    import pytesseract
    from PIL import Image

    dataset = source.dataset
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise NotRelevantError("a picture of several frames: it is not read")
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if not 0 < rows * columns <= LARGEST_PICTURE_PIXELS:
        raise UnreadableError(
            "the picture has no size, or is too large",
            expected=f"at most {LARGEST_PICTURE_PIXELS} pixels",
            found=f"{rows} x {columns}",
        )
    page = Image.fromarray(_grey(source))
    if page.width < NARROWEST_PAGE_PX:
        factor = -(-NARROWEST_PAGE_PX // page.width)
        page = page.resize((page.width * factor, page.height * factor), Image.Resampling.LANCZOS)
    try:
        text = pytesseract.image_to_string(page, config="--psm 6", timeout=OCR_SECONDS)
    except pytesseract.TesseractNotFoundError as error:
        raise NotRelevantError(
            "numbers in a picture are not taken: Tesseract is not installed",
            remedy="install tesseract-ocr, or enter the numbers by hand",
        ) from error
    except (RuntimeError, OSError) as error:
        raise UnreadableError(f"Tesseract could not read the picture ({error})") from error
    return str(text).splitlines()


def _grey(source: Source) -> Any:
    """The picture as 8-bit grey (rows, columns), ink dark."""
    import numpy as np
    from pydicom.dataset import FileMetaDataset

    from zoom_imaging.ingest.pixels import decoded

    dataset = source.dataset
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = source.transfer_syntax
    try:
        pixels = decoded(dataset)
    except UnreadableError:
        raise
    except Exception as error:  # a codec raises what it likes
        raise UnreadableError(f"the picture cannot be decoded ({type(error).__name__})") from error
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    low, high = float(grey.min()), float(grey.max())
    grey = (grey - low) * (255.0 / max(high - low, 1e-6))
    if str(dataset.get("PhotometricInterpretation", "")) == "MONOCHROME1" or np.median(grey) < 64:
        grey = 255.0 - grey
    return grey.astype(np.uint8)
