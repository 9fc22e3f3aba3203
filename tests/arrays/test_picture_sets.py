"""The built-in sets of photographs: counts, splits, sizes, and CIFAR-10's two forms against each other."""

import numpy as np
import pytest

import maquette.data
from maquette.data import cifar10


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "name, classes, each", [("cats_dogs", ("cats", "dogs"), 300), ("flowers5", cifar10.CLASSES[:0], 150)]
)
def test_photographs_are_split_by_class(name, classes, each, original, cache):
    data, again = original(name), maquette.data.load(name, 32)
    card = maquette.data.card(name)
    assert {"train": len(data.train), "test": len(data.test)} == card.counts
    assert data.train.x.shape[1:] == card.shape and again.test.x.shape[1:] == (32, 32, 3)
    assert not classes or data.classes == classes
    for part, share in (("train", 0.7), ("test", 0.3)):
        assert np.bincount(getattr(data, part).y).tolist() == [round(share * each)] * len(data.classes)
        assert getattr(data, part).names == getattr(again, part).names  # whatever the size, the same split
    assert not set(data.train.names) & set(data.test.names)
    assert all(name.startswith(data.classes[k]) for name, k in zip(data.test.names, data.test.y, strict=True))
    assert len(list(cache.rglob("*.jpg"))) == each * len(data.classes)


def test_cifar10_has_the_published_counts_in_both_forms(original):
    data = original("cifar10")
    assert np.bincount(data.train.y).tolist() == [5000] * 10 and np.bincount(data.test.y).tolist() == [1000] * 10
    assert data.train.x.shape == (50_000, 32, 32, 3) and data.test.x.shape == (10_000, 32, 32, 3)
    # The published means of the channels, which JPEG leaves as they are.
    assert np.abs(data.train.x.mean((0, 1, 2)) / 255 - [0.4914, 0.4822, 0.4465]).max() < 1e-3
    # The i-th picture of a class in one form is the i-th of that class in the other, about 30 dB apart.
    lossless = cifar10.read_lossless()
    for part in ("train", "test"):
        one, other = getattr(data, part), getattr(lossless, part)
        noise = []
        for k in range(10):
            left = one.x[one.y == k][: (other.y == k).sum()].astype(float)
            noise += np.square(left - other.x[other.y == k]).mean((1, 2, 3)).tolist()
        decibels = 10 * np.log10(255**2 / np.array(noise))
        assert decibels.min() > 23 and abs(decibels.mean() - 30.5) < 0.5
