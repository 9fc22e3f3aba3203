"""Pix2pix: pictures of one kind turned into another, learnt from pairs that show the same thing in both.

Translator  G: A -> B, a U-Net: 4 x 4 convolutions of stride 2 down, transposed ones up, and each map on the way up has
            the map of its size on the way down beside it; the last is a tanh
Critic      D(a, b): one answer for every patch of a pair, of 70 x 70 pixels by default
Losses      D: (softplus(-D(a, b)) + softplus(D(a, G(a)))) / 2           with G held constant
            G: softplus(-D(a, G(a))) + weight |G(a) - b|, a mean per pixel     with D held constant
Rule        both networks in the same step, by an optimizer each
Noise       dropout in the first three layers on the way up, while it learns

The absolute error alone would blur what the picture of A leaves open; the critic asks for some sharp answer, which need
not be the true one. Without exact pairs take cyclegan.

Source: Isola, Zhu, Zhou, Efros (2017), "Image-to-image translation with conditional adversarial networks", section 3
and appendix 6.1.

Example:
    >>> import numpy as np
    >>> from maquette.models.adversarial.pix2pix import Pix2Pix
    >>> model = Pix2Pix(filters=(4, 8, 8), critic_filters=(4, 8))
    >>> model.build((None, 2, 16, 16, 3))
    >>> model(np.zeros((3, 2, 16, 16, 3), "float32")).shape == (3, 1, 16, 16, 3)
    True
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.dropout import Dropout
from maquette.core.model import learning_rule
from maquette.core.players import Players, frozen
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.models.adversarial._losses import GAMES
from maquette.models.adversarial._patches import apart, check_pairs, narrow, normed, patch_critic

RECIPE = Recipe(
    name="pix2pix-facades",
    task="image-translation",
    data="facades",
    model={"filters": (32, 64, 128, 128, 128), "critic_filters": (32, 64, 128)},
    inputs={"augment": {"flip": True}},
    optimizer={
        "translator": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
    },
    batch_size=4,
    epochs=60,
    minutes=6,
    # The median training photograph, as the answer to every map, has a lower error than sharp ones; here it has 0.15.
    expect={"test_ssim_b": Expect(0.22, "required: half more than one photograph for all maps reaches", "at least")},
    tiny={
        **{"data": "tinted_pairs", "inputs.size": 8, "model.filters": (2, 2), "model.critic_filters": (2, 2)},
        **{"epochs": 3},
    },
)


@keras.saving.register_keras_serializable("maquette")
class Pix2Pix(Players):
    """x: (batch, 2, height, width, channels) in [0, 1], a pair of A and B -> G(a): (batch, 1, height, width, channels).

    Args:
        filters: maps of the layers down; each halves the sides.
        critic_filters: maps of the critic's layers, of stride 2 but for the last.
        weight: of the absolute error.
        dropout: share of maps' values that is left out on the way up.
        seed: of the dropout.
    """

    tasks = ("image-translation",)
    tracked = ("critic_loss", "fooling_loss", "absolute_error")
    monitor = None

    def __init__(
        self,
        filters: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        critic_filters: Sequence[int] = (64, 128, 256, 512),
        weight: float = 100.0,
        dropout: float = 0.5,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.critic_filters = tuple(filters), tuple(critic_filters)
        self.weight, self.dropout, self.seed = weight, dropout, seed
        if min(*self.filters, *self.critic_filters) < 1 or weight < 0 or not 0 <= dropout < 1:
            raise ValueError("filters are at least 1, weight at least 0, and dropout is in [0, 1)")

    def build(self, input_shape: Any) -> None:
        check_pairs("pix2pix", input_shape[1:], halvings=len(self.filters), least=2)
        channels = input_shape[-1]
        self.translator = self._u_net("translator", channels)
        self.critic = patch_critic("critic", 2 * channels, self.critic_filters)

    def initialize(self, x: np.ndarray, y: np.ndarray | None) -> None:
        """Refuse with an InputError items whose two pictures do not belong together."""
        if y is None or not np.all(y == 1):
            raise InputError(
                "pix2pix learns from pairs, and these pictures are none: give a/ and b/ files of equal names,"
                " or train cyclegan"
            )

    def _u_net(self, name: str, channels: int) -> keras.Model:
        x = start = keras.Input((None, None, channels))
        passed, last = [], len(self.filters)
        for i, maps in enumerate(self.filters, 1):
            plain = i in (1, last)  # a norm would leave nothing of maps of a single pixel
            layer = self._halved_or_doubled(layers.Conv2D, maps, f"{name}_down_{i}", plain)
            x = layer(x) if plain else normed(layer, x)
            passed.append(x)
            x = layers.LeakyReLU(0.2, name=f"{name}_down_relu_{i}")(x)
        for i, beside in reversed(list(enumerate(passed[:-1], 1))):
            layer = self._halved_or_doubled(layers.Conv2DTranspose, self.filters[i - 1], f"{name}_up_{i}", False)
            x = normed(layer, layers.ReLU(name=f"{name}_up_relu_{i}")(x))
            if self.dropout and last - 1 - i < 3:
                x = Dropout(self.dropout, seed=self.seed + i, name=f"{name}_dropout_{i}")(x)
            x = layers.Concatenate(name=f"{name}_beside_{i}")([x, beside])
        answer = layers.Conv2DTranspose(
            channels, 4, 2, "same", kernel_initializer=narrow(), dtype="float32", name=f"{name}_out"
        )
        x = answer(layers.ReLU(name=f"{name}_out_relu")(x))
        return keras.Model(start, layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x), name=name)

    def _halved_or_doubled(self, kind: Any, maps: int, name: str, bias: bool) -> Any:
        return kind(maps, 4, 2, "same", use_bias=bias, kernel_initializer=narrow(), name=name)

    def call(self, x: Any, training: bool = False) -> Any:
        return (ops.expand_dims(self.translator(2 * x[:, 0] - 1, training=training), 1) + 1) / 2

    def serve(self, x: Any) -> Any:
        """a translated into a picture of b, in [0, 1]: (batch, 1, height, width, channels)."""
        return self(x, training=False)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        a, b = (ops.cast(2 * x[:, i] - 1, "float32") for i in (0, 1))
        fake = 2 * y_pred[:, 0] - 1
        of_critic, of_translator = GAMES["non-saturating"]
        on_real, on_fake = (self.critic(ops.concatenate([a, c], axis=-1)) for c in (b, ops.stop_gradient(fake)))
        critic_loss = ops.mean(of_critic(on_real, on_fake)) / 2
        fooling = ops.mean(of_translator(frozen(self.critic, ops.concatenate([a, fake], axis=-1))))
        error = apart(fake, b)
        self.track(x, critic_loss=critic_loss, fooling_loss=fooling, absolute_error=error)
        return critic_loss + fooling + self.weight * error
