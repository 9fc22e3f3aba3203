"""The pictures of a regression report."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.tasks.figure import BLUE, INK, ORANGE, WIDTH, Figure, canvas, finish, label, shade
from maquette.tasks.task import Scored

MOST_POINTS = 1000  # that are drawn one by one


def draw(scored: Scored, dataset: Dataset) -> list[Figure]:
    """Predicted against actual, and residuals."""
    truth, prediction = np.asarray(scored.split.y, "float64"), np.asarray(scored.outputs, "float64")
    if not len(truth):
        return []
    name = label(dataset.target or "target", 32)
    return [_against_actual(scored, truth, prediction, name), _residuals(truth, prediction, name)]


def _against_actual(scored: Scored, truth: np.ndarray, prediction: np.ndarray, name: str) -> Figure:
    picture, axes = canvas(WIDTH, 4.4)
    note = _points(axes, truth, prediction)
    ends = [min(truth.min(), prediction.min()), max(truth.max(), prediction.max())]
    axes.plot(ends, ends, color=ORANGE, linewidth=1.4)
    r2, rmse = scored.measures["r2"].value, scored.measures["rmse"].value
    numbers = f"RMSE {_short(rmse)}" + (f", R² {r2:.3f}" if np.isfinite(r2) else "")
    axes.set_title(numbers, fontsize=10, loc="left")
    axes.set(xlabel=f"actual {name}", ylabel=f"predicted {name}")
    _plain_numbers(axes)
    caption = f"{numbers}. On the orange line a prediction is exact. {note}"
    return finish(picture, "predicted", "Predicted against actual", caption)


def _residuals(truth: np.ndarray, prediction: np.ndarray, name: str) -> Figure:
    residual = truth - prediction
    picture, axes = canvas(WIDTH, 4.4)
    note = _points(axes, prediction, residual)
    axes.axhline(0, color=INK, linewidth=0.8)
    caption = f"Mean residual {_short(residual.mean())}, standard deviation {_short(residual.std())}. {note}"
    if len(truth) >= 100:
        groups = np.array_split(np.argsort(prediction, kind="stable"), 10)
        at, mean = (np.array([values[group].mean() for group in groups]) for values in (prediction, residual))
        axes.plot(at, mean, color=ORANGE, linewidth=1.8, marker="o", markersize=4)
        caption += " Orange: the mean residual of each tenth of the predictions; a bend shows what the model misses."
    axes.set(xlabel=f"predicted {name}", ylabel="actual − predicted")
    _plain_numbers(axes)
    return finish(picture, "residuals", "Residuals", caption)


def _points(axes: Any, x: np.ndarray, y: np.ndarray) -> str:
    """Draw points, or hexagons where there are many; returns what the reader has to know about them."""
    if len(x) <= MOST_POINTS:
        axes.scatter(x, y, s=14, color=BLUE, alpha=0.65, linewidths=0)
        return f"{len(x)} items." if len(x) != 1 else "1 item."
    from matplotlib.colors import LogNorm

    bins = axes.hexbin(x, y, gridsize=32, mincnt=1, norm=LogNorm(), cmap=shade(most=0.95), linewidths=0)
    bins.set_clim(0.3, None)  # a single item has to be seen too
    return f"{len(x):,} items; the stronger the colour, the more, up to {int(bins.get_array().max()):,} in a hexagon."


def _plain_numbers(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
        if 1e4 <= np.abs(axis.get_view_interval()).max() < 1e9:
            axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
