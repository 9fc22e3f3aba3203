"""Cats against dogs from 420 photographs alone: the network of cats-dogs-transfer from random weights.

Pictures of 96 pixels a side, flipped and moved at random, to see what so few photographs teach without pretraining.

Source: none; the control of cats-dogs-transfer.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cats-dogs-scratch",
    page="mobilenet_v2",
    task="image-classification",
    data="cats_dogs",
    inputs={"size": 96, "augment": {"flip": True, "shift": 8}},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=32,
    epochs=20,
    seeds=5,
    minutes=4,
    expect={"test_accuracy": Expect(0.5, "required: that of guessing; the control of cats-dogs-transfer", "at least")},
    tiny={"epochs": 1, "inputs.size": 32},
)
