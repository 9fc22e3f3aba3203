"""Average precision of found boxes: how many of the surest are right, at every depth of the list.

    right       found boxes of a class, the surest first, take in their picture the true box of the largest IoU that is
                still free; right if there is one with IoU >= threshold, so that a second find of the same is wrong
    p_k, r_k    of the k surest of all pictures the share that is right, and the share of the true boxes that they find
    precision   p(r) = max p_k over r_k >= r, the curve without its teeth; 0 beyond the last r_k
    average     the area under p(r), or its mean over 11 or 101 evenly spaced r from 0 to 1
    mean        over the classes that have true boxes; for COCO's also over the thresholds 0.5, 0.55, ..., 0.95

Equal scores keep their order. A class that is never sought but found lowers nothing.

Source: Everingham et al. (2010), "The Pascal visual object classes challenge", section 4.2, with 11 points; from 2010
on that challenge takes the area. Lin et al. (2014), "Microsoft COCO", with 101 points.

Example:
    >>> from maquette.methods.detection.average_precision import Boxes, average_precision
    >>> truth = [Boxes([[0, 0, 2, 2], [5, 5, 7, 7]], [0, 0])]
    >>> found = [Boxes([[0, 0, 2, 2], [9, 9, 10, 10], [5, 5, 7, 7]], [0, 0, 0], [0.9, 0.8, 0.7])]
    >>> round(average_precision(truth, found).mean, 4)
    0.8333
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError
from maquette.methods.detection.box_overlap import iou

COCO = tuple(np.linspace(0.5, 0.95, 10).round(2))


class Boxes(NamedTuple):
    """The boxes of one picture: (n, 4), their classes (n,), and of found ones how sure they are (n,)."""

    boxes: Any
    classes: Any
    scores: Any = ()


class AveragePrecision(NamedTuple):
    """Shares in [0, 1]: of each class that has true boxes, mean over the thresholds, and their mean; NaN for none."""

    classes: dict[int, float]
    mean: float


def average_precision(
    truth: Sequence[Boxes],
    found: Sequence[Boxes],
    thresholds: float | Sequence[float] = 0.5,
    points: int | None = None,
) -> AveragePrecision:
    """True and found boxes of the same pictures -> average precision; COCO's with thresholds=COCO, points=101.

    Raises:
        InputError: for unequal numbers of pictures, of boxes, classes and scores, and for a score that is no number.
    """
    if len(truth) != len(found):
        raise InputError(f"found: {len(found)} pictures for {len(truth)} true ones; give an empty Boxes where none is")
    true, taken = ([_checked(*one) for one in parts] for parts in (truth, found))
    for i, one in enumerate(taken):
        if len(one.scores) != len(one.boxes) or not np.all(np.isfinite(one.scores)):
            raise InputError(f"found, picture {i}: {len(one.boxes)} boxes, {len(one.scores)} scores; give one for each")
    values = {}
    for kind in sorted({int(c) for one in true for c in one.classes}):
        sought, lists = [_of(one, kind) for one in true], [_of(one, kind) for one in taken]
        overlaps = [iou(b.boxes, a.boxes) for a, b in zip(sought, lists, strict=True)]
        scores = np.concatenate([one.scores for one in lists])
        order, total = np.argsort(-scores, kind="stable"), sum(len(one.boxes) for one in sought)
        each = []
        for threshold in np.atleast_1d(thresholds):
            marks = [_right(o, one.scores, threshold) for o, one in zip(overlaps, lists, strict=True)]
            each.append(_average(np.concatenate(marks)[order], total, points))
        values[kind] = float(np.mean(each))
    return AveragePrecision(values, float(np.mean(list(values.values()))) if values else float("nan"))


def _checked(boxes: Any, classes: Any, scores: Any = ()) -> Boxes:
    boxes, classes, scores = (
        np.asarray(boxes, float).reshape(-1, 4),
        np.asarray(classes, int),
        np.asarray(scores, float),
    )
    if len(boxes) != len(classes):
        raise InputError(f"{len(boxes)} boxes, {len(classes)} classes: give one for each")
    return Boxes(boxes, classes, scores)


def _of(one: Boxes, kind: int) -> Boxes:
    own = one.classes == kind
    return Boxes(one.boxes[own], one.classes[own], one.scores[own] if len(one.scores) else one.scores)


def _right(overlap: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Which of the found boxes are right: overlap (found, true), scores (found,) -> booleans (found,)."""
    right, free = np.zeros(len(overlap), bool), np.ones(overlap.shape[1], bool)
    for i in np.argsort(-scores, kind="stable") if free.size else ():
        best = int(np.where(free, overlap[i], -1).argmax())
        if free[best] and overlap[i, best] >= threshold:
            right[i], free[best] = True, False
    return right


def _average(right: np.ndarray, total: int, points: int | None) -> float:
    """Of marks in the order of the list, and the number of true boxes."""
    hits = np.cumsum(right)
    recall, precision = hits / total, hits / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    if points is None:
        return float(np.sum(np.diff(recall, prepend=0) * precision))
    at = np.searchsorted(recall, np.linspace(0, 1, points) - 1e-12)
    return float(np.mean(np.append(precision, 0.0)[at]))
