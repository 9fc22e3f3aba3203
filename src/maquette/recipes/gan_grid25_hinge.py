"""The hinge game on a grid of 25 Gaussians, beside gan-grid25, -penalty and -wgan-gp."""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="gan-grid25-hinge",
    page="gan",
    task="image-generation",
    data="grid25",
    model={"latent_dim": 2, "hidden_units": (128, 128, 128), "activation": "leaky_relu", "game": "hinge", "ema": 0.999},
    optimizer={
        "generator": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 1e-3, "beta_1": 0.5}},
    },
    schedule="cosine",
    batch_size=256,
    epochs=300,
    seeds=5,
    minutes=1,
    expect={"test_modes": Expect(1, "no band is required: shown as it is", "at least")},
    tiny={"model.hidden_units": (8, 8), "epochs": 3},
)
