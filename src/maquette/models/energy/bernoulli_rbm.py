"""Restricted Boltzmann machine with binary units, trained by contrastive divergence.

Energy        E(v, h) = -b.v - c.h - v.W.h               v (visible,), h (hidden,), both in {0, 1}
Free energy   F(v) = -b.v - sum_j softplus(c_j + (v.W)_j),  p(v) proportional to exp(-F(v))
Conditionals  p(h=1|v) = sigmoid(c + v.W),  p(v=1|h) = sigmoid(b + h.W^T)
Loss          mean F(data) - mean F(sample), the sample held constant: its gradient is the contrastive
              divergence estimate of the log-likelihood gradient
Rule          the sample is `steps` Gibbs sweeps away from the data, or, with `chains` > 0, from where the
              chains stood after the last update (persistent contrastive divergence)

The loss is no likelihood and may rise while the model improves; watch `reconstruction_error` and the free-energy
gap between training and validation data. Grey pixels are taken as probabilities.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence"; Tieleman (2008),
"Training restricted Boltzmann machines using approximations to the likelihood gradient".

Example:
    >>> import numpy as np
    >>> from maquette.models.energy.bernoulli_rbm import BernoulliRBM
    >>> model = BernoulliRBM(hidden_units=8)
    >>> model(np.zeros((2, 16), "float32")).shape == (2, 8)
    True
"""

from typing import Any

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="digits-rbm",
    task="density",
    data="digits",
    model={"hidden_units": 128, "chains": 100},
    optimizer={"sgd": 0.5},
    schedule="cosine",
    batch_size=50,
    epochs=100,
    minutes=0.5,
    expect={"test_reconstruction_error": Expect(0.0325, "required: half the error of the mean picture, 0.065")},
    tiny={"model.hidden_units": 6, "model.chains": 8, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class BernoulliRBM(Model):
    """v: (batch, ...), flattened, values in [0, 1] -> p(h=1|v): (batch, hidden_units).

    Args:
        hidden_units: number of hidden units.
        steps: Gibbs sweeps per update, at most 25, since they are unrolled.
        chains: number of persistent chains; 0 starts each step's chains at its data.
        seed: of the initial weights and of the sampling.
    """

    tasks = ("density",)
    tracked = ("reconstruction_error",)
    monitor = "reconstruction_error"

    def __init__(self, hidden_units: int = 64, steps: int = 1, chains: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden_units, self.steps, self.chains, self.seed = hidden_units, steps, chains, seed
        self.noise = Noise(seed)

    def build(self, input_shape: Any) -> None:
        visible = 1
        for size in input_shape[1:]:
            visible *= size
        small = initializers.RandomNormal(0.0, 0.01, seed=self.seed)
        self.W = self.add_weight(shape=(visible, self.hidden_units), initializer=small, name="W")
        self.b = self.add_weight(shape=(visible,), initializer="zeros", name="b")
        self.c = self.add_weight(shape=(self.hidden_units,), initializer="zeros", name="c")
        if self.chains:
            half = initializers.Constant(0.5)
            self.chain = self.add_weight(shape=(self.chains, visible), initializer=half, trainable=False, name="chain")
        self.shape = tuple(input_shape[1:])

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Start the visible biases at the log-odds of each pixel's mean, as Hinton (2012), section 8, advises."""
        mean = np.clip(np.reshape(x, (len(x), -1)).mean(axis=0), 0.01, 0.99)
        self.b.assign(np.log(mean / (1 - mean)))

    def flat(self, v: Any) -> Any:
        """(batch, ...) -> (batch, visible)."""
        return ops.reshape(v, (ops.shape(v)[0], -1))

    def call(self, v: Any, training: bool = False) -> Any:
        return ops.sigmoid(ops.matmul(self.flat(v), self.W) + self.c)

    def free_energy(self, v: Any) -> Any:
        """v: (batch, visible) -> F(v): (batch,)."""
        return -ops.matmul(v, self.b) - ops.sum(ops.softplus(ops.matmul(v, self.W) + self.c), axis=-1)

    def visible_mean(self, h: Any) -> Any:
        """h: (batch, hidden) -> p(v=1|h): (batch, visible)."""
        return ops.sigmoid(ops.matmul(h, ops.transpose(self.W)) + self.b)

    def gibbs(self, v: Any, training: bool = True) -> Any:
        """One sweep v -> h -> v': (batch, visible) -> (batch, visible)."""
        h = self.noise.bernoulli(self(v), training)
        return self.noise.bernoulli(self.visible_mean(h), training)

    def serve(self, x: Any) -> Any:
        """Mean-field reconstruction p(v=1|p(h=1|x)), in the shape of `x`."""
        return ops.reshape(self.visible_mean(self(x)), (-1, *self.shape))

    def generate(self, count: int, sweeps: int = 200) -> Any:
        """Probabilities of `count` pictures after Gibbs sweeps from chains or noise: (count, ...)."""
        v = self.noise.bernoulli(ops.full((count, self.W.shape[0]), 0.5), training=False)
        for _ in range(sweeps):
            v = self.gibbs(v, training=False)
        return self.serve(v)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        data = ops.cast(self.flat(x), self.variable_dtype)  # sums over pixels want more than half precision
        persistent = bool(training and self.chains)
        v = ops.cast(self.chain, data.dtype) if persistent else data
        for _ in range(self.steps):
            v = self.gibbs(v, training)
        v = ops.stop_gradient(v)
        if persistent:
            self.chain.assign(v)
        self.track(x, reconstruction_error=ops.mean(ops.square(data - self.visible_mean(y_pred))))
        return ops.mean(self.free_energy(data)) - ops.mean(self.free_energy(v))
