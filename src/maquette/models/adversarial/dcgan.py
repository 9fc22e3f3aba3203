"""Convolutional generative adversarial network (DCGAN): pictures from noise by transposed convolutions.

Generator  z -> dense, then per doubling of the sides: 4 x 4 transposed convolution of stride 2, batch normalisation,
           ReLU; the last has no normalisation and ends in a tanh      (batch, latent_dim) -> (batch, height, width, c)
Critic     4 x 4 convolutions of stride 2 and leaky ReLU 0.2, the mirror image, then one dense answer
           batch normalisation between them, except in the first, and where a penalty or spectral norms stand for it
Losses     those of a game between the two, see models/adversarial/gan.py; with game=wasserstein and gradient_penalty=10
           it is WGAN-GP, with game=hinge and spectral=true the critic of SNGAN

The sides of the pictures have to be divisible by 2 for every entry of `filters`. Batch normalisation ties the items of
a batch together, so that a collapse shows in whole batches at once.

Source: Radford, Metz, Chintala (2016), "Unsupervised representation learning with deep convolutional generative
adversarial networks", section 3; Gulrajani et al. (2017), "Improved training of Wasserstein GANs"; Miyato et al.
(2018), "Spectral normalization for generative adversarial networks".

Example:
    >>> from maquette.models.adversarial.dcgan import DCGAN
    >>> model = DCGAN(latent_dim=4, filters=(8, 4))
    >>> model.build((None, 28, 28, 1))
    >>> model.generate(3, seed=1, truncation=1.0).shape == (3, 28, 28, 1)
    True
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, layers

from maquette.core.recipe import Expect, Recipe
from maquette.errors import InputError
from maquette.layers.batch_normalization import BatchNormalization
from maquette.layers.spectral_normalization import SpectralConv2D, SpectralDense
from maquette.models.adversarial._adversarial import Adversarial

RECIPE = Recipe(
    name="dcgan-mnist",
    task="image-generation",
    data="mnist",
    model={"latent_dim": 64, "filters": (64, 32), "conditional": True, "ema": 0.999},
    optimizer={
        "generator": {"adam": {"learning_rate": 5e-4, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
    },
    batch_size=128,
    epochs=10,
    minutes=4,
    expect={
        "test_frechet_distance_mlp64": Expect(0.8, "required: what two epochs nearly reach"),
        "test_class_gap": Expect(0.02, "required: every digit within 2 points of a tenth of the samples"),
    },
    tiny={
        **{"data": "digits", "model.filters": (4, 2), "model.latent_dim": 3, "model.ema": 0.5},
        **{"model.conditional": False, "epochs": 3},
    },
)


@keras.saving.register_keras_serializable("maquette")
class DCGAN(Adversarial):
    """call is the critic, x: (batch, height, width, channels) -> answers: (batch, 1); `generate(count)` -> pictures.

    Args:
        latent_dim: length of the noise vector.
        filters: maps of the generator's layers, the smallest pictures first; the critic's come in reverse order.
        prior: "normal" or "uniform".
        game: "minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "kl", "reverse-kl" or "pearson".
        critic_steps: how many steps the critic takes to one of the generator; needs an optimizer for each.
        gradient_penalty: weight of the penalty on slopes that are not 1; 0 leaves it out.
        spectral: whether the critic's weights are divided by their largest singular value.
        conditional: whether classes are given.
        classes: number of classes.
        ema: the average's share that a step leaves; 0 generates with the weights as they are.
        seed: of the noise.
    """

    tasks = ("image-generation",)

    def __init__(
        self,
        latent_dim: int = 64,
        filters: Sequence[int] = (128, 64),
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
        self.latent_dim, self.filters, self.prior, self.game = latent_dim, tuple(filters), prior, game
        self.critic_steps, self.gradient_penalty, self.spectral = critic_steps, gradient_penalty, spectral
        self.conditional, self.classes, self.ema, self.seed = conditional, classes, ema, seed
        self.check_arguments()

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 4:
            raise InputError(f"DCGAN generates pictures, and not points of {input_shape[-1]} numbers: take gan")
        size = 2 ** len(self.filters)
        if any(side % size for side in input_shape[1:3]):
            sides = "x".join(str(side) for side in input_shape[1:3])
            raise InputError(
                f"{sides} pixels cannot be halved {len(self.filters)} times: set inputs.size to n x {size}"
            )
        super().build(input_shape)

    def make_generator(self, name: str) -> keras.Sequential:
        size = 2 ** len(self.filters)
        start = (self.shape[0] // size, self.shape[1] // size, self.filters[0])
        network: list[Any] = [
            layers.Dense(start[0] * start[1] * start[2], use_bias=False, name=f"{name}_start"),
            layers.Reshape(start, name=f"{name}_maps"),
        ]
        for i, maps in enumerate((*self.filters[1:], self.shape[-1]), 1):
            network += [BatchNormalization(momentum=0.9, name=f"{name}_norm_{i}")]
            network += [layers.ReLU(name=f"{name}_relu_{i}")]
            network += [self._doubled(maps, f"{name}_up_{i}", bias=i == len(self.filters))]  # a norm would undo it
        return keras.Sequential([*network, layers.Activation("tanh", name=f"{name}_tanh", dtype="float32")], name=name)

    def _doubled(self, maps: int, name: str, bias: bool) -> Any:
        start = initializers.RandomNormal(0, 0.05, seed=self.seed + maps)
        return layers.Conv2DTranspose(maps, 4, 2, "same", use_bias=bias, kernel_initializer=start, name=name)

    def make_critic(self, name: str) -> keras.Sequential:
        convolution, dense = (SpectralConv2D, SpectralDense) if self.spectral else (layers.Conv2D, layers.Dense)
        normed = not (self.spectral or self.gradient_penalty)
        network: list[Any] = []
        for i, maps in enumerate(reversed(self.filters), 1):
            network.append(convolution(maps, 4, 2, "same", use_bias=not (normed and i > 1), name=f"{name}_down_{i}"))
            if normed and i > 1:
                network.append(BatchNormalization(momentum=0.9, name=f"{name}_norm_{i}"))
            network.append(layers.LeakyReLU(0.2, name=f"{name}_relu_{i}"))
        network += [layers.Flatten(name=f"{name}_flat"), dense(self.answers, name=f"{name}_answer", dtype="float32")]
        return keras.Sequential(network, name=name)
