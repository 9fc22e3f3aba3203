"""Restricted Boltzmann machine with 500 hidden units on binary MNIST, by CD-3: 9,000 steps reach -130 nats so far.

Source: Salakhutdinov, Murray (2008), "On the quantitative analysis of deep belief networks", table 1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="rbm-mnist-cd3",
    page="bernoulli_rbm",
    task="density",
    data="mnist",
    model={"hidden_units": 500, "steps": 3},
    inputs={"binary": "sample"},
    optimizer={"sgd": 0.05},
    schedule="cosine",
    batch_size=100,
    epochs=15,
    minutes=2,
    expect={"test_log_likelihood": Expect(-105.5, "Salakhutdinov, Murray (2008), table 1, CD3(500)", "at least")},
    tiny={"data": "digits", "model.hidden_units": 6, "model.steps": 1, "epochs": 3},
)
