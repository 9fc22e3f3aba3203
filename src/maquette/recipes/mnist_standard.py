"""Handwritten digits by standard convolutions, what mnist-separable is compared with: 431,242 weights, not 414,899.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 3-9b, 10 epochs.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-standard",
    page="separable_cnn",
    task="image-classification",
    data="mnist",
    model={"convolution": "standard"},
    inputs={"standardise": False},
    schedule="cosine",
    batch_size=128,
    epochs=10,
    minutes=3,
    expect={"test_accuracy": Expect(0.9905, "Pattanayak (2023), Listing 3-9b, after 10 epochs", "at least")},
    tiny={"data": "digits", "inputs.size": 14, "model.filters": (4, 8), "model.hidden_units": 16, "epochs": 3},
)
