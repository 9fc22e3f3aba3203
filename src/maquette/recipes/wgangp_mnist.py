"""The Wasserstein game with a gradient penalty between the convolutional networks of dcgan-mnist, both told the class.

Source: Gulrajani et al. (2017), "Improved training of Wasserstein GANs", algorithm 1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="wgangp-mnist",
    page="dcgan",
    task="image-generation",
    data="mnist",
    model={
        **{"latent_dim": 64, "filters": (64, 32), "game": "wasserstein", "gradient_penalty": 10.0},
        **{"critic_steps": 3, "conditional": True, "ema": 0.999},
    },
    optimizer={
        "generator": {"adam": {"learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.9}},
        "critic": {"adam": {"learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.9}},
    },
    batch_size=128,
    epochs=10,
    minutes=5,
    expect={
        "test_frechet_distance_mlp64": Expect(0.8, "required: what two epochs nearly reach"),
        "test_class_gap": Expect(0.02, "required: every digit within 2 points of a tenth of the samples"),
    },
    tiny={"data": "digits", "model.filters": (4, 2), "model.latent_dim": 3, "epochs": 3},
)
