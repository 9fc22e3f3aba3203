"""Node2vec: the loss of its pairs, and that its vectors tell the communities of a graph, on either pairing."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette import assembly, settings
from maquette.errors import InputError
from maquette.models.graph.node2vec import Node2Vec

BARBELL = np.kron(np.eye(2), 1 - np.eye(6))
BARBELL[5, 6] = BARBELL[6, 5] = 1


def test_the_softmax_of_a_pair_is_written_out() -> None:
    random = np.random.default_rng(0)
    model = Node2Vec(words=list("abcd"), counts=[1, 2, 3, 4], dim=3, objective="softmax")
    model.build((None, 3))
    u, w = random.normal(size=(2, 4, 3)).astype("float32")
    model.U.assign(u), model.W.assign(w)
    x = np.array([[2, 3, 0], [1, 4, 2]])  # three pairs: b-c, a-d, a-b
    z = np.log(np.exp(np.einsum("id,jd->ij", u, w)).sum(axis=1))
    expected = np.mean([z[1] - u[1].dot(w[2]), z[0] - u[0].dot(w[3]), z[0] - u[0].dot(w[1])])
    assert float(ops.convert_to_numpy(model.compute_loss(x, None, model(x)))) == pytest.approx(expected, rel=1e-5)


def table(graph: np.ndarray, path: object) -> str:
    i, j = np.nonzero(np.triu(graph))
    path.write_text("source,target\n" + "".join(f"n{a},n{b}\n" for a, b in zip(i, j)))
    return str(path)


@pytest.mark.parametrize("pairing", ["window", "first"])
def test_vectors_tell_the_two_ends_of_a_barbell_apart(pairing: str, tmp_path: object) -> None:
    given = {"model.dim": 8, "model.noise_words": 8, "inputs.walks": 40, "inputs.length": 6, "inputs.window": 3}
    given |= {"inputs.pairing": pairing, "optimizer": {"adam": 0.02}, "batch_size": 256, "epochs": 6}
    pipeline = assembly.prepare(settings.resolve("node2vec", table(BARBELL, tmp_path / "edges.csv"), given))
    model = assembly.build(pipeline)
    model.fit(pipeline.training(), epochs=6, shuffle=False, verbose=0)
    unit = model.vectors() / np.linalg.norm(model.vectors(), axis=1, keepdims=True)
    cosine = np.einsum("id,jd->ij", unit, unit)
    end = np.array([int(name[1:]) < 6 for name in model.words])
    main = np.linalg.svd(unit - unit.mean(axis=0))[0][:, 0] > 0
    assert max((main == end).sum(), (main != end).sum()) >= 11
    served = ops.convert_to_numpy(model.serve(np.array([[1], [2]])))
    np.testing.assert_allclose(served, cosine[:2], atol=1e-4)


def test_first_pairs_make_the_steps_of_the_book() -> None:
    """As 2,485 nodes, 100 walks of 5, 4 pairs each with as many negatives, in batches of 50 make 39,760."""
    given = {"inputs.pairing": "first", "inputs.walks": 10, "inputs.length": 5, "batch_size": 25, "model.dim": 4}
    given |= {"optimizer": {"adam": 1e-3}}
    pipeline = assembly.prepare(settings.resolve("node2vec", "communities", given))
    nodes, walks, later = 120, 1200, 4
    assert len(pipeline.dataset.train) == walks * later and len(pipeline.training()) == -(-walks * later // 25)
    first = pipeline.encoder.transform(pipeline.dataset.train.x)
    assert set(first[:, 0]) <= set(range(1, nodes + 1)) and not first[:, 2].any()
    joined = pipeline.dataset.graph.adjacency().toarray()
    assert (joined[first[::4, 0] - 1, first[::4, 1] - 1] > 0).all()  # the first later node is a neighbour


def test_the_compiled_loops_and_keras_learn_alike() -> None:
    accuracy = {}
    for name, changes in {"loops": {}, "keras": {"optimizer": {"adam": 0.02}, "batch_size": 512}}.items():
        given = {"model.dim": 8, "model.threads": 1, "inputs.walks": 20, "inputs.length": 10, "inputs.window": 3}
        given |= {"epochs": 4, "optimizer": {"sgd": 0.03}, **changes}
        pipeline = assembly.prepare(settings.resolve("node2vec", "communities", given))
        model = assembly.build(pipeline)
        model.fit(pipeline.training(), epochs=4, shuffle=False, verbose=0)
        data = pipeline.dataset
        accuracy[name] = pipeline.task.score(model, data.test, np.zeros(0), data).measures["accuracy"].value
    assert min(accuracy.values()) > 0.85, accuracy


def test_a_list_of_nodes_is_answered_by_the_nearest_ones(tmp_path: object) -> None:
    given = {"model.dim": 8, "model.noise_words": 8, "inputs.length": 6, "epochs": 1, "optimizer": {"adam": 0.02}}
    pipeline = assembly.prepare(settings.resolve("node2vec", table(BARBELL, tmp_path / "edges.csv"), given))
    model, task = assembly.build(pipeline), pipeline.task
    asked = tmp_path / "asked.txt"
    asked.write_text("n3\nn9\n")
    split = task.read_inputs([asked], pipeline.encoder, pipeline.shape)
    outputs = np.asarray(ops.convert_to_numpy(model.serve(pipeline.encoder.transform(split.x))))
    rows = task.answers(split, outputs, pipeline.dataset)
    assert [row["input"] for row in rows] == ["n3", "n9"] and all(len(row["nearest"]) == 10 for row in rows)
    best = model.words[int(np.argsort(-outputs[0])[1])]
    assert next(iter(rows[0]["nearest"])) == best and "n3" not in rows[0]["nearest"]
    asked.write_text("n33\n")
    with pytest.raises(InputError, match="'n33' is no node: did you mean"):
        task.read_inputs([asked], pipeline.encoder, pipeline.shape)


def test_what_is_no_graph_to_walk_on(tmp_path: object) -> None:
    empty = tmp_path / "edges.csv"
    empty.write_text("source,target\na,a\nb,b\n")
    with pytest.raises(InputError, match=r"edges.csv: the graph has 2 nodes and no edge"):
        assembly.prepare(settings.resolve("node2vec", str(empty)))
    with pytest.raises(InputError, match=r"inputs.length 1"):
        assembly.prepare(settings.resolve("node2vec", "communities", {"inputs.length": 1}))


def test_files_keep_the_nodes(tmp_path: object) -> None:
    model = Node2Vec(words=["x", "y", "z"], counts=[3, 2, 1], dim=4)
    model.build((None, 3))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.words == ["x", "y", "z"]
    np.testing.assert_array_equal(again.vectors(), model.vectors())
