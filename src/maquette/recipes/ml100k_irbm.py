"""A Boltzmann machine by item: a film is the vector of its ratings, and who has rated it tells something too.

For the machine by user see ml100k-rbm.

Source: Sedhain, Menon, Sanner, Xie (2015), "AutoRec: autoencoders meet collaborative filtering", table 1.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="ml100k-irbm",
    page="rating_rbm",
    task="recommendation",
    data="movielens_100k",
    model={"by": "item", "hidden_units": 100, "conditional": True},
    optimizer={"adam": 0.005},
    schedule="cosine",
    batch_size=64,
    epochs=3,
    seeds=5,
    minutes=2,
    expect={"test_rmse": Expect(0.93, "required: below the machine by user, as in Sedhain et al. (2015), table 1")},
    tiny={"data": "tastes", "model.hidden_units": 4, "epochs": 3, "batch_size": 64},
)
