"""Gradient descent rating by rating, which is no tensor algebra, as loops compiled by Numba."""

import numba
import numpy as np

Tables = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@numba.njit(fastmath=True, cache=True)
def sgd_epoch(
    pairs: np.ndarray, ratings: np.ndarray, order: np.ndarray, mean: float, tables: Tables, rate: float, decay: float
) -> float:
    """One pass of matrix factorisation over the ratings, in place; see `matrix_factorization` for the equations.

    Args:
        pairs: int32 (2, n), rows of the tables of users and items.
        ratings: float32 (n,).
        order: int64 (m,), which ratings to take, one after the other.
        mean: the mean rating.
        tables: b_u and b_i, float32 (rows,), then p and q, float32 (rows, factors).
        rate: of the step along half the gradient, as it is usual in this field.
        decay: of the L2 penalty.

    Returns:
        The loss, summed over the ratings, each as it was before its own step.
    """
    b_user, b_item, p_table, q_table = tables
    total = 0.0
    gamma, weight, middle = np.float32(rate), np.float32(decay), np.float32(mean)
    for n in order:
        u, i = pairs[0, n], pairs[1, n]
        p, q = p_table[u], q_table[i]
        dot, square = np.float32(0), np.float32(0)
        for f in range(p.size):
            dot += p[f] * q[f]
            square += p[f] * p[f] + q[f] * q[f]
        error = ratings[n] - middle - b_user[u] - b_item[i] - dot
        total += error * error + weight * (square + b_user[u] ** 2 + b_item[i] ** 2)
        b_user[u] += gamma * (error - weight * b_user[u])
        b_item[i] += gamma * (error - weight * b_item[i])
        for f in range(p.size):
            before = p[f]
            p[f] += gamma * (error * q[f] - weight * before)
            q[f] += gamma * (error * before - weight * q[f])
    return total
