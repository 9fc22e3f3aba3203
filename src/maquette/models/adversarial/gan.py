"""Generative adversarial network of dense layers, for pictures and for points of any dimension.

Generator  G(z), z ~ N(0, I) or uniform on [-1, 1]^d      (batch, latent_dim) -> items; pictures by a tanh
Critic     D(x), by default the logit of "x is real"      items -> (batch, 1), or an answer for each class
Losses     of a game, here that of non-saturating ones, the others in models/adversarial/_losses.py:
           L_D = E softplus(-D(x)) + E softplus(D(G(z)))  with G held constant
           L_G = E softplus(-D(G(z)))                     with D held constant
Penalty    + gradient_penalty E (|dD/dx| - 1)^2           between real and generated items
Rule       an optimizer each; the generator moves in every critic_steps-th step, against the critic as it is then
Classes    with `conditional`, G is given the class beside z, and of D's answers that of the item's class counts
Average    with `ema`, what is generated comes from running means of G's weights

Where D separates perfectly the game stalls, and G may put all its mass on a few modes: results vary by seed far
more than those of a classifier, so look at several. The minimax game stalls soonest: its generator's slope is D(G(z)).

Source: Goodfellow et al. (2014), "Generative adversarial nets", section 3 and algorithm 1; Pattanayak (2023), "Pro Deep
Learning with TensorFlow 2.0", Listing 6-5; Gulrajani et al. (2017), "Improved training of Wasserstein GANs".

Example:
    >>> from maquette.models.adversarial.gan import GAN
    >>> model = GAN(latent_dim=4, hidden_units=(16, 16))
    >>> model.build((None, 2))
    >>> model.generate(3, seed=1).shape == (3, 2), model.interpolate(pairs=2, steps=5).shape == (2, 5, 2)
    (True, True)
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import keras
from keras import layers

from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe
from maquette.layers.spectral_normalization import SpectralDense
from maquette.models.adversarial._adversarial import Adversarial

RECIPE = Recipe(
    name="ring-gan",
    task="image-generation",
    data="ring",
    # The penalty lets the critic slope gently: without it the generator leaves one or two of the modes out.
    model={"gradient_penalty": 1.0, "ema": 0.99},
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
    tiny={"model.hidden_units": (8, 8), "model.latent_dim": 3, "model.ema": 0.5, "model.critic_steps": 2, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class GAN(Adversarial):
    """call is the critic, x: items -> answers: (batch, 1); `generate(count)` -> items.

    Args:
        latent_dim: length of the noise vector.
        hidden_units: width of each hidden layer of the generator; the critic's come in reverse order.
        activation: of the hidden layers, a name that Keras knows.
        dropout: share of the critic's hidden units that a training step leaves out.
        prior: "normal" or "uniform".
        game: "minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "kl", "reverse-kl" or "pearson".
        critic_steps: how many steps the critic takes to one of the generator; needs an optimizer for each.
        gradient_penalty: weight of the penalty; 0 leaves it out, 10 is what the Wasserstein game needs.
        spectral: whether the critic's weights are divided by their largest singular value.
        conditional: whether classes are given.
        classes: number of classes.
        ema: the average's share that a step leaves; 0 generates with the weights as they are.
        seed: of the noise.
    """

    tasks = ("image-generation",)

    def __init__(
        self,
        latent_dim: int = 8,
        hidden_units: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        prior: str = "normal",
        game: str = "non-saturating",
        critic_steps: int = 1,
        gradient_penalty: float = 0.0,
        spectral: bool = False,
        conditional: bool = False,
        classes: int = 1,
        ema: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim, self.hidden_units, self.activation = latent_dim, tuple(hidden_units), activation
        self.dropout, self.prior, self.game, self.critic_steps = dropout, prior, game, critic_steps
        self.gradient_penalty, self.spectral, self.ema, self.seed = gradient_penalty, spectral, ema, seed
        self.conditional, self.classes = conditional, classes
        self.check_arguments()

    def make_generator(self, name: str) -> keras.Sequential:
        widths = (self.latent_dim + (self.classes if self.conditional else 0), *self.hidden_units)
        hidden = [
            layers.Dense(u, self.activation, bias_initializer=_spread(before), name=f"{name}_hidden_{i}")
            for i, (before, u) in enumerate(pairwise(widths), 1)
        ]
        output = layers.Dense(math.prod(self.shape), name=f"{name}_output", dtype="float32")
        drawn = [layers.Activation("tanh", name=f"{name}_tanh", dtype="float32")] if len(self.shape) == 3 else []
        drawn += [layers.Reshape(self.shape, name=f"{name}_items", dtype="float32")] if len(self.shape) == 3 else []
        return keras.Sequential([*hidden, output, *drawn], name=name)

    def make_critic(self, name: str) -> keras.Sequential:
        dense = SpectralDense if self.spectral else layers.Dense
        network: list[Any] = [layers.Flatten(name=f"{name}_flat")] if len(self.shape) == 3 else []
        for i, (before, units) in enumerate(pairwise((math.prod(self.shape), *reversed(self.hidden_units))), 1):
            network.append(dense(units, self.activation, bias_initializer=_spread(before), name=f"{name}_hidden_{i}"))
            if self.dropout:
                network.append(Dropout(self.dropout, seed=self.seed + i, name=f"{name}_dropout_{i}"))
        return keras.Sequential([*network, dense(self.answers, name=f"{name}_output", dtype="float32")], name=name)


def _spread(inputs: int) -> keras.initializers.Initializer:
    """Biases of a hidden layer: with zeros every ReLU would bend at the origin, and take long to find what is far."""
    return keras.initializers.RandomUniform(-(inputs**-0.5), inputs**-0.5)
