"""A variational autoencoder on MNIST whose decoder is the generator of gan-mnist: what the two ways to train it give.

Source: Kingma, Welling (2014), "Auto-encoding variational Bayes"; Pattanayak (2023), "Pro Deep Learning with TensorFlow
2.0", chapter 6, where the two are compared without numbers.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-vae-samples",
    page="vae",
    task="image-generation",
    data="mnist",
    model={"code_units": 100, "hidden_units": (130, 150), "activation": "relu"},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=100,
    epochs=30,
    minutes=2,
    expect={"test_frechet_distance_mlp64": Expect(4.0, "no band is required: shown as it is, beside gan-mnist")},
    tiny={"data": "digits", "model.hidden_units": (8,), "model.code_units": 3, "epochs": 3},
)
