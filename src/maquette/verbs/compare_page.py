"""The page that lays several models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maquette.tasks.figure import BLUE, GREY, WIDTH, Figure, canvas, finish, label
from maquette.verbs import page


def compare_page(rows: Sequence[Mapping[str, Any]], title: str, folder: str | Path) -> Path:
    """Write compare.html into `folder` and return its path.

    Args:
        rows: one per model, best first: {"model", "metrics": {name: {"value", "low", "high"}}, "seconds",
            "parameters", "seeds"}, with "headline" the metric that the order follows; without it, the first one.
        title: of the page, such as the task and the data.
        folder: where to write.
    """
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    first = rows[0].get("headline", "") if rows else ""
    metrics.sort(key=lambda name: name != first)
    figures = [page.drawing(intervals(rows, name)) for name in metrics if _values(rows, name)]
    values = {"title": title, "rows": rows, "metrics": metrics, "figures": figures, "headline": metrics[:1]}
    return page.write(Path(folder) / "compare.html", "compare.html", **values)


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[tuple[int, Mapping[str, float]]]:
    """Row number and measure of the models that have the metric."""
    found = [(i, row["metrics"].get(name, {})) for i, row in enumerate(rows)]
    return [(i, measure) for i, measure in found if measure.get("value") is not None]


def intervals(rows: Sequence[Mapping[str, Any]], name: str) -> Figure:
    """A dot for each model's value of one metric, on the line of its interval."""
    picture, axes = canvas(WIDTH, 0.9 + 0.32 * len(rows))
    for i, measure in _values(rows, name):
        if measure.get("low") is not None and measure.get("high") is not None:
            axes.plot([measure["low"], measure["high"]], [i, i], color=BLUE, linewidth=2, alpha=0.55)
        axes.plot(measure["value"], i, "o", color=BLUE, markersize=6)
    axes.set_yticks(range(len(rows)), [label(row["model"], 24) for row in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=page.words(name))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.25, linewidth=0.6, color=GREY)
    axes.spines["left"].set_visible(False)
    words = page.words(name)
    caption = "Dot: the value. Line: its 95 % interval, where one can be given."
    return finish(picture, f"compare-{name}", words[0].upper() + words[1:], caption)
