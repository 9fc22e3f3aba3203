"""How faithful a map of points is: neighbours kept, neighbours invented, shapes compared.

    trustworthiness   1 - 2 / (n k (2n - 3k - 1)) sum_i sum over the false neighbours j of (r_ij - k),  r_ij the rank of
                      j in space among the neighbours of i: falls if the map puts strangers together
    continuity        the same with space and map exchanged: falls if the map tears neighbours apart
    preservation      mean share of the k nearest in space that are among the k nearest on the map
    procrustes        sum of squares that remains between two maps after shift, turn and scale, as a share: 0 to 1

All but the last need no agreement in scale or dimension. They look at k neighbours: a torn map of good pieces scores
well, and the distances between pieces are not judged.

Source: Venna, Kaski (2001), "Neighborhood preservation in nonlinear projection methods"; Gower (1975), "Generalized
Procrustes analysis".

Example:
    >>> import numpy as np
    >>> from maquette.methods.spectral.embedding_quality import embedding_quality
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> embedding_quality(x, x @ [[0, 2], [-2, 0]], neighbours=5)
    {'trustworthiness': 1.0, 'continuity': 1.0, 'preservation': 1.0}
"""

from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import count, numbers
from maquette.methods.spectral.affinity import nearest


def embedding_quality(x: Any, places: Any, neighbours: int = 10) -> dict[str, float]:
    """Points (n, features) and their places on a map (n, dim) -> the first three measures, 1 at best.

    Raises:
        InputError: for unequal numbers of points, or k of half of them or more.
    """
    from sklearn.manifold import trustworthiness

    a, b = (numbers(values, name, 2).astype(float) for values, name in ((x, "x"), (places, "places")))
    if len(a) != len(b):
        raise InputError(f"places: {len(b)} for {len(a)} points; give one for each")
    if 2 * count(neighbours, "neighbours") >= len(a):
        raise InputError(f"neighbours {neighbours}: take fewer than half of the {len(a)} points")
    near_a, near_b = nearest(a, neighbours)[1], nearest(b, neighbours)[1]
    kept = np.mean([len(np.intersect1d(p, q)) / neighbours for p, q in zip(near_a, near_b, strict=True)])
    return {
        "trustworthiness": float(trustworthiness(a, b, n_neighbors=neighbours)),
        "continuity": float(trustworthiness(b, a, n_neighbors=neighbours)),
        "preservation": float(kept),
    }


def procrustes(a: Any, b: Any) -> float:
    """What remains between two maps (n, dim) of the same points, which may differ by shift, turn, mirror and scale."""
    from scipy.spatial import procrustes as compared

    return float(compared(numbers(a, "a", 2), numbers(b, "b", 2))[2])


METHOD = embedding_quality
