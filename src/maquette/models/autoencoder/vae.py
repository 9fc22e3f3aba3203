"""Variational autoencoder: codes are draws around what the encoder says, and the prior's draws are codes of new items.

Prior       z ~ N(0, I)                                                                    (batch, code_units)
Likelihood  p(x|z), of numbers given which all are independent; D(z) are dense layers, E's widths in reverse:
            "bernoulli" with logits D(z), of pixels in [0, 1];  "gaussian", N(D(z), deviation^2)
Posterior   q(z|x) = N(m, diag(s^2)),  (m, log s^2) = E(x): dense layers of `hidden_units`, then twice code_units units
Bound       log p(x) >= E_q log p(x|z) - KL(q(z|x) || N(0, I)),  KL = sum_j (m_j^2 + s_j^2 - 1 - log s_j^2) / 2
Loss        distortion + beta rate: mean of -log p(x|z) at one draw z = m + s e, e ~ N(0, I), and of KL, in nats
Better      E log (1/K) sum_k p(x, z_k) / q(z_k|x),  z_k ~ q: tighter with every draw, and log p(x) for K to infinity

The draw is a function of m and s, so that the gradient passes through it. Numbers are summed, not averaged: averages
over the pixels, or over the code, would be another beta. Where a unit has s = 1 and m = 0 for all items it tells
nothing, and `active_units` counts the others; too large a beta, or a decoder that needs no code, silences all. Grey
pixels are taken as probabilities, and what is bounded is then not quite a likelihood: see inputs.binary.

Source: Kingma, Welling (2014), "Auto-encoding variational Bayes", sections 2 and 3, appendices B and C; Burda, Grosse,
Salakhutdinov (2016), "Importance weighted autoencoders", equation 8 and section 5 (the better bound, active units);
Higgins et al. (2017), "beta-VAE".

Example:
    >>> from maquette.models.autoencoder.vae import VAE
    >>> model = VAE(hidden_units=(16,), code_units=2)
    >>> model.build((None, 8, 8, 1))
    >>> model.generate(3, seed=1).shape == (3, 8, 8, 1), model.interpolate(pairs=2, steps=5).shape == (2, 5, 8, 8, 1)
    (True, True)
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError

RECIPE = Recipe(
    name="mnist-vae",
    task="density",
    data="mnist",
    model={"hidden_units": (400, 200), "code_units": 50, "activation": "relu"},
    inputs={"binary": "sample"},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    batch_size=100,
    epochs=60,
    minutes=3,
    expect={
        "test_log_likelihood_bound": Expect(
            -95, "required in 60 epochs; -86.8 after 3,280 in Burda et al. (2016), table 1", "at least"
        )
    },
    tiny={"data": "digits", "model.hidden_units": (8,), "model.code_units": 3, "epochs": 3},
)

DRAWS = 50  # of the better bound


@keras.saving.register_keras_serializable("maquette")
class VAE(Model):
    """x: (batch, ...), pictures in [0, 1] or points -> E(x|z) at z = m: (batch, ...).

    Args:
        hidden_units: width of each hidden layer of the encoder; the decoder's come in reverse order.
        code_units: length of the code.
        activation: of the hidden layers, any of Keras.
        likelihood: "bernoulli" or "gaussian".
        deviation: of the Gaussian likelihood.
        beta: what a nat of the rate costs; 1 maximises the bound.
        seed: of the weights and the draws.
    """

    tasks = ("density", "image-generation")
    tracked = ("distortion", "rate")

    def __init__(
        self,
        hidden_units: Sequence[int] = (128,),
        code_units: int = 2,
        activation: str = "tanh",
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli",
        deviation: float = 0.1,
        beta: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_units, self.code_units, self.activation = tuple(hidden_units), code_units, activation
        self.likelihood, self.deviation, self.beta, self.seed = likelihood, deviation, beta, seed
        self.noise = Noise(seed, dtype="float32")

    def build(self, input_shape: Any) -> None:
        self.shape = tuple(input_shape[1:])
        start = (keras.initializers.GlorotUniform(seed=self.seed + i) for i in range(100))

        def dense(units: int, activation: Any, name: str, **kwargs: Any) -> layers.Dense:
            return layers.Dense(units, activation, kernel_initializer=next(start), name=name, **kwargs)

        down = [dense(units, self.activation, f"down_{i}") for i, units in enumerate(self.hidden_units, 1)]
        up = [dense(units, self.activation, f"up_{i}") for i, units in enumerate(reversed(self.hidden_units), 1)]
        code = dense(2 * self.code_units, None, "code", dtype="float32")
        answer = dense(math.prod(self.shape), None, "answer", dtype="float32")
        self.encoder = keras.Sequential([layers.Flatten(), *down, code], name="encoder")
        self.decoder = keras.Sequential([*up, answer, layers.Reshape(self.shape, dtype="float32")], name="decoder")
        self.encoder.build((None, *self.shape))
        self.decoder.build((None, self.code_units))

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Refuse with an InputError numbers outside of [0, 1], of which no Bernoulli likelihood tells."""
        if self.likelihood == "bernoulli" and (x.min() < 0 or x.max() > 1):
            found = f"values from {x.min():.3g} to {x.max():.3g}"
            raise InputError(f"{found}: {self.name} takes pixels in [0, 1]; set model.likelihood=gaussian")

    def posterior(self, x: Any) -> tuple[Any, Any]:
        """m and log s^2 of items x (batch, ...): (batch, code_units) each."""
        return ops.split(self.encoder(ops.convert_to_tensor(x, self.compute_dtype)), 2, axis=-1)

    def transform(self, x: Any) -> Any:
        """The codes m of items x (batch, ...): (batch, code_units)."""
        return self.posterior(x)[0]

    def decode(self, z: Any) -> Any:
        """E(x|z) of codes z (batch, code_units): (batch, ...)."""
        answer = self.decoder(ops.convert_to_tensor(z, self.compute_dtype))
        return ops.sigmoid(answer) if self.likelihood == "bernoulli" else answer

    def call(self, x: Any, training: bool = False) -> Any:
        return self.decode(self.transform(x))

    def log_likelihood(self, x: Any, z: Any) -> Any:
        """log p(x|z) of items (batch, ...) and codes (batch, code_units): (batch,)."""
        x, answer = ops.cast(x, "float32"), self.decoder(ops.cast(z, self.compute_dtype))
        if self.likelihood == "bernoulli":
            each = x * answer - ops.softplus(answer)
        else:
            each = -ops.square((x - answer) / self.deviation) / 2 - math.log(self.deviation * math.sqrt(2 * math.pi))
        return ops.sum(each, axis=tuple(range(1, 1 + len(self.shape))))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        m, v = self.posterior(x)
        z = m + ops.exp(v / 2) * self.noise.normal(ops.shape(m), training)
        distortion = -self.log_likelihood(x, z)  # (batch,)
        rate = ops.sum(ops.square(m) + ops.exp(v) - 1 - v, axis=-1) / 2  # (batch,)
        self.track(x, distortion=ops.mean(distortion), rate=ops.mean(rate))
        return ops.average(distortion + self.beta * rate, weights=sample_weight)

    def bound(self, x: Any, draws: int = DRAWS) -> Any:
        """The better bound of log p(x), in nats, by so many draws for each item x (batch, ...): (batch,)."""
        m, v = self.posterior(x)
        terms = []
        for _ in range(draws):
            e = self.noise.normal(ops.shape(m), training=False)
            z = m + ops.exp(v / 2) * e
            prior, own = ops.sum(ops.square(z), axis=-1) / 2, ops.sum(ops.square(e) + v, axis=-1) / 2
            terms.append(self.log_likelihood(x, z) - prior + own)
        return ops.logsumexp(ops.stack(terms), axis=0) - math.log(draws)

    def active_units(self, x: Any) -> int:
        """How many units' m has a variance above 0.01 over items x (batch, ...)."""
        return int((np.var(ops.convert_to_numpy(self.transform(x)), axis=0) > 0.01).sum())

    def latents(self, count: int, seed: int | Sequence[int] | None = None) -> Any:
        """Draws of the prior: (count, code_units); without a seed the next of the evaluation noise."""
        shape = (count, self.code_units)
        if seed is None:
            return self.noise.normal(shape, training=False)
        return np.random.default_rng(seed).standard_normal(shape, "float32")

    def generate(self, count: int, seed: int | Sequence[int] | None = None) -> Any:
        """E(x|z) of `count` draws of the prior: (count, ...)."""
        return self.decode(self.latents(count, seed))

    def interpolate(self, pairs: int, steps: int, seed: int = 0) -> Any:
        """Items on the straight ways from one draw to another: (pairs, steps, ...)."""
        a, b = (self.latents(pairs, (seed, i))[:, np.newaxis] for i in (0, 1))
        share = np.linspace(0, 1, steps, dtype="float32")[:, np.newaxis]
        items = self.decode(((1 - share) * a + share * b).reshape(-1, self.code_units))
        return ops.reshape(items, (pairs, steps, *self.shape))
