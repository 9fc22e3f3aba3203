"""Dense adversarial network on MNIST, with uniform noise and dropout in the critic.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 6-5.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="gan-mnist",
    page="gan",
    task="image-generation",
    data="mnist",
    model={"latent_dim": 100, "hidden_units": (150, 130), "dropout": 0.3, "prior": "uniform"},
    optimizer={
        "generator": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
        "critic": {"adam": {"learning_rate": 2e-4, "beta_1": 0.5}},
    },
    batch_size=256,
    epochs=100,
    minutes=3,
    expect={
        "test_classes": Expect(10, "required: no digit with less than a quarter of its share", "at least"),
        "test_frechet_distance_mlp64": Expect(2.0, "no band is required: shown as it is, beside dcgan-mnist"),
    },
    tiny={"data": "digits", "model.latent_dim": 3, "model.hidden_units": (8, 8), "epochs": 3},
)
