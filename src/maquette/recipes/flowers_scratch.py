"""Five kinds of flowers from 525 photographs alone: the network of flowers-transfer from random weights.

Pictures of 96 pixels a side, flipped and moved at random.

Source: none; the control of flowers-transfer.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="flowers-scratch",
    page="mobilenet_v2",
    task="image-classification",
    data="flowers5",
    inputs={"size": 96, "augment": {"flip": True, "shift": 8}},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=32,
    epochs=20,
    minutes=4,
    expect={
        "test_accuracy": Expect(0.3, "required: above the 0.2 of guessing; the control of flowers-transfer", "at least")
    },
    tiny={"epochs": 1, "inputs.size": 32},
)
