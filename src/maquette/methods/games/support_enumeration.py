"""Mixed equilibria of two players, by trying every pair of supports of equal size.

    A, B (rows, columns)   the pay-offs of the row and the column player
    supports I, J          q on J makes all rows of I pay alike,  p on I makes all columns of J pay alike
    equilibrium            p, q >= 0, and no row outside I nor column outside J pays more

Exact for games that are not degenerate, in which no mixed strategy has more best responses than strategies in its
support: there all equilibria, an odd number, are found. Of a degenerate game's continua it finds some ends. The number
of pairs grows like 4^n: up to some ten strategies each.

Source: Dickhaut, Kaplan (1991), "A program for finding Nash equilibria"; von Stengel (2007), "Equilibrium computation
for two-player games in strategic and extensive form", algorithm 3.4.

Example:
    >>> from maquette.methods.games.support_enumeration import support_enumeration
    >>> sexes = support_enumeration([[3, 0], [0, 2]], [[2, 0], [0, 3]])
    >>> [([round(float(s), 6) for s in p], [round(float(s), 6) for s in q]) for p, q in sexes]
    [([1.0, 0.0], [1.0, 0.0]), ([0.0, 1.0], [0.0, 1.0]), ([0.6, 0.4], [0.4, 0.6])]
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import numbers

TOLERANCE = 1e-9  # of pay-offs, as a share of the largest, and of probabilities


def support_enumeration(row: Any, column: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """All equilibria (p, q) of the game with pay-offs `row` and `column`, both (rows, columns), pure ones first.

    Raises:
        InputError: for arrays that are no two matrices of one shape.
    """
    a, b = numbers(row, "row", 2).astype(float), numbers(column, "column", 2).astype(float)
    if a.shape != b.shape:
        raise InputError(f"row has the shape {a.shape}, column {b.shape}: give two of one shape")
    found = []
    for size in range(1, min(a.shape) + 1):
        for rows in combinations(range(a.shape[0]), size):
            for columns in combinations(range(a.shape[1]), size):
                q, p = _indifferent(a, rows, columns), _indifferent(b.T, columns, rows)
                if p is not None and q is not None and _best(a, rows, q) and _best(b.T, columns, p):
                    found.append((p, q))
    return found


def _indifferent(payoffs: np.ndarray, own: Sequence[int], other: Sequence[int]) -> np.ndarray | None:
    """The distribution on the strategies `other` that makes those of `own` pay alike, or None without a single one."""
    size = len(own)
    block = payoffs[np.ix_(own, other)] / max(1.0, float(np.abs(payoffs).max()))
    equations = np.block([[block, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
    try:
        solved = np.linalg.solve(equations, np.append(np.zeros(size), 1.0))[:size]
    except np.linalg.LinAlgError:
        return None
    if not (solved > -TOLERANCE).all():
        return None
    mixed = np.zeros(payoffs.shape[1])
    mixed[list(other)] = solved.clip(0)
    return mixed


def _best(payoffs: np.ndarray, own: Sequence[int], mixed: np.ndarray) -> bool:
    """Whether no strategy pays more against `mixed` than those of `own`."""
    paid = np.einsum("ij,j->i", payoffs, mixed)
    return bool(paid.max() <= paid[list(own)].min() + TOLERANCE * max(1.0, float(np.abs(payoffs).max())))


METHOD = support_enumeration
