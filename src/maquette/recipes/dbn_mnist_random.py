"""The network of dbn-mnist from random weights, with the epochs of pre-training added to those of fine-tuning.

Source: Glorot, Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks" (its start).
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="dbn-mnist-random",
    page="dbn",
    task="image-classification",
    data="mnist",
    model={"hidden_units": (500, 500, 2000), "dropout": 0.3},
    inputs={"standardise": False},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=100,
    epochs=35,
    minutes=2.5,
    expect={"test_error": Expect(0.03, "required: twice the error of dbn-mnist at most")},
    tiny={"data": "digits", "model.hidden_units": (16, 8), "epochs": 3},
)
