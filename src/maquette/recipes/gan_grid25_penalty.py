"""The non-saturating game with a gradient penalty on a grid of 25 Gaussians: it finds them all.

Source: Kodali, Abernethy, Hays, Kira (2017), "On convergence and stability of GANs", who penalise slopes near the data.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="gan-grid25-penalty",
    page="gan",
    task="image-generation",
    data="grid25",
    model={
        **{"latent_dim": 2, "hidden_units": (128, 128, 128), "activation": "leaky_relu"},
        # With one step of the critic to each of the generator's, some seeds leave a fifth of the points between modes.
        **{"gradient_penalty": 0.1, "critic_steps": 2, "ema": 0.999},
    },
    optimizer={
        "generator": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
    },
    schedule="cosine",
    batch_size=256,
    epochs=800,
    seeds=5,
    minutes=2,
    expect={
        "test_modes": Expect(24, "required: 24 of the grid's 25 modes, mean of 5 seeds", "at least"),
        "test_in_modes": Expect(0.9, "required: 90 % of the samples within 3 deviations, mean of 5 seeds", "at least"),
    },
    tiny={"model.hidden_units": (8, 8), "epochs": 3},
)
