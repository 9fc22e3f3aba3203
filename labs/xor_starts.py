"""Why some starts never solve exclusive or: a 2-2-1 network from 1,000 starts under each setting, all at once.

    python labs/xor_starts.py [--starts 1000] [--steps 2000]

Every setting trains all starts together as one array of networks by full-batch gradient descent on the cross-entropy;
a start counts as solved if all four rows are answered right with a mean loss below 0.05.
"""

import argparse
from itertools import product

import numpy as np

TABLE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGET = np.array([0.0, 1.0, 1.0, 0.0])


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def loss_of(z: np.ndarray) -> np.ndarray:
    """Logits (starts, 4) -> mean cross-entropy of each start: (starts,)."""
    return np.mean(np.logaddexp(0, z) - TARGET * z, axis=1)


def solved(centred: bool, tanh: bool, small: bool, starts: int, steps: int, rate: float = 3.0) -> float:
    """The share of starts that end solved."""
    random = np.random.default_rng(0)
    x = 2 * TABLE - 1 if centred else TABLE  # (4, 2)
    glorot = np.sqrt(6 / 4)
    reach = 0.05 if small else glorot
    w, b = random.uniform(-reach, reach, (starts, 2, 2)), np.zeros((starts, 1, 2))
    v, c = random.uniform(-np.sqrt(2), np.sqrt(2), (starts, 2, 1)), np.zeros((starts, 1, 1))
    for _ in range(steps):
        a = np.matmul(x, w) + b  # (starts, 4, 2)
        h = np.tanh(a) if tanh else sigmoid(a)
        slope = 1 - h * h if tanh else h * (1 - h)
        error = (sigmoid(np.matmul(h, v) + c) - TARGET[:, None]) / 4  # dL/dz: (starts, 4, 1)
        back = error * np.swapaxes(v, 1, 2) * slope  # dL/da: (starts, 4, 2)
        v = v - rate * np.matmul(np.swapaxes(h, 1, 2), error)
        c = c - rate * error.sum(axis=1, keepdims=True)
        w, b = w - rate * np.matmul(x.T, back), b - rate * back.sum(axis=1, keepdims=True)
    a = np.matmul(x, w) + b
    z = (np.matmul(np.tanh(a) if tanh else sigmoid(a), v) + c)[:, :, 0]
    right = ((z > 0) == (TARGET > 0.5)).all(axis=1)
    return float(np.mean(right & (loss_of(z) < 0.05)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=2000)
    given = parser.parse_args()
    print("inputs  units    start   solved")
    for centred, tanh, small in product((False, True), repeat=3):
        share = solved(centred, tanh, small, given.starts, given.steps)
        words = ("-1, 1" if centred else "0, 1", "tanh" if tanh else "sigmoid", "small" if small else "Glorot")
        print(f"{words[0]:7} {words[1]:8} {words[2]:7} {share:.1%}")


if __name__ == "__main__":
    main()
