"""What the three training scripts do: cut patches where they are missing, train, release."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from zlib import crc32

from torch import nn

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.vision.training.crops import cut_films
from zoom_imaging.vision.training.engine import Schedule, train
from zoom_imaging.vision.training.release import release_network
from zoom_imaging.vision.training.tasks import TASKS
from zoom_imaging.vision.training.truth import Look

FILMS_A_SHARD = 20
SETTLED_SECONDS = 3.0


def cut_folder(
    films: Path,
    out: Path,
    look: Look,
    *,
    share: tuple[int, int] = (0, 1),
    looks: int = 2,
    rest: bool = True,
) -> int:
    """Cut the films that no shard holds yet, twenty a shard; returns the number of new crops.

    `share` is (part, parts) where several processes share the work; every film is shown in `looks`
    ways. Films may still be arriving: without `rest`, an incomplete last shard waits for more.
    """
    done = {line for path in out.glob("films/*.txt") for line in path.read_text().split()}
    now = time.time()
    new = [
        path
        for path in sorted(films.glob("*.npz"))
        if path.stem not in done
        and crc32(path.stem.encode()) % share[1] == share[0]
        and now - path.stat().st_mtime > SETTLED_SECONDS
    ]
    made = 0
    (out / "films").mkdir(parents=True, exist_ok=True)
    for start in range(0, len(new), FILMS_A_SHARD):
        chosen = new[start : start + FILMS_A_SHARD]
        if len(chosen) < FILMS_A_SHARD and not rest:
            break
        made += cut_films(chosen, look, out, chosen[0].stem, looks)
        text = "\n".join(path.stem for path in chosen)
        (out / "films" / f"{chosen[0].stem}.txt").write_text(text)
    return made


def run(
    name: str,
    films: Path,
    held_apart: Path,
    *,
    out: Path,
    work: Path,
    schedule: Schedule,
    look: Look,
    start: Path | None = None,
) -> None:
    """Train the network called `name` and write it into the bundle `out` after each validation.

    `start` is a bundle whose weights are the first ones.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for folder in (films, held_apart):
        if not any(folder.glob("*.npz")):
            raise ConfigurationError(
                f"{folder} holds no training film",
                expected="*.npz files of scripts/simulate.py",
                remedy="run scripts/simulate.py first, or name another folder",
            )
    patches = {"films": films, "heldapart": held_apart}
    for kind, folder in patches.items():
        if not any((work / kind / name).glob("*.shard")):
            cut_folder(folder, work / kind, look)
    here = work / name
    here.mkdir(parents=True, exist_ok=True)

    def release(network: nn.Module, _: dict[str, float]) -> None:
        release_network(out, name, network)

    train(
        TASKS[name],
        work / "films" / name,
        work / "heldapart" / name,
        work=here,
        schedule=schedule,
        report=release,
        start=None if start is None else start / "models" / f"{name}.pt",
    )
