"""Deep belief network: restricted Boltzmann machines stacked greedily, then fine-tuned as a classifier.

Pre-training  machine l learns p(h^l-1, h^l) by CD-`steps` on the means p(h^l-1 = 1 | v) of the machines below
Generator     p(v, h^1 .. h^L) = p(h^L-1, h^L) prod_l p(h^l-1 | h^l): Gibbs sweeps in the top machine, then down
Network       h^l = sigmoid(c_l + h^l-1.W_l), started at the machines' weights; z = h^L.U + d the logits
Loss          cross-entropy of the true classes, from the classifier's base

Adding a machine raises a bound of the likelihood where it starts as its parent's mirror image. The machines are kept
beside the network, as they were before fine-tuning, for `generate`. With pretrain_epochs=0 the same network starts at
Glorot's random weights. Pre-training takes place before the first epoch, and anew if it is interrupted; it wants inputs
in [0, 1]. Where labels are many and units are rectified, it gains little.

Parent: bernoulli_rbm

Source: Hinton, Osindero, Teh (2006), "A fast learning algorithm for deep belief nets", sections 4 and 6; Hinton,
Salakhutdinov (2006), "Reducing the dimensionality of data with neural networks" (fine-tuning by gradient).

Example:
    >>> import numpy as np
    >>> from maquette.models.energy.dbn import DBN
    >>> model = DBN(hidden_units=(8, 4), classes=3)
    >>> model(np.zeros((2, 5, 5), "float32")).shape == (2, 3), model.generate(2, sweeps=3).shape == (2, 5, 5)
    (True, True)
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.classifier import Classifier
from maquette.core.dropout import Dropout
from maquette.core.recipe import Expect, Recipe
from maquette.models.energy.bernoulli_rbm import BernoulliRBM

RECIPE = Recipe(
    name="dbn-mnist",
    task="image-classification",
    data="mnist",
    model={"hidden_units": (500, 500, 2000), "pretrain_epochs": 10, "dropout": 0.3},
    inputs={"standardise": False},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=100,
    epochs=25,
    minutes=3,
    expect={"test_error": Expect(0.014, "1.25 % in Hinton et al. (2006), table 1; 1.34 % in the LISA tutorial, DBN")},
    tiny={"data": "digits", "model.hidden_units": (16, 8), "model.pretrain_epochs": 0, "epochs": 3},
)

BATCH, MOMENTUM, DECAY = 100, 0.5, 2e-4  # of pre-training


@keras.saving.register_keras_serializable("maquette")
class DBN(Classifier):
    """x: (batch, ...), flattened, in [0, 1] -> logits: (batch, classes).

    Args:
        hidden_units: width of each hidden layer, and of each machine.
        classes: number of classes.
        pretrain_epochs: of every machine; 0 leaves pre-training out.
        pretrain_rate: learning rate of the machines.
        steps: k of contrastive divergence.
        dropout: share of each hidden layer's units that a step of fine-tuning leaves out, in [0, 1).
        seed: of the machines.
    """

    tasks = ("image-classification",)

    def __init__(
        self,
        hidden_units: Sequence[int] = (500, 500, 2000),
        classes: int = 10,
        pretrain_epochs: int = 0,
        pretrain_rate: float = 0.1,
        steps: int = 1,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_units, self.classes, self.pretrain_epochs = tuple(hidden_units), classes, pretrain_epochs
        self.pretrain_rate, self.steps, self.dropout, self.seed = pretrain_rate, steps, dropout, seed
        self.flatten = layers.Flatten(name="flatten")
        self.up = [layers.Dense(n, "sigmoid", name=f"up_{i}") for i, n in enumerate(self.hidden_units, 1)]
        self.drop = [Dropout(dropout, name=f"dropout_{i}") for i, _ in enumerate(self.hidden_units, 1)]
        self.head = layers.Dense(classes, name="head", dtype="float32")
        self.machines = [self.new_machine(i) for i, _ in enumerate(self.hidden_units)]

    def new_machine(self, index: int) -> BernoulliRBM:
        """An untrained machine of one layer, its weights no part of what fine-tuning changes."""
        units, seed = self.hidden_units[index], self.seed + index
        machine = BernoulliRBM(units, self.steps, seed=seed, name=f"machine_{index + 1}", dtype="float32")
        machine.trainable = False
        return machine

    def build(self, input_shape: Any) -> None:
        self.shape = tuple(input_shape[1:])
        shape = input_shape
        for machine in self.machines:
            machine.build(shape)
            shape = (None, machine.hidden_units)
        super().build(input_shape)

    def initialize(self, x: np.ndarray, y: Any = None) -> None:
        """Train the machines from below, and start the network at their weights; raises InputError outside [0, 1]."""
        if not self.pretrain_epochs:
            return
        for index, (kept, layer) in enumerate(zip(self.machines, self.up, strict=True)):
            machine = self.new_machine(index)
            machine.trainable = True
            machine.build(x.shape)
            machine.initialize(x)
            machine.compile(keras.optimizers.SGD(self.pretrain_rate, MOMENTUM, weight_decay=DECAY))
            for epoch in range(self.pretrain_epochs):
                order = np.random.default_rng((self.seed, index, epoch)).permutation(len(x))
                machine.fit(x[order], batch_size=BATCH, shuffle=False, verbose=0)
            kept.set_weights(machine.get_weights())
            layer.set_weights([ops.convert_to_numpy(machine.W), ops.convert_to_numpy(machine.c)])
            x = machine.predict(x, batch_size=1000, verbose=0)

    def features(self, x: Any, training: bool = False) -> Any:
        """x -> h^L: (batch, hidden_units[-1])."""
        h = self.flatten(x)
        for layer, drop in zip(self.up, self.drop, strict=True):
            h = drop(layer(h), training=training)
        return h

    def generate(self, count: int, sweeps: int = 200) -> Any:
        """Means of `count` items after Gibbs sweeps in the top machine and one draw in each below: (count, ...)."""
        *below, top = self.machines
        h = top.generate(count, sweeps)
        for machine in reversed(below):
            h = machine.pictures(machine.noise.bernoulli(h, training=False))
        return ops.reshape(h, (count, *self.shape))
