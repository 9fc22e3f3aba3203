"""CycleGAN: pictures of one kind turned into another, learnt from two heaps of pictures without a single pair.

Translators  G: A -> B, F: B -> A, in the code to_b and to_a: residual networks
             7 x 7, two convolutions of stride 2, `blocks` residual blocks of two 3 x 3, two doublings, 7 x 7, tanh
Critics      D_A and D_B: one answer for every patch of a picture, of 70 x 70 pixels by default
Losses       D_B: ((D_B(b) - 1)^2 + D_B(b~)^2) / 2,   b~ = G(a) or an earlier one from the pool       D_A likewise
             G, F: (D_B(G(a)) - 1)^2 + (D_A(F(b)) - 1)^2
                   + cycle (|F(G(a)) - a| + |G(F(b)) - b|) + identity (|G(b) - b| + |F(a) - a|)      means per pixel
Rule         all four networks in the same step by an optimizer each; G and F hold the critics constant, and the critics
             what G and F drew
Pool         of `pool` fakes of each kind: once it is full, every second fake goes in for one that comes out

The two pictures of an item have nothing to do with each other: no term of the loss sees both. Without the cycle every
map of one heap onto the other would do, and with it there may still be several: nothing says that the one found is the
one meant. What the cycle has to bring back may hide in patterns too faint to see. Colours and textures change, shapes
hardly do.

Source: Zhu, Park, Isola, Efros (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
networks", sections 3 to 5 and the appendix; Shrivastava et al. (2017), "Learning from simulated and unsupervised images
through adversarial training", section 2.3 (the pool); Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0",
Listing 6-6.

Example:
    >>> import numpy as np
    >>> from maquette.models.adversarial.cyclegan import CycleGAN
    >>> model = CycleGAN(filters=4, blocks=1, critic_filters=(4, 8))
    >>> model.build((None, 2, 16, 16, 3))
    >>> items = np.zeros((3, 2, 16, 16, 3), "float32")
    >>> model(items).shape == items.shape, model.serve(items).shape == (3, 4, 16, 16, 3)
    (True, True)
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from maquette.core.model import learning_rule
from maquette.core.noise import Noise
from maquette.core.players import Players, frozen
from maquette.core.recipe import Expect, Recipe
from maquette.layers.reflection_padding import ReflectionPadding
from maquette.models.adversarial._losses import GAMES
from maquette.models.adversarial._patches import apart, check_pairs, narrow, normed, patch_critic

RECIPE = Recipe(
    name="cyclegan-shapes",
    task="image-translation",
    data="tinted_shapes",
    # A translator that sees little around a pixel changes its colour; one that sees more may turn discs into squares.
    model={"filters": 12, "halvings": 1, "blocks": 0, "critic_filters": (16, 32), "identity": 0.0},
    optimizer={
        "to_a": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "to_b": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "critic_a": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "critic_b": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
    },
    schedule="linear",
    batch_size=4,
    epochs=12,
    minutes=3,
    expect={"test_remaining_error": Expect(0.1, "required: a tenth of the error of leaving pictures as they are")},
    tiny={
        **{"inputs.size": 8, "model.filters": 2, "model.halvings": 0, "model.blocks": 0, "epochs": 3},
        # Nets this small have gradients that all but cancel, of which Adam makes as much as of any other.
        **{f"optimizer.{player}.sgd": 1e-4 for player in ("to_a", "to_b", "critic_a", "critic_b")},
        **{"model.critic_filters": (2,), "model.identity": 5.0, "model.pool": 5},
    },
)


@keras.saving.register_keras_serializable("maquette")
class CycleGAN(Players):
    """x: (batch, 2, height, width, channels) in [0, 1], a picture of A and one of B -> G(a), F(b) in the same shape.

    Args:
        filters: maps of the translators' first layer.
        halvings: of the sides on the way through a translator, each with a doubling of the maps.
        blocks: residual blocks of a translator: 9 for pictures of 256 x 256 pixels, 6 for 128 x 128.
        critic_filters: maps of the critics' layers, of stride 2 but for the last.
        cycle: weight of the way there and back.
        identity: weight of leaving pictures alone that are of the other kind already; it keeps colours, 0 lets them go.
        pool: earlier fakes that are kept for each critic; 0 keeps none.
        seed: of the draws from the pool.
    """

    tasks = ("image-translation",)
    tracked = ("critic_loss", "fooling_loss", "cycle_loss", "identity_loss")
    monitor = None

    def __init__(
        self,
        filters: int = 64,
        halvings: int = 2,
        blocks: int = 9,
        critic_filters: Sequence[int] = (64, 128, 256, 512),
        cycle: float = 10.0,
        identity: float = 5.0,
        pool: int = 50,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.halvings, self.blocks, self.critic_filters = filters, halvings, blocks, tuple(critic_filters)
        self.cycle, self.identity, self.pool, self.seed = cycle, identity, pool, seed
        if min(filters, *self.critic_filters) < 1 or min(halvings, blocks, cycle, identity, pool) < 0:
            raise ValueError("filters are at least 1, and halvings, blocks, cycle, identity and pool at least 0")
        self.noise = Noise(seed)

    def build(self, input_shape: Any) -> None:
        check_pairs("CycleGAN", input_shape[1:], self.halvings, least=max(4, 2 ** (self.halvings + 1)))
        picture = tuple(input_shape[2:])
        self.to_b, self.to_a = (self._translator(name, picture[-1]) for name in ("to_b", "to_a"))
        self.critic_a, self.critic_b = (
            patch_critic(name, picture[-1], self.critic_filters) for name in ("critic_a", "critic_b")
        )
        if self.pool:
            for name in ("pool_a", "pool_b"):
                setattr(self, name, self.add_weight((self.pool, *picture), "zeros", trainable=False, name=name))
            self.pooled = self.add_weight((), "zeros", dtype="int32", trainable=False, name="pooled")

    def _translator(self, name: str, channels: int) -> keras.Model:
        x = start = keras.Input((None, None, channels))
        x = ReflectionPadding(3, name=f"{name}_pad")(x)
        x = self._convolved(x, layers.Conv2D, f"{name}_in", self.filters, 7)
        for i in range(1, self.halvings + 1):
            x = self._convolved(x, layers.Conv2D, f"{name}_down_{i}", 2**i * self.filters, 3, 2, "same")
        for i in range(1, self.blocks + 1):
            x = layers.Add(name=f"{name}_add_{i}")([x, self._block(x, f"{name}_block_{i}")])
        for i in reversed(range(self.halvings)):
            x = self._convolved(x, layers.Conv2DTranspose, f"{name}_up_{i}", 2**i * self.filters, 3, 2, "same")
        x = ReflectionPadding(3, name=f"{name}_pad_out")(x)
        last = layers.Conv2D(channels, 7, kernel_initializer=narrow(), dtype="float32", name=f"{name}_out")
        return keras.Model(start, layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(last(x)), name=name)

    def _convolved(self, x: Any, kind: Any, name: str, *sizes: Any, active: bool = True) -> Any:
        """Convolution, instance normalisation, ReLU."""
        x = normed(kind(*sizes, use_bias=False, kernel_initializer=narrow(), name=name), x)
        return layers.ReLU(name=f"{name}_relu")(x) if active else x

    def _block(self, x: Any, name: str) -> Any:
        maps = x.shape[-1]
        for i, active in ((1, True), (2, False)):
            x = ReflectionPadding(1, name=f"{name}_pad_{i}")(x)
            x = self._convolved(x, layers.Conv2D, f"{name}_{i}", maps, 3, active=active)
        return x

    def call(self, x: Any, training: bool = False) -> Any:
        """There: G(a), F(b)."""
        return (ops.stack([self.to_b(2 * x[:, 0] - 1), self.to_a(2 * x[:, 1] - 1)], axis=1) + 1) / 2

    def serve(self, x: Any) -> Any:
        """There and back, pictures in [0, 1]: G(a), F(b), F(G(a)), G(F(b)) as (batch, 4, height, width, channels)."""
        there = self(x, training=False)
        return ops.concatenate([there, ops.flip(self(ops.flip(there, axis=1), training=False), axis=1)], axis=1)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        a, b = (ops.cast(2 * x[:, i] - 1, "float32") for i in (0, 1))
        fake_b, fake_a = (2 * y_pred[:, i] - 1 for i in (0, 1))
        of_critic, of_translator = GAMES["least-squares"]
        seen_a, seen_b = self._from_pools(ops.stop_gradient(fake_a), ops.stop_gradient(fake_b), training)
        critic_loss = sum(
            ops.mean(of_critic(*_both(critic, real, seen)))
            for critic, real, seen in ((self.critic_a, a, seen_a), (self.critic_b, b, seen_b))
        )
        passed = of_translator(frozen(self.critic_a, fake_a)), of_translator(frozen(self.critic_b, fake_b))
        fooling = 2 * (ops.mean(passed[0]) + ops.mean(passed[1]))  # of_translator has half of the square
        back_a, same_a = _both(self.to_a, fake_b, a) if self.identity else (self.to_a(fake_b), a)
        back_b, same_b = _both(self.to_b, fake_a, b) if self.identity else (self.to_b(fake_a), b)
        cycle, same = apart(back_a, a) + apart(back_b, b), apart(same_a, a) + apart(same_b, b)
        self.track(x, critic_loss=critic_loss, fooling_loss=fooling, cycle_loss=cycle, identity_loss=same)
        return critic_loss + fooling + self.cycle * cycle + self.identity * same

    def _from_pools(self, fake_a: Any, fake_b: Any, training: bool) -> tuple[Any, Any]:
        """What the critics are shown for the fakes (batch, ...); both pools change at the same places."""
        if not (self.pool and training):
            return fake_a, fake_b
        n, slots, pooled = ops.shape(fake_a)[0], ops.arange(self.pool), ops.convert_to_tensor(self.pooled)
        begin, coin = self.noise.uniform((1,)), self.noise.uniform((n,))
        filling = pooled < self.pool
        anywhere = ops.cast(ops.floor(ops.cast(begin[0], "float32") * self.pool), "int32")
        begin = ops.where(filling, pooled, ops.minimum(anywhere, self.pool - 1))
        out = ops.logical_and(coin < 0.5, ops.logical_not(filling))  # an earlier one is shown
        place = ops.mod(begin + ops.arange(n), self.pool)  # of each fake
        comer = ops.mod(slots - begin, self.pool)  # of each slot: the fake that may go in
        going_in = ops.logical_or(filling, ops.take(out, ops.minimum(comer, n - 1)))
        goes_in = ops.logical_and(comer < n, going_in)
        shown = []
        for pool, fake in ((self.pool_a, fake_a), (self.pool_b, fake_b)):
            earlier = ops.convert_to_tensor(pool.value)
            shown.append(ops.where(_wide(out), ops.take(earlier, place, axis=0), fake))
            came = ops.take(fake, ops.minimum(comer, n - 1), axis=0)
            pool.assign(ops.where(_wide(goes_in), came, earlier))
        self.pooled.assign(ops.minimum(pooled + n, self.pool))
        return shown[0], shown[1]


def _both(network: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """A network's answers to two batches, in one pass: no layer mixes pictures."""
    n = ops.shape(x)[0]
    z = network(ops.concatenate([x, y], axis=0))
    return z[:n], z[n:]


def _wide(mask: Any) -> Any:
    """(n,) -> (n, 1, 1, 1)."""
    return ops.reshape(mask, (-1, 1, 1, 1))
