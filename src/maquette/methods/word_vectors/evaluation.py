"""Evaluation of word vectors: rank correlation with what people said, and the share of analogies that come out right.

    similarity   Spearman's rho = the correlation of the ranks of cos(a_i, b_i) and of people's scores, over the pairs
                 whose words both have a vector
    analogy      share of questions "a is to b as c is to d" whose d comes first among all words but a, b, c
    coverage     share of the pairs or questions whose words all have a vector; without it a score says little

Rank correlation does not mind a scale; people's own scores agree with each other to about 0.7 to 0.8 on these lists.

Source: Finkelstein et al. (2002), "Placing search in context", section 3; Mikolov et al. (2013), "Efficient estimation
of word representations in vector space", section 4.1.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.evaluation import evaluate_pairs
    >>> from maquette.methods.word_vectors.vectors import WordVectors
    >>> words = WordVectors(("car", "bus", "tree"), np.array([[1, 0], [0.9, 0.3], [0, 1]], "float32"))
    >>> evaluate_pairs(words, [("car", "bus", 9.0), ("bus", "tree", 2.0), ("car", "tree", 1.0), ("car", "sea", 2.0)])
    (1.0, 3, 4)
"""

from collections.abc import Sequence

import numpy as np

from maquette.methods.signal.signals import choice
from maquette.methods.word_vectors.vectors import WordVectors, score

_AT_ONCE = 500  # questions whose scores with all words are held


def evaluate_pairs(vectors: WordVectors, pairs: Sequence[tuple[str, str, float]]) -> tuple[float, int, int]:
    """Pairs of words with people's scores -> rho, how many pairs were known, how many there are; NaN below 3 known."""
    from scipy.stats import spearmanr

    known = [(a, b, s) for a, b, s in pairs if all(vectors.known((a, b)))]
    if len(known) < 3:
        return float("nan"), len(known), len(pairs)
    cosines = [vectors.similarity(a, b) for a, b, _ in known]
    return float(spearmanr(cosines, [s for _, _, s in known]).statistic), len(known), len(pairs)


def evaluate_analogies(
    vectors: WordVectors, questions: Sequence[tuple[str, str, str, str]], method: str = "3cosadd"
) -> tuple[int, int, int]:
    """Questions (a, b, c, d) -> how many came out right, how many were known, how many there are."""
    choice(method, "method", ("3cosadd", "3cosmul"))
    known = np.array([[vectors.numbers[w] for w in q] for q in questions if all(vectors.known(q))], int).reshape(-1, 4)
    right = 0
    for asked in (known[i : i + _AT_ONCE] for i in range(0, len(known), _AT_ONCE)):
        cosines = vectors.unit[asked[:, :3]] @ vectors.unit.T  # (questions, 3, words)
        scores = score(np.moveaxis(cosines, 1, -1), method)
        np.put_along_axis(scores, asked[:, :3], -np.inf, axis=1)
        right += int((scores.argmax(axis=1) == asked[:, 3]).sum())
    return right, len(known), len(questions)


METHOD = evaluate_pairs
