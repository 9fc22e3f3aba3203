"""ChebNet with filters three hops wide on Cora: more weights than K = 2, and worse."""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cora-cheb3",
    page="chebnet",
    task="node-classification",
    data="cora",
    model={"degree": 3, "hidden_units": 16, "dropout": 0.5, "decay": 5e-4},
    optimizer={"adam": 0.01},
    batch_size=0,
    epochs=200,
    shuffle=False,
    patience=10,
    seeds=100,
    minutes=0.2,
    expect={"test_accuracy": Expect(0.795, "Kipf, Welling (2017), table 3, K = 3", "near", 0.015)},
    tiny={"data": "communities", "model.hidden_units": 4, "epochs": 3, "patience": 0},
)
