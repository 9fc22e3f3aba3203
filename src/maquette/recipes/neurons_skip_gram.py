"""Skip-gram with the full softmax on twelve sentences: the loss nears the entropy of a neighbour given a word."""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="neurons-skip-gram",
    page="skip_gram",
    task="word-vectors",
    data="neurons",
    model={"dim": 32, "objective": "softmax"},
    inputs={"window": 2, "min_count": 1, "subsample": 0.0, "dynamic": False},
    optimizer={"adam": 0.01},
    batch_size=32,
    epochs=100,
    test=0.0,
    minutes=0.1,
    expect={"train_loss": Expect(2.40, "required: the entropy 2.203 of a neighbour given the word, and 0.2")},
)
