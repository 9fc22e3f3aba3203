"""Saddle points of a continuous zero-sum game: stationary points, and what their Hessian says.

    U(x, y)            x is chosen to make it small, y to make it large
    stationary         dU/dx = 0 and dU/dy = 0, by Newton's method from many starts
    kind               the eigenvalues of the Hessian: all above 0 minimum, all below 0 maximum, of both signs saddle,
                       one of them 0 degenerate: second derivatives cannot tell
    equilibrium        d2U/dx2 > 0 and d2U/dy2 < 0, both definite: neither player gains by a small step alone
    minimax            d2U/dy2 < 0 and d2U/dx2 - d2U/dxdy (d2U/dy2)^-1 d2U/dydx > 0: y answers x

Eigenvalues of both signs are not enough for an equilibrium: x^2 - y^2 has one at 0, y^2 - x^2 does not, and both are
saddles. All is local; for U convex in x and concave in y it holds everywhere, and min max = max min.

Source: Ratliff, Burden, Sastry (2016), "On the characterization of local Nash equilibria in continuous games"; Jin,
Netrapalli, Jordan (2020), "What is local optimality in nonconvex-nonconcave minimax optimization?", section 3.

Example:
    >>> from maquette.methods.games.saddle_points import saddle_points
    >>> (found,) = saddle_points(lambda z: z[0] ** 2 - z[1] ** 2, [[1.0, 0.5]])
    >>> found.kind, found.equilibrium, found.eigenvalues.round(4).tolist()
    ('saddle', True, [-2.0, 2.0])
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, numbers

STEP = 1e-3  # of the differences, for points of about 1: their error is of the order of its square
ZERO = 1e-4  # an eigenvalue below it, as a share of the largest or of 1, is one that differences cannot tell from 0
NEWTON = 60


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A point where no player's slope leads anywhere.

    Attributes:
        place: (x, y) in one array (n,).
        value: U there.
        hessian: (n, n).
        eigenvalues: of the Hessian, ascending (n,).
        kind: "minimum", "maximum", "saddle" or "degenerate".
        equilibrium: whether it is a local equilibrium of the game, strictly.
        minimax: whether x is best against a y that answers it, locally and strictly.
    """

    place: np.ndarray
    value: float
    hessian: np.ndarray
    eigenvalues: np.ndarray
    kind: str
    equilibrium: bool
    minimax: bool


def saddle_points(
    function: Callable[[np.ndarray], float], starts: Any, minimisers: int = 1, apart: float = 1e-4
) -> list[StationaryPoint]:
    """The stationary points that Newton's method reaches from `starts`, each once.

    Args:
        function: z (n,) -> U(z), twice differentiable.
        starts: (k, n).
        minimisers: how many of the coordinates, the first ones, are x.
        apart: points nearer than this are one.

    Raises:
        InputError: if a player is left without a coordinate.
    """
    z = numbers(starts, "starts", 2).astype(float)
    if count(minimisers, "minimisers") >= z.shape[1]:
        raise InputError(f"minimisers {minimisers}: of {z.shape[1]} coordinates one has to be left for y")
    found: list[StationaryPoint] = []
    for start in z:
        place = _newton(function, start)
        if place is not None and all(np.linalg.norm(place - other.place) > apart for other in found):
            found.append(examined(function, place, minimisers))
    return found


def examined(function: Callable[[np.ndarray], float], place: Any, minimisers: int = 1) -> StationaryPoint:
    """What the Hessian at a stationary point (n,) says of it."""
    z = numbers(place, "place", 1).astype(float)
    h = hessian(function, z)
    eigenvalues = np.linalg.eigvalsh(h)
    xx, xy, yy = h[:minimisers, :minimisers], h[:minimisers, minimisers:], h[minimisers:, minimisers:]
    concave = _positive(-yy, h)
    answered = concave and _positive(xx - np.einsum("ij,jk->ik", xy, np.linalg.solve(yy, xy.T)), h)
    return StationaryPoint(
        z, float(function(z)), h, eigenvalues, _kind(eigenvalues), concave and _positive(xx, h), answered
    )


def _kind(eigenvalues: np.ndarray) -> str:
    if (np.abs(eigenvalues) <= ZERO * max(1.0, np.abs(eigenvalues).max())).any():
        return "degenerate"
    if (eigenvalues > 0).all() or (eigenvalues < 0).all():
        return "minimum" if eigenvalues[0] > 0 else "maximum"
    return "saddle"


def _positive(block: np.ndarray, whole: np.ndarray) -> bool:
    """Whether a block of the Hessian is positive definite beyond the error of differences."""
    return bool(np.linalg.eigvalsh(block)[0] > ZERO * max(1.0, np.abs(whole).max()))


def gradient(function: Callable[[np.ndarray], float], z: np.ndarray) -> np.ndarray:
    """dU/dz (n,), by central differences of the fourth order."""
    steps = STEP * np.maximum(1.0, np.abs(z))[:, np.newaxis] * np.eye(len(z))
    near = [(function(z + s) - function(z - s)) * 8 for s in steps]
    far = [function(z + 2 * s) - function(z - 2 * s) for s in steps]
    return (np.array(near) - np.array(far)) / (12 * steps.sum(axis=1))


def hessian(function: Callable[[np.ndarray], float], z: np.ndarray) -> np.ndarray:
    """d2U/dz2 (n, n), by central differences of the gradient."""
    steps = STEP * np.maximum(1.0, np.abs(z))[:, np.newaxis] * np.eye(len(z))
    rows = [(gradient(function, z + s) - gradient(function, z - s)) / (2 * s.sum()) for s in steps]
    return (np.array(rows) + np.array(rows).T) / 2


def _newton(function: Callable[[np.ndarray], float], z: np.ndarray) -> np.ndarray | None:
    """Where the gradient vanishes, from `z`; None if that is not reached."""
    for _ in range(NEWTON):
        slope = gradient(function, z)
        if not np.isfinite(slope).all():
            return None
        if np.linalg.norm(slope) < 1e-11:  # a degenerate point is approached slowly, and is told by a small Hessian
            return z
        step = np.linalg.lstsq(hessian(function, z), slope, rcond=1e-8)[0]
        z = z - step / max(1.0, float(np.linalg.norm(step)))  # steps of at most 1, so that none flies off
    return z if np.linalg.norm(slope) < 1e-7 else None


METHOD = saddle_points
