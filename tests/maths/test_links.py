"""Codes of nodes that tell of edges against dense matrix algebra; vectors of GraphSAGE learned without labels."""

from unittest import mock

import numpy as np
import pytest
import scipy.sparse as sparse
from keras import ops

from maquette import assembly, catalog, settings
from maquette.core.noise import Noise
from maquette.data.graph import Graph
from maquette.errors import InputError
from maquette.methods.spectral.renormalization import averaging, renormalized
from maquette.models.graph.graph_autoencoder import GraphAutoencoder
from maquette.models.graph.graphsage import GraphSAGE
from maquette.models.graph.graphsage_unsupervised import GraphSAGEUnsupervised

N, F = 7, 4


def numbers(value):
    return np.array(ops.convert_to_numpy(value), "float64")


@pytest.fixture
def graph(random):
    """Seven nodes, the last one without an edge: adjacency CSR and features, a third of them zero."""
    half = np.triu(random.random((N - 1, N - 1)) < 0.5, 1)
    matrix = np.pad((half | half.T).astype(float), (0, 1))
    return sparse.csr_matrix(matrix), (random.normal(size=(N, F)) * (random.random((N, F)) < 0.7)).astype("float32")


def placed(model, graph, random):
    model.place(*graph)
    model.build((None, model.row))
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.6, weight.shape))
    return model, {w.path.removeprefix(f"{model.name}/"): numbers(w) for w in model.trainable_weights}


def codes_by_hand(graph, w, layer):
    matrix = renormalized(graph[0]).toarray()
    return matrix @ np.maximum(matrix @ graph[1] @ w["first/kernel"], 0) @ w[f"{layer}/kernel"]


PAIRS, Y = np.array([[0, 1], [2, 5], [6, 3], [4, 4]]), np.array([1, 0, 0, 1.0])


def test_links_are_products_of_codes(graph, random):
    model, w = placed(GraphAutoencoder(F, hidden_units=5, latent_dim=3), graph, random)
    z = codes_by_hand(graph, w, "mean")
    logits = (z[PAIRS[:, 0]] * z[PAIRS[:, 1]]).sum(axis=1)
    np.testing.assert_allclose(numbers(model(PAIRS)), logits, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(numbers(model.serve(PAIRS[:, ::-1])), 1 / (1 + np.exp(-logits)), rtol=1e-3, atol=1e-4)
    loss = np.mean(np.log1p(np.exp(-np.where(Y, logits, -logits))))
    assert float(model.compute_loss(PAIRS, Y, model(PAIRS))) == pytest.approx(loss, rel=1e-3)


def test_the_variational_form_draws_codes_and_pays_for_them(graph, random):
    model, w = placed(GraphAutoencoder(F, hidden_units=5, latent_dim=3, variational=True), graph, random)
    m, s = (codes_by_hand(graph, w, layer) for layer in ("mean", "log_deviation"))
    noise = random.normal(size=(N, 3))
    with mock.patch.object(Noise, "table", lambda kind, shape, call: noise.astype("float32")):
        logits = numbers(model(PAIRS, training=True))
    z = m + np.exp(s) * noise
    np.testing.assert_allclose(logits, (z[PAIRS[:, 0]] * z[PAIRS[:, 1]]).sum(axis=1), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(
        numbers(model(PAIRS)), (m[PAIRS[:, 0]] * m[PAIRS[:, 1]]).sum(axis=1), rtol=1e-3, atol=1e-4
    )
    # KL(N(m, s^2) | N(0, 1)) as the mean of log p - log q over quantiles of each N(m, s^2)
    quantiles = 2**0.5 * numbers(ops.erfinv(np.linspace(-1, 1, 4001, dtype="float32")[1:-1]))
    draws = m[..., None] + np.exp(s)[..., None] * quantiles
    log_ratio = (draws**2 - quantiles**2) / 2 - s[..., None]
    divergence = log_ratio.mean(axis=-1).sum(axis=-1).mean()
    assert float(model.divergence()) == pytest.approx(divergence, rel=0.02)
    y_pred = ops.convert_to_tensor(logits.astype("float32"))
    parts = [float(model.compute_loss(PAIRS, Y, y_pred, training=on)) for on in (True, False)]
    assert parts[0] - parts[1] == pytest.approx(float(model.divergence()) / N, rel=1e-3)


def test_a_new_order_of_the_nodes_changes_no_link(graph, random):
    model, _ = placed(GraphAutoencoder(F, hidden_units=5, latent_dim=3), graph, random)
    order = random.permutation(N)
    moved = model.on(graph[0][order][:, order], graph[1][order])
    place = np.argsort(order)
    np.testing.assert_allclose(numbers(moved(place[PAIRS])), numbers(model(PAIRS)), rtol=1e-4, atol=1e-5)


def test_links_of_communities_are_found() -> None:
    given = {"model.hidden_units": 16, "model.latent_dim": 8, "optimizer.adam": 0.02, "inputs.test_links": 0.3}
    pipeline = assembly.prepare(settings.resolve("graph_autoencoder", "communities", given))
    model, data = assembly.build(pipeline), pipeline.dataset
    model.fit(pipeline.training(), epochs=60, shuffle=False, verbose=0)
    logits = model.predict_on_batch(pipeline.encoder.transform(data.test.x))
    found = pipeline.task.score(model, data.test, 1 / (1 + np.exp(-logits)), data).measures["roc_auc"]
    ends = data.graph.labels[data.test.x.ends]
    most = pipeline.task.score(model, data.test, (ends[:, 0] == ends[:, 1]).astype(float), data).measures["roc_auc"]
    assert found.low > 0.52 and found.value > 0.5 + 0.5 * (most.value - 0.5), "half of what the communities tell"


# --- GraphSAGE without labels -------------------------------------------------------------------------------


def vectors_by_hand(graph, w, hops):
    mean, h = averaging(graph[0]).toarray(), graph[1]
    for k in range(hops):
        z = h @ w[f"own_{k}/kernel"] + w[f"own_{k}/bias"] + mean @ h @ w[f"around_{k}/kernel"]
        z = np.maximum(z, 0) if k + 1 < hops else z
        h = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6)
    return h


ROWS = np.array([[1, 3, 0], [5, 2, 4], [7, 0, 6]])  # nodes and those near them, from 1; 0 for none


@pytest.mark.parametrize("samples", [(), (6, 6)])
def test_the_loss_of_walks_is_written_out(graph, random, samples):
    own = {"hidden_units": (4, 3), "negatives": 5, "samples": samples}
    model, w = placed(GraphSAGEUnsupervised(F, **own), graph, random)
    z = vectors_by_hand(graph, w, 2)
    np.testing.assert_allclose(model.vectors(), z, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(model.vectors(), axis=1), 1, rtol=1e-5)
    chance = np.linspace(0.01, 0.97, 5)
    share = np.maximum(np.diff(graph[0].indptr), 1) ** 0.75
    noise = np.searchsorted(np.cumsum(share / share.sum()), chance)
    assert len(set(noise)) > 2

    def table(kind, shape, call):
        return chance if shape == (5,) else np.full(shape, 0.5)

    soft, losses = lambda score: np.log1p(np.exp(score)), []
    for u, *near in ROWS:
        against = soft(z[u - 1] @ z[noise].T).sum()
        losses += [soft(-z[u - 1] @ z[v - 1]) + against for v in near if v]
    with mock.patch.object(Noise, "table", table):
        found = float(model.compute_loss(ROWS, None, model(ROWS, training=True), training=True))
    assert found == pytest.approx(np.mean(losses), rel=1e-3)


def test_nodes_that_were_not_there_get_vectors(graph, random):
    model, w = placed(GraphSAGEUnsupervised(F, hidden_units=(4, 3)), graph, random)
    twice = model.on(sparse.block_diag([graph[0]] * 2, "csr"), np.concatenate([graph[1]] * 2))
    np.testing.assert_allclose(twice.vectors(), np.tile(model.vectors(), (2, 1)), rtol=1e-4, atol=1e-5)
    more = np.pad(graph[0].toarray(), (0, 1))
    more[N, :2] = more[:2, N] = 1
    other = sparse.csr_matrix(more), np.concatenate([graph[1], random.normal(size=(1, F)).astype("float32")])
    np.testing.assert_allclose(model.on(*other).vectors(), vectors_by_hand(other, w, 2), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("aggregator", ["mean", "max", "lstm"])
def test_two_hops_see_no_farther_than_two_hops(random, aggregator):
    """On a path of six nodes what the fourth and later ones hold is nothing to the first, and the third's is."""
    path = sparse.csr_matrix(np.eye(6, k=1) + np.eye(6, k=-1))
    x, own = random.normal(size=(6, F)).astype("float32"), {"hidden_units": (4, 3), "samples": (2, 2), "dropout": 0.0}
    model, _ = placed(GraphSAGE(F, 2, aggregator=aggregator, **own), (path, x), random)
    first = numbers(model.hidden())[0]
    for node, seen in ((2, True), (3, False), (5, False)):
        other = np.array(x)
        other[node] = 5 * random.normal(size=F)
        assert np.allclose(numbers(model.on(path, other).hidden())[0], first, atol=1e-6) != seen, node


def test_vectors_without_labels_tell_communities_and_links(tmp_path) -> None:
    given = {"model.hidden_units": (16,), "model.samples": (), "epochs": 6, "batch_size": 600, "optimizer.adam": 0.01}
    given |= {"inputs.walks": 10, "inputs.length": 3, "inputs.test_links": 0.1, "inputs.validation_links": 0.05}
    pipeline = assembly.prepare(settings.resolve("graphsage_unsupervised", "communities", given))
    model, data, task = assembly.build(pipeline), pipeline.dataset, pipeline.task
    model.fit(pipeline.training(), epochs=6, shuffle=False, verbose=0)
    found = task.score(model, data.test, np.zeros(0), data).measures
    assert found["accuracy"].value > 0.8 and found["roc_auc"].low < found["roc_auc"].value, found
    same = assembly.prepare(settings.resolve("graph_autoencoder", "communities")).dataset.test
    assert np.array_equal(same.x.ends, data.links["test"].x.ends), "the pairs that link prediction is scored on"
    half = Graph(data.graph.edges[:, data.graph.edges.max(axis=0) < 60], 60)
    lines = "".join(f"{a},{b}\n" for a, b in half.edges.T)
    (tmp_path / "edges.csv").write_text("source,target\n" + lines)
    header = "id," + ",".join(f"f{i}" for i in range(8))
    rows = [",".join(map(str, (i, *data.graph.features[i]))) for i in range(60)]
    (tmp_path / "nodes.csv").write_text("\n".join([header, *rows]))
    encoder = task.restore(pipeline.encoder.to_json())
    split = task.read_inputs([tmp_path], encoder, (3,))
    other = task.placed(model, split, encoder)
    assert other is not model and other.nodes == 60
    answers = task.answers(split, numbers(other.serve(split.x)), data)
    unit = other.vectors() / np.linalg.norm(other.vectors(), axis=1, keepdims=True)
    cosines = unit[7] @ unit.T
    cosines[7] = -2
    assert len(answers) == 60 and next(iter(answers[7]["nearest"])) == split.names[int(cosines.argmax())]
    with pytest.raises(InputError, match="node2_vec has vectors of its training graph's nodes alone"):
        task.placed(catalog.model_class("node2vec")(), split, encoder)
