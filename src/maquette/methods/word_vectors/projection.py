"""Projection of vectors onto a plane: principal axes, or t-SNE, and how far neighbours stay neighbours.

    pca               the two directions of largest variance; straight lines stay straight, so that an analogy is seen
                      as a parallelogram
    t-sne             moves points until near neighbours are near; distances between groups mean nothing
    trustworthiness   1 - 2 / (n k (2 n - 3 k - 1)) sum over i and over its k neighbours j in the plane that are none in
                      space of (rank of j in space - k); 1 where all neighbours are true ones

The start of t-SNE is the principal plane, so that the seed decides little.

Source: Pearson (1901), "On lines and planes of closest fit"; van der Maaten, Hinton (2008), "Visualizing data using
t-SNE"; Venna, Kaski (2001), "Neighborhood preservation in nonlinear projection methods", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.projection import project
    >>> project(np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]]), "pca").shape
    (3, 2)
"""

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, numbers


def project(x: np.ndarray, method: str = "pca", perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Vectors (n, dim) -> places in a plane (n, 2); signs are such that the largest component of an axis is positive.

    Raises:
        InputError: for fewer than three vectors or an unknown method.
    """
    choice(method, "method", ("pca", "t-sne"))
    x = numbers(x, "x", 2).astype("float64")
    if len(x) < 3:
        raise InputError(f"x has {len(x)} vectors: give at least three")
    middle = x - x.mean(axis=0)
    _, _, axes = np.linalg.svd(middle, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, np.newaxis]
    places = np.zeros((len(x), 2))
    places[:, : len(axes)] = middle @ axes.T
    if method == "pca":
        return places
    from sklearn.manifold import TSNE

    fitting = min(perplexity, (len(x) - 1) / 3)
    start = places / max(places[:, 0].std(), 1e-12) * 1e-4
    found: np.ndarray = TSNE(2, perplexity=fitting, init=start.astype("float32"), random_state=seed).fit_transform(x)
    return found


def trustworthiness(x: np.ndarray, places: np.ndarray, neighbours: int = 5) -> float:
    """How far the neighbours in the plane are neighbours in space, up to 1."""
    from sklearn.manifold import trustworthiness as of

    return float(of(x, places, n_neighbors=neighbours))


METHOD = project
