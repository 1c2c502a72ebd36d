"""The viewer that ships is the viewer whose source is here."""

from __future__ import annotations

import hashlib

from zoom_imaging.review.web.app import STATIC

SINGLE = ("package-lock.json", "package.json", "slim.ts", "tsconfig.json", "vite.config.ts")


def test_the_viewer_was_built_from_this_source(root):
    """A change in web/ without `npm run build` fails here; the rule stands in web/README.md."""
    web = root / "web"
    sources = [path.relative_to(web).as_posix() for path in (web / "src").rglob("*.*")]
    digest = hashlib.sha256()
    for path in sorted([*SINGLE, *sources]):
        content = (web / path).read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    assert (STATIC / "viewer.source.sha256").read_text("utf-8").strip() == digest.hexdigest()


def test_the_viewer_names_the_licences_of_what_it_holds():
    """Cornerstone3D and vtk.js are in the bundle, and so is their licence beside it."""
    licences = (STATIC / "viewer.licenses.txt").read_text("utf-8")
    assert "@cornerstonejs/core" in licences
    assert "vtk.js" in licences
