"""Zero-sum matrix games: pure saddle points, and the value and mixed strategies of both players by linear programming.

    U (rows, columns)    what the row player gets and the column player pays
    maximin  max_i min_j U_ij   what the row player is sure of;   minimax  min_j max_i U_ij, all the column player pays
    saddle   (i, j)  with U_ij the least of its row and the largest of its column; there maximin = minimax = U_ij
    row      max v   with  sum_i p_i U_ij >= v for every column j,  p a distribution
    column   min w   with  sum_j U_ij q_j <= w for every row i,     q a distribution; the dual program, so that w = v

Maximin is never above the value, and minimax never below; without a saddle both bounds are strict, and whoever's
choice is known beforehand loses by it. Where several mixed strategies are optimal the program returns one of them.

Source: von Neumann (1928), "Zur Theorie der Gesellschaftsspiele", Mathematische Annalen 100; Dantzig (1951), "A proof
of the equivalence of the programming problem and the game problem".

Example:
    >>> from maquette.methods.games.matrix_game import MatrixGame
    >>> MatrixGame([[8, -6, 4], [-10, 2, 12], [7, 6, 9]]).saddles
    [(2, 1)]
    >>> pennies = MatrixGame([[1, -1], [-1, 1]])
    >>> pennies.saddles, pennies.maximin.value, pennies.minimax.value
    ([], -1.0, 1.0)
    >>> [round(float(p), 6) for p in pennies.solution.row], abs(round(pennies.solution.value, 6))
    ([0.5, 0.5], 0.0)
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog

from maquette.methods.signal.signals import numbers


class Choice(NamedTuple):
    """A pure strategy, the first of the best, and what it guarantees."""

    strategy: int
    value: float


@dataclass(frozen=True, eq=False)
class Solution:
    """Mixed strategies of both players.

    Attributes:
        value: what the row player gets on average.
        row, column: p (rows,) and q (columns,).
        gap: what the row player could gain by leaving p plus what the column player could by leaving q; 0 at the
            optimum, by the duality of the two programs.
    """

    value: float
    row: np.ndarray
    column: np.ndarray
    gap: float


class MatrixGame:
    """The game in which the row player gets `payoffs` (rows, columns) from the column player.

    Raises:
        InputError: for an array that is no matrix of finite numbers.
    """

    def __init__(self, payoffs: Any) -> None:
        self.payoffs = numbers(payoffs, "payoffs", 2).astype(float)

    @property
    def maximin(self) -> Choice:
        """The row whose least entry is largest."""
        least = self.payoffs.min(axis=1)
        return Choice(int(least.argmax()), float(least.max()))

    @property
    def minimax(self) -> Choice:
        """The column whose largest entry is least."""
        most = self.payoffs.max(axis=0)
        return Choice(int(most.argmin()), float(most.min()))

    @property
    def saddles(self) -> list[tuple[int, int]]:
        """Every (row, column) that neither player gains by leaving alone."""
        u = self.payoffs
        found = (u == u.min(axis=1, keepdims=True)) & (u == u.max(axis=0, keepdims=True))
        return [(int(i), int(j)) for i, j in np.argwhere(found)]

    @cached_property
    def solution(self) -> Solution:
        """Optimal mixed strategies; each player's program is solved for itself."""
        row, column = _secured(self.payoffs), _secured(-self.payoffs.T)
        by_row, by_column = self.against(column=column), self.against(row=row)
        value = float(np.einsum("i,ij,j->", row, self.payoffs, column))
        return Solution(value, row, column, float(by_row.max() - by_column.min()))

    def against(self, row: Any = None, column: Any = None) -> np.ndarray:
        """The mean pay-off of every pure strategy: of the columns against `row`, or of the rows against `column`."""
        if row is not None:
            return np.einsum("i,ij->j", numbers(row, "row", 1), self.payoffs)
        return np.einsum("ij,j->i", self.payoffs, numbers(column, "column", 1))


def _secured(payoffs: np.ndarray) -> np.ndarray:
    """The row player's distribution (rows,) with the largest sure pay-off: variables p and v, minimise -v."""
    rows, columns = payoffs.shape
    scale = max(1.0, float(np.abs(payoffs).max()))  # the program's tolerances are absolute
    found = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-payoffs.T / scale, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=[[*np.ones(rows), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
        method="highs",
    )
    p: np.ndarray = np.clip(found.x[:rows], 0, None)
    return p / p.sum()


METHOD = MatrixGame
