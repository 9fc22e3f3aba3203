"""Stacked MNIST: three handwritten digits, one in each colour channel, which make a thousand classes, 000 to 999.

The digits are drawn anew from the pictures of MNIST's training split, and for the test items from its test split, each
channel by itself, by seed 0. A generator that leaves digits, or their combinations, out reaches fewer of the classes.

**Source:** Metz, Poole, Pfau, Sohl-Dickstein (2017), "Unrolled generative adversarial networks", section 3.3.1.

**Weakness:** the channels have nothing to do with each other, which pictures of the world seldom are like.
"""

from dataclasses import dataclass

import numpy as np

from maquette.data import mnist
from maquette.data.dataset import Card, Dataset, Split

CHANNELS = 3

CARD = Card(
    title="Stacked MNIST",
    task="image-generation",
    source="made of MNIST, as Metz et al. (2017) describe it",
    licence=mnist.CARD.licence,
    counts={"train": 60_000, "test": 10_000},
    shape=(28, 28, CHANNELS),
    files=mnist.CARD.files,
)


@dataclass(frozen=True, eq=False)
class Stacked(Dataset):
    """Pictures whose channels are pictures of another data set, with the classes of all in order.

    Attributes:
        single: that data set, of one channel.
    """

    single: Dataset | None = None


def read() -> Stacked:
    """Return the data set: x uint8 (n, 28, 28, 3) from 0 to 255, y int32 (n,) from 0 to 999; raises as `mnist`."""
    return stacked("stacked_mnist", mnist.read())


def stacked(name: str, single: Dataset) -> Stacked:
    """As many items as a data set of one channel has, of CHANNELS of its pictures each."""
    random, count = np.random.default_rng(0), len(single.classes)

    def drawn(split: Split) -> Split:
        chosen = random.integers(0, len(split), (len(split), CHANNELS))
        y = np.dot(np.asarray(split.y)[chosen], count ** np.arange(CHANNELS)[::-1])
        return Split(np.concatenate([split.x[chosen[:, k]] for k in range(CHANNELS)], axis=-1), y.astype(np.int32))

    names = np.array(single.classes, object)
    classes = names
    for _ in range(CHANNELS - 1):
        classes = np.add.outer(classes, names).reshape(-1)
    assert single.test is not None
    train, test = drawn(single.train), drawn(single.test)
    return Stacked(name, train, test=test, classes=tuple(classes), origin=single.origin, single=single)
