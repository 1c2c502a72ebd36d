"""Patches on disk: folders of `.npy` files that are written once and read through memory maps."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[np.generic]


@dataclass
class ShardWriter:
    """Collects named samples and writes them as one folder, complete or not at all."""

    folder: Path
    samples: dict[str, list[AnyArray]] = field(default_factory=dict)

    def add(self, **arrays: AnyArray | float | int | bool) -> None:
        """Append one sample; every call names the same arrays."""
        for name, value in arrays.items():
            self.samples.setdefault(name, []).append(np.asarray(value))

    def close(self) -> int:
        """Write what was collected; returns the number of samples."""
        count = len(next(iter(self.samples.values()))) if self.samples else 0
        partial = self.folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, values in self.samples.items():
            np.save(partial / f"{name}.npy", np.stack(values))
        partial.rename(self.folder)
        return count


@dataclass
class ShardReader:
    """All complete shards of a folder, as one long table of samples."""

    folder: Path
    shards: list[dict[str, AnyArray]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def refresh(self) -> int:
        """Look for shards that came since; returns the number of samples."""
        for path in sorted(self.folder.glob("*.shard")):
            if path.name in self.known:
                continue
            arrays = {file.stem: np.load(file, mmap_mode="r") for file in path.glob("*.npy")}
            if arrays:
                self.shards.append(arrays)
            self.known.add(path.name)
        return len(self)

    def __len__(self) -> int:
        return sum(len(next(iter(shard.values()))) for shard in self.shards)

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> dict[str, AnyArray]:
        """The samples at `indices` (of the long table), stacked by name."""
        starts = np.cumsum([0] + [len(next(iter(s.values()))) for s in self.shards])
        which = np.searchsorted(starts, np.asarray(indices), side="right") - 1
        rows = [(self.shards[w], int(i - starts[w])) for w, i in zip(which, indices, strict=True)]
        return {name: np.stack([s[name][i] for s, i in rows]) for name in self.shards[0]}


def pack_patch(patch: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(2, s, s) grey and valid to one byte a pixel: 0 is invalid, 1-255 the grey value."""
    grey = np.round(np.clip(patch[0], 0.0, 1.0) * 254).astype(np.uint8) + np.uint8(1)
    return np.where(patch[1] > 0, grey, np.uint8(0)).astype(np.uint8)


def unpack_patches(packed: AnyArray) -> NDArray[np.float32]:
    """(n, s, s) bytes back to (n, 2, s, s)."""
    values = packed.astype(np.float32)
    valid = (values > 0).astype(np.float32)
    return np.stack([np.maximum(values - 1.0, 0.0) / 254.0, valid], axis=1)
