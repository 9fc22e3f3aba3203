"""Networks on graphs, full batch: an epoch of `maquette train`'s model, and of PyTorch Geometric's layers.

    python benchmarks/graphs.py [--rounds 7] [--case gcn-1e5] [--write]

The same graph, sizes, dropout, weight decay and optimizer for both; an epoch is forward, backward and a step of Adam on
all nodes, without validation. Cora with the settings of the papers: PyTorch Geometric takes its features as its own
examples do, as a dense matrix. The others are random graphs with ten edges a node and 32 dense features. "examples" are
nodes. GCNConv keeps its normalised edges (cached=True), which ours does too; "sparse" is the same with the edges as a
sparse matrix of PyTorch in place of a list, which GCN alone takes. Epochs per second are examples per second over the
number of nodes: 2,708 of Cora, a tenth of the edges of the others, so that a cost linear in the edges is an equal rate.
"""

from typing import Any

import numpy as np
from rounds import done, main, wait

EPOCHS = {"cora-gcn": 40, "cora-gat": 10, "cora-cheb": 20, "gcn-1e4": 40, "gcn-1e5": 10, "gcn-1e6": 2}
EDGES = {"gcn-1e4": 10_000, "gcn-1e5": 100_000, "gcn-1e6": 1_000_000}
CASES = {case: epochs * (EDGES.get(case, 27_080) // 10) for case, epochs in EPOCHS.items()}
FEATURES, CLASSES = 32, 4


def page(case: str) -> str:
    """The model page of a case."""
    return {"cora-gat": "gat", "cora-cheb": "chebnet"}.get(case, "gcn")


def dataset(case: str) -> Any:
    """The graph of a case, as a data set with nodes to train on."""
    from maquette import catalog, data
    from maquette.data.graph import Graph
    from maquette.data.nodes import dataset_of

    task = catalog.task("node-classification")
    if case not in EDGES:
        return task.adapt(data.load("cora"), {**task.options, "seed": 0})
    random, nodes = np.random.default_rng(0), EDGES[case] // 10
    edges = random.integers(0, nodes, (2, EDGES[case]))
    features, labels = random.normal(size=(nodes, FEATURES)), random.integers(0, CLASSES, nodes)
    split = np.where(random.random(nodes) < 0.1, 0, -1)
    names = tuple("abcd")
    graph = Graph(edges, nodes, features=features, labels=labels, classes=names, split=split, name=case)
    return task.adapt(dataset_of(graph.simple(loops="drop")), {**task.options, "seed": 0})


def maquette_rounds(case: str) -> None:
    """Train rounds for ever."""
    from maquette import backend

    backend.choose("auto", page(case))  # before anything imports Keras
    import keras

    from maquette import assembly, catalog

    recipe, found = catalog.recipe(page(case)), dataset(case)
    task = catalog.task(recipe.task)
    encoder = task.encoder(task.options).fit(found.train.x)
    pipeline = assembly.Pipeline(recipe, task, found, encoder, {}, (1,))
    model = assembly.build(pipeline)

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            if epoch % EPOCHS[case] == 0:
                self.started = wait()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            if (epoch + 1) % EPOCHS[case] == 0:
                done(self.started)

    model.fit(pipeline.training(), epochs=10**9, callbacks=[Rounds()], shuffle=False, verbose=0)


def sparse_rounds(case: str) -> None:
    """The same with the edges as a sparse matrix, where the layers take one."""
    geometric_rounds(case, as_matrix="gcn" in case)


def geometric_rounds(case: str, as_matrix: bool = False) -> None:
    """Train rounds of PyTorch Geometric's layers for ever."""
    import torch
    from torch.nn.functional import cross_entropy

    found = dataset(case)
    graph = found.train.x.graph
    edges = torch.tensor(graph.arcs().astype(np.int64))
    if as_matrix:
        from torch_geometric.utils import to_torch_csr_tensor

        edges = to_torch_csr_tensor(edges.flip(0), size=(graph.nodes, graph.nodes))
    values = graph.features.toarray() if hasattr(graph.features, "toarray") else graph.features
    x = torch.tensor(values / np.maximum(values.sum(axis=1, keepdims=True), 1) if case not in EDGES else values)
    rows, y = torch.tensor(found.train.x.places), torch.tensor(found.train.y.astype(np.int64))
    network = _network(case, x.shape[1], len(found.classes))
    rate, decay = (0.005, 5e-4) if case == "cora-gat" else (0.01, 5e-4)
    groups = [{"params": network[0].parameters(), "weight_decay": decay}, {"params": network[1].parameters()}]
    optimizer = torch.optim.Adam(groups, lr=rate)
    while True:
        started = wait()
        for _ in range(EPOCHS[case]):
            optimizer.zero_grad()
            cross_entropy(_answer(case, network, x, edges)[rows], y).backward()
            optimizer.step()
        done(started)


def _network(case: str, features: int, classes: int) -> Any:
    from torch_geometric.nn import ChebConv, GATConv, GCNConv

    if case == "cora-gat":
        return GATConv(features, 8, heads=8, dropout=0.6), GATConv(64, classes, heads=1, concat=False, dropout=0.6)
    if case == "cora-cheb":
        return ChebConv(features, 16, K=3, bias=False), ChebConv(16, classes, K=3, bias=False)
    own = {"cached": True, "bias": False}
    return GCNConv(features, 16, **own), GCNConv(16, classes, **own)


def _answer(case: str, network: Any, x: Any, edges: Any) -> Any:
    from torch.nn.functional import dropout, elu, relu

    share, bend = (0.6, elu) if case == "cora-gat" else (0.5, relu)
    h = bend(network[0](dropout(x, share), edges))
    return network[1](dropout(h, share), edges)


if __name__ == "__main__":
    peers = {"PyTorch Geometric": geometric_rounds, "PyTorch Geometric, sparse": sparse_rounds}
    main("graphs", __doc__.splitlines()[0], CASES, {"maquette": maquette_rounds, **peers}, [[*peers]], page)
