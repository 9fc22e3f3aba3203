"""CBOW with the full softmax learns twelve sentences by heart: no two gaps have the same neighbours."""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="neurons-cbow",
    page="cbow",
    task="word-vectors",
    data="neurons",
    model={"dim": 32, "objective": "softmax"},
    inputs={"window": 2, "min_count": 1, "subsample": 0.0, "dynamic": False},
    optimizer={"adam": 0.01},
    batch_size=32,
    epochs=150,
    test=0.0,
    minutes=0.1,
    expect={"train_loss": Expect(0.010, "required: no two gaps have the same neighbours, so that 0 is the floor")},
)
