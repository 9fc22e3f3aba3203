"""The Wasserstein game with a gradient penalty on a grid of 25 Gaussians, beside gan-grid25, -hinge and -penalty.

Source: Gulrajani et al. (2017), "Improved training of Wasserstein GANs", section 4.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="gan-grid25-wgan-gp",
    page="gan",
    task="image-generation",
    data="grid25",
    model={
        **{"latent_dim": 2, "hidden_units": (128, 128, 128), "activation": "leaky_relu", "ema": 0.999},
        **{"game": "wasserstein", "gradient_penalty": 0.1, "critic_steps": 2},
    },
    optimizer={
        "generator": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9}},
        "critic": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.9}},
    },
    schedule="cosine",
    batch_size=256,
    epochs=300,
    seeds=5,
    minutes=1.5,
    expect={"test_modes": Expect(1, "no band is required: shown as it is", "at least")},
    tiny={"model.hidden_units": (8, 8), "epochs": 3},
)
