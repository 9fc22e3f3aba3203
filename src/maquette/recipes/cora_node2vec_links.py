"""Node2vec on Cora without a part of its links, which products of its vectors are then asked to find.

The pairs are those of `cora-links`. No word of a paper is seen, only who cites whom.

Source: Grover, Leskovec (2016), "node2vec: scalable feature learning for networks", section 4.4.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cora-node2vec-links",
    page="node2vec",
    task="node-embedding",
    data="cora",
    model={"dim": 128},
    inputs={"walks": 10, "length": 80, "window": 10, "test_links": 0.1, "validation_links": 0.05},
    optimizer={"sgd": 0.005},
    schedule="cosine",
    batch_size=1024,
    epochs=5,
    minutes=0.5,
    expect={
        "test_roc_auc": Expect(0.831, "Kipf, Welling (2016), table 1: DeepWalk on Cora", "at least"),
        "test_average_precision": Expect(0.85, "Kipf, Welling (2016), table 1: DeepWalk on Cora", "at least"),
    },
    tiny={
        **{"data": "communities", "model.dim": 8, "model.threads": 1, "model.noise_words": 8, "epochs": 3},
        **{"inputs.length": 10, "inputs.window": 2, "optimizer.sgd": 0.03},
    },
)
