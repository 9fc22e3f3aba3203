"""How the loss and every metric went over the epochs of a run."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maquette.tasks.figure import BLUE, ORANGE, WIDTH, Figure, canvas, finish

MOST_POINTS = 400  # of one curve
NOT_MEASURED = ("epoch", "seconds")


def learning_curves(history: Sequence[Mapping[str, float]]) -> list[Figure]:
    """One figure for the loss and one for each metric, training and validation together.

    Args:
        history: a row per epoch: {"epoch", "loss", "val_loss", …, "seconds"}; some keys may be absent in some rows.

    Returns:
        The figures, the loss first; the axis is logarithmic where positive values span more than a decade.
    """
    keys = dict.fromkeys(key.removeprefix("val_") for row in history for key in row if key not in NOT_MEASURED)
    return [_curve(history, key) for key in sorted(keys, key=lambda key: key != "loss")]


def thinned(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most about `most` points of a curve, with the lowest and the highest of every stretch, so no peak is lost."""
    if len(x) <= most:
        return x, y
    stretches = np.array_split(np.arange(len(x)), most // 2)
    kept = {0, len(x) - 1}
    for stretch in stretches:
        kept |= {int(stretch[y[stretch].argmin()]), int(stretch[y[stretch].argmax()])}
    order = np.array(sorted(kept))
    return x[order], y[order]


def _series(history: Sequence[Mapping[str, float]], key: str) -> tuple[np.ndarray, np.ndarray]:
    rows = [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
    return (np.array([r[0] for r in rows], "float64"), np.array([r[1] for r in rows], "float64"))


def _curve(history: Sequence[Mapping[str, float]], key: str) -> Figure:
    from matplotlib.ticker import MaxNLocator

    picture, axes = canvas(WIDTH, 3.2)
    parts = {"training": (key, BLUE, "-"), "validation": (f"val_{key}", ORANGE, "--")}
    drawn = {name: _series(history, of) for name, (of, _, _) in parts.items()}
    drawn = {name: series for name, series in drawn.items() if len(series[0])}
    for name, (epochs, values) in drawn.items():
        _, colour, dash = parts[name]
        marker = {"marker": "o", "markersize": 4} if len(epochs) <= 15 else {}
        axes.plot(*thinned(epochs, values), color=colour, linestyle=dash, linewidth=1.6, label=name, **marker)
    if len(drawn) > 1:
        axes.legend()
    _logarithmic_if_wide(axes, np.concatenate([values for _, values in drawn.values()]))
    words = key.replace("_", " ")
    axes.set(xlabel="epoch", ylabel=words)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y", alpha=0.2, linewidth=0.6, color="#808080")
    caption = "; ".join(_summary(name, values) for name, (_, values) in drawn.items()).capitalize() + "."
    return finish(picture, "curve-" + re.sub(r"[^\w-]", "-", key), words[0].upper() + words[1:], caption)


def _logarithmic_if_wide(axes: Any, values: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if values.min() <= 0 or values.max() <= 10 * values.min():
        return
    axes.set_yscale("log")
    decades = np.log10(values.max() / values.min())
    # Over few decades the powers of ten alone would leave the axis with a number or two.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,), numticks=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _summary(name: str, values: np.ndarray) -> str:
    text = f"{name} {values[-1]:.4g} at the end"
    return text + (f" (from {values.min():.4g} to {values.max():.4g} over the run)" if len(values) > 1 else "")
