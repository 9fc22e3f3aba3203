"""Restricted Boltzmann machine with 500 hidden units on binary MNIST, by CD-25, centred.

Source: Salakhutdinov, Murray (2008), "On the quantitative analysis of deep belief networks", table 1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="rbm-mnist-cd25",
    page="bernoulli_rbm",
    task="density",
    data="mnist",
    model={"hidden_units": 500, "steps": 25, "centred": True},
    inputs={"binary": "sample"},
    optimizer={"sgd": 0.3},
    schedule="cosine",
    batch_size=100,
    epochs=40,
    minutes=11,
    expect={"test_log_likelihood": Expect(-86.34, "Salakhutdinov, Murray (2008), table 1, CD25(500)", "at least")},
    tiny={"data": "digits", "model.hidden_units": 6, "model.steps": 1, "epochs": 3},
)
