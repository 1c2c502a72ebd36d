"""Write the model's documents: training curves, figures, pictures of failures, the card's tables.

`docs/model_card.md` is written by hand except for what stands between its two markers.

python scripts/document_model.py curves --work training
python scripts/document_model.py figures simulated=eval/simulated ct_derived=eval/ct
python scripts/document_model.py failures --films heldapart --name 0900143
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

DOCS = Path(__file__).resolve().parents[1] / "models" / "spine_lateral" / "docs"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TITLES = {
    "simulated": "Simulated films of people held apart",
    "ct_derived": "Films made from CT of real people",
}
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
    """Keep the figures of `evaluate_model.py --out FOLDER`, and put their tables into the card."""
    from model_figures import markdown

    tables = []
    for given in sets:
        name, folder = given.split("=", 1)
        report = rounded(json.loads((Path(folder) / "figures.json").read_text()))
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
    around = [0, 1, 2, 5, 4, 3, 0]
    for axis, (_, image, film, truth) in zip(axes, shown, strict=True):
        axis.imshow(film.pixels, cmap="gray")
        axis.set_title(image, fontsize=9)
        axis.axis("off")
        axis.set(xlim=(0, film.pixels.shape[1]), ylim=(film.pixels.shape[0], 0))
        for vertebra in truth:
            axis.plot(*vertebra.six[around].T, color="lime", linewidth=0.8)
        for finding in reader.read(film).findings:
            if finding.six_points is None:
                continue
            points = finding.six_points.to_array()
            axis.plot(*points[around].T, color="orange", linewidth=0.8)
            state = "" if finding.state.value == "evaluable" else f" {finding.state.value}"
            label = f"{finding.level.value}{state}".replace("_", " ")
            axis.text(points[:, 0].max() + 4, finding.centre[1], label, color="cyan", fontsize=6)
    figure.savefig(DOCS / "failures.png", dpi=75)


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
