"""How far a picture's found classes, pixel by pixel, agree with the true ones.

    N_ij            pixels of class i that are taken for class j, summed over all pictures, not averaged by picture
    accuracy        sum_i N_ii / sum_ij N_ij; high as soon as the largest class, mostly the ground, is found
    recall_i        N_ii / sum_j N_ij
    iou_i           N_ii / (sum_j N_ij + sum_j N_ji - N_ii), intersection over union, also the Jaccard index
    dice_i          2 N_ii / (sum_j N_ij + sum_j N_ji), also F1 of the pixels; = 2 iou_i / (1 + iou_i)
    mean_iou, ...   means over the classes that occur in the truth or in what was found; others are NaN
    weighted_iou    sum_i share_i iou_i, with the share of class i in the true pixels

Small regions weigh as much as large ones in the means over classes, and next to nothing in the accuracy.

Source: Long, Shelhamer, Darrell (2015), "Fully convolutional networks for semantic segmentation", section 5 (accuracy,
mean accuracy, mean and weighted IoU); Dice (1945), "Measures of the amount of ecologic association between species".

Example:
    >>> from maquette.methods.detection.region_overlap import confusion, region_overlap
    >>> found = region_overlap(confusion([[0, 0, 1, 1]], [[0, 1, 1, 1]], classes=2))
    >>> found.accuracy, found.iou.round(4).tolist(), found.dice.round(4).tolist()
    (0.75, [0.5, 0.6667], [0.6667, 0.8])
"""

from typing import Any, NamedTuple

import numpy as np

from maquette.errors import InputError


class RegionOverlap(NamedTuple):
    """Shares in [0, 1]; arrays are (classes,), NaN for a class that occurs nowhere."""

    accuracy: float
    recall: np.ndarray
    iou: np.ndarray
    dice: np.ndarray
    mean_recall: float
    mean_iou: float
    mean_dice: float
    weighted_iou: float


def confusion(truth: Any, found: Any, classes: int, ignore: int | None = None) -> np.ndarray:
    """True and found class of each pixel, integers of any equal shape -> N: (classes, classes), int64.

    Add the matrices of several pictures. Pixels whose true class is `ignore` do not count.

    Raises:
        InputError: for unequal shapes, and for a class outside of 0 to classes - 1.
    """
    truth, found = np.asarray(truth), np.asarray(found)
    if truth.shape != found.shape:
        raise InputError(f"found: shape {found.shape} for a truth of {truth.shape}; give a class for each pixel")
    kept = np.ones(truth.shape, bool) if ignore is None else truth != ignore
    for name, part in (("truth", truth[kept]), ("found", found[kept])):
        if not np.issubdtype(part.dtype, np.integer):
            raise InputError(f"{name}: classes are integers, not {part.dtype}")
        if part.size and not (part.min() >= 0 and part.max() < classes):
            raise InputError(f"{name}: class {part.min() if part.min() < 0 else part.max()} of {classes}, from 0")
    pairs = truth[kept].astype(np.int64) * classes + found[kept].astype(np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def region_overlap(counts: Any) -> RegionOverlap:
    """N (classes, classes) -> the measures; raises InputError if no pixel counts."""
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.sum():
        raise InputError(f"counts: {counts.shape}, sum {counts.sum()}; give the confusion matrix of at least one pixel")
    both, true, taken = np.diag(counts).astype(float), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        recall, iou, dice = both / true, both / (true + taken - both), 2 * both / (true + taken)
    means = [float(np.nanmean(values)) for values in (recall, iou, dice)]
    accuracy, weighted = both.sum() / counts.sum(), np.nansum(true / counts.sum() * iou)
    return RegionOverlap(float(accuracy), recall, iou, dice, means[0], means[1], means[2], float(weighted))
