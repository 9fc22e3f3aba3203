"""Huffman code of words: a binary tree in which frequent words have short paths, for the hierarchical softmax.

    p(w | h) = product over the inner nodes n on the path from the root to w of sigmoid(s_n h.v_n)
    s_n      1 where the path goes to the left, -1 to the right; the probabilities of all words sum to 1
    depth    the mean of the paths' lengths by the words' shares lies between their entropy in bits and that + 1

A tree of V words has V - 1 inner nodes. A word is scored in log2 V steps instead of V.

Source: Huffman (1952), "A method for the construction of minimum-redundancy codes"; Mikolov et al. (2013),
"Distributed representations of words and phrases", section 2.1.

Example:
    >>> from maquette.methods.word_vectors.huffman import huffman_code
    >>> nodes, signs = huffman_code([4, 2, 1, 1])
    >>> signs.tolist()
    [[1.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [-1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]]
    >>> nodes.tolist()
    [[2, 0, 0], [2, 1, 0], [2, 1, 0], [2, 1, 0]]
"""

import heapq
from collections.abc import Sequence

import numpy as np

from maquette.errors import InputError


def huffman_code(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The path of each word.

    Args:
        counts: how often each word occurs, at least two.

    Returns:
        The numbers of the nodes from the root on, int32 (words, depth), and s_n, float32 (words, depth), 0 behind the
        path's end.

    Raises:
        InputError: for fewer than two words, or a count that is not positive.
    """
    if len(counts) < 2 or min(counts) <= 0:
        raise InputError("counts: give at least two, all positive")
    words = len(counts)
    # The left branch is the heavier one; of equal ones the word that comes first.
    heap = [(int(count), -i) for i, count in enumerate(counts)]
    heapq.heapify(heap)
    parent, sign = np.zeros(2 * words - 1, np.int64), np.zeros(2 * words - 1, np.float32)
    for node in range(words, 2 * words - 1):
        (light, right), (heavy, left) = heapq.heappop(heap), heapq.heappop(heap)
        parent[[-right, -left]], sign[[-right, -left]] = node, (-1, 1)
        heapq.heappush(heap, (light + heavy, -node))
    paths = [_path(i, parent, sign, words) for i in range(words)]
    depth = max(len(path) for path in paths)
    nodes, signs = np.zeros((words, depth), np.int32), np.zeros((words, depth), np.float32)
    for i, path in enumerate(paths):
        nodes[i, : len(path)] = [node for node, _ in path]
        signs[i, : len(path)] = [s for _, s in path]
    return nodes, signs


def _path(word: int, parent: np.ndarray, sign: np.ndarray, words: int) -> list[tuple[int, float]]:
    path, at = [], word
    while at < 2 * words - 2:
        path.append((int(parent[at]) - words, float(sign[at])))
        at = int(parent[at])
    return path[::-1]


METHOD = huffman_code
