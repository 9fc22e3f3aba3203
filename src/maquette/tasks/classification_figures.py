"""The pictures of a classification report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.tasks.figure import BLUE, GREY, WIDTH, Figure, canvas, finish, label, pictures, pictures_height, shade
from maquette.tasks.intervals import wilson
from maquette.tasks.task import Scored

MOST_CLASSES = 30  # that a confusion matrix shows one by one
BINS = 15
GALLERY, COLUMNS = 20, 5


def draw(scored: Scored, dataset: Dataset) -> list[Figure]:
    """Confusion matrix and reliability diagram, and for pictures the wrongest and the first answers."""
    if not len(scored.outputs):
        return []
    truth, answer = np.asarray(scored.split.y), scored.outputs.argmax(axis=1)
    counts = confusion(truth, answer, len(dataset.classes))
    many = len(dataset.classes) > MOST_CLASSES
    figures = [confused_pairs(counts, dataset.classes) if many else confusion_matrix(counts, dataset.classes)]
    error = scored.measures["calibration_error"].value
    figures.append(reliability(scored.outputs.max(axis=1), answer == truth, error))
    if np.asarray(scored.split.x).ndim == 4:
        figures += [wrongest(scored, dataset.classes), first_answers(scored, dataset.classes)]
    return figures


def confusion(truth: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """Items of each true class (rows) by the class answered (columns): (classes, classes)."""
    return np.bincount(truth * classes + answer, minlength=classes * classes).reshape(classes, classes)


def shaded_counts(counts: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> tuple[Any, Any]:
    """A canvas with a table of counts, each cell shaded by its share of the row; zeros are left empty."""
    side = max(len(rows), len(columns))
    longest = max(len(label(name)) for name in (*rows, *columns))
    room = 0.5 + 0.075 * longest  # inches for the names
    width = max(WIDTH, room + 0.29 * side)
    across = (width - room) / len(columns)  # inches for a column
    cell = min(0.6, across)
    picture, axes = canvas(width, room + cell * len(rows))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=shade(), vmin=0, vmax=1, interpolation="none", aspect="auto")
    size = float(np.clip(cell * 22, 6.5, 10))
    for row, column in np.argwhere(counts):
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=size)
    names = [label(name) for name in columns]
    turn = {"rotation": 90} if across * 72 < size * 0.65 * max(map(len, names)) else {}
    axes.set_xticks(range(len(columns)), names, fontsize=max(size, 8), **turn)
    axes.set_yticks(range(len(rows)), [label(name) for name in rows], fontsize=max(size, 8))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return picture, axes


def confusion_matrix(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Counts of true class against answered class, shaded by the share of the true class."""
    picture, axes = shaded_counts(counts, classes, classes)
    axes.set(xlabel="answered class", ylabel="true class")
    right, total = int(np.trace(counts)), int(counts.sum())
    caption = (
        f"{right} of {total} items lie on the diagonal, where the answer is right. Shade: share of the true class."
    )
    return finish(picture, "confusion", "Confusion matrix", caption)


def confused_pairs(counts: np.ndarray, classes: Sequence[str], most: int = 20) -> Figure:
    """The pairs of true and answered class that are mistaken most often, as bars."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [(i, j) for i, j in zip(*np.unravel_index(order, wrong.shape)) if wrong[i, j]]
    picture, axes = canvas(WIDTH, 0.5 + 0.26 * max(len(pairs), 2))
    values = [int(wrong[pair]) for pair in pairs]
    bars = axes.barh(range(len(pairs)), values, color=BLUE, height=0.7)
    axes.bar_label(bars, padding=3, fontsize=9)
    names = [f"{label(classes[i])} → {label(classes[j])}" for i, j in pairs]
    axes.set_yticks(range(len(pairs)), names, fontsize=9)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.1, y=0.02)
    axes.invert_yaxis()
    caption = f"True class → answered class, and how often; {int(wrong.sum())} of {int(counts.sum())} items are wrong."
    if not pairs:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no item was answered wrong", ha="center", va="center", transform=axes.transAxes)
    return finish(picture, "confusion", "Most confused pairs", caption)


def reliability(confidence: np.ndarray, correct: np.ndarray, error: float) -> Figure:
    """Accuracy against confidence in bins of equal width, over a histogram of the confidence.

    Source: Guo et al. (2017), "On calibration of modern neural networks", figure 1.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    items = np.bincount(place, minlength=BINS)
    right = np.bincount(place, weights=correct, minlength=BINS).astype(int)
    used = np.flatnonzero(items)
    mean = np.bincount(place, weights=confidence, minlength=BINS)[used] / items[used]
    shares = [wilson(int(right[b]), int(items[b])) for b in used]
    value = np.array([share.value for share in shares])
    ends = np.array([[s.value - s.low, s.high - s.value] for s in shares]).clip(0).T
    picture, (upper, lower) = canvas(WIDTH, 4.2, nrows=2, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    upper.errorbar(mean, value, ends, fmt="o", color=BLUE, markersize=5, elinewidth=1.2, clip_on=False)
    upper.set(xlim=(0, 1), ylim=(0, 1.03), ylabel="share answered right")
    lower.bar((np.arange(BINS) + 0.5) / BINS, items / len(confidence), width=0.9 / BINS, color=GREY)
    lower.set(xlabel="probability of the answer", ylabel="share of items")
    caption = (
        f"Expected calibration error {error:.4f} over {BINS} bins, with 95 % intervals. Below the dashed line the "
        "model is surer than it is right, above it less sure."
    )
    return finish(picture, "reliability", "Reliability", caption)


def wrongest(scored: Scored, classes: Sequence[str]) -> Figure:
    """The pictures answered wrong with the greatest loss; where none is wrong, the least sure right ones."""
    truth, answer = np.asarray(scored.split.y), scored.outputs.argmax(axis=1)
    chance = scored.outputs[np.arange(len(truth)), truth]
    order = np.argsort(chance, kind="stable")
    wrong = order[(answer != truth)[order]]
    shown = (wrong if len(wrong) else order)[:GALLERY]
    what = "true class, then answer and its probability."
    caption = "No picture was answered wrong; these are right with the least probability."
    if len(wrong):
        some = f"{len(shown)} of the" if len(shown) < len(wrong) else "All"
        caption = f"{some} {len(wrong)} wrong answers, the greatest loss first: {what}"
    title = "Wrongest answers" if len(wrong) else "Least sure answers"
    return _gallery(scored, classes, shown, "wrongest", title, caption)


def first_answers(scored: Scored, classes: Sequence[str]) -> Figure:
    """The first pictures of the split with their answers, right or wrong."""
    shown = np.arange(min(2 * COLUMNS, len(scored.outputs)))
    caption = "The first pictures of the split, not chosen: true class, then answer and its probability."
    return _gallery(scored, classes, shown, "first-answers", "First answers", caption)


def _gallery(scored: Scored, classes: Sequence[str], shown: np.ndarray, name: str, title: str, caption: str) -> Figure:
    x, short = np.asarray(scored.split.x)[shown], max(map(len, classes)) <= 4
    texts = []
    for truth, p in zip(np.asarray(scored.split.y)[shown], scored.outputs[shown]):
        k = int(p.argmax())
        sign, space = "✓" if k == truth else "→", " " if short else "\n"
        texts.append(f"{label(classes[truth], 12)}\n{sign} {label(classes[k], 11)}{space}{100 * p[k]:.0f} %")
    lines = 2 if short else 3
    picture, axes = canvas(WIDTH, pictures_height(x, COLUMNS, lines))
    pictures(axes, x, COLUMNS, texts, lines)
    return finish(picture, name, title, caption)
