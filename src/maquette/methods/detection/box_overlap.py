"""How far boxes overlap, each with each.

    area     (right - left) (bottom - top)
    iou      |A and B| / |A or B|: 1 for the same box, 0 for any two apart
    giou     iou - (|C| - |A or B|) / |C|, C the smallest box round both: in (-1, 1], and tells how far apart they are

A box is (left, top, right, bottom) in any unit, as real numbers: a box from pixel 3 up to and with pixel 5 ends at 6.

Source: Everingham et al. (2010), "The Pascal visual object classes challenge", section 4.2 (overlap, there in whole
pixels); Rezatofighi et al. (2019), "Generalized intersection over union", equation 1 and algorithm 1.

Example:
    >>> from maquette.methods.detection.box_overlap import generalized_iou, iou
    >>> iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [4, 0, 6, 2]]).round(4).tolist()
    [[0.3333, 0.0]]
    >>> generalized_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [4, 0, 6, 2]]).round(4).tolist()
    [[0.3333, -0.3333]]
"""

from typing import Any

import numpy as np

from maquette.errors import InputError


def areas(boxes: Any) -> np.ndarray:
    """Boxes (n, 4) -> (n,); raises InputError for a box that ends before it begins, and for numbers that are none."""
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    size = boxes[:, 2:] - boxes[:, :2]
    if not np.all(size >= 0):
        wrong = int(np.argmin((size >= 0).all(axis=1)))
        raise InputError(f"box {wrong} {boxes[wrong].tolist()}: give left, top, right, bottom, right and bottom last")
    return size.prod(axis=1)


def iou(a: Any, b: Any) -> np.ndarray:
    """Boxes (n, 4) and (m, 4) -> (n, m); 0 for two empty ones."""
    shared, either, _ = _parts(a, b)
    return np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)


def generalized_iou(a: Any, b: Any) -> np.ndarray:
    """Boxes (n, 4) and (m, 4) -> (n, m)."""
    _, either, around = _parts(a, b)
    gap = np.divide(around - either, around, out=np.zeros_like(around), where=around > 0)
    return iou(a, b) - gap


def _parts(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas of intersection, union and smallest box round both: (n, m) each."""
    first, second = areas(a), areas(b)
    a, b = (np.asarray(boxes, float).reshape(-1, 4) for boxes in (a, b))
    low, high = a[:, None, :2], a[:, None, 2:]
    shared = (np.minimum(high, b[:, 2:]) - np.maximum(low, b[:, :2])).clip(0).prod(axis=-1)
    around = (np.maximum(high, b[:, 2:]) - np.minimum(low, b[:, :2])).prod(axis=-1)
    return shared, first[:, None] + second - shared, around
