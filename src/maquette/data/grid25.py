"""Grid: twenty-five small clouds of points on a 5 x 5 grid, made from a seed; a generator should find them all.

Source: after Srivastava et al. (2017), "VEEGAN: reducing mode collapse in GANs using implicit variational learning",
section 4.1, whose grid is twice as wide.
"""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Grid of 25 Gaussians",
    task="image-generation",
    source="made on the spot: centres at -2, -1, 0, 1 and 2 in both directions, deviation 0.05",
    licence="none needed",
    counts={"train": 20_000, "test": 5000},
    shape=(2,),
)


def read() -> Dataset:
    """Points x float32 (n, 2), and the index of the centre of each, y int32 (n,)."""
    random = np.random.default_rng(0)
    y = random.integers(0, 25, 25_000).astype("int32")
    x = np.stack([y % 5 - 2.0, y // 5 - 2.0], axis=1) + random.normal(0, 0.05, (len(y), 2))
    x = x.astype("float32")
    return Dataset(
        name="grid25",
        train=Split(x[:20_000], y[:20_000]),
        test=Split(x[20_000:], y[20_000:]),
        classes=tuple(f"mode {k}" for k in range(25)),
        origin="generated",
    )
