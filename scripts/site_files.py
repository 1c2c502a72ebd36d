"""A hook of mkdocs: pages of the site that live beside what they describe, not in docs/.

The model card lies with the weights and travels in the wheel; the changelog lies at the top.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_ROOT = Path(__file__).resolve().parents[1]
_CARD = _ROOT / "models" / "spine_lateral" / "docs"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add them, with the pictures of the card."""
    from mkdocs.structure.files import File

    added = {"model_card.md": _CARD / "model_card.md", "changelog.md": _ROOT / "CHANGELOG.md"}
    added |= {picture.name: picture for picture in sorted(_CARD.glob("*.png"))}
    for name, path in added.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files
