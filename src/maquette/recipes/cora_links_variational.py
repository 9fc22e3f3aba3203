"""The variational graph auto-encoder on Cora: codes that are drawn find links as well as those that are not.

Source: Kipf, Welling (2016), "Variational graph auto-encoders", table 1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cora-links-variational",
    page="graph_autoencoder",
    task="link-prediction",
    data="cora",
    model={"hidden_units": 32, "latent_dim": 16, "variational": True},
    inputs={"scale": "none"},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=100,
    shuffle=False,
    seeds=10,
    minutes=0.1,
    expect={
        "test_roc_auc": Expect(0.914, "Kipf, Welling (2016), table 1: VGAE on Cora", "near", 0.015),
        "test_average_precision": Expect(0.926, "Kipf, Welling (2016), table 1: VGAE on Cora", "near", 0.015),
    },
    tiny={"data": "communities", "inputs": {}, "model.hidden_units": 4, "model.latent_dim": 3, "epochs": 3},
)
