"""Retrieval metrics: how good rankings are, by which documents are known to be relevant.

    P@k    = relevant among the first k / k               R@k = relevant among the first k / all relevant
    AP     = mean over all relevant documents of P@(their rank), 0 for one that was not returned;  MAP: its mean
    RR     = 1 / rank of the first relevant, 0 if none;   MRR: its mean
    DCG@k  = sum over ranks i <= k of  g_i / log2(i + 1);  nDCG@k = DCG@k / DCG@k of the best possible ranking

g_i is the grade of the document at rank i: a number of at least 0, 1 for plainly relevant, 0 for what is not listed.
`exponential` gains are 2^grade - 1. All lie between 0 and 1 and are averaged over queries. A ranking shorter than k is
filled up with irrelevant documents.

Source: Manning, Raghavan, Schütze (2008), "Introduction to Information Retrieval", section 8.4; nDCG: Järvelin,
Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques", section 2.

Example:
    >>> from maquette.methods.retrieval.metrics import evaluate
    >>> {name: round(value, 4) for name, value in evaluate([["a", "b", "c"]], [{"a", "c", "d"}], k=2).items()}
    {'precision@2': 0.5, 'recall@2': 0.3333, 'map': 0.5556, 'mrr': 1.0, 'ndcg@2': 0.6131}
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.signals import choice, count, number

Relevant = Collection[Hashable] | Mapping[Any, float]


def precision(grades: Sequence[float], k: int) -> float:
    """P@k of a ranking's grades, best rank first."""
    return float(np.count_nonzero(np.asarray(grades)[: count(k, "k")])) / k


def recall(grades: Sequence[float], k: int, relevant: int) -> float:
    """R@k, where there are `relevant` in all."""
    return float(np.count_nonzero(np.asarray(grades)[: count(k, "k")])) / count(relevant, "relevant")


def average_precision(grades: Sequence[float], relevant: int) -> float:
    """AP, where there are `relevant` in all.

    >>> average_precision([1, 0, 1], 3) == (1 / 1 + 2 / 3 + 0) / 3
    True
    """
    hit = np.asarray(grades, float) > 0
    ranks = np.arange(1, len(hit) + 1)
    return float(np.sum(np.cumsum(hit)[hit] / ranks[hit])) / count(relevant, "relevant")


def reciprocal_rank(grades: Sequence[float]) -> float:
    """1 / rank of the first relevant document; 0 if there is none."""
    ranks = np.flatnonzero(np.asarray(grades))
    return 1.0 / (ranks[0] + 1) if len(ranks) else 0.0


def ndcg(grades: Sequence[float], ideal: Sequence[float], k: int, gains: str = "linear") -> float:
    """nDCG@k of a ranking's grades; `ideal` are the grades of all relevant documents, in any order.

    >>> round(ndcg([2, 0, 1], [2, 1], 3), 4)
    0.9502
    """
    choice(gains, "gains", ("linear", "exponential"))
    return _dcg(grades, count(k, "k"), gains) / _dcg(np.sort(ideal)[::-1], k, gains)


def _dcg(grades: Any, k: int, gains: str) -> float:
    g = np.asarray(grades, float)[:k]
    g = np.exp2(g) - 1 if gains == "exponential" else g
    return float(np.sum(g / np.log2(np.arange(2, len(g) + 2))))


def evaluate(
    rankings: Sequence[Sequence[Hashable]], relevant: Sequence[Relevant], k: int = 10, gains: str = "linear"
) -> dict[str, float]:
    """Every metric, averaged over queries.

    Args:
        rankings: for each query the documents that were returned, the best first, each once.
        relevant: for each query its relevant documents, or their grades: {document: grade}.
        k: of P@k, R@k and nDCG@k.
        gains: linear or exponential.

    Raises:
        InputError: naming the query that returns a document twice, or has no relevant document, for which nothing is
            defined; for lists of unequal lengths, and a negative grade.
    """
    if len(rankings) != len(relevant) or not rankings:
        raise InputError(f"{len(rankings)} rankings and {len(relevant)} answers: give one of each for every query")
    rows = [_one(i + 1, list(r), a, count(k, "k"), gains) for i, (r, a) in enumerate(zip(rankings, relevant))]
    names = (f"precision@{k}", f"recall@{k}", "map", "mrr", f"ndcg@{k}")
    return {name: float(value) for name, value in zip(names, np.mean(rows, axis=0))}


def _one(query: int, ranking: list[Hashable], relevant: Relevant, k: int, gains: str) -> tuple[float, ...]:
    grade = {d: number(g, f"query {query}: grade", 0) for d, g in _graded(relevant).items()}
    ideal = [g for g in grade.values() if g > 0]
    if not ideal:
        raise InputError(f"query {query} has no relevant document: leave it out")
    if len(set(ranking)) < len(ranking):
        raise InputError(f"query {query} returns a document twice: rank each once")
    found = [grade.get(d, 0.0) for d in ranking]
    found = found or [0.0]
    total = len(ideal)
    first = precision(found, k), recall(found, k, total), average_precision(found, total), reciprocal_rank(found)
    return *first, ndcg(found, ideal, k, gains)


def _graded(relevant: Relevant) -> Mapping[Any, float]:
    return relevant if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1.0)


METHOD = evaluate
