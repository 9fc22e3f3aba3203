"""The features by which generated pictures are scored, learnt from the training split alone.

mlp64   the 64 hidden units below the output of a perceptron with 256 and 64 ReLUs, trained to name the classes of the
        training split: EPOCHS passes of Adam at 1e-3 with 256 pictures a step, a weight decay of 1e-2 and seed 0, by
        scikit-learn, so that they are the same whatever computes the generator
        of pictures whose channels are pictures each (stacked_mnist) those of each channel, by the perceptron of one
pca64   the first 64 principal components of the pixels, where there are no classes

Both are divided by one number, so that a feature's mean square is 1 over the training split.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.data.stacked_mnist import Stacked

EPOCHS, UNITS = 5, (256, 64)
MOST = 60_000  # pictures that the features are learnt from
_kept: dict[str, "Features"] = {}


@dataclass(frozen=True)
class Features:
    """A name, a map from pictures in [0, 1] (n, height, width, channels) to (n, d), and their classes (n,) if known."""

    name: str
    of: Callable[[np.ndarray], np.ndarray]
    classes_of: Callable[[np.ndarray], np.ndarray] | None = None


def features(dataset: Dataset) -> Features:
    """The features for a data set of pictures; they are learnt once in a process."""
    key = dataset.fingerprint()
    if key not in _kept:
        _kept.clear()
        single = dataset.single if isinstance(dataset, Stacked) and _as_large(dataset, dataset.single) else None
        _kept[key] = _learnt(dataset) if single is None else _channel_by_channel(_learnt(single), len(single.classes))
    return _kept[key]


def _as_large(dataset: Dataset, single: Dataset | None) -> bool:
    return single is not None and dataset.train.x.shape[1:3] == single.train.x.shape[1:3]


def _learnt(dataset: Dataset) -> Features:
    x = flat(np.asarray(dataset.train.x[:MOST]))
    y = dataset.train.y
    return components(x) if y is None or len(np.unique(y)) < 2 else _perceptron(x, y[:MOST])


def _channel_by_channel(known: Features, classes: int) -> Features:
    """Features and classes of pictures whose channels are pictures of `known` each."""

    def of(pictures: np.ndarray) -> np.ndarray:
        return np.concatenate([known.of(pictures[..., k : k + 1]) for k in range(pictures.shape[-1])], axis=1)

    def classes_of(pictures: np.ndarray) -> np.ndarray:
        assert known.classes_of is not None
        found = np.zeros(len(pictures), int)
        for k in range(pictures.shape[-1]):
            found = found * classes + known.classes_of(pictures[..., k : k + 1])
        return found

    return Features(known.name, of, classes_of)


def flat(x: np.ndarray) -> np.ndarray:
    """Pictures, bytes or in [0, 1] -> float32 in [0, 1] (n, pixels)."""
    scale = np.float32(1 / 255) if x.dtype == np.uint8 else np.float32(1)
    return np.reshape(x, (len(x), -1)).astype("float32") * scale


def _perceptron(x: np.ndarray, y: np.ndarray) -> Features:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    size = min(256, len(x))
    stop: Any = {"max_iter": EPOCHS, "n_iter_no_change": EPOCHS, "tol": 0.0}
    network = MLPClassifier(UNITS, batch_size=size, alpha=1e-2, random_state=0, **stop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped on purpose
        network.fit(x, y)

    def hidden(pictures: np.ndarray) -> np.ndarray:
        h: Any = flat(pictures)
        for kernel, bias in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
            h = np.maximum(np.dot(h, kernel) + bias, 0)
        return np.asarray(h, float)

    return _scaled(f"mlp{UNITS[-1]}", hidden, x, lambda pictures: network.predict(flat(pictures)))


def components(x: np.ndarray) -> Features:
    """The principal components of flat pictures (n, pixels), most of them 64."""
    from sklearn.decomposition import PCA

    found = PCA(min(UNITS[-1], *x.shape), svd_solver="full").fit(x)
    return _scaled(f"pca{UNITS[-1]}", lambda pictures: np.asarray(found.transform(flat(pictures)), float), x)


def _scaled(name: str, of: Any, x: np.ndarray, classes_of: Any = None) -> Features:
    scale = 1 / max(float(np.sqrt(np.square(of(x)).mean())), 1e-12)
    return Features(name, lambda pictures: scale * of(pictures), classes_of)
