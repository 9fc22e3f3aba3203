"""Multidimensional scaling: places from distances alone.

    given       D (n, n), dissimilarities d_ij;  wanted  z_i (n, dim) with |z_i - z_j| near d_ij
    classical   B = -1/2 J D^2 J, J = I - 1 1'/n;  Z = V sqrt(Lambda) of its largest eigenvalues
    metric      least stress = sum over i < j of (d_ij - |z_i - z_j|)^2, by SMACOF:
                Z <- B(Z) Z / n,  B_ij = -d_ij / |z_i - z_j|, B_ii = -sum of the others in the row; stress never rises
    ordinal     d_ij replaced by the rising function of it that fits |z_i - z_j| best, of fixed size: only the order of
                the dissimilarities is kept

Distances of points in dim dimensions are reproduced exactly, and the classical solution is then their principal
components. With other dissimilarities B has eigenvalues below 0, and `energy` falls below 1. Places are unique up to
rotation, reflection and shift; `metric` starts from the classical ones and ends in a local minimum. Memory n^2.

Source: Torgerson (1952), "Multidimensional scaling: theory and method"; Kruskal (1964), "Nonmetric multidimensional
scaling"; SMACOF: de Leeuw (1977); Borg, Groenen (2005), "Modern multidimensional scaling", chapters 8, 9 and 12.

Example:
    >>> from maquette.methods.spectral.multidimensional_scaling import scaling
    >>> found = scaling([[0, 3, 5], [3, 0, 4], [5, 4, 0]], dim=2)
    >>> from scipy.spatial.distance import pdist
    >>> pdist(found.places).round(6).tolist(), round(found.stress, 6)
    ([3.0, 5.0, 4.0], 0.0)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg
from scipy.spatial.distance import pdist, squareform

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number, numbers
from maquette.methods.spectral.laplacian_spectrum import turned

METHODS = ("classical", "metric", "ordinal")


@dataclass(frozen=True)
class Scaled:
    """Places and how well they fit.

    Attributes:
        places: centred: (n, dim).
        stress: sqrt(sum (d_ij - |z_i - z_j|)^2 / sum d_ij^2) over i < j: Kruskal's stress 1, of fitted d_ij if ordinal.
        energy: sum of lambda_k^2 over the axes as a share of that over all eigenvalues of B; of the classical solution.
        fitted: d_ij, or what an ordinal fit made of them: (n, n).
        history: the sum of squares after each step of SMACOF, falling; empty if classical.
    """

    places: np.ndarray
    stress: float
    energy: float
    fitted: np.ndarray
    history: np.ndarray


def scaling(
    dissimilarities: Any, dim: int = 2, method: str = "classical", steps: int = 300, tolerance: float = 1e-6
) -> Scaled:
    """Places of n things from their dissimilarities (n, n).

    Args:
        dissimilarities: symmetric, not negative, 0 on the diagonal.
        dim: axes.
        method: classical, metric or ordinal.
        steps: of SMACOF, at most.
        tolerance: SMACOF ends when a step lowers the stress by less than this share.

    Raises:
        InputError: for a matrix that is none of dissimilarities, or more axes than things.
    """
    choice(method, "method", METHODS), count(steps, "steps"), number(tolerance, "tolerance", 0)
    d = _checked(dissimilarities)
    if count(dim, "dim") > len(d):
        raise InputError(f"dim {dim}: there are {len(d)} things; take at most as many axes")
    places, energy = _classical(d, dim)
    history: list[float] = []
    fitted = d
    if method != "classical":
        places, fitted, history = _smacof(d, places, method == "ordinal", steps, tolerance)
    gaps = squareform(fitted, checks=False) - pdist(places)
    stress = float(np.sqrt((gaps**2).sum() / max((squareform(fitted, checks=False) ** 2).sum(), 1e-300)))
    return Scaled(places - places.mean(axis=0), stress, energy, fitted, np.array(history))


def _checked(dissimilarities: Any) -> np.ndarray:
    d = numbers(dissimilarities, "dissimilarities", 2).astype(float)
    if d.shape[0] != d.shape[1]:
        raise InputError(f"dissimilarities: the shape {d.shape}; give a square matrix")
    if (d < 0).any() or np.diag(d).any() or np.abs(d - d.T).max() > 1e-9 * max(d.max(), 1e-300):
        raise InputError("dissimilarities: they have to be symmetric, not below 0, and 0 on the diagonal")
    return d


def _classical(d: np.ndarray, dim: int) -> tuple[np.ndarray, float]:
    """Places (n, dim) and `energy`; an axis with an eigenvalue below 0 is 0."""
    squares = d**2
    means = squares.mean(axis=0)
    b = -(squares - means - means[:, np.newaxis] + squares.mean()) / 2
    values, vectors = linalg.eigh(b, subset_by_index=[len(d) - dim, len(d) - 1])
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    return turned(vectors) * np.sqrt(values), float((values**2).sum() / max((b**2).sum(), 1e-300))


def _smacof(
    d: np.ndarray, places: np.ndarray, ordinal: bool, steps: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Guttman's transform, repeated: places, the d_ij that were fitted, and the sum of squares at each step."""
    wanted, history = squareform(d, checks=False), []
    size = (wanted**2).sum()
    target = wanted
    for _ in range(steps):
        reached = pdist(places)
        if ordinal:
            target = _rising(wanted, reached) * 1.0
            target *= np.sqrt(size / max((target**2).sum(), 1e-300))
        history.append(float(((target - reached) ** 2).sum()))
        if len(history) > 1 and history[-2] - history[-1] <= tolerance * history[-2]:
            break
        ratio = squareform(target / np.maximum(reached, 1e-300), checks=False)
        places = (ratio.sum(axis=1)[:, np.newaxis] * places - ratio @ places) / len(d)
    return places, squareform(target, checks=False), history


def _rising(wanted: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """The rising function of `wanted` that is nearest to `reached`; equal ones may differ, as `reached` does."""
    from sklearn.isotonic import isotonic_regression

    order = np.lexsort((reached, wanted))
    fitted = np.empty_like(reached)
    fitted[order] = isotonic_regression(reached[order])
    return fitted


METHOD = scaling
