"""The graph: its container, the files it is read from, what is refused, and filters on it."""

import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sparse

import maquette.data
from maquette import catalog
from maquette.core.graph_blocks import EDGES, NODES
from maquette.data.graph import Graph
from maquette.data.graph_set import hops
from maquette.data.nodes import NodeEncoder, Nodes, dataset_of, random_marks, with_marks
from maquette.data.readers.graphs import from_columns, from_networkx, from_scipy, read_graph, to_networkx
from maquette.data.readers.planetoid import unpickled
from maquette.data.readers.tu_graphs import read_tu
from maquette.errors import InputError
from maquette.methods.spectral.graph_fourier import fourier_basis
from maquette.methods.spectral.laplacian import laplacian
from maquette.methods.spectral.polynomial_filter import chebyshev_coefficients, chebyshev_filter, polynomial_filter
from maquette.methods.spectral.renormalization import averaging, normalized, renormalized, with_loops
from maquette.tasks import graph_figures
from maquette.tasks.graph_classification import with_room


def refuses(*words):
    """Expect an InputError of one line that holds all the words in this order."""
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(re.escape(word) for word in words))


@pytest.fixture
def book():
    """The five nodes of the book's worked example, without directions."""
    return Graph([[0, 1, 2, 3], [1, 3, 1, 4]], nodes=5)


def drawn(random, nodes=12, edges=20, **parts):
    """A graph of random simple edges."""
    pairs = random.permutation(np.argwhere(np.triu(np.ones((nodes, nodes)), 1)))[:edges]
    return Graph(pairs.T, nodes, **parts)


# --- the container ------------------------------------------------------------------------------------------


def test_degrees_and_spectrum_of_the_worked_example(book):
    directed = Graph(book.edges, 5, directed=True)
    assert directed.degrees(into=True).tolist() == [0, 2, 0, 1, 1]
    assert directed.degrees().tolist() == [1, 1, 1, 1, 0]
    assert book.degrees().tolist() == [1, 3, 1, 2, 1]
    laplacian_ = np.diag(book.degrees()) - book.adjacency().toarray()
    np.testing.assert_allclose(np.linalg.eigvalsh(laplacian_), [0, 0.5188, 1, 2.3111, 4.1701], atol=5e-5)
    assert round(np.linalg.det(laplacian_[1:, 1:])) == 1, "the number of spanning trees"
    assert book.statistics()["components"] == 1 and (book.adjacency() != book.adjacency().T).nnz == 0


def test_the_graph_of_four_named_nodes():
    features = np.array([[1, 2], [2, 1], [5, 4], [4, 5]])
    names, look = ["one", "two"], lambda self, key: features[:, ["one", "two"].index(key)]
    frame = type("Frame", (), {"columns": names, "index": np.array(list("abcd")), "__getitem__": look})()
    graph = from_columns({"source": list("abcda"), "target": list("bcdac")}, frame)
    assert graph.ids == tuple("abcd") and not graph.directed and graph.edges.shape == (2, 5)
    assert np.array_equal(graph.features, features) and graph.degrees().tolist() == [3, 2, 3, 2]
    values = np.linalg.eigvalsh(np.diag(graph.degrees()) - graph.adjacency().toarray())
    np.testing.assert_allclose(values, [0, 2, 4, 4], atol=1e-12)
    assert graph.summary().splitlines()[0] == "graph: undirected graph of 4 nodes and 5 edges"


def test_nothing_of_a_graph_can_be_written_to(book):
    ends = np.array([[0], [1]])
    graph = Graph(ends, 2, features=np.eye(2), weights=[2.0])
    for values in (graph.edges, graph.features, graph.weights):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 7
    ends[0] = 1  # the caller's own array stays the caller's
    with pytest.raises(AttributeError):
        graph.nodes = 3


def test_hops_equal_powers_of_the_adjacency_matrix(random):
    graph = drawn(random, 10, 11)
    reach, hops = np.eye(10, dtype=bool), np.full((10, 10), np.inf)
    for step in range(10):
        hops[reach & np.isinf(hops)] = step
        reach = (reach @ (graph.adjacency().toarray() > 0)) | reach
    assert all(np.array_equal(graph.distances(i), hops[i]) for i in range(10))
    apart = graph.components()
    assert np.array_equal(np.isfinite(hops), apart[:, None] == apart)
    assert np.array_equal(graph.isolated(), np.flatnonzero(graph.degrees() == 0))


def test_a_subgraph_keeps_the_edges_between_its_nodes(random):
    graph = drawn(random, features=np.arange(24).reshape(12, 2), labels=np.arange(12) % 3, weights=np.arange(1.0, 21))
    chosen = random.permutation(12)[:7]
    part = graph.subgraph(chosen)
    assert np.array_equal(part.adjacency().toarray(), graph.adjacency().toarray()[np.ix_(chosen, chosen)])
    assert np.array_equal(part.features, graph.features[chosen]) and part.ids == tuple(map(str, chosen))
    largest = graph.largest_component()
    assert len(largest) == np.bincount(graph.components()).max() and largest.statistics()["components"] == 1


def test_duplicates_add_up_or_count_once():
    edges = [[0, 1, 1, 2], [1, 0, 1, 0]]
    assert Graph(edges, weights=[1, 2, 4, 8]).simple().adjacency().toarray().tolist() == [
        [0, 3, 8],
        [3, 4, 0],
        [8, 0, 0],
    ]
    merged = Graph(edges).simple(loops="drop")
    assert merged.adjacency().toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert merged.notes == ("1 loops dropped", "1 duplicate edges merged")
    assert Graph(edges, directed=True).simple().edges.shape == (2, 4)
    with refuses("from '1' to '0' is listed twice"):
        Graph(edges).simple("refuse")
    with refuses("from '1' to '1' is a loop"):
        Graph(edges).simple(loops="refuse")


def test_loops_stand_once_on_the_diagonal(book):
    looped = book.with_loops(2.0)
    assert np.array_equal(looped.adjacency().toarray(), book.adjacency().toarray() + 2 * np.eye(5))
    assert np.array_equal(looped.with_loops(1).adjacency().diagonal(), np.ones(5))
    assert np.array_equal(looped.without_loops().adjacency().toarray(), book.adjacency().toarray())


def test_wrong_graphs_are_refused():
    with refuses("edge 0 goes to node 7", "0 to 2"):
        Graph([[0], [7]], nodes=3)
    with refuses("features of node 1", "NaN"):
        Graph([[0], [1]], features=[[1.0], [np.nan]])
    with refuses("features of node 1", "NaN"):
        Graph([[0], [1]], features=sparse.csr_matrix([[1.0], [np.inf]]))
    with refuses("two nodes have the id 'a'"):
        Graph([[0], [1]], ids=["a", "a"])
    with refuses("labels has shape (3,)", "2 nodes"):
        Graph([[0], [1]], nodes=2, labels=[0, 1, 0])
    with refuses("node '1' has label 3"):
        Graph([[0], [1]], labels=[0, 3], classes=("x",))
    with refuses("'z' is no node"):
        Graph([[0], [1]], ids="ab").numbers(["z"])


# --- files --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "edges.csv").write_text("source,target,weight\na,b,2\nb,c,1\nc,a,0.5\n", "utf-8")
    text = "id,words,label,split,note\na,1,x,train,\nb,2,y,train,hi\nc,3,,,\nd,4,x,test,\n"
    (tmp_path / "nodes.csv").write_text(text, "utf-8")
    return tmp_path


def test_tables_of_nodes_and_edges(folder):
    graph = read_graph(folder)
    assert graph.ids == tuple("abcd") and graph.classes == ("x", "y") and graph.labels.tolist() == [0, 1, -1, 0]
    assert graph.features.tolist() == [[1], [2], [3], [4]] and graph.split.tolist() == [0, 0, -1, 2]
    assert graph.adjacency().toarray()[0].tolist() == [0, 2, 0.5, 0] and graph.isolated().tolist() == [3]
    assert "column 'note' holds text" in graph.notes[0]
    data = catalog.task("node-classification").read(folder, catalog.task("node-classification").options)
    assert data.train.y.tolist() == [0, 1, 0] and data.train.names == ("a", "b", "d")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("edges.csv", "b,c", "b,q", ("edges.csv: row 2, column 'target': 'q' is no node", "nodes.csv")),
        ("edges.csv", "b,c", ",c", ("edges.csv: row 2 has no source",)),
        ("edges.csv", "c,a,0.5", "c,a,-1", ("edges.csv: row 3 has the weight -1",)),
        ("edges.csv", "target", "goal", ("edges.csv: there is no column 'target'", "target_column")),
        ("nodes.csv", "b,2", "b,", ("nodes.csv: row 2, column 'words' holds no finite number",)),
        ("nodes.csv", "b,2", "a,2", ("nodes.csv: two nodes have the id 'a'",)),
        ("nodes.csv", "test", "tests", ("nodes.csv: row 4, column 'split' is 'tests'",)),
    ],
)
def test_a_fault_in_a_table_is_named(folder, file, old, new, words):
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    with refuses(*words):
        read_graph(folder)


def test_graphml_as_networkx_writes_it(tmp_path, random):
    networkx = pytest.importorskip("networkx")
    graph = drawn(random, labels=np.arange(12) % 2, classes=("p", "q"), weights=np.arange(1.0, 21))
    networkx.write_graphml(to_networkx(graph), tmp_path / "g.graphml")
    for read in (read_graph(tmp_path / "g.graphml"), from_networkx(to_networkx(graph))):
        order = read.numbers(map(str, range(12)))
        assert np.array_equal(read.adjacency().toarray()[np.ix_(order, order)], graph.adjacency().toarray())
        assert np.array_equal(read.labels[order], graph.labels) and read.classes == ("p", "q")
    text = (tmp_path / "g.graphml").read_text()
    (tmp_path / "bad.graphml").write_text(text.replace(">1.0<", ">one<", 1))
    with refuses("bad.graphml", "'weight'", "'one'"):
        read_graph(tmp_path / "bad.graphml")
    (tmp_path / "bomb.graphml").write_text('<!DOCTYPE x [<!ENTITY a "b">]>' + text.split("?>", 1)[1])
    with refuses("bomb.graphml declares entities"):
        read_graph(tmp_path / "bomb.graphml")


def test_scipy_matrices_there_and_back(random):
    matrix = sparse.random_array((9, 9), density=0.3, rng=random).tocsr()
    assert abs(from_scipy(matrix).adjacency() - matrix).max() < 1e-12 and from_scipy(matrix).directed
    symmetric = matrix + matrix.T
    assert not from_scipy(symmetric).directed
    assert abs(from_scipy(symmetric).adjacency() - symmetric).max() < 1e-12
    with refuses("not symmetric"):
        from_scipy(matrix, directed=False)


def test_cora_has_its_published_counts(original):
    graph = original("cora").graph
    assert (graph.nodes, graph.edges.shape[1], graph.features.nnz) == (2708, 5278, 49_216)
    assert np.bincount(graph.labels).tolist() == [351, 217, 418, 818, 426, 298, 180]
    assert np.bincount(graph.split + 1).tolist() == [1068, 140, 500, 1000]
    assert np.bincount(graph.labels[graph.split == 0]).tolist() == [20] * 7
    statistics = graph.statistics()
    assert (statistics["components"], statistics["largest_component"], statistics["isolated"]) == (78, 2485, 0)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    (tmp_path / "evil").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with refuses("evil", "os system"):
        unpickled(tmp_path / "evil")
    (tmp_path / "short").write_bytes(b"\x80\x02]")
    with refuses("short is no file of a Planetoid set"):
        unpickled(tmp_path / "short")


# --- nodes as items -----------------------------------------------------------------------------------------


def test_marks_split_nodes_and_hide_those_to_test(random):
    marks = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, -1, -1, -1])
    data = dataset_of(drawn(random, labels=np.arange(12) % 2, classes=("p", "q"), features=np.arange(12.0)[:, None]))
    seen, hidden = with_marks(data, marks), with_marks(data, marks, hide_test=True)
    assert [len(s) for s in (seen.train, seen.validation, seen.test)] == [4, 2, 3]
    assert hidden.train.x.graph.nodes == 9 and hidden.test.x.graph.nodes == 12
    for part in ("train", "validation", "test"):
        a, b = getattr(seen, part), getattr(hidden, part)
        assert a.names == b.names and np.array_equal(a.x.graph.features[a.x.places], b.x.graph.features[b.x.places])
    assert seen.fingerprint() != hidden.fingerprint()


def test_random_marks_have_the_public_sizes(original):
    graph = original("cora").graph
    one, same, other = (random_marks(graph, 20, seed) for seed in (0, 0, 1))
    assert np.bincount(one + 1).tolist() == [1068, 140, 500, 1000] and np.array_equal(one, same)
    assert np.bincount(graph.labels[one == 0]).tolist() == [20] * 7 and not np.array_equal(one, other)


def test_a_class_without_training_nodes_is_refused(random):
    task, marks = catalog.task("node-classification"), np.array([0] * 6 + [2] * 6)
    graph = drawn(random, labels=np.repeat([0, 1], 6), classes=("p", "q"), split=marks)
    with refuses("class 'q' is in the test split and has no node to train on"):
        task.adapt(dataset_of(graph), {**task.options, "seed": 0})


def test_features_are_scaled_by_what_is_trained_on(random):
    values = random.normal(3, 2, (12, 4)).astype("float32")
    graph = drawn(random, features=values)
    encoder = NodeEncoder("columns").fit(Nodes(graph, np.arange(5)))
    np.testing.assert_allclose(
        encoder.features(graph), (values - values[:5].mean(0)) / values[:5].std(0), rtol=1e-4, atol=1e-5
    )
    again = NodeEncoder.from_json(encoder.to_json())
    assert np.array_equal(again.features(graph), encoder.features(graph))
    words = sparse.csr_matrix(np.array([[1.0, 1, 0], [0, 0, 0], [0, 0, 5]]))
    rows = NodeEncoder().fit(Nodes(Graph([[0], [1]], features=words), np.arange(3)))
    assert rows.features(Graph([[0], [1]], features=words)).toarray().tolist() == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 1]]


# --- sets of graphs -----------------------------------------------------------------------------------------


def packed(path, **changes):
    """A set of three graphs in the form of the TU Dortmund collection, the first a triangle, some parts changed."""
    parts = {
        **{"A": "1, 2\n2, 1\n2, 3\n3, 2\n1, 3\n3, 1\n4, 5\n5, 4\n", "graph_indicator": "1\n1\n1\n2\n2\n3\n"},
        **{"graph_labels": "1\n-1\n1\n", "node_labels": "4\n0\n4\n0\n0\n0\n", **changes},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for part, text in parts.items():
            if text:
                archive.writestr(f"TOY/TOY_{part}.txt", text)
    return path


def test_a_set_of_graphs_is_read_and_taken_apart(tmp_path):
    data = read_tu(packed(tmp_path / "TOY.zip"))
    assert data.classes == ("-1", "1") and data.train.y.tolist() == [1, 0, 1] and data.folds is None
    assert data.train.x.sizes().tolist() == [3, 2, 1] and hops(data.train.x).tolist() == [6, 2, 0]
    triangle, pair = data.train.take([1, 0]).x.graph(1), data.train.x.graph(1)
    assert np.array_equal(triangle.adjacency().toarray(), 1 - np.eye(3)) and triangle.features[:, 1].tolist() == [
        1,
        0,
        1,
    ]
    assert pair.edges.shape == (2, 1) and pair.nodes == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"graph_labels": ""}, "has no file that ends in _graph_labels.txt"),
        ({"A": "1, 9\n"}, "joins node 9, and there are 6"),
        ({"A": "3, 4\n"}, "from node 3 to node 4 joins two graphs"),
        ({"graph_labels": "1\n-1\n1\n1\n"}, "graph 4 has no node"),
        ({"graph_indicator": "1\n1\n2\n1\n2\n3\n"}, "do not stand together"),
        ({"node_labels": "4\nx\n4\n0\n0\n0\n"}, "_node_labels.txt is damaged"),
    ],
)
def test_a_fault_in_a_set_of_graphs_is_named(tmp_path, changes, words):
    with refuses("TOY", words):
        read_tu(packed(tmp_path / "TOY.zip", **changes))


def test_mutag_and_proteins_have_their_published_counts():
    if not (Path(os.environ.get("MAQUETTE_DATA", "")) / "tu_graphs").is_dir():
        pytest.skip("the originals of tu_graphs are not there: set MAQUETTE_DATA")
    published = ("mutag", [63, 125], 3371, 7442, 7), ("proteins", [663, 450], 43471, 162088, 4)
    for name, counts, nodes, arcs, features in published:
        data = maquette.data.load(name)
        union = data.train.x.union
        assert np.bincount(data.train.y).tolist() == counts and union.nodes == nodes
        assert (union.arcs().shape[1], union.features.shape[1]) == (arcs, features)
        shares = [np.mean(data.train.y[data.folds == fold]) for fold in range(1, 11)]
        assert np.ptp(shares) < 0.06 and hops(data.train.x).sum() == arcs


def test_ten_folds_test_every_graph_once():
    task, data = catalog.task("graph-classification"), maquette.data.load("rings_and_stars")
    tested = []
    for seed in range(10):
        fold = task.adapt(data, {"fold": None, "seed": seed})
        assert not set(fold.train.names) & set(fold.test.names) and len(fold.train) + len(fold.test) == 120
        assert np.bincount(fold.test.y).tolist() == [6, 6], "stratified"
        tested += fold.test.names
    assert sorted(tested, key=int) == [str(i) for i in range(1, 121)]
    with refuses("inputs.fold=11"):
        task.adapt(data, {"fold": 11, "seed": 0})


def test_a_training_batch_says_how_much_room_it_needs():
    data = maquette.data.load("rings_and_stars").train
    for count in (1, 30, 120):
        x = data.take(np.arange(count)).x
        encoded = with_room(x, index=2)
        room = encoded.shape[1] - 1
        first, second = (with_room(x, index=i).shape[1] - 1 for i in (0, 1))
        assert {first, second} == {room, room + 1}, "the first two batches differ"
        assert x.sizes().sum() <= NODES * room and hops(x).sum() + x.sizes().sum() <= EDGES * room
        assert np.array_equal(encoded[:, 0], np.arange(count)) and NODES * (room - 1) < 1.25 * x.sizes().sum()


# --- filters ------------------------------------------------------------------------------------------------


def test_waves_of_a_ring_are_those_of_the_fourier_transform(random):
    n, f, g = 9, random.normal(size=9), random.normal(size=9)
    ring = Graph([np.arange(n), (np.arange(n) + 1) % n], n)
    waves = fourier_basis(laplacian(ring.adjacency()))
    np.testing.assert_allclose(waves.values, np.sort(2 - 2 * np.cos(2 * np.pi * np.arange(n) / n)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(waves.transform(f)), np.linalg.norm(f))
    np.testing.assert_allclose(waves.inverse(waves.transform(f)), f)
    half = np.fft.fft(f) * (2 - 2 * np.cos(2 * np.pi * np.arange(n) / n))
    np.testing.assert_allclose(waves.filtered(f, lambda x: x), np.fft.ifft(half).real, atol=1e-12)
    np.testing.assert_allclose(waves.convolved(f, g), waves.convolved(g, f))


def test_a_response_is_a_function_of_the_laplacian(random):
    matrix = laplacian(drawn(random).adjacency()).toarray()
    waves, f = fourier_basis(matrix), random.normal(size=(12, 3))
    np.testing.assert_allclose(waves.filtered(f, lambda x: 1 + 0 * x), f, atol=1e-12)
    np.testing.assert_allclose(waves.filtered(f, lambda x: x), matrix @ f, atol=1e-10)
    from scipy.linalg import expm

    np.testing.assert_allclose(waves.filtered(f, lambda x: np.exp(-0.7 * x)), expm(-0.7 * matrix) @ f, atol=1e-10)
    order = random.permutation(12)
    moved = fourier_basis(matrix[np.ix_(order, order)]).filtered(f[order], lambda x: x / (1 + x))
    np.testing.assert_allclose(moved, waves.filtered(f, lambda x: x / (1 + x))[order], atol=1e-10)


def test_polynomials_equal_the_transform_and_reach_their_hops(random):
    graph = drawn(random, 14, 16)
    matrix, theta, f = laplacian(graph.adjacency(), "symmetric"), random.normal(size=4), random.normal(size=(14, 2))
    waves = fourier_basis(matrix)
    powers = waves.filtered(f, lambda x: sum(t * x**k for k, t in enumerate(theta)))
    np.testing.assert_allclose(polynomial_filter(matrix, theta, f), powers, atol=1e-10)
    angle = lambda x: np.arccos(np.clip(x - 1, -1, 1))  # noqa: E731  2 x / lambda_max - 1 with lambda_max = 2
    chebyshev = waves.filtered(f, lambda x: sum(t * np.cos(k * angle(x)) for k, t in enumerate(theta)))
    np.testing.assert_allclose(chebyshev_filter(matrix, theta, f, 2.0), chebyshev, atol=1e-10)
    impulse = np.eye(14)[3]
    reached = np.abs(chebyshev_filter(matrix, [0.3, 1, 1], impulse)) > 1e-12
    assert not (reached & (graph.distances(3) > 2)).any() and reached[graph.distances(3) == 2].all()


def test_chebyshev_coefficients_converge_for_a_smooth_response(random):
    matrix, f = laplacian(drawn(random).adjacency(), "symmetric"), random.normal(size=12)
    exact = fourier_basis(matrix).filtered(f, lambda x: np.exp(-2 * x))
    errors = []
    for degree in (2, 4, 8, 16):
        theta = chebyshev_coefficients(lambda x: np.exp(-2 * x), degree, 2.0)
        errors.append(np.abs(chebyshev_filter(matrix, theta, f, 2.0) - exact).max())
    assert errors[0] > 30 * errors[1] > 900 * errors[2] and errors[3] < 1e-12


def test_a_spectral_chain_ends_in_the_matrix_of_gcn(random):
    """Spectral filter -> Chebyshev polynomial -> K = 1, lambda_max = 2, opposite weights -> renormalisation."""
    adjacency, f, theta = drawn(random).adjacency(), random.normal(size=12), 0.7
    keep = np.asarray(adjacency.sum(axis=0)).ravel() > 0
    matrix = laplacian(adjacency, "symmetric")
    spectral = fourier_basis(matrix).filtered(f, lambda x: theta - theta * (x - 1))
    chebyshev = chebyshev_filter(matrix, [theta, -theta], f, 2.0)
    simple = theta * (f + normalized(adjacency) @ f)
    np.testing.assert_allclose(spectral, chebyshev, atol=1e-12)
    np.testing.assert_allclose(chebyshev[keep], simple[keep], atol=1e-12)
    loops = normalized(adjacency + sparse.eye(12))
    np.testing.assert_allclose(renormalized(adjacency).toarray(), loops.toarray(), atol=1e-12)


def test_renormalisation_tames_the_spectrum(book):
    first = np.linalg.eigvalsh(np.eye(5) + normalized(book.adjacency()).toarray())
    np.testing.assert_allclose(first, [0, 0.4226, 1, 1.5774, 2], atol=5e-5)
    second = np.linalg.eigvalsh(renormalized(book.adjacency()).toarray())
    np.testing.assert_allclose([second.min(), second.max()], [-0.28, 1], atol=5e-3)
    root = np.sqrt(book.degrees() + 1)
    powers = np.linalg.matrix_power(renormalized(book.adjacency()).toarray(), 60)
    np.testing.assert_allclose(powers, np.outer(root, root) / (root @ root), atol=1e-6, err_msg="all nodes alike")


def test_rows_of_averages_add_up_to_one(random):
    adjacency = drawn(random, weights=np.arange(1.0, 21)).adjacency()
    sums = np.asarray(averaging(adjacency).sum(axis=1)).ravel()
    assert np.allclose(sums, np.asarray(adjacency.sum(axis=1)).ravel() > 0)
    assert np.array_equal(with_loops(adjacency).toarray(), (adjacency.toarray() > 0) + np.eye(12))


# --- pictures -----------------------------------------------------------------------------------------------


def test_drawn_nodes_lie_near_their_neighbours(random):
    graph = drawn(random, 30, 45)
    place = graph_figures.layout(graph)
    distance = np.linalg.norm(place[:, None] - place, axis=-1)
    joined = graph.adjacency().toarray() > 0
    assert distance[joined].mean() < 0.6 * distance[~joined].mean() and np.abs(place).max() == 1
    assert "30 nodes and 45 edges" in graph_figures.drawing(graph).caption


@pytest.mark.parametrize("tsne", [False, True])
def test_points_of_one_class_stay_together(random, tsne):
    y = np.repeat([0, 1, 2], 20)
    seen = np.eye(3)[y] * 6 + random.normal(size=(60, 3))
    place = graph_figures.plane(seen, tsne)
    distance = np.linalg.norm(place[:, None] - place, axis=-1) + 1e9 * np.eye(60)
    assert np.mean(y[distance.argmin(axis=1)] == y) > 0.95
    assert np.array_equal(place, graph_figures.plane(seen, tsne))
    if not tsne:
        spread = np.sort(np.linalg.eigvalsh(np.cov(seen.T)))[::-1]
        np.testing.assert_allclose(place.var(axis=0, ddof=1), spread[:2])
    figure = graph_figures.embedding(seen, y, ("a", "b", "c"), tsne)
    assert "60 nodes" in figure.caption and figure.svg.startswith("<svg")
