"""What is slow or not everywhere: character recognition."""

from __future__ import annotations

import pytest

from zoom_imaging.exchange.deidentify import words


@pytest.fixture
def no_recognition(monkeypatch) -> None:
    """A machine without Tesseract."""
    monkeypatch.setattr(words, "can_recognise", lambda: False)


@pytest.fixture
def recognition() -> None:
    """Tests of what Tesseract finds; they skip where it is missing."""
    if not words.can_recognise():
        pytest.skip("Tesseract is not installed: burned-in text cannot be found")
