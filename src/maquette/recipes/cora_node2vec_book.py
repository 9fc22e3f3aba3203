"""Node2vec on Cora's largest component by pairs of each walk's first node, with one negative sample per pair.

2,485 nodes, 100 walks of 5 nodes from each, 4 pairs a walk: 994,000 pairs and as many negatives, 50 of both a step, are
39,760 steps an epoch. With p = 0.5 and q = 2 walks stay near their start; classes of papers are regions of the graph,
for which windows over longer walks (`cora-node2vec`) do better.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", Listing 6-8, 2 epochs.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cora-node2vec-book",
    page="node2vec",
    task="node-embedding",
    data="cora",
    model={"dim": 128, "negatives": 1, "noise_words": 24},
    inputs={
        **{"walks": 100, "length": 5, "p": 0.5, "q": 2.0, "pairing": "first"},
        **{"component": "largest", "noise": "degree"},
    },
    optimizer={"adam": 1e-3},
    batch_size=25,
    epochs=2,
    seeds=1,
    minutes=4,
    expect={
        "test_loss": Expect(
            0.2184, "Pattanayak (2023), Listing 6-8: 0.1092, the mean over pairs and negatives", "near", 0.05
        )
    },
)
