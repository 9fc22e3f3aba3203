"""Divergences between distributions, and the game whose value each of them is: a critic against a generator.

    D_f(P || Q) = sum_x q f(p / q),   f convex, f(1) = 0
    bound       D_f >= E_P T - E_Q f*(T) for every critic T, equal at T = f'(p / q),   f*(t) = sup_u u t - f(u)

    name             f(u)                                f'(u)               f*(t)
    kl               u log u                             1 + log u           exp(t - 1)
    reverse-kl       -log u                              -1 / u              -1 - log(-t)
    jensen-shannon   (u log u - (1 + u) log((1 + u)/2))/2   log(2u/(1 + u))/2   -log(2 - exp(2t))/2
    pearson          (u - 1)^2                           2 (u - 1)           t + t^2 / 4
    total-variation  |u - 1| / 2                         sign(u - 1) / 2     t on [-1/2, 1/2]
    hellinger        (sqrt(u) - 1)^2                     1 - 1 / sqrt(u)     t / (1 - t)

    classifier D     V = E_P log D + E_Q log(1 - D) is largest at D = p / (p + q), where
                     V = 2 JS(P, Q) - log 4: -log 4 where P = Q, and 0 where they have nothing in common

JS is at most log 2, and that for every pair with disjoint supports, near or far: there its slope is no guide. kl
punishes a generator Q for what it leaves out, reverse-kl for what it adds. Distributions are arrays that sum to 1.

Source: Goodfellow et al. (2014), "Generative adversarial nets", section 4.1; Nowozin, Cseke, Tomioka (2016), "f-GAN:
training generative neural samplers using variational divergence minimization", tables 1 and 6.

Example:
    >>> import numpy as np
    >>> from maquette.methods.games.f_divergence import best_classifier, classifier_value, f_divergence
    >>> p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    >>> value = classifier_value(p, q, best_classifier(p, q))
    >>> bool(np.isclose(value, 2 * f_divergence(p, q, "jensen-shannon") - np.log(4)))
    True
    >>> round(f_divergence(p, q, "pearson"), 6)
    1.0
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import xlogy

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, numbers

Array = np.ndarray
# f, its slope, and its conjugate.
FORMS: dict[str, tuple[Callable[[Array], Array], ...]] = {
    "kl": (lambda u: xlogy(u, u), lambda u: 1 + np.log(u), lambda t: np.exp(t - 1)),
    "reverse-kl": (lambda u: -np.log(u), lambda u: -1 / u, lambda t: -1 - np.log(-t)),
    "jensen-shannon": (
        lambda u: (xlogy(u, u) - (1 + u) * np.log((1 + u) / 2)) / 2,
        lambda u: np.log(2 * u / (1 + u)) / 2,
        lambda t: -np.log(2 - np.exp(2 * t)) / 2,
    ),
    "pearson": (lambda u: np.square(u - 1), lambda u: 2 * (u - 1), lambda t: t + t * t / 4),
    "total-variation": (lambda u: np.abs(u - 1) / 2, lambda u: np.sign(u - 1) / 2, lambda t: t),
    "hellinger": (lambda u: np.square(np.sqrt(u) - 1), lambda u: 1 - 1 / np.sqrt(u), lambda t: t / (1 - t)),
}
# f(u) / u for large u: what each unit of P costs where Q has nothing.
SLOPES = {
    **{"kl": np.inf, "reverse-kl": 0.0, "jensen-shannon": np.log(2) / 2},
    **{"pearson": np.inf, "total-variation": 0.5, "hellinger": 1.0},
}


def f_divergence(p: Any, q: Any, name: str = "kl") -> float:
    """D_f(P || Q), infinite where it is; p and q (n,).

    Raises:
        InputError: for arrays that are no two distributions of one length, or an unknown name.
    """
    p, q = distributions(p, q)
    f = FORMS[choice(name, "name", tuple(FORMS))][0]
    both = q > 0
    with np.errstate(divide="ignore"):
        inside = float(np.sum(q[both] * f(p[both] / q[both])))
    alone = float(p[~both].sum())
    return inside + (SLOPES[name] * alone if alone else 0.0)


def best_critic(p: Any, q: Any, name: str = "kl") -> np.ndarray:
    """T = f'(p / q) (n,), for p and q above 0."""
    p, q = distributions(p, q)
    return FORMS[choice(name, "name", tuple(FORMS))][1](p / q)


def critic_value(p: Any, q: Any, critic: Any, name: str = "kl") -> float:
    """E_P T - E_Q f*(T) of a critic T (n,): at most the divergence, where T is in the domain of f*."""
    p, q = distributions(p, q)
    t = numbers(critic, "critic", 1)
    return float(np.sum(p * t) - np.sum(q * FORMS[choice(name, "name", tuple(FORMS))][2](t)))


def best_classifier(p: Any, q: Any) -> np.ndarray:
    """D = p / (p + q) (n,); 1/2 where both are 0."""
    p, q = distributions(p, q)
    total = p + q
    return np.divide(p, total, out=np.full(len(p), 0.5), where=total > 0)


def classifier_value(p: Any, q: Any, classifier: Any) -> float:
    """V = E_P log D + E_Q log(1 - D) of a classifier D (n,) in [0, 1]."""
    p, q = distributions(p, q)
    d = numbers(classifier, "classifier", 1)
    return float(np.sum(xlogy(p, d)) + np.sum(xlogy(q, 1 - d)))


def distributions(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float arrays (n,); raises InputError naming the one that is no distribution."""
    found = {name: numbers(values, name, 1).astype(float) for name, values in {"p": p, "q": q}.items()}
    for name, values in found.items():
        if (values < 0).any() or abs(values.sum() - 1) > 1e-6 or len(values) != len(found["p"]):
            raise InputError(f"{name} is no distribution: give {len(found['p'])} numbers of at least 0 that sum to 1")
    return found["p"], found["q"]


METHOD = f_divergence
