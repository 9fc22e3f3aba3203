"""Networks on graphs against dense matrix algebra, each other, permutations and another library."""

import itertools
import warnings

import keras
import numpy as np
import pytest
import scipy.sparse as sparse
from keras import ops

from maquette import catalog
from maquette.layers.edges import Edges, edge_max, edge_softmax, edge_sum
from maquette.layers.neighbours import Neighbours
from maquette.layers.node_dense import NodeDense
from maquette.methods.spectral.graph_fourier import fourier_basis
from maquette.methods.spectral.laplacian import laplacian
from maquette.methods.spectral.renormalization import normalized, renormalized
from maquette.models.graph.chebnet import ChebNet
from maquette.models.graph.gat import GAT
from maquette.models.graph.gcn import GCN
from maquette.models.graph.graphsage import GraphSAGE
from maquette.models.graph.spectral_cnn import SpectralCNN

N, F, C = 9, 5, 3
IDS = np.arange(N)[:, None]
PAGES = [name for name, page in catalog.pages("models").items() if page.facts.get("tasks") == ("node-classification",)]


def numbers(value):
    return np.array(ops.convert_to_numpy(value), "float64")


@pytest.fixture
def graph(random):
    """Nine nodes, the last one without an edge: adjacency CSR, weights 1, and features (9, 5), a third of them zero."""
    pairs = random.permutation(np.argwhere(np.triu(np.ones((N - 1, N - 1)), 1)))[:11]
    matrix = np.zeros((N, N))
    matrix[tuple(pairs.T)] = 1
    x = random.normal(size=(N, F)) * (random.random((N, F)) < 0.7)
    return sparse.csr_matrix(matrix + matrix.T), x.astype("float32")


def placed(model, graph, random, as_sparse=False):
    """The model on the graph, with every weight drawn."""
    adjacency, x = graph
    model.place(adjacency, sparse.csr_matrix(x) if as_sparse else x)
    model.build((None, 1))
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.6, weight.shape))
    return model


def weights(model):
    return {w.path.removeprefix(f"{model.name}/"): numbers(w) for w in model.trainable_weights}


def relu(x):
    return np.maximum(x, 0)


def test_gcn_is_two_products_with_the_renormalised_matrix(graph, random):
    model = placed(GCN(F, C, hidden_units=4), graph, random)
    matrix, w = renormalized(graph[0]).toarray(), weights(model)
    dense = matrix @ relu(matrix @ graph[1] @ w["first/kernel"]) @ w["head/kernel"]
    np.testing.assert_allclose(numbers(model(IDS)), dense, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numbers(model(IDS[[4, 4, 1]])), dense[[4, 4, 1]], rtol=1e-4, atol=1e-5)
    penalty = 5e-4 / 2 * (w["first/kernel"] ** 2).sum()
    y = np.array([0, 2, 1])
    p = np.exp(dense[:3]) / np.exp(dense[:3]).sum(1, keepdims=True)
    loss = model.compute_loss(IDS[:3], y, model(IDS[:3]), training=False)
    assert float(loss) == pytest.approx(-np.log(p[[0, 1, 2], y]).mean() + penalty, rel=1e-4)


def test_chebnet_is_a_spectral_filter_for_each_pair_of_channels(graph, random):
    model = placed(ChebNet(F, C, degree=3, hidden_units=4), graph, random)
    waves = fourier_basis(laplacian(graph[0], "symmetric"))
    angle = np.arccos(np.clip(2 * waves.values / waves.values.max() - 1, -1, 1))

    def layer(x, kernel):
        blocks = np.split(kernel, 4, axis=1)
        return sum(waves.filtered(x, np.cos(k * angle)) @ block for k, block in enumerate(blocks))

    w = weights(model)
    dense = layer(relu(layer(graph[1], w["first/kernel"])), w["head/kernel"])
    np.testing.assert_allclose(numbers(model(IDS)), dense, rtol=1e-3, atol=1e-4)


def test_chebnet_of_degree_one_with_tied_weights_is_gcn_before_its_renormalisation(graph, random):
    model = placed(ChebNet(F, C, degree=1, hidden_units=4, greatest=2.0), graph, random)
    tied = [random.normal(size=shape) for shape in ((F, 4), (4, C))]
    for layer, kernel in zip((model.first, model.head), tied, strict=True):
        layer.kernel.assign(np.concatenate([kernel, -kernel], axis=1))
    matrix = np.eye(N) + normalized(graph[0]).toarray()
    dense = matrix @ relu(matrix @ graph[1] @ tied[0]) @ tied[1]
    np.testing.assert_allclose(numbers(model(IDS[:-1])), dense[:-1], rtol=1e-4, atol=1e-5)


def test_the_spectral_cnn_weighs_waves(graph, random):
    waves = fourier_basis(laplacian(graph[0], "symmetric"))
    for own in ({"knots": 3}, {"free": 5}):
        model = placed(SpectralCNN(F, C, hidden_units=4, **own), graph, random)

        def layer(x, kernel, own=own):
            blocks = np.split(kernel, own.get("knots") or own["free"], axis=1)
            hats = [np.interp(waves.values, np.linspace(0, 2, 3), row) for row in np.eye(3)]
            responses = hats if "knots" in own else np.eye(5, N)
            return sum(waves.filtered(x, response) @ block for response, block in zip(responses, blocks, strict=True))

        w = weights(model)
        dense = layer(relu(layer(graph[1], w["first/kernel"])), w["head/kernel"])
        np.testing.assert_allclose(numbers(model(IDS)), dense, rtol=1e-3, atol=1e-4)


def test_free_weights_of_waves_reach_everywhere(random):
    """On a ring of 16 nodes a response linear in lambda stays within a hop; random weights answer at the far side."""
    ring = sparse.csr_matrix(np.roll(np.eye(16), 1, axis=1) + np.roll(np.eye(16), -1, axis=1))
    far = {}
    for name, own in {"free": {"free": 16}, "smooth": {"knots": 2}}.items():
        model = SpectralCNN(1, C, hidden_units=1, **own)
        model.place(ring, np.eye(16)[:, :1])
        kernel = random.normal(size=model.first.kernel.shape)
        model.first.kernel.assign(kernel)
        answer = np.abs(numbers(model.first(model.node_values, waves=model.waves)))[:, 0]
        far[name] = answer[6:11].mean() / answer.mean()
    assert far["smooth"] < 1e-5 < 0.3 < far["free"]


@pytest.mark.parametrize("dot", [False, True])
def test_gat_is_a_masked_softmax(graph, random, dot):
    model = placed(GAT(F, C, units=2, heads=3, last_heads=2, dot=dot), graph, random)
    mask, w = graph[0].toarray() + np.eye(N) > 0, weights(model)

    def layer(x, name, heads, units):
        found = []
        for head in range(heads):
            z = x @ w[f"{name}/kernel"][:, head * units : (head + 1) * units]
            if dot:
                scores = z @ z.T / np.sqrt(units)
            else:
                scores = (z @ w[f"{name}/target"][:, head])[:, None] + z @ w[f"{name}/source"][:, head]
                scores = np.where(scores > 0, scores, 0.2 * scores)
            shares = np.exp(scores) * mask
            found.append(shares / shares.sum(axis=1, keepdims=True) @ z)
        return found

    h = np.concatenate(layer(graph[1], "first", 3, 2), axis=1) + w["first/bias"]
    h = np.where(h > 0, h, np.exp(np.minimum(h, 0)) - 1)
    dense = np.mean(layer(h, "head", 2, C), axis=0) + w["head/bias"]
    np.testing.assert_allclose(numbers(model(IDS)), dense, rtol=1e-4, atol=1e-5)
    alone = numbers(model.first(graph[1], edges=model.edges))[-1]
    np.testing.assert_allclose(alone, graph[1][-1] @ w["first/kernel"] + w["first/bias"], rtol=1e-4, atol=1e-5)


def test_attention_without_weights_is_the_mean_and_shares_add_up_to_one(graph, random):
    model = placed(GAT(F, C, units=2, heads=2), graph, random)
    z = ops.convert_to_tensor(random.normal(size=(N, 2, 2)).astype("float32"))
    shares = numbers(model.first.shares(z, model.edges))
    sums = np.stack([np.bincount(model.edges.target, column, N) for column in shares.T], axis=1)
    np.testing.assert_allclose(sums, 1, rtol=1e-5)
    for look in model.first.looks:
        look.assign(np.zeros(look.shape))
    model.first.offset.assign(np.zeros(4))
    mask = (graph[0].toarray() > 0) + np.eye(N)
    mean = mask / mask.sum(axis=1, keepdims=True) @ graph[1] @ numbers(model.first.kernel)
    np.testing.assert_allclose(numbers(model.first(graph[1], edges=model.edges)), mean, rtol=1e-4, atol=1e-5)


def by_hand(graph, w, aggregator, hops):
    """The algorithm of GraphSAGE node by node."""
    adjacency, h = graph[0].toarray(), graph[1]
    for k in range(hops):
        new = []
        for v in range(N):
            others = [h[u] @ w[f"around_{k}/kernel"] for u in np.flatnonzero(adjacency[v])]
            if aggregator == "max":
                others = [relu(o + w[f"around_{k}/bias"]) for o in others]
            around = getattr(np, aggregator)(others, axis=0) if others else 0
            z = h[v] @ w[f"own_{k}/kernel"] + w[f"own_{k}/bias"] + around
            z = relu(z) if k + 1 < hops else z
            new.append(z / max(np.linalg.norm(z), 1e-6))
        h = np.array(new)
    return h


@pytest.mark.parametrize(("aggregator", "as_sparse"), [("mean", False), ("max", True)])
def test_graphsage_is_its_algorithm_and_samples_of_all_change_nothing(graph, random, aggregator, as_sparse):
    own = {"hidden_units": (4, 3), "aggregator": aggregator, "samples": (8, 8), "dropout": 0.0}
    model = placed(GraphSAGE(F, C, **own), graph, random, as_sparse)
    h, w = by_hand(graph, weights(model), aggregator, 2), weights(model)
    np.testing.assert_allclose(numbers(model.hidden()), h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(numbers(model.hidden())[:-1], axis=1), 1, rtol=1e-5)
    logits = h @ w["head/kernel"] + w["head/bias"]
    np.testing.assert_allclose(numbers(model(IDS, training=True)), logits, rtol=1e-4, atol=1e-5)


def test_sampled_means_are_right_on_average():
    degrees = np.array([0, 1, 3, 4, 5, 7, 11])
    lists = np.concatenate([100 * v + np.arange(d) for v, d in enumerate(degrees)])
    matrix = sparse.csr_matrix((np.ones(len(lists)), lists, np.concatenate([[0], np.cumsum(degrees)])), (7, 700))
    draws = 4620  # a multiple of every degree: each neighbour is drawn as often as the others
    ids = np.repeat(np.arange(7, dtype="int32"), draws)
    chance = np.tile((np.arange(draws) + 0.5) / draws, 7).astype("float32")
    found, there = (numbers(part).astype(int) for part in Neighbours.of(matrix).drawn(ids, 4, chance))
    for v, d in enumerate(degrees):
        rows, present = found[ids == v], there[ids == v].astype(bool)
        assert (present.sum(axis=1) == min(d, 4)).all() and (rows[~present] == v).all()
        drawn = [set(row[here]) for row, here in zip(rows, present, strict=True)]
        assert all(len(some) == min(d, 4) for some in drawn), "one neighbour twice"
        often = [sum(100 * v + i in some for some in drawn) for i in range(d)]
        assert max(often, default=0) - min(often, default=0) <= 2, f"{d} neighbours: {often}"


@pytest.mark.parametrize("name", PAGES)
def test_a_new_order_of_the_nodes_reorders_the_answer(graph, random, name):
    model = placed(catalog.model_class(name)(F, C), graph, random, as_sparse=True)
    order = random.permutation(N)
    moved = model.on(graph[0][order][:, order], sparse.csr_matrix(graph[1][order]))
    np.testing.assert_allclose(numbers(moved(IDS)), numbers(model(IDS))[order], rtol=1e-4, atol=1e-5)
    assert model.nodes == N and model.on(graph[0][:3, :3], graph[1][:3]).nodes == 3, "the first stays where it was"


def test_a_copy_beside_the_graph_answers_alike(graph, random):
    model = placed(GraphSAGE(F, C), graph, random)
    twice = model.on(sparse.block_diag([graph[0]] * 2, "csr"), np.concatenate([graph[1]] * 2))
    copies = numbers(twice(np.arange(2 * N)[:, None]))
    np.testing.assert_allclose(copies, np.tile(numbers(model(IDS)), (2, 1)), rtol=1e-4, atol=1e-5)


def test_another_number_of_features_is_refused(graph):
    with pytest.raises(ValueError, match="5 features, and the model takes 4"):
        GCN(4, C).place(*graph)


def test_sums_over_edges_are_products_with_the_matrix(random):
    matrix = sparse.random_array((6, 8), density=0.3, rng=random).tocsr()
    h, edges = random.normal(size=(8, 3)).astype("float32"), Edges.of(matrix)
    np.testing.assert_allclose(numbers(edge_sum(h, edges)), matrix @ h, rtol=1e-4, atol=1e-6)
    around = [relu(h[matrix[[i]].nonzero()[1]]).max(axis=0, initial=0) for i in range(6)]
    np.testing.assert_allclose(numbers(edge_max(relu(h), edges)), around, rtol=1e-6)
    scores = random.normal(0, 30, edges.source.shape).astype("float32")
    shares = numbers(edge_softmax(scores, edges))
    for i in range(6):
        own = edges.target == i
        raised = np.exp(scores[own].astype("float64") - scores[own].max(initial=-np.inf))
        np.testing.assert_allclose(shares[own], raised / raised.sum() if own.any() else [], rtol=1e-4, atol=1e-7)
    columns, values = edges.padded(matrix.data)
    rebuilt = np.zeros(matrix.shape)
    for i, (row, entries) in enumerate(zip(columns, values, strict=True)):
        np.add.at(rebuilt[i], row, entries)
    np.testing.assert_allclose(rebuilt, matrix.toarray(), rtol=1e-6)


def test_dropout_of_what_is_not_zero(random):
    x = sparse.random_array((40, 30), density=0.2, rng=random).tocsr()
    entries, values = Edges.of(x), x.data.astype("float32")
    layer = NodeDense(30, 30, dropout=0.4, seed=1)
    layer.kernel.assign(np.eye(30))
    np.testing.assert_allclose(numbers(layer(values, entries=entries)), x.toarray(), rtol=1e-6)
    seen = np.stack([numbers(layer(values, entries=entries, training=True)) for _ in range(60)])
    kept = seen[:, x.toarray() != 0] != 0
    assert abs(kept.mean() - 0.6) < 0.015 and not seen[:, x.toarray() == 0].any()
    np.testing.assert_allclose(seen.mean(axis=0).sum(), x.sum(), rtol=0.03)


def test_the_same_weights_descend_on_sparse_and_dense_features(graph, random):
    ends = []
    for as_sparse in (False, True):
        model = placed(GCN(F, C, hidden_units=4, dropout=0.0), graph, np.random.default_rng(3), as_sparse)
        model.compile(optimizer=keras.optimizers.SGD(0.5))
        for _ in range(3):
            model.train_on_batch(IDS[:6], np.arange(6) % C)
        ends.append(weights(model))
    for name in ends[0]:
        np.testing.assert_allclose(ends[1][name], ends[0][name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("page", ["gcn", "gat", "chebnet"])
def test_pytorch_geometric_agrees(graph, random, page):
    if keras.backend.backend() == "tensorflow":
        pytest.skip("PyTorch cannot be imported after TensorFlow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch")
        geometric = pytest.importorskip("torch_geometric.nn")
    edges = torch.tensor(np.stack(graph[0].nonzero()))
    x = torch.tensor(graph[1])
    own = {"gcn": {"hidden_units": 4}, "gat": {"units": 2, "heads": 3}, "chebnet": {"hidden_units": 4}}[page]
    model = placed(catalog.model_class(page)(F, C, **own), graph, random)
    kernel = torch.tensor(numbers(model.first.kernel), dtype=torch.float32)
    with torch.no_grad():
        if page == "gcn":
            theirs = geometric.GCNConv(F, 4, bias=False)
            theirs.lin.weight.copy_(kernel.T)
        elif page == "gat":
            theirs = geometric.GATConv(F, 2, heads=3)
            theirs.lin.weight.copy_(kernel.T)
            for side, name in zip(model.first.looks, ("att_dst", "att_src"), strict=True):
                getattr(theirs, name).copy_(torch.tensor(numbers(side).T[None]))
            theirs.bias.copy_(torch.tensor(numbers(model.first.offset)))
        else:
            theirs = geometric.ChebConv(F, 4, K=3, bias=False)
            for line, block in zip(theirs.lins, torch.split(kernel, 4, dim=1), strict=True):
                line.weight.copy_(block.T)
        greatest = {"lambda_max": torch.tensor(_greatest(graph))} if page == "chebnet" else {}
        expected = theirs(x, edges, **greatest).numpy()
    mine = numbers(model.first(graph[1], edges=model.edges))
    joined = slice(0, -1) if page == "chebnet" else slice(None)  # its Laplacian has a 1 at nodes without an edge
    np.testing.assert_allclose(mine[joined], expected[joined], rtol=1e-3, atol=1e-4)


def _greatest(graph):
    return np.float32(np.linalg.eigvalsh(laplacian(graph[0], "symmetric").toarray()).max())


def test_an_order_of_neighbours_does_not_matter(graph, random):
    """The lists that sampling draws from may come in any order: with all neighbours drawn the answer is the same."""
    model = placed(GraphSAGE(F, C, hidden_units=(4,), samples=(8,), dropout=0.0), graph, random)
    before = numbers(model(IDS, training=True))
    own = model.neighbours
    shuffled = np.array(own.nodes)
    for start, degree in itertools.islice(zip(own.start, own.degree, strict=True), N):
        shuffled[start : start + degree] = random.permutation(shuffled[start : start + degree])
    model.neighbours = Neighbours(own.start, own.degree, shuffled)
    np.testing.assert_allclose(numbers(model(IDS, training=True)), before, rtol=1e-5, atol=1e-6)


# --- whole graphs -------------------------------------------------------------------------------------------

STARTS, SIZES = np.array([0, 4, 6, 7]), np.array([4, 2, 1, 5])


@pytest.fixture
def several(random):
    """Four graphs of 4, 2, 1 and 5 nodes side by side: adjacency, features."""
    blocks = [np.triu(random.random((n, n)) < 0.6, 1).astype(float) for n in SIZES]
    return sparse.block_diag([b + b.T for b in blocks], "csr"), random.normal(size=(12, F)).astype("float32")


def on_several(name, several, random, **own):
    model = catalog.model_class(name)(F, C, **own)
    model.place(*several, STARTS)
    model.build((None, 1))
    for weight in model.weights:
        value = np.abs(random.normal(1, 0.3, weight.shape))
        weight.assign(value if "norm" in weight.path else value - 1)
    return model


def test_gin_is_sums_over_neighbours_and_nodes(several, random):
    model = on_several("gin", several, random, hops=2, units=4)
    adjacency, h, w = several[0].toarray(), several[1].astype("float64"), weights(model)
    moving = {v.path.removeprefix(f"{model.name}/"): numbers(v) for v in model.non_trainable_weights}

    def normed(z, name):
        scale = w[f"{name}/gamma"] / np.sqrt(moving[f"{name}/moving_variance"] + 1e-3)
        return relu((z - moving[f"{name}/moving_mean"]) * scale + w[f"{name}/beta"])

    found = [h]
    for k in range(2):
        z = (1 + w["e"][k]) * h + adjacency @ h
        z = normed(z @ w[f"inner_{k}/kernel"], f"inner_norm_{k}")
        h = normed(z @ w[f"outer_{k}/kernel"], f"outer_norm_{k}")
        found.append(h)
    pooled = np.add.reduceat(np.concatenate(found, axis=1), STARTS)
    np.testing.assert_allclose(numbers(model.features(IDS[:4])), pooled, rtol=1e-3, atol=1e-4)


def test_gcn_of_a_graph_is_its_mean(several, random):
    model = on_several("gcn_graph", several, random, hidden_units=4, dense_units=())
    matrix, w = renormalized(several[0]).toarray(), weights(model)
    h = relu(matrix @ several[1] @ w["first/kernel"] + w["first/bias"])
    h = relu(matrix @ h @ w["second/kernel"] + w["second/bias"])
    mean = np.add.reduceat(h, STARTS) / SIZES[:, None]
    np.testing.assert_allclose(numbers(model.features(IDS[:4])), mean, rtol=1e-4, atol=1e-5)
    book = catalog.model_class("gcn_graph")(7, 2)
    book.build((None, 1))
    assert book.count_params() == 512 + 4160 + 2080 + 528 + 2 * 17  # one logit more than the book's sigmoid


@pytest.mark.parametrize("name", ["gin", "gcn_graph"])
def test_a_padded_batch_answers_as_its_graphs_alone(several, random, name):
    model = on_several(name, several, random, **({"hops": 1} if name == "gin" else {"dense_units": ()}))
    parts = [model.on(several[0][a:b, a:b], several[1][a:b]) for a, b in ((4, 6), (7, 12))]
    alone = [part.predict_on_batch(IDS[:1])[0] for part in parts]
    for blocks in (0, 1, 2, 4):
        x = np.pad(np.array([[3.0], [1], [2], [3]], "float32"), ((0, 0), (0, blocks)))
        if blocks == 1:  # what follows is compiled for batches in blocks alone, as a training is
            model.make_predict_function(force=True)
        np.testing.assert_allclose(model.predict_on_batch(x)[[1, 3]], alone, rtol=1e-3, atol=1e-4)


def test_statistics_of_a_batch_leave_empty_slots_out(several, random):
    ends = []
    for blocks in (1, 2):
        model = on_several("gin", several, np.random.default_rng(5), hops=1, units=4, dropout=0.0)
        x = np.pad(np.array([[3.0], [0.0]], "float32"), ((0, 0), (0, blocks)))
        ends.append((numbers(model(x, training=True)), *[numbers(v) for v in model.non_trainable_weights]))
    for one, two in zip(*ends, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


def test_sums_tell_apart_what_means_do_not():
    """Two stars of one kind of node: their means are equal, their sums are not."""
    star = [sparse.csr_matrix(np.pad(np.ones((1, n)), ((0, n - 1), (0, 0)))) for n in (3, 5)]
    union = sparse.block_diag(star, "csr")
    sums = catalog.model_class("gin")(1, 2, hops=1, units=3)
    sums.place(union + union.T, np.ones((8, 1), "float32"), [0, 3])
    one, two = numbers(sums.features(IDS[:2]))
    assert abs(one - two).max() > 0.1


def test_the_recurrent_aggregator_reads_its_neighbours_in_turn(graph, random):
    own = {"hidden_units": (4,), "aggregator": "lstm", "samples": (8,), "dropout": 0.0}
    model = placed(GraphSAGE(F, C, **own), graph, random)
    w, sigmoid = weights(model), lambda z: 1 / (1 + np.exp(-z))
    kernel, recurrent, shift = (
        next(value for path, value in w.items() if path.endswith(f"memory_0/lstm_cell/{part}"))
        for part in ("kernel", "recurrent_kernel", "bias")
    )
    found = numbers(model.hidden())
    for v in range(N):
        h = c = np.zeros(4)
        for u in np.flatnonzero(graph[0].toarray()[v]):
            i, f, g, o = np.split(graph[1][u] @ w["around_0/kernel"] @ kernel + h @ recurrent + shift, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        z = graph[1][v] @ w["own_0/kernel"] + w["own_0/bias"] + h
        np.testing.assert_allclose(found[v], z / np.linalg.norm(z), rtol=1e-3, atol=1e-4)
