"""Cats against dogs from 420 photographs: a new head on MobileNet-v2 with the weights of ImageNet, all else frozen.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 3-8, does it with VGG-16 and 20,000.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cats-dogs-transfer",
    page="mobilenet_v2",
    task="image-classification",
    data="cats_dogs",
    pretrained="imagenet",
    optimizer={"adam": 1e-3},
    batch_size=32,
    epochs=20,
    seeds=5,
    minutes=0.5,
    expect={"test_accuracy": Expect(0.95, "required; 0.9769 in Pattanayak (2023), Listing 3-8", "at least")},
    tiny={"epochs": 2},
)
