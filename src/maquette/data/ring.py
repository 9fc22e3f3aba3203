"""Ring: eight small clouds of points on a circle, made from a seed; the standard test of a generator's coverage."""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Ring of eight Gaussians",
    task="density",
    source="made on the spot: 8 centres on a circle of radius 2, deviation 0.1 in both directions",
    licence="none needed",
    counts={"train": 8000, "test": 2000},
    shape=(2,),
)


def read() -> Dataset:
    """Points x float32 (n, 2), and the index of the centre of each, y int32 (n,)."""
    random = np.random.default_rng(0)
    y = random.integers(0, 8, 10_000).astype("int32")
    angle = y * np.pi / 4
    x = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + random.normal(0, 0.1, (len(y), 2))
    x = x.astype("float32")
    return Dataset(
        name="ring",
        train=Split(x[:8000], y[:8000]),
        test=Split(x[8000:], y[8000:]),
        classes=tuple(f"mode {k}" for k in range(8)),
        origin="generated",
    )
