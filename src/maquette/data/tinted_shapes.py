"""Tinted shapes: discs and squares in two sets of colours, made from a seed; the true translation is known.

A picture of b is what one of a becomes when each of its three colours, of the ground, the disc and the square, is
changed for its own in b. The training pictures of a and b show different scenes, those of a test item the same.
"""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

SIDE = 32
# Of the ground, the disc and the square.
COLOURS = np.array(
    [[(24, 28, 66), (240, 150, 40), (235, 235, 225)], [(238, 232, 205), (20, 120, 140), (150, 30, 60)]], "uint8"
)
CARD = Card(
    title="Tinted shapes, in pairs of kinds",
    task="image-translation",
    source="made on the spot: a disc of radius 6 to 9 and a square of side 6 to 9 over it, on 32 x 32 pixels",
    licence="none needed",
    counts={"train": 600, "test": 100},
    shape=(2, SIDE, SIDE, 3),
)


def read() -> Dataset:
    """Items x uint8 (n, 2, 32, 32, 3), of a and of b; y int32 (n,) is 1 where both show the same scene."""
    random = np.random.default_rng(0)
    train, test = scenes(random, 1200), scenes(random, 100)
    return Dataset("tinted_shapes", items(train[:600], train[600:]), test=items(test, test), origin="generated")


def items(a: np.ndarray, b: np.ndarray) -> Split:
    """The split of scenes (n, 32, 32), in the colours of a and of b."""
    x = np.stack([COLOURS[0][a], COLOURS[1][b]], axis=1)
    return Split(x, np.full(len(x), int(np.array_equal(a, b)), np.int32))


def scenes(random: np.random.Generator, count: int) -> np.ndarray:
    """What each pixel shows, 0 the ground, 1 a disc, 2 a square: (count, 32, 32)."""
    row, column = np.mgrid[:SIDE, :SIDE]
    radius, half = random.uniform(6, 9, (count, 1, 1)), random.uniform(3, 4.5, (count, 1, 1))
    place = random.uniform(9, SIDE - 10, (4, count, 1, 1))
    shown = np.zeros((count, SIDE, SIDE), int)
    shown[(row - place[0]) ** 2 + (column - place[1]) ** 2 <= radius**2] = 1
    shown[np.maximum(abs(row - place[2]), abs(column - place[3])) <= half] = 2
    return shown
