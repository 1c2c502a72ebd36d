"""Write the model's documents: training curves, figures, pictures of failures, the card's tables.

`docs/model_card.md` is written by hand except for what stands between its two markers.

python scripts/document_model.py curves --work training
python scripts/document_model.py figures simulated=eval/simulated ct_derived=eval/ct
python scripts/document_model.py failures --films heldapart --name 0900143
python scripts/document_model.py worst --truth heldapart --truth CT_FILMS
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from evaluate_model import Case

    from zoom_imaging.vision.read import SpineReader

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

DOCS = Path(__file__).resolve().parents[1] / "models" / "spine_lateral" / "docs"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TITLES = {
    "simulated": "Simulated films of people held apart",
    "ct_derived": "Films made from CT of real people",
}
AROUND = [0, 1, 2, 5, 4, 3, 0]
"""The six points in their order along the outline."""
CURVES = {
    "locator": ("recall", "precision", "f1"),
    "namer": ("exact", "within_one"),
    "delineator": ("dice",),
}


@app.command()
def curves(work: Annotated[list[Path], typer.Option(file_okay=False, exists=True)]) -> None:
    """Collect each network's validations (the last --work that has them) and draw them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(CURVES), figsize=(12, 3.4), layout="constrained")
    history: dict[str, list[dict[str, float]]] = {}
    for axis, (name, measures) in zip(axes, CURVES.items(), strict=True):
        (path, *_) = [p for folder in reversed(work) for p in folder.glob(f"{name}/history.jsonl")]
        history[name] = [json.loads(row) for row in path.read_text().splitlines()]
        steps = [row["step"] for row in history[name]]
        for measure in measures:
            axis.plot(steps, [row[measure] for row in history[name]], label=measure)
        axis.set(title=name, xlabel="step", ylim=(0.5, 1.0))
        axis.legend(loc="lower right")
        axis.grid(alpha=0.3)
    figure.savefig(DOCS / "training.png", dpi=80)
    rows = {name: [json.dumps(row) for row in found] for name, found in history.items()}
    text = ",\n".join(f'"{name}": [\n' + ",\n".join(found) + "\n]" for name, found in rows.items())
    (DOCS / "training.json").write_text("{\n" + text + "\n}\n", encoding="utf-8")


@app.command()
def figures(
    sets: Annotated[list[str], typer.Argument(help="simulated=FOLDER ct_derived=FOLDER")],
) -> None:
    """Keep the figures of `evaluate_model.py --out FOLDER`, and put their tables into the card.

    Figures of `evaluate_pairs.py` in the same folder come with them.
    """
    from model_figures import markdown

    tables = []
    for given in sets:
        name, folder = given.split("=", 1)
        report = rounded(json.loads((Path(folder) / "figures.json").read_text()))
        pairs = Path(folder) / "pairs.json"
        if pairs.is_file():
            report["pairs"] = rounded(json.loads(pairs.read_text()))
        report["each_image"] = [one for one in report["each_image"] if is_remarkable(one)]
        (DOCS / f"figures_{name}.json").write_text(json.dumps(report, indent=1) + "\n")
        tables.append(f"### {TITLES[name]}\n\n{markdown(report)}")
    card = DOCS / "model_card.md"
    text = card.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    inside = "\n".join(tables)
    card.write_text(f"{before}{BEGIN}\n\n{inside}\n{END}{after}", encoding="utf-8")


@app.command()
def failures(
    films: Annotated[Path, typer.Option(file_okay=False, exists=True)],
    name: Annotated[list[str], typer.Option(help="File name of a film, without .npz.")],
) -> None:
    """Draw films that the model fails on: truth in green, what was found in orange."""
    import matplotlib as mpl

    mpl.use("Agg")
    import warnings

    from evaluate_model import simulated_cases
    from matplotlib import pyplot as plt

    from zoom_imaging.vision.read import SpineReader

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(None)
    shown = list(simulated_cases([films / f"{each}.npz" for each in name]))
    figure, axes = plt.subplots(1, len(shown), figsize=(4 * len(shown), 7), layout="constrained")
    for axis, case in zip(axes, shown, strict=True):
        image, film, truth = case.image, case.film, case.truth
        axis.imshow(film.pixels, cmap="gray")
        axis.set_title(image, fontsize=9)
        axis.axis("off")
        axis.set(xlim=(0, film.pixels.shape[1]), ylim=(film.pixels.shape[0], 0))
        for vertebra in truth:
            axis.plot(*vertebra.six[AROUND].T, color="lime", linewidth=0.8)
        for finding in reader.read(film).findings:
            if finding.six_points is None:
                continue
            points = finding.six_points.to_array()
            axis.plot(*points[AROUND].T, color="orange", linewidth=0.8)
            state = "" if finding.state.value == "evaluable" else f" {finding.state.value}"
            label = f"{finding.level.value}{state}".replace("_", " ")
            axis.text(points[:, 0].max() + 4, finding.centre[1], label, color="cyan", fontsize=6)
    figure.savefig(DOCS / "failures.png", dpi=75)


@app.command()
def worst(
    truth: Annotated[list[Path], typer.Option(file_okay=False, exists=True)],
    count: int = 20,
    columns: int = 5,
) -> None:
    """Draw the vertebrae with the largest errors of ratio: truth in green, the model in orange."""
    import matplotlib as mpl

    mpl.use("Agg")
    import warnings

    from evaluate_model import cases_of
    from matplotlib import pyplot as plt

    from zoom_imaging.vision.read import SpineReader

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(None)
    found = [one for folder in truth for case in cases_of(folder) for one in misread(case, reader)]
    found.sort(key=lambda one: -one.error)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.6 * columns, 2.8 * rows), layout="constrained"
    )
    for axis, one in zip(axes.flat, found, strict=False):
        axis.imshow(one.patch, cmap="gray")
        axis.plot(*one.true[AROUND].T, color="lime", linewidth=1.0)
        axis.plot(*one.read[AROUND].T, color="orange", linewidth=1.0)
        axis.set_title(one.words, fontsize=7)
        axis.axis("off")
    figure.savefig(DOCS / "worst.png", dpi=75)


@dataclass(frozen=True)
class Misread:
    """One vertebra as a picture: points in pixels of the patch, error in points of ratio."""

    error: float
    words: str
    patch: NDArray[np.float32]
    true: NDArray[np.float64]
    read: NDArray[np.float64]


def misread(case: Case, reader: SpineReader) -> Iterator[Misread]:
    """Every vertebra that was found and whose truth can be judged."""
    from zoom_imaging.vision.frame import Frame
    from zoom_imaging.vision.uncertainty import ratios_of

    findings = [f for f in reader.read(case.film).findings if f.six_points is not None]
    for true in case.truth:
        centre = true.six[[0, 2, 3, 5]].mean(0)
        height = float(np.hypot(*(true.six[2] - true.six[5])))
        near = [f for f in findings if np.hypot(*(np.array(f.centre) - centre)) < height / 2]
        if not near or not true.evaluable or near[0].six_points is None:
            continue
        six = near[0].six_points.to_array()
        error = 100 * float(np.abs(ratios_of(six) - np.array(true.ratios)).max())
        frame = Frame.upright((centre[0], centre[1]), (0.0, -1.0), 3.2 * height / 128, 128)
        state = near[0].state.value.replace("_", " ")
        words = (
            f"{case.image[:22]} {true.level.value}\ngrade {true.grade}, off {error:.0f}, {state}"
        )
        patch = frame.sample(case.film.pixels, case.film.valid)[0]
        yield Misread(error, words, patch, frame.to_patch(true.six), frame.to_patch(six))


def is_remarkable(image: dict[str, Any]) -> bool:
    """Whether something went wrong or was refused on this image."""
    return bool(
        not image["all_named"] or image["refused_levels"] or image["false"] or image["refusal"]
    )


def rounded(value: Any) -> Any:
    """The same content with four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    app()
