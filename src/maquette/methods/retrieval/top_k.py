"""Top-k search: the k rows with the largest weighted sum over a few columns, without looking at every row.

    score(d) = sum over t of  q_t W[d, t],    W sparse, by columns

Columns are added in the order of the most they can give, q_t max_d W[d, t]. Once the k-th best sum so far exceeds all
that the columns left can give together, no row outside those seen can enter; the rest, usually the longest columns, is
then looked up for the rows that can still be among the best. The answer is exact: it equals sorting all the sums. With
negative weights every column is added in full. Equal scores stand in the order of the rows.

Source: Turtle, Flood (1995), "Query evaluation: strategies and optimizations", the max-score strategy.

Example:
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from maquette.methods.retrieval.top_k import TopK
    >>> weights = sparse.csc_array([[1.0, 0.5], [0.0, 0.5], [3.0, 0.0], [0.0, 0.0]])
    >>> rows, scores = TopK(weights)(np.array([0, 1]), np.array([1.0, 1.0]), 2)
    >>> rows.tolist(), scores.tolist()
    ([2, 0], [3.0, 1.5])
"""

from typing import Any

import numpy as np

from maquette.methods.signal.signals import count

_SPARE = 1e-9  # relative room for the rounding of sums, where sums decide what need not be looked at


class TopK:
    """Searches the weights W: CSC, (rows, columns)."""

    def __init__(self, weights: Any):
        self.weights = weights
        filled = np.diff(weights.indptr) > 0
        self.most = np.zeros(weights.shape[1])
        if filled.any():
            self.most[filled] = np.maximum.reduceat(weights.data, weights.indptr[:-1][filled])
        self.positive = weights.data.min(initial=0) >= 0

    def __call__(
        self, columns: np.ndarray, values: np.ndarray, top: int, sums: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the `top` largest scores and these scores, the largest first; rows of empty cells never.

        Args:
            columns: t, (n,), each once.
            values: q_t, (n,).
            top: k, at least 1; fewer are returned where fewer rows have a cell in one of the columns.
            sums: zeros (rows,) to work in, which are zeros again afterwards; made if None.
        """
        count(top, "top")
        gains = values * self.most[columns]
        order = np.argsort(-gains, kind="stable")
        left = np.cumsum(gains[order][::-1])[::-1]  # what this column and all after it can give
        sums = np.zeros(self.weights.shape[0]) if sums is None else sums
        seen: list[np.ndarray] = []
        total, rest = 0, len(order)
        for i, place in enumerate(order):
            rows, cells = self._column(columns[place])
            if self._enough(sums, seen, len(rows) > total, top, left[i], values):
                rest = i
                break
            sums[rows] += values[place] * cells
            seen.append(rows)
            total += len(rows)
        found = union(seen, len(sums))
        scores = sums[found]
        sums[found] = 0
        if rest < len(order):
            found, scores = self._look_up(found, scores, columns[order[rest:]], values[order[rest:]], left[rest], top)
        return best(found, scores, top)

    def _column(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(*self.weights.indptr[number : number + 2])
        return self.weights.indices[part], self.weights.data[part]

    def _enough(
        self, sums: np.ndarray, seen: list[np.ndarray], worth: bool, top: int, left: float, values: np.ndarray
    ) -> bool:
        # Asked only where the next column is longer than all before, so that asking costs less than adding it.
        if not (worth and seen and self.positive and values.min() >= 0):
            return False
        longest = max(seen, key=len)  # a lower bound for the k-th best, without a union
        if len(longest) < top:
            return False
        return bool(_kth(sums[longest], top) > left * (1 + _SPARE))

    def _look_up(
        self, rows: np.ndarray, scores: np.ndarray, columns: np.ndarray, values: np.ndarray, left: float, top: int
    ) -> tuple[np.ndarray, np.ndarray]:
        able = scores + left * (1 + _SPARE) >= _kth(scores, top) * (1 - _SPARE)
        rows, scores = rows[able], scores[able]
        for number, value in zip(columns, values, strict=True):
            held, cells = self._column(number)
            if not len(held):
                continue
            place = np.minimum(np.searchsorted(held, rows), len(held) - 1)
            scores += np.where(held[place] == rows, value * cells[place], 0.0)
        return rows, scores


def _kth(scores: np.ndarray, k: int) -> float:
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def union(lists: list[np.ndarray], rows: int) -> np.ndarray:
    """Sorted lists of row numbers -> all that are in one of them, sorted."""
    if len(lists) <= 1:
        return lists[0] if lists else np.zeros(0, np.int64)
    if sum(map(len, lists)) * 64 < rows:
        return np.unique(np.concatenate(lists))
    marked = np.zeros(rows, bool)
    for one in lists:
        marked[one] = True
    return np.flatnonzero(marked)


def best(rows: np.ndarray, scores: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The `top` largest of `scores`, with their rows: the largest first, of equal ones the earlier row."""
    if len(rows) > top:
        kept = scores >= _kth(scores, top)
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:top]
    return rows[order], scores[order]


METHOD = TopK
