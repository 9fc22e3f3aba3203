"""Autoencoder: items through a narrow code and back, so that the code has to keep what tells them apart.

Code      z = E(x): dense layers of `hidden_units`, then `code_units` units; linear, or a sigmoid with `sparsity_cost`
Answer    D(z): the same widths in reverse, then as many units as there are numbers; linear, or a sigmoid for pictures
Loss      mean over the batch and the numbers of an item of (D(E(x + noise e)) - x)^2,  e ~ N(0, I) while training
Sparsity  + sparsity_cost sum_j q log(q / p_j) + (1 - q) log((1 - q) / (1 - p_j)),  p_j the batch's mean of z_j

Without hidden layers, with linear answers, the best code spans the principal components, and no code of so many numbers
has a smaller error; with hidden layers it follows a curved sheet. A code wider than the items needs sparsity or noise:
it could copy them otherwise. Neighbours stay neighbours as far as E is smooth, and nothing asks for more: distances and
directions in the code mean little, and runs from different seeds differ.

Source: Hinton, Salakhutdinov (2006), "Reducing the dimensionality of data with neural networks"; Bourlard, Kamp (1988),
"Auto-association by multilayer perceptrons and singular value decomposition" (the linear one); Vincent et al. (2008),
"Extracting and composing robust features with denoising autoencoders"; Ng (2011), "Sparse autoencoder", section 3.

Example:
    >>> import numpy as np
    >>> from maquette.models.autoencoder.autoencoder import Autoencoder
    >>> model = Autoencoder(hidden_units=(16,), code_units=2)
    >>> x = np.zeros((5, 8, 8, 1), "float32")
    >>> model(x).shape == x.shape, model.transform(x).shape == (5, 2)
    (True, True)
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.noise import Noise
from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError

RECIPE = Recipe(
    name="digits-autoencoder",
    task="density",
    data="digits",
    model={"hidden_units": (128, 64), "code_units": 8},
    optimizer={"adam": 2e-3},
    schedule="cosine",
    batch_size=50,
    epochs=150,
    minutes=0.5,
    expect={"test_reconstruction_error": Expect(0.0217, "required: below that of eight principal components, 0.0217")},
    tiny={"model.hidden_units": (8,), "model.code_units": 3, "model.sparsity_cost": 0.01, "epochs": 3},
)


@keras.saving.register_keras_serializable("maquette")
class Autoencoder(Model):
    """x: (batch, ...), pictures in [0, 1] or points -> their reconstructions: (batch, ...).

    Args:
        hidden_units: width of each hidden layer of the encoder; the decoder's come in reverse order.
        code_units: length of the code.
        activation: of the hidden layers, any of Keras.
        noise: standard deviation of what is added to the items while training.
        sparsity: q, the mean that a unit of the code is to have.
        sparsity_cost: weight of the penalty on other means; 0 asks nothing, and leaves the code linear.
        seed: of the weights and the noise.
    """

    tasks = ("density",)
    tracked = ("reconstruction_error",)

    def __init__(
        self,
        hidden_units: Sequence[int] = (128,),
        code_units: int = 2,
        activation: str = "relu",
        noise: float = 0.0,
        sparsity: float = 0.05,
        sparsity_cost: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < sparsity < 1 or noise < 0:
            raise ValueError("sparsity lies between 0 and 1, and noise is at least 0")
        self.hidden_units, self.code_units, self.activation = tuple(hidden_units), code_units, activation
        self.noise, self.sparsity, self.sparsity_cost, self.seed = noise, sparsity, sparsity_cost, seed
        self.draws = Noise(seed)

    def build(self, input_shape: Any) -> None:
        self.shape = tuple(input_shape[1:])
        start = (keras.initializers.GlorotUniform(seed=self.seed + i) for i in range(100))

        def dense(units: int, activation: Any, name: str, **kwargs: Any) -> layers.Dense:
            return layers.Dense(units, activation, kernel_initializer=next(start), name=name, **kwargs)

        squash = "sigmoid" if self.sparsity_cost else None
        down = [dense(units, self.activation, f"down_{i}") for i, units in enumerate(self.hidden_units, 1)]
        up = [dense(units, self.activation, f"up_{i}") for i, units in enumerate(reversed(self.hidden_units), 1)]
        answer = dense(math.prod(self.shape), "sigmoid" if len(self.shape) == 3 else None, "answer", dtype="float32")
        self.encoder = keras.Sequential(
            [layers.Flatten(), *down, dense(self.code_units, squash, "code")], name="encoder"
        )
        self.decoder = keras.Sequential([*up, answer, layers.Reshape(self.shape, dtype="float32")], name="decoder")
        self.encoder.build((None, *self.shape))
        self.decoder.build((None, self.code_units))

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Refuse with an InputError pictures outside of [0, 1], which no sigmoid answers with."""
        if len(self.shape) == 3 and (x.min() < 0 or x.max() > 1):
            raise InputError(f"values from {x.min():.3g} to {x.max():.3g}: {self.name} takes pixels in [0, 1]")

    def call(self, x: Any, training: bool = False) -> Any:
        if training and self.noise:
            x = x + self.noise * ops.cast(self.draws.normal(ops.shape(x)), x.dtype)
        return self.decoder(self.encoder(x))

    def transform(self, x: Any) -> Any:
        """The codes of items x (batch, ...): (batch, code_units)."""
        return self.encoder(ops.convert_to_tensor(x, self.compute_dtype))

    def decode(self, z: Any) -> Any:
        """The items that codes z (batch, code_units) stand for: (batch, ...)."""
        return self.decoder(ops.convert_to_tensor(z, self.compute_dtype))

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        error = ops.mean(ops.square(y_pred - ops.cast(x, "float32")), axis=tuple(range(1, 1 + len(self.shape))))
        self.track(x, reconstruction_error=ops.mean(error))
        loss = ops.average(error, weights=sample_weight)
        if not self.sparsity_cost:
            return loss
        p = ops.clip(ops.mean(ops.cast(self.encoder(x), "float32"), axis=0), 1e-6, 1 - 1e-6)
        divergence = keras.losses.binary_crossentropy(ops.full_like(p, self.sparsity), p) * self.code_units
        return loss + self.sparsity_cost * (divergence - self.code_units * _entropy(self.sparsity))


def _entropy(q: float) -> float:
    """Of a unit that is on with probability q, in nats."""
    return -q * math.log(q) - (1 - q) * math.log(1 - q)
