"""Generative adversarial network with the non-saturating generator loss, for points of any dimension.

Generator  G(z), z ~ N(0, I)                              (batch, latent_dim) -> (batch, dim)
Critic     D(x), the logit of "x is real"                 (batch, dim) -> (batch, 1)
Losses     L_D = E softplus(-D(x)) + E softplus(D(G(z)))  with G held constant
           L_G = E softplus(-D(G(z)))                     with D held constant
Rule       both are minimised in the same step, at the same weights, by one optimizer each

Where D separates perfectly the game stalls, and G may put all its mass on a few modes: results vary by seed far
more than those of a classifier, so look at several.

Source: Goodfellow et al. (2014), "Generative adversarial nets", section 3 and algorithm 1.

Example:
    >>> from maquette.models.adversarial.gan import GAN
    >>> model = GAN(latent_dim=4, hidden_units=16)
    >>> model.build((None, 2))
    >>> model.generate(3).shape == (3, 2)
    True
"""

from typing import Any

import keras
from keras import layers, ops

from maquette.core.model import learning_rule
from maquette.core.noise import Noise
from maquette.core.players import Players, frozen
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError

RECIPE = Recipe(
    name="ring-gan",
    task="density",
    data="ring",
    optimizer={
        # A lower momentum than Adam's usual 0.9 keeps the players from circling past each other.
        "generator": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
    },
    batch_size=256,
    epochs=250,
    seeds=5,
    minutes=0.5,
    expect={"modes": Expect(7, "required: 7 of the ring's 8 modes, mean of 5 seeds", "at least")},
    tiny={"model.hidden_units": 8, "model.latent_dim": 3, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class GAN(Players):
    """call is the critic, x: (batch, dim) -> logit: (batch, 1); `generate(count)` -> (count, dim).

    Args:
        latent_dim: length of the noise vector.
        hidden_units: width of the two hidden layers of each network.
        seed: of the noise.
    """

    tasks = ("density",)
    tracked = ("critic_loss", "generator_loss")
    monitor = None

    def __init__(self, latent_dim: int = 8, hidden_units: int = 128, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim, self.hidden_units, self.seed = latent_dim, hidden_units, seed
        self.noise = Noise(seed)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2:
            size = "x".join(str(side) for side in input_shape[1:])
            raise InputError(f"GAN generates points, (batch, dim), and not items of {size} numbers")
        self.generator = self._network("generator", input_shape[-1])
        self.critic = self._network("critic", 1)
        self.generator.build((None, self.latent_dim))
        self.critic.build((None, input_shape[-1]))

    def _network(self, name: str, outputs: int) -> keras.Sequential:
        hidden = [layers.Dense(self.hidden_units, "relu", name=f"{name}_hidden_{i}") for i in (1, 2)]
        return keras.Sequential([*hidden, layers.Dense(outputs, name=f"{name}_output", dtype="float32")], name=name)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.critic(x, training=training)

    def generate(self, count: int) -> Any:
        """`count` points, by the evaluation noise: (count, dim)."""
        return self.generator(self.noise.normal((count, self.latent_dim), training=False))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        z = self.noise.normal((ops.shape(x)[0], self.latent_dim), training)
        fake = self.generator(z, training=training)
        on_fake = self.critic(ops.stop_gradient(fake), training=training)
        critic_loss = ops.mean(ops.softplus(-y_pred)) + ops.mean(ops.softplus(on_fake))
        generator_loss = ops.mean(ops.softplus(-frozen(self.critic, fake, training)))
        self.track(x, critic_loss=critic_loss, generator_loss=generator_loss)
        return critic_loss + generator_loss
