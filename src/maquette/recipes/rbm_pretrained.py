"""One hidden layer of 500 sigmoid units, started at a restricted Boltzmann machine: a belief network of one layer.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 5-3b: CD-2, 6 epochs and 6 more.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="rbm-pretrained",
    page="dbn",
    task="image-classification",
    data="mnist",
    model={"hidden_units": (500,), "pretrain_epochs": 6, "steps": 2},
    inputs={"standardise": False},
    optimizer={"adam": 3e-3},
    schedule="cosine",
    batch_size=256,
    epochs=15,
    minutes=0.5,
    expect={"test_accuracy": Expect(0.9797, "Pattanayak (2023), Listing 5-3b, counted over what it tests", "at least")},
    tiny={"data": "digits", "model.hidden_units": (16,), "model.pretrain_epochs": 0, "epochs": 3},
)
