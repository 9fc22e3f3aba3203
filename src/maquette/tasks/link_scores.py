"""How well scores of pairs of nodes tell edges from non-edges: areas under two curves, and a picture of one."""

from typing import Any

import numpy as np

from maquette.tasks.figure import BLUE, GREY, WIDTH, Figure, canvas, finish
from maquette.tasks.intervals import Measure, bootstrap

MOST_POINTS = 400  # of a curve
RESAMPLES = 200


def link_scores(y: np.ndarray, scores: np.ndarray) -> dict[str, Measure]:
    """ROC AUC and average precision with bootstrap intervals; edges and non-edges come in turns.

    AUC        P(s_edge > s_other) + P(s_edge = s_other) / 2, of an edge and a non-edge drawn at random
    precision  averaged over recall: sum_k (R_k - R_{k-1}) P_k, of the pairs whose score is at least the k-th largest

    Source: Fawcett (2006), "An introduction to ROC analysis", section 7.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    y, scores = np.asarray(y), np.asarray(scores)
    edges, others = scores[y == 1], scores[y == 0]
    of = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
    truth = np.repeat([1, 0], len(edges))

    # What is drawn again is an edge with a non-edge, so that no draw lacks either.
    def measure(area: Any) -> Measure:
        return bootstrap(
            lambda rows: float(area(truth, np.concatenate([edges[rows], others[rows]]))), len(edges), RESAMPLES
        )

    return {name: measure(area) for name, area in of.items()}


def roc(y: np.ndarray, scores: np.ndarray, area: Measure) -> Figure:
    """The share of the edges found against the share of the non-edges taken for edges, over all thresholds."""
    from sklearn.metrics import roc_curve

    wrong, right, _ = roc_curve(y, scores)
    kept = np.unique(np.linspace(0, len(wrong) - 1, min(MOST_POINTS, len(wrong))).astype(int))
    picture, axes = canvas(WIDTH, 4.2)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    axes.plot(wrong[kept], right[kept], color=BLUE, linewidth=1.8, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
    axes.set(xlabel="share of the non-edges taken for edges", ylabel="share of the edges found")
    caption = (
        f"{len(y)} pairs, half of them edges that were held out. The area under the curve is {area.value:.3f}, "
        f"from {area.low:.3f} to {area.high:.3f}; along the dashed line, of guesses, it is 0.5."
    )
    return finish(picture, "roc", "Links found", caption)
