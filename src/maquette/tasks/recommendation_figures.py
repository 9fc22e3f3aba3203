"""The pictures of a recommender's report."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.tasks.figure import BLUE, GREY, INK, ORANGE, WIDTH, Figure, canvas, finish
from maquette.tasks.task import Scored

GROUPS = 8  # of the ratings, by how many their user or item has


def draw(scored: Scored, dataset: Dataset) -> list[Figure]:
    """Residuals by rating; on held-out ratings the error beside means and by number of ratings, and popularity."""
    if not len(scored.outputs):
        return []
    encoder, lists = getattr(scored, "encoder", None), getattr(scored, "lists", None)
    figures = [_residuals(scored)] if scored.measures.get("rmse") else []
    if "beside means" in scored.tables:
        figures = [_beside_means(scored), *figures, _by_count(scored, encoder)]
    return figures if lists is None else [*figures, _popularity(lists, encoder)]


def _beside_means(scored: Scored) -> Figure:
    rows = scored.tables["beside means"][::-1]
    picture, axes = canvas(WIDTH, 0.4 * len(rows) + 0.8)
    value = np.array([row["rmse"] for row in rows])
    ends = np.abs([[row["rmse_low"], row["rmse_high"]] for row in rows] - value[:, np.newaxis]).T
    colours = [ORANGE if row["rating"] == "the model" else GREY for row in rows]
    axes.barh([row["rating"] for row in rows], value, color=colours, alpha=0.8, height=0.6, xerr=np.nan_to_num(ends))
    axes.set(xlabel="RMSE", xlim=(0.9 * value.min(), None))
    caption = (
        "Root mean square error of the model and of predicting means, with 95 % intervals; the axis starts above 0."
    )
    return finish(picture, "beside-means", "The error beside that of means", caption)


def _residuals(scored: Scored) -> Figure:
    truth = np.asarray(scored.split.y, "float64")
    residual = truth - scored.outputs
    levels = np.unique(truth)
    groups = [truth == level for level in levels]
    if len(levels) > 10:
        parts = np.array_split(np.argsort(truth, kind="stable"), GROUPS)
        groups, levels = [np.isin(np.arange(len(truth)), p) for p in parts], np.array([truth[p].mean() for p in parts])
    picture, axes = canvas(WIDTH, 3.2)
    positions = np.arange(len(levels))
    boxes = axes.boxplot([residual[g] for g in groups], positions=positions, widths=0.6, showfliers=False)
    for line in (*boxes["medians"], *boxes["boxes"]):
        line.set_color(BLUE)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(positions, [f"{level:.3g}\n{int(g.sum()):,}" for level, g in zip(levels, groups)])
    axes.set(xlabel="actual rating, and how many", ylabel="actual − predicted")
    caption = (
        "Residuals by rating: a box holds half of them. Extreme ratings are drawn to the middle, as they have to be."
    )
    return finish(picture, "residuals", "Residuals by rating", caption)


def _by_count(scored: Scored, encoder: Any) -> Figure:
    square = np.square(np.asarray(scored.split.y, "float64") - scored.outputs)
    pairs = encoder.transform(scored.split.x).astype(int)
    picture, axes = canvas(WIDTH, 3.2)
    for column, (name, colour) in enumerate((("of the user", BLUE), ("of the item", ORANGE))):
        counts = np.bincount(encoder.rated[:, column], minlength=pairs[:, column].max() + 1)
        counts[0] = 0  # one not seen
        mine = counts[pairs[:, column]]
        parts = np.array_split(np.argsort(mine, kind="stable"), min(GROUPS, len(mine)))
        at = [max(float(np.median(mine[part])), 0.5) for part in parts]
        axes.plot(at, [np.sqrt(square[part].mean()) for part in parts], "o-", color=colour, markersize=4, label=name)
    axes.set(xscale="log", xlabel="number of training ratings", ylabel="RMSE")
    axes.legend()
    caption = "The error by how many training ratings the user or the item of a pair has, in groups of equal size."
    return finish(picture, "error-by-count", "Error against number of ratings", caption)


def _popularity(lists: np.ndarray, encoder: Any) -> Figure:
    items = len(encoder.items) + 1
    rated = np.sort(np.bincount(encoder.rated[:, 1], minlength=items)[1:])[::-1]
    offered = np.sort(np.bincount(lists[lists > 0], minlength=items)[1:])[::-1]
    share = np.arange(1, items) / (items - 1)
    picture, axes = canvas(WIDTH, 3.2)
    for counts, colour, name in ((rated, GREY, "ratings"), (offered, ORANGE, "recommendations")):
        axes.plot(share, np.cumsum(counts) / max(counts.sum(), 1), color=colour, linewidth=1.6, label=name)
    axes.set(xlabel="share of the items, most frequent first", ylabel="share of all", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()
    tenth = max(1, items // 10)
    first = np.bincount(lists[lists > 0], minlength=items)[1:][
        np.argsort(-np.bincount(encoder.rated[:, 1], minlength=items)[1:])
    ]
    caption = (
        f"How few items make up the ratings and the recommended lists. Of what is recommended, "
        f"{100 * first[:tenth].sum() / max(first.sum(), 1):.0f} % is among the tenth of the items rated most."
    )
    return finish(picture, "popularity", "Popularity", caption)
