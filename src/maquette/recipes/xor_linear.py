"""Exclusive or with linear hidden units, which cannot: the negative control of xor-mlp.

Affine maps of affine maps are affine, so logit(0,0) + logit(1,1) = logit(0,1) + logit(1,0), and the best that is left
is probability one half everywhere, a loss of ln 2 = 0.693147.

Source: Minsky and Papert (1969), "Perceptrons".
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="xor-linear",
    page="mlp",
    task="tabular-classification",
    data="xor",
    model={"hidden_units": (2,), "activation": "linear"},
    optimizer={"sgd": 0.3},
    batch_size=0,
    shuffle=False,
    epochs=1000,
    seeds=100,
    minutes=0.1,
    expect={"test_log_loss": Expect(0.69314718, "ln 2, the infimum for an affine logit", "near", tolerance=1e-4)},
    tiny={"epochs": 20},
)
