"""Where an output file goes: a folder of the pseudonym, names that say nothing of the person.

Parts of the input's path are kept where they are made of known words and short numbers (IM0021,
month12); any other part is left out, and a file whose own name is left out is named by its object.
"""

from __future__ import annotations

import re

from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.vocabulary import harmless_name

_ARCHIVE = re.compile(r"\.zip$", re.I)
_HIDDEN = "(hidden)"


class Places:
    """Gives each file its place once; two files never get the same."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._taken: set[str] = set()

    def of(self, path: str, pseudonym: str, sop_instance_uid: str) -> str:
        """The path below the output folder for the file that was at `path`."""
        *folders, name = re.split(r"[/!\\]+", path)
        kept = [part for part in folders if _is_folder(part)]
        if not harmless_name(name) or name.startswith("."):
            name = f"object-{self._secret.token('file', sop_instance_uid or path)}.dcm"
        wanted = "/".join([pseudonym, *kept, name])
        found, number = wanted, 1
        while found.casefold() in self._taken:
            number += 1
            stem, dot, end = wanted.rpartition(".")
            found = f"{stem}-{number}.{end}" if dot and "/" not in end else f"{wanted}-{number}"
        self._taken.add(found.casefold())
        return found


def shown_path(path: str) -> str:
    """An input's path for the report, each part that may say something hidden."""
    parts = re.split(r"([/!])", path)
    return "".join(
        part if part in {"/", "!"} or harmless_name(part) else _HIDDEN if part else ""
        for part in parts
    )


def _is_folder(part: str) -> bool:
    return part not in {"", ".", ".."} and harmless_name(_ARCHIVE.sub("", part)) and part[0] != "."
