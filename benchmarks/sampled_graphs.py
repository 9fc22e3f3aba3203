"""GraphSAGE on sampled neighbours of a large graph: an epoch of `maquette train`'s model, and of PyTorch Geometric's.

    python benchmarks/sampled_graphs.py [--rounds 5] [--case sage-1e6] [--write]

Random graphs with ten edges a node and 32 features, of whose nodes a tenth is trained on; two hops of 32 units that see
10 and 5 neighbours, dropout 0.5, batches of 512, Adam. "examples" are nodes trained on. PyTorch Geometric's layers run
on two samplers: its NeighborLoader, which needs pyg-lib or torch-sparse and is left out without them, and one that
draws with PyTorch's own operations, which every user has.
"""

from importlib.util import find_spec
from typing import Any

from graphs import EDGES, dataset
from rounds import done, main, wait

EPOCHS = {"sage-1e4": 20, "sage-1e5": 4, "sage-1e6": 1}
EDGES |= {"sage-1e4": 10_000, "sage-1e5": 100_000, "sage-1e6": 1_000_000}
CASES = {case: epochs * EDGES[case] // 100 for case, epochs in EPOCHS.items()}
SAMPLES, UNITS, BATCH, DROPOUT, RATE = (10, 5), 32, 512, 0.5, 0.005


def maquette_rounds(case: str) -> None:
    """Train rounds for ever."""
    from maquette import backend

    backend.choose("auto", "graphsage")  # before anything imports Keras
    import keras

    from maquette import assembly, catalog, settings

    given = {"model.hidden_units": (UNITS, UNITS), "model.samples": SAMPLES, "model.dropout": DROPOUT}
    recipe = settings.apply(catalog.recipe("graphsage"), {**given, "batch_size": BATCH, "optimizer.adam": RATE})
    found, task = dataset(case), catalog.task(recipe.task)
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


def loader_rounds(case: str) -> None:
    """Train rounds of PyTorch Geometric's layers for ever, on batches of its loader."""
    import torch
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader

    found = dataset(case)
    graph = found.train.x.graph
    data = Data(x=torch.tensor(graph.features), edge_index=torch.tensor(graph.arcs().astype("int64")))
    data.y = torch.tensor(graph.labels.astype("int64"))
    rows = torch.tensor(found.train.x.places)
    batches = NeighborLoader(data, num_neighbors=list(SAMPLES), input_nodes=rows, batch_size=BATCH, shuffle=True)
    train = _trainer(data.num_features, len(found.classes))
    while True:
        started = wait()
        for _ in range(EPOCHS[case]):
            for batch in batches:
                train(batch.x, batch.edge_index, batch.y[: batch.batch_size])
        done(started)


def own_rounds(case: str) -> None:
    """The same on neighbours drawn with repetition by PyTorch's operations."""
    import torch

    found = dataset(case)
    graph = found.train.x.graph
    matrix = graph.adjacency()
    starts, neighbours = torch.tensor(matrix.indptr.astype("int64")), torch.tensor(matrix.indices.astype("int64"))
    x, y = torch.tensor(graph.features), torch.tensor(graph.labels.astype("int64"))
    rows, train = torch.tensor(found.train.x.places), _trainer(x.shape[1], len(found.classes))
    while True:
        started = wait()
        for _ in range(EPOCHS[case]):
            for ids in rows[torch.randperm(len(rows))].split(BATCH):
                nodes, edges = _drawn(ids, starts, neighbours)
                train(x[nodes], edges, y[ids])
        done(started)


def _drawn(ids: Any, starts: Any, neighbours: Any) -> tuple[Any, Any]:
    """The nodes that two hops around `ids` see, these first, and the edges between them by place."""
    import torch

    front, pairs = ids, []
    for count in SAMPLES:
        degree = starts[front + 1] - starts[front]
        front, degree = front[degree > 0], degree[degree > 0]
        at = starts[front, None] + (torch.rand(len(front), count) * degree[:, None]).long()
        source, target = neighbours[at].reshape(-1), front.repeat_interleave(count)
        pairs.append(torch.stack([source, target]))
        front = source.unique()
    edges = torch.cat(pairs, dim=1).unique(dim=1)
    later = edges.unique()
    nodes = torch.cat([ids, later[~torch.isin(later, ids)]])
    place = torch.empty(int(nodes.max()) + 1, dtype=torch.long)
    place[nodes] = torch.arange(len(nodes))
    return nodes, place[edges]


def _trainer(features: int, classes: int) -> Any:
    """A function that takes a step on (x, edges, y), y of the first nodes."""
    import torch
    from torch.nn.functional import cross_entropy, dropout, normalize, relu
    from torch_geometric.nn import SAGEConv

    first, second, head = SAGEConv(features, UNITS), SAGEConv(UNITS, UNITS), torch.nn.Linear(UNITS, classes)
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters(), *head.parameters()], lr=RATE)

    def step(x: Any, edges: Any, y: Any) -> None:
        optimizer.zero_grad()
        h = normalize(relu(first(dropout(x, DROPOUT), edges)))
        h = normalize(second(dropout(h, DROPOUT), edges))
        cross_entropy(head(dropout(h[: len(y)], DROPOUT)), y).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    peers = {"PyTorch Geometric layers": own_rounds}
    if find_spec("pyg_lib") or find_spec("torch_sparse"):
        peers |= {"PyTorch Geometric loader": loader_rounds}
    contestants = {"maquette": maquette_rounds, **peers}
    main("sampled graphs", __doc__.splitlines()[0], CASES, contestants, [[*peers]], lambda case: "graphsage")
