"""What generators of pictures and points share: the game with a critic, the moving average, draws and walks."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from maquette.core.gradient import input_gradient
from maquette.core.model import learning_rule
from maquette.core.noise import Noise
from maquette.core.players import Players, frozen
from maquette.errors import InputError, near
from maquette.models.adversarial._losses import GAMES


class Adversarial(Players):
    """A generator and a critic; a page defines `make_generator` and `make_critic`, and keeps its arguments itself.

    Items are pictures in [0, 1] (height, width, channels), or points (dim,) as they are. The two networks see pictures
    in [-1, 1], where a tanh can draw them.

    Attributes:
        latent_dim, prior, game, critic_steps, gradient_penalty, conditional, classes, ema, seed: see the pages.
    """

    tracked = ("critic_loss", "generator_loss", "critic_on_real", "critic_on_fake")
    monitor = None
    latent_dim: int
    prior: str
    game: str
    critic_steps: int
    gradient_penalty: float
    conditional: bool
    classes: int
    ema: float
    seed: int

    def check_arguments(self) -> None:
        """Raise ValueError naming an argument that makes no sense; and make the noise."""
        for key, known in {"game": GAMES, "prior": ("normal", "uniform")}.items():
            if getattr(self, key) not in known:
                raise ValueError(f"{key}={getattr(self, key)!r}: {near(getattr(self, key), known)}")
        if self.latent_dim < 1 or self.critic_steps < 1 or self.gradient_penalty < 0 or not 0 <= self.ema < 1:
            raise ValueError("latent_dim and critic_steps are at least 1, gradient_penalty at least 0, ema in [0, 1)")
        self.noise = Noise(self.seed)
        self.every = {"generator": self.critic_steps}

    def make_generator(self, name: str) -> Any:
        """The network (batch, latent_dim + classes if conditional) -> items."""
        raise NotImplementedError

    def make_critic(self, name: str) -> Any:
        """The network from items to answers (batch, `answers`)."""
        raise NotImplementedError

    @property
    def answers(self) -> int:
        """The critic answers for every class if there are conditions, of which that of the item's class counts."""
        return self.classes if self.conditional else 1

    def build(self, input_shape: Any) -> None:
        self.shape = tuple(input_shape[1:])
        if len(self.shape) not in (1, 3):
            raise InputError(f"{type(self).__name__} generates pictures or points, and not items of shape {self.shape}")
        drawn = (None, self.latent_dim + (self.classes if self.conditional else 0))
        self.generator, self.critic = self.make_generator("generator"), self.make_critic("critic")
        self.generator.build(drawn)
        self.critic.build((None, *self.shape))
        self.steps = self.add_weight((), "zeros", trainable=False, name="steps")
        if self.ema:
            self.average = self.make_generator("average")
            self.average.trainable = False
            self.average.build(drawn)
            self.average.set_weights(self.generator.get_weights())

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Refuse with an InputError pictures outside of [0, 1], and conditions without classes."""
        if len(self.shape) == 3 and (x.min() < 0 or x.max() > 1):
            raise InputError(f"values from {x.min():.3g} to {x.max():.3g}: {self.name} takes pixels in [0, 1]")
        if self.conditional and y is None:
            raise InputError("model.conditional=true: the data have no classes; put the pictures in a folder per class")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.critic(self.scaled(x), training=training)

    def scaled(self, x: Any) -> Any:
        """Items as the networks see them."""
        return 2 * x - 1 if len(self.shape) == 3 else x

    def _given(self, y: Any) -> Any:
        return ops.one_hot(ops.cast(y, "int32"), self.classes, dtype="float32") if self.conditional else None

    def _answer(self, answers: Any, given: Any) -> Any:
        """(batch, answers) -> (batch,)."""
        answers = ops.cast(answers, "float32")
        return answers[:, 0] if given is None else ops.sum(answers * given, axis=-1)

    def _input(self, z: Any, given: Any) -> Any:
        return z if given is None else ops.concatenate([z, ops.cast(given, z.dtype)], axis=-1)

    def _draw(self, count: Any, training: bool) -> Any:
        shape = (count, self.latent_dim)
        return (
            self.noise.normal(shape, training)
            if self.prior == "normal"
            else 2 * self.noise.uniform(shape, training) - 1
        )

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        given, (of_critic, of_generator) = self._given(y), GAMES[self.game]
        fake = self.generator(self._input(self._draw(ops.shape(x)[0], training), given), training=training)
        held = ops.stop_gradient(fake)
        a = self._answer(y_pred, given)  # (batch,)
        b = self._answer(self.critic(held, training=training), given)
        critic_loss = ops.average(of_critic(a, b), weights=sample_weight)
        if self.gradient_penalty:
            excess = self._excess(self.scaled(x), held, given, training)
            critic_loss = critic_loss + self.gradient_penalty * ops.average(excess, weights=sample_weight)
        wanted = of_generator(self._answer(frozen(self.critic, fake, training), given))
        generator_loss = ops.average(wanted, weights=sample_weight)
        means = {"critic_on_real": ops.mean(a), "critic_on_fake": ops.mean(b)}
        self.track(x, critic_loss=critic_loss, generator_loss=generator_loss, **means)
        return critic_loss + (self._turn() * generator_loss if training else generator_loss)

    def _excess(self, real: Any, fake: Any, given: Any, training: bool) -> Any:
        """(|slope of the critic| - 1)^2 at a random place between each real item and a fake: (batch,)."""
        real, axes = ops.cast(real, "float32"), tuple(range(1, len(self.shape) + 1))
        share = ops.cast(self.noise.uniform((ops.shape(real)[0], *(1 for _ in axes)), training), "float32")
        place = real + share * (ops.cast(fake, "float32") - real)
        slope = input_gradient(lambda at: self._answer(self.critic(at, training=False), given), place)
        return ops.square(ops.sqrt(ops.sum(ops.square(slope), axis=axes) + 1e-12) - 1)

    def _turn(self) -> Any:
        """Count a training step and follow with the average; what the generator's loss counts for: n in its turn."""
        self.steps.assign(self.steps + 1)
        if self.ema:
            share = ops.minimum(self.ema, self.steps / (self.steps + 10))  # a start that counts for little
            for slow, fast in zip(self.average.weights, self.generator.weights, strict=True):
                slow.assign(share * slow + (1 - share) * ops.stop_gradient(fast.value))
        n = self.critic_steps
        return n * ops.cast(ops.equal(ops.mod(self.steps, n), 0), "float32")

    def latents(self, count: int, seed: int | Sequence[int] | None = None, truncation: float = 0.0) -> Any:
        """Draws of the prior: (count, latent_dim).

        Args:
            seed: fixes the draws, on every backend alike; None goes on with the evaluation noise.
            truncation: no number is further from 0; smaller ones give better and more similar items. 0 has no limit.
        """
        shape = (count, self.latent_dim)
        share = np.random.default_rng(seed).random(shape, "float32") if seed is not None else None
        u = 2 * ops.convert_to_tensor(self.noise.uniform(shape, training=False) if share is None else share) - 1
        if self.prior == "uniform":
            return u * (truncation or 1.0)
        most = math.erf(truncation / math.sqrt(2)) if truncation else 1.0
        return math.sqrt(2) * ops.erfinv(ops.cast(u, "float32") * min(most, 1 - 1e-6))

    def decode(self, z: Any, labels: Any = None) -> Any:
        """Items of latent vectors (count, latent_dim), of the classes `labels` (count,), else of each in turn."""
        z = ops.convert_to_tensor(z, self.compute_dtype)
        labels = np.arange(z.shape[0]) % max(self.classes, 1) if labels is None else labels
        network = self.average if self.ema else self.generator
        items = network(self._input(z, self._given(labels)), training=False)
        return (items + 1) / 2 if len(self.shape) == 3 else items

    def generate(
        self, count: int, seed: int | Sequence[int] | None = None, truncation: float = 0.0, labels: Any = None
    ) -> Any:
        """`count` items, pictures in [0, 1]: (count, ...); see `latents` and `decode`."""
        return self.decode(self.latents(count, seed, truncation), labels)

    def interpolate(self, pairs: int, steps: int, seed: int = 0) -> Any:
        """Items on the way from one draw to another: (pairs, steps, ...); on arcs where the prior is normal."""
        a, b = (ops.convert_to_numpy(self.latents(pairs, (seed, i)))[:, np.newaxis] for i in (0, 1))
        share = np.linspace(0, 1, steps)[:, np.newaxis]
        if self.prior == "normal":  # a straight way would lead through vectors shorter than any that was trained on
            between = np.sum(a * b, -1, keepdims=True) / np.linalg.norm(a, axis=-1, keepdims=True)
            angle = np.arccos(np.clip(between / np.linalg.norm(b, axis=-1, keepdims=True), -0.9999, 0.9999))
            z = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
        else:
            z = (1 - share) * a + share * b
        items = self.decode(z.reshape(-1, self.latent_dim), np.repeat(np.arange(pairs) % max(self.classes, 1), steps))
        return ops.reshape(items, (pairs, steps, *self.shape))
