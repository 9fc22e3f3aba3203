"""Restricted Boltzmann machine with binary units, trained by contrastive divergence.

Energy        E(v, h) = -b.v - c.h - v.W.h               v (visible,), h (hidden,), both in {0, 1}
Free energy   F(v) = -b.v - sum_j softplus(c_j + (v.W)_j),  p(v) = exp(-F(v)) / Z
Conditionals  p(h=1|v) = sigmoid(c + v.W),  p(v=1|h) = sigmoid(b + h.W^T)
Loss          mean F(data) - mean F(sample), the sample held constant: its gradient is the contrastive
              divergence estimate of the log-likelihood gradient, <v h^T> of the data minus that of the sample
Rule          the sample is `steps` Gibbs sweeps away from the data, or, with `chains` > 0, from where the
              chains stood after the last update (persistent contrastive divergence)
Sparsity      + cost sum_j -(q log p_j + (1 - q) log(1 - p_j)),  p_j the batch's mean of p(h_j=1|v), q the target
Centring      v and h enter the energy less their offsets, the data's mean and 1/2: the same machines, but steps
              that are the same whether a pixel or its negative is modelled

The loss is no likelihood and may rise while the model improves. Where free_energy and val_free_energy part, the
machine over-fits; maquette.methods.energy has what a likelihood needs. Grey pixels are taken as probabilities.
Momentum and weight decay are the optimizer's. Chains that mix slowly mislead the learning.

Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence"; Tieleman (2008),
"Training restricted Boltzmann machines using approximations to the likelihood gradient"; Hinton (2012), "A
practical guide to training restricted Boltzmann machines", sections 8, 9 and 11 (starts, momentum, sparsity);
Montavon, Mueller (2012), "Deep Boltzmann machines and the centering trick".

Example:
    >>> import numpy as np
    >>> from maquette.models.energy.bernoulli_rbm import BernoulliRBM
    >>> model = BernoulliRBM(hidden_units=8)
    >>> x = np.zeros((2, 16), "float32")
    >>> model.transform(x).shape == (2, 8), model.impute(x, known=np.arange(16) < 8).shape == (2, 16)
    (True, True)
"""

import math
from typing import Any

import keras
import numpy as np
from keras import initializers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.methods.energy.machine import Machine

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

EVERY = 8  # row whose reconstruction is followed while training: a product of matrices saved


@keras.saving.register_keras_serializable("maquette")
class BernoulliRBM(Model):
    """v: (batch, ...), flattened, values in [0, 1] -> p(h=1|v): (batch, hidden_units).

    Args:
        hidden_units: number of hidden units.
        steps: Gibbs sweeps per update, at most some 25, since they are unrolled.
        chains: number of persistent chains; 0 starts each step's chains at its data.
        sparsity: q, the share of the examples for which a hidden unit should be on.
        sparsity_cost: how much a unit that is on more often, or less, costs; 0 asks nothing.
        centred: whether the units enter the energy less their offsets.
        seed: of the initial weights and of the sampling.
    """

    tasks = ("density",)
    tracked = ("free_energy", "reconstruction_error")
    monitor = "reconstruction_error"

    def __init__(
        self,
        hidden_units: int = 64,
        steps: int = 1,
        chains: int = 0,
        sparsity: float = 0.1,
        sparsity_cost: float = 0.0,
        centred: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if hidden_units < 1 or steps < 1 or chains < 0 or not 0 < sparsity < 1:
            raise ValueError("hidden_units and steps are at least 1, chains at least 0, sparsity between 0 and 1")
        self.hidden_units, self.steps, self.chains, self.seed = hidden_units, steps, chains, seed
        self.sparsity, self.sparsity_cost, self.centred = sparsity, sparsity_cost, centred
        self.noise = Noise(seed)

    def build(self, input_shape: Any) -> None:
        self.shape = tuple(input_shape[1:])
        small, half = initializers.RandomNormal(0.0, 0.01, seed=self.seed), initializers.Constant(0.5)
        visible, hidden = math.prod(self.shape), self.hidden_units
        self.W = self.add_weight(shape=(visible, hidden), initializer=small, name="W")
        self.b = self.add_weight(shape=(visible,), initializer="zeros", name="b")
        self.c = self.add_weight(shape=(hidden,), initializer="zeros", name="c")
        if self.chains:
            self.chain = self.add_weight(shape=(self.chains, hidden), initializer=half, trainable=False, name="chain")
        if self.centred:
            self.offset = self.add_weight(shape=(visible,), initializer=half, trainable=False, name="offset")

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Start the visible biases at the log-odds of each pixel's mean; raises InputError outside of [0, 1]."""
        if x.min() < 0 or x.max() > 1:
            found = f"values from {x.min():.3g} to {x.max():.3g}"
            remedy = "set inputs.standardise=false, scale them, or take gaussian_rbm"
            raise InputError(f"{found}: {type(self).__name__} takes pixels in [0, 1]; {remedy}")
        mean = np.clip(np.reshape(x, (len(x), -1)).mean(axis=0), 0.01, 0.99)
        self.b.assign(np.log(mean / (1 - mean)))
        if self.centred:
            self.offset.assign(mean)

    def biases(self) -> tuple[Any, Any]:
        """b and c of the energy as it is written above, whatever the centring."""
        if not self.centred:
            return self.b, self.c
        return self.b - 0.5 * ops.sum(self.W, axis=1), self.c - ops.matmul(self.offset, self.W)

    def machine(self) -> Machine:
        """The machine as arrays, for what is computed of it exactly or by sampling."""
        return Machine(*(ops.convert_to_numpy(array) for array in (self.W, *self.biases())))

    def flat(self, v: Any) -> Any:
        """(batch, ...) -> (batch, visible)."""
        return ops.reshape(v, (ops.shape(v)[0], -1))

    def hidden_input(self, v: Any) -> Any:
        """v: (batch, visible) -> c + v.W: (batch, hidden)."""
        return ops.matmul(v, self.W) + self.biases()[1]

    def visible_input(self, h: Any) -> Any:
        """h: (batch, hidden) -> b + h.W^T: (batch, visible)."""
        return ops.matmul(h, ops.transpose(self.W)) + self.biases()[0]

    def call(self, v: Any, training: bool = False) -> Any:
        return ops.sigmoid(self.hidden_input(self.flat(v)))

    def free_energy(self, v: Any) -> Any:
        """v: (batch, visible) -> F(v): (batch,)."""
        return self.visible_energy(v) - ops.sum(ops.softplus(self.hidden_input(v)), axis=-1)

    def visible_energy(self, v: Any) -> Any:
        """The energy of the visible units alone: (batch, visible) -> (batch,)."""
        return -ops.matmul(v, self.biases()[0])

    def visible_mean(self, h: Any) -> Any:
        """h: (batch, hidden) -> E(v|h): (batch, visible)."""
        return ops.sigmoid(self.visible_input(h))

    def draw_visible(self, h: Any, training: bool = True) -> Any:
        """h: (batch, hidden) -> v drawn from p(v|h): (batch, visible)."""
        return self.noise.bernoulli(self.visible_mean(h), training)

    def draw_hidden(self, v: Any, training: bool = True) -> Any:
        """v: (batch, visible) -> h drawn from p(h|v): (batch, hidden)."""
        return self.noise.bernoulli(ops.sigmoid(self.hidden_input(v)), training)

    def sweep(self, h: Any, training: bool = True) -> tuple[Any, Any]:
        """One Gibbs sweep: h (batch, hidden) -> v drawn from p(v|h) and h' drawn from p(h|v)."""
        v = self.draw_visible(h, training)
        return v, self.draw_hidden(v, training)

    def transform(self, x: Any) -> Any:
        """Features: x (batch, ...) -> p(h=1|x): (batch, hidden)."""
        return self(ops.convert_to_tensor(x, self.compute_dtype))

    def serve(self, x: Any) -> Any:
        """Mean-field reconstruction E(v|h = p(h=1|x)), in the shape of `x`."""
        return self.pictures(self(x))

    def reconstruct(self, x: Any) -> Any:
        """x (batch, ...) -> its mean-field reconstruction in the same shape."""
        return self.pictures(self.transform(x))

    def pictures(self, h: Any) -> Any:
        """h: (batch, hidden) -> E(v|h) in the shape of an item: (batch, ...)."""
        return ops.reshape(self.visible_mean(h), (-1, *self.shape))

    def sample(self, x: Any, sweeps: int = 1, known: Any = None) -> Any:
        """Where chains stand after Gibbs sweeps from x (batch, ...): (batch, ...); training's own stay where they are.

        Args:
            sweeps: how many.
            known: booleans that broadcast against x; where they are true the chains keep the values of x.
        """
        x = v = ops.convert_to_tensor(x, self.compute_dtype)
        for _ in range(sweeps):
            drawn = self.draw_visible(self.draw_hidden(self.flat(v), False), False)
            v = ops.reshape(drawn, ops.shape(x))
            v = v if known is None else ops.where(known, x, v)
        return v

    def impute(self, x: Any, known: Any, sweeps: int = 100) -> Any:
        """x (batch, ...), where `known` is false with the mean given the rest, by sweeps after as many for burn-in."""
        x = ops.where(known, ops.convert_to_tensor(x, self.compute_dtype), 0)
        v, total = self.sample(x, sweeps, known), ops.zeros_like(x)
        for _ in range(sweeps):
            v = self.sample(v, 1, known)
            total = total + self.pictures(self.draw_hidden(self.flat(v), False))
        return ops.where(known, x, total / sweeps)

    def generate(self, count: int, sweeps: int = 200) -> Any:
        """Means E(v|h) of `count` items after Gibbs sweeps from where the chains stand, or from noise: (count, ...)."""
        h = ops.full((count, self.hidden_units), 0.5)
        if self.chains:
            h = ops.take(ops.convert_to_tensor(self.chain), np.arange(count) % self.chains, axis=0)
        for _ in range(sweeps):
            _, h = self.sweep(h, training=False)
        return self.pictures(h)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        data = ops.cast(self.flat(x), self.variable_dtype)  # sums over pixels want more than half precision
        persistent = bool(training and self.chains)
        h = ops.cast(self.chain, data.dtype) if persistent else self.draw_hidden(data, training)
        for _ in range(self.steps):
            v, h = self.sweep(h, training)
        v = ops.stop_gradient(v)
        if persistent:
            self.chain.assign(ops.stop_gradient(h))
        free = ops.mean(self.free_energy(data))
        rows = slice(None, None, EVERY if training else 1)
        error = ops.mean(ops.square(data[rows] - ops.cast(self.visible_mean(y_pred[rows]), data.dtype)))
        self.track(x, free_energy=free, reconstruction_error=error)
        return free - ops.mean(self.free_energy(v)) + self.sparsity_penalty(y_pred)

    def sparsity_penalty(self, p: Any) -> Any:
        """p(h=1|v) of a batch, (batch, hidden) -> what its means cost, see above; 0 without a cost."""
        if not self.sparsity_cost:
            return 0.0
        mean = ops.clip(ops.mean(ops.cast(p, "float32"), axis=0), 1e-6, 1 - 1e-6)
        surprise = self.sparsity * ops.log(mean) + (1 - self.sparsity) * ops.log(1 - mean)
        return -self.sparsity_cost * ops.sum(surprise)
