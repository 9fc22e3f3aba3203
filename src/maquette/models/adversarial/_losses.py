"""What a critic and a generator minimise, by the name of their game; a is the critic's answer, b that to a fake.

    name              critic                                generator           at the best critic the critic's loss is
    minimax           softplus(-a) + softplus(b)            -softplus(b)        2 log 2 - 2 JS(P, Q)
    non-saturating    softplus(-a) + softplus(b)            softplus(-b)        2 log 2 - 2 JS(P, Q)
    least-squares     ((a - 1)^2 + b^2) / 2                 (b - 1)^2 / 2       1/2 sum p q / (p + q)
    hinge             relu(1 - a) + relu(1 + b)             -b                  2 - 2 TV(P, Q)
    wasserstein       b - a                                 -b                  - W(P, Q), if its slope is at most 1
    kl                exp(b - 1) - a                        -b                  - KL(P || Q)
    reverse-kl        exp(-a) + b - 1                       exp(-b)             - KL(Q || P)
    pearson           b^2 / 4 + b - a                       -b                  - chi^2(P || Q)

Generators of the last three want the critic's own score, as that of non-saturating does. The least-squares row counts
half of what Mao et al. write twice.

Source: Goodfellow et al. (2014), section 3; Mao et al. (2017), "Least squares generative adversarial networks"; Lim,
Ye (2017), "Geometric GAN"; Arjovsky, Chintala, Bottou (2017), "Wasserstein GAN"; Nowozin, Cseke, Tomioka (2016),
"f-GAN", table 6 and section 3.2.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

Rules = tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]


def _two_classes(a: Any, b: Any) -> Any:
    return ops.softplus(-a) + ops.softplus(b)


GAMES: dict[str, Rules] = {
    "minimax": (_two_classes, lambda b: -ops.softplus(b)),
    "non-saturating": (_two_classes, lambda b: ops.softplus(-b)),
    "least-squares": (lambda a, b: (ops.square(a - 1) + ops.square(b)) / 2, lambda b: ops.square(b - 1) / 2),
    "hinge": (lambda a, b: ops.relu(1 - a) + ops.relu(1 + b), lambda b: -b),
    "wasserstein": (lambda a, b: b - a, lambda b: -b),
    "kl": (lambda a, b: ops.exp(b - 1) - a, lambda b: -b),
    "reverse-kl": (lambda a, b: ops.exp(-a) + b - 1, lambda b: ops.exp(-b)),
    "pearson": (lambda a, b: ops.square(b) / 4 + b - a, lambda b: -b),
}
