"""Restricted Boltzmann machine with Gaussian visible units, for real numbers: a mixture of 2^hidden normals.

Energy        E(v, h) = sum_i (v_i - b_i)^2 / (2 s_i) - c.h - (v/s).W.h      v real, h in {0, 1}, s the variances
Free energy   F(v) = sum_i (v_i - b_i)^2 / (2 s_i) - sum_j softplus(c_j + ((v/s).W)_j)
Conditionals  p(h=1|v) = sigmoid(c + (v/s).W),  p(v|h) = N(b + h.W^T, s)
Rule          as for binary units; with `learn_variance` log s learns as well, by the slope of the same loss

Training starts at the data's means and variances. Learnt variances shrink to what the hidden units leave unexplained,
and with them the step that is safe: take Adam, or a smaller learning rate than for binary units. Centring is not
offered here: standardise the data instead.

Parent: bernoulli_rbm

Source: Cho, Ilin, Raiko (2011), "Improved learning of Gaussian-Bernoulli restricted Boltzmann machines", section 2.

Example:
    >>> import numpy as np
    >>> from maquette.models.energy.gaussian_rbm import GaussianRBM
    >>> model = GaussianRBM(hidden_units=8)
    >>> model.reconstruct(np.zeros((2, 16), "float32")).shape == (2, 16)
    True
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.methods.energy.machine import Machine
from maquette.models.energy.bernoulli_rbm import BernoulliRBM

RECIPE = Recipe(
    name="digits-gaussian-rbm",
    task="density",
    data="digits",
    model={"hidden_units": 128, "chains": 100},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=50,
    epochs=100,
    minutes=0.5,
    expect={"test_reconstruction_error": Expect(0.0325, "required: half the error of the mean picture, 0.065")},
    tiny={"model.hidden_units": 6, "model.chains": 8, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class GaussianRBM(BernoulliRBM):
    """v: (batch, ...), flattened, real -> p(h=1|v): (batch, hidden_units).

    Args:
        hidden_units: number of hidden units.
        steps: Gibbs sweeps per update, at most some 25, since they are unrolled.
        chains: number of persistent chains; 0 starts each step's chains at its data.
        sparsity: q, the share of the examples for which a hidden unit should be on.
        sparsity_cost: how much a unit that is on more often, or less, costs; 0 asks nothing.
        learn_variance: whether s is learnt; otherwise it stays at the data's variances.
        seed: of the initial weights and of the sampling.
    """

    tasks = ("density",)

    def __init__(
        self,
        hidden_units: int = 64,
        steps: int = 1,
        chains: int = 0,
        sparsity: float = 0.1,
        sparsity_cost: float = 0.0,
        learn_variance: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_units, steps, chains, sparsity, sparsity_cost, False, seed, **kwargs)
        self.learn_variance = learn_variance

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.log_s = self.add_weight(self.b.shape, "zeros", trainable=self.learn_variance, name="log_s")

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Start at the mean and variance of each visible unit; raises InputError if all are constant."""
        x = np.reshape(x, (len(x), -1)).astype(float)
        variance = x.var(axis=0)
        if not variance.max() > 0:
            raise InputError("all examples are equal: GaussianRBM needs data that vary")
        self.b.assign(x.mean(axis=0))
        self.log_s.assign(np.log(np.maximum(variance, 0.01 * variance.max())))  # corners that are always white

    def machine(self) -> Machine:
        """The machine as arrays, for what is computed of it exactly or by sampling."""
        arrays = (ops.convert_to_numpy(array) for array in (self.W, self.b, self.c, ops.exp(self.log_s)))
        return Machine(*arrays)

    def hidden_input(self, v: Any) -> Any:
        """v: (batch, visible) -> c + (v/s).W: (batch, hidden)."""
        return ops.matmul(v * ops.exp(-self.log_s), self.W) + self.c

    def visible_energy(self, v: Any) -> Any:
        """sum_i (v_i - b_i)^2 / (2 s_i): (batch, visible) -> (batch,)."""
        return 0.5 * ops.sum(ops.square(v - self.b) * ops.exp(-self.log_s), axis=-1)

    def visible_mean(self, h: Any) -> Any:
        """h: (batch, hidden) -> b + h.W^T: (batch, visible)."""
        return self.visible_input(h)

    def draw_visible(self, h: Any, training: bool = True) -> Any:
        """h: (batch, hidden) -> v drawn from p(v|h): (batch, visible)."""
        mean = self.visible_mean(h)
        noise = ops.cast(self.noise.normal(ops.shape(mean), training), mean.dtype)
        return mean + ops.exp(0.5 * self.log_s) * noise
