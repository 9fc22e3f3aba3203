"""Communities by modularity: the loss is that of the shares, and training improves on the spectral start."""

import numpy as np
import pytest
from keras import ops

from maquette import assembly, settings
from maquette.errors import InputError
from maquette.methods.spectral.adjacency import joined
from maquette.methods.spectral.block_model import block_model
from maquette.methods.spectral.communities import modularity
from maquette.methods.spectral.spectral_clustering import spectral_clustering
from maquette.models.graph.soft_modularity import SoftModularity
from maquette.tasks.community_detection import communities


def edges_of(matrix: object) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.nonzero(np.triu(np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)))
    return np.stack([i, j], axis=1), np.asarray(matrix[i, j], "float32").ravel()


@pytest.mark.parametrize("resolution", [1.0, 1.7])
def test_of_sure_shares_the_loss_is_newmans_modularity(resolution: float) -> None:
    random = np.random.default_rng(0)
    upper = np.triu(random.random((15, 15)) * (random.random((15, 15)) < 0.4), 1)
    graph, labels = upper + upper.T, random.integers(0, 3, 15)
    x, w = edges_of(graph)
    model = SoftModularity(graph.sum(axis=1).tolist(), communities=3, resolution=resolution)
    model.build((None, 2))
    model.scores.assign(100.0 * np.eye(3)[labels])
    loss = float(ops.convert_to_numpy(model.compute_loss(ops.convert_to_tensor(x), ops.convert_to_tensor(w), None)))
    assert loss == pytest.approx(-modularity(graph, labels, resolution), abs=1e-6)
    # Even shares make each community the whole graph in small: Q is 1/k - g/k.
    model.scores.assign(np.zeros((15, 3)))
    loss = float(ops.convert_to_numpy(model.compute_loss(ops.convert_to_tensor(x), ops.convert_to_tensor(w), None)))
    assert loss == pytest.approx((resolution - 1) / 3, abs=1e-6)


def test_edges_make_the_graph_again() -> None:
    graph, _ = block_model([10, 10], 0.5, 0.1, seed=2)
    x, w = edges_of(graph)
    assert abs(joined(x, 20, w) - graph).max() == 0


def test_the_start_is_spectral_clustering_and_training_improves_on_it() -> None:
    graph, _ = block_model([30] * 4, 0.25, 0.06, seed=4)
    x, w = edges_of(graph)
    model = SoftModularity(np.asarray(graph.sum(axis=1)).ravel().tolist(), communities=4)
    model.initialize(x, w)
    start = communities(model)
    np.testing.assert_array_equal(start, spectral_clustering(graph, 4))
    model.compile(optimizer="adam", jit_compile=False)
    model.optimizer.learning_rate = 0.1
    model.fit(x, w, batch_size=len(x), epochs=60, verbose=0)
    assert modularity(graph, communities(model)) > modularity(graph, start)


def test_communities_are_scored_against_classes_and_answered_by_name(tmp_path: object) -> None:
    pipeline = assembly.prepare(settings.resolve("soft_modularity", "communities", {"model.communities": 2}))
    model, task, train = assembly.build(pipeline), pipeline.task, pipeline.dataset.train
    model.initialize(pipeline.encoder.transform(train.x), train.y)
    scored = task.score(model, pipeline.dataset.test, np.zeros(0), pipeline.dataset)
    values = {key: measure.value for key, measure in scored.measures.items()}
    assert values["nmi"] > 0.7 and values["adjusted_rand"] > 0.8 and values["communities"] == 2
    graph = pipeline.dataset.graph
    assert values["modularity"] == pytest.approx(modularity(graph, communities(model)))
    (tmp_path / "asked.txt").write_text("0\n1\n2\n")
    split = task.read_inputs([tmp_path / "asked.txt"], pipeline.encoder, (2,))
    outputs = ops.convert_to_numpy(model.serve(pipeline.encoder.transform(split.x)))
    rows = task.answers(split, outputs, pipeline.dataset)
    assert [row["community"] for row in rows] == communities(model)[:3].tolist()
    (tmp_path / "asked.txt").write_text("x\n")
    with pytest.raises(InputError, match="'x' is no node"):
        task.read_inputs([tmp_path / "asked.txt"], pipeline.encoder, (2,))


def test_more_communities_than_nodes_are_refused(tmp_path: object) -> None:
    (tmp_path / "edges.csv").write_text("source,target\na,b\nb,c\n")
    pipeline = assembly.prepare(settings.resolve("soft_modularity", str(tmp_path / "edges.csv")))
    with pytest.raises(InputError, match="communities=30: the graph has 3 nodes"):
        assembly.build(pipeline)
