"""The convolutional game on three digits at once, not told the classes: how many of the thousand does it draw?

Source: Metz et al. (2017), "Unrolled generative adversarial networks", section 3.3.1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="stacked-mnist-dcgan",
    page="dcgan",
    task="image-generation",
    data="stacked_mnist",
    model={"latent_dim": 64, "filters": (64, 32), "ema": 0.999},
    optimizer={
        "generator": {"adam": {"learning_rate": 5e-4, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
    },
    batch_size=128,
    epochs=10,
    minutes=6,
    expect={"test_classes": Expect(500, "required: half of the thousand", "at least")},
    tiny={"data": "digits", "model.filters": (4, 2), "model.latent_dim": 3, "epochs": 3},
)
