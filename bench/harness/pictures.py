"""Draws curves as SVG."""

import dataclasses

import matplotlib

matplotlib.use("svg")
# The salt makes the file depend on the numbers only.
matplotlib.rcParams["svg.hashsalt"] = "viewcount"

from matplotlib import pyplot  # noqa: E402


@dataclasses.dataclass
class Curve:
    """A picture with several curves. `series` is name → list of (x, y)."""

    file: str
    title: str
    x: str
    y: str
    series: dict
    x_logarithmic: bool = True
    y_logarithmic: bool = False


def draw(curve, folder):
    """Writes the picture into the folder."""
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for name, points in curve.series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
    axes.set(title=curve.title, xlabel=curve.x, ylabel=curve.y)
    if curve.x_logarithmic:
        axes.set_xscale("log")
    if curve.y_logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / curve.file, metadata={"Date": None})
    pyplot.close(figure)
