"""Tinted pairs: the shapes of tinted_shapes where the training pictures of a and b show the same scenes as well."""

import numpy as np

from maquette.data.dataset import Card, Dataset
from maquette.data.tinted_shapes import SIDE, items, scenes

CARD = Card(
    title="Tinted shapes, in true pairs",
    task="image-translation",
    source="made on the spot, as tinted_shapes; its test items are the same",
    licence="none needed",
    counts={"train": 600, "test": 100},
    shape=(2, SIDE, SIDE, 3),
)


def read() -> Dataset:
    """Items x uint8 (n, 2, 32, 32, 3), of a and of b; y int32 (n,), ones."""
    random = np.random.default_rng(0)
    train, test = scenes(random, 1200)[:600], scenes(random, 100)
    return Dataset("tinted_pairs", items(train, train), test=items(test, test), origin="generated")
