"""Five kinds of flowers from 525 photographs: a new head on MobileNet-v2 with the weights of ImageNet, all else frozen.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", "Guidelines for using transfer learning": a small
set of pictures like those of before.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="flowers-transfer",
    page="mobilenet_v2",
    task="image-classification",
    data="flowers5",
    pretrained="imagenet",
    optimizer={"adam": 1e-3},
    batch_size=32,
    epochs=30,
    minutes=0.6,
    expect={"test_accuracy": Expect(0.8, "required: far above flowers-scratch", "at least")},
    tiny={"epochs": 2},
)
