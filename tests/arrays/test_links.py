"""Links: what is held out is not seen, non-edges are drawn evenly, areas are what they are defined as, and answers."""

import re

import numpy as np
import pytest
from scipy import stats

from maquette import catalog
from maquette.data.dataset import Dataset, Split
from maquette.data.graph import Graph
from maquette.data.links import Pairs, Seen, keys_of, links_of, non_edges
from maquette.data.nodes import GraphDataset, Nodes
from maquette.errors import InputError
from maquette.methods.walks.link_probe import OPERATORS, link_probe
from maquette.tasks.link_scores import link_scores, roc

TASK = catalog.task("link-prediction")


def drawn(nodes: int = 30, edges: int = 100, **parts: object) -> Graph:
    pairs = np.random.default_rng(1).permutation(np.argwhere(np.triu(np.ones((nodes, nodes)), 1)))[:edges]
    return Graph(pairs.T, nodes, name="drawn", **parts)


def test_what_is_held_out_is_not_seen() -> None:
    graph = drawn()
    splits = links_of(graph, test=0.1, validation=0.05)
    assert [len(splits[part]) for part in ("train", "validation", "test")] == [2 * 85, 2 * 5, 2 * 10]
    keys = {part: keys_of(split.x.ends, 30) for part, split in splits.items()}
    known = set(keys_of(graph.edges.T, 30).tolist())
    edges = [set(keys[part][split.y == 1].tolist()) for part, split in splits.items()]
    assert set().union(*edges) == known and sum(map(len, edges)) == 100, "each edge is in one split"
    others = np.concatenate([keys[part][split.y == 0] for part, split in splits.items()])
    assert len(np.unique(others)) == 100 and not known & set(others.tolist())
    seen = splits["test"].x.graph
    assert seen is splits["train"].x.graph and seen.nodes == 30
    assert set(keys_of(seen.edges.T, 30).tolist()) == set(keys["train"][splits["train"].y == 1].tolist())
    again = links_of(graph, 0.1, 0.05)
    assert all(np.array_equal(again[part].x.ends, split.x.ends) for part, split in splits.items())
    assert "validation" not in links_of(graph, 0.1, 0.0)


@pytest.mark.parametrize(("test", "validation"), [(0.0, 0.1), (0.5, 0.5), (0.1, 0.001)])
def test_shares_that_leave_nothing(test: float, validation: float) -> None:
    with pytest.raises(InputError, match=rf"test_links={test}, inputs.validation_links={validation}: of the 100 edges"):
        links_of(drawn(), test, validation)


def test_a_graph_that_joins_most_nodes_is_refused() -> None:
    with pytest.raises(InputError, match="drawn joins most of its 6 nodes"):
        links_of(drawn(6, 12), 0.2, 0.0)


def test_non_edges_are_drawn_evenly_and_anew() -> None:
    graph = drawn(9, 10)
    free = np.setdiff1d(keys_of(np.argwhere(np.triu(np.ones((9, 9)), 1)), 9), keys_of(graph.edges.T, 9))
    assert set(keys_of(non_edges(graph, 26, np.random.default_rng(0)), 9)) == set(free), "all that there are"
    y = np.tile([True, False], 10)
    pairs = Pairs(Seen(graph, graph), np.repeat(graph.edges.T, 2, axis=0), y)
    random, seen = np.random.default_rng(0), []
    for _ in range(300):
        fresh = pairs.redrawn(random)
        assert np.array_equal(fresh.ends[~y], pairs.ends[~y])
        seen.append(keys_of(fresh.ends[y], 9))
    keys, counts = np.unique(np.concatenate(seen), return_counts=True)
    assert np.array_equal(keys, free) and stats.chisquare(counts).pvalue > 1e-3


def test_areas_are_what_they_are_defined_as() -> None:
    random = np.random.default_rng(0)
    y, scores = np.tile([1, 0], 40), np.round(random.normal(size=80) + np.tile([0.8, 0.0], 40), 1)  # with ties
    found = link_scores(y, scores)
    edges, others = scores[::2, None], scores[None, 1::2]
    assert found["roc_auc"].value == pytest.approx((edges > others).mean() + (edges == others).mean() / 2)
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        right, taken = (scores[y == 1] >= threshold).sum(), (scores >= threshold).sum()
        total, before = total + (right / 40 - before) * right / taken, right / 40
    assert found["average_precision"].value == pytest.approx(total)
    assert all(measure.low < measure.value < measure.high for measure in found.values())
    assert "0.5" in roc(y, scores, found["roc_auc"]).caption


def test_a_probe_finds_the_product_that_makes_an_edge() -> None:
    random = np.random.default_rng(0)
    z = random.normal(size=(60, 6))
    pairs = random.integers(0, 60, (800, 2))
    y = (z[pairs[:, 0], 0] * z[pairs[:, 1], 0] > z[pairs[:, 0], 3] * z[pairs[:, 1], 3]).astype(int)
    fit, validation, test = pairs[:400], (pairs[400:500], y[400:500]), pairs[500:]
    right = {o: ((link_probe(z, fit, y[:400], test, validation, o) > 0.5) == y[500:]).mean() for o in OPERATORS}
    assert right["hadamard"] > 0.95 and max(right[o] for o in ("average", "l1", "l2")) < 0.8, right
    scaled = link_probe(z * [1, 9, 0.1, 1, 3, 1], fit, y[:400], test, validation)
    np.testing.assert_allclose(scaled, link_probe(z, fit, y[:400], test, validation), atol=1e-3)


def test_what_a_probe_refuses() -> None:
    with pytest.raises(InputError, match="all edges or all none"):
        link_probe(np.eye(3), [[0, 1], [1, 2]], [1, 1], [[0, 2]])
    with pytest.raises(InputError, match="operator=sum: take one of hadamard"):
        link_probe(np.eye(3), [[0, 1], [1, 2]], [1, 0], [[0, 2]], operator="sum")


# --- the task -----------------------------------------------------------------------------------------------


def adapted(graph: Graph) -> Dataset:
    dataset = GraphDataset(graph.name, Split(Nodes(graph, np.arange(graph.nodes))), graph=graph)
    return TASK.adapt(dataset, {**TASK.options, "seed": 0})


def encoder_of(graph: Graph) -> object:
    options = {**TASK.options, "seed": 0}
    return TASK.restore(TASK.encoder(options).fit(adapted(graph).train.x).to_json())


def test_directions_and_loops_are_dropped_and_a_fraction_is_refused() -> None:
    edges = np.concatenate([drawn().edges, drawn().edges[::-1], [[3], [3]]], axis=1)
    dataset = adapted(Graph(edges, 30, directed=True, name="both ways"))
    assert dataset.graph.edges.shape[1] == 100 and dataset.report[-1] == (
        "train: 85 edges, test: 10 edges, validation: 5 edges, as many non-edges"
    )
    with pytest.raises(InputError, match=r"validation=0.1: links are held out by inputs.validation_links"):
        dataset.with_validation(0.1)


def test_pairs_and_nodes_are_asked_about_by_their_ids(tmp_path: object) -> None:
    graph = drawn(ids=tuple(f"n{i}" for i in range(30)))
    encoder = encoder_of(graph)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("source,target\nn3,n4\nn7,n1\n")
    split = TASK.read_inputs([pairs], encoder, (2,))
    assert np.asarray(split.x).tolist() == [[3, 4], [7, 1]]
    rows = TASK.answers(split, np.array([0.2, 0.9]), None)
    assert rows[1] == {"source": "n7", "target": "n1", "probability": 0.9} and len(rows) == 2
    nodes = tmp_path / "nodes.csv"
    nodes.write_text("id\nn7\nn3\n")
    split = TASK.read_inputs([nodes], encoder, (2,))
    joined = graph.adjacency().toarray() > 0
    for node in (7, 3):
        new = split.x[split.of == node, 1]
        assert set(new) == set(range(30)) - set(np.flatnonzero(joined[node])) - {node}, "neither joined, nor held out"
    rows = TASK.answers(split, np.arange(len(split), dtype=float), None)
    assert [row["input"] for row in rows] == ["n7", "n3"] and all(len(row["links"]) == 10 for row in rows)
    chances = list(rows[0]["links"].values())
    assert chances == sorted(chances, reverse=True)
    pairs.write_text("source,target\nn3,n44\n")
    with pytest.raises(InputError, match=r"pairs.csv: 'n44' is no node of the training graph: did you mean 'n4'"):
        TASK.read_inputs([pairs], encoder, (2,))
    nodes.write_text("node\nn3\n")
    with pytest.raises(InputError, match=re.escape("nodes.csv has no columns 'source' and 'target' of pairs, or 'id'")):
        TASK.read_inputs([nodes], encoder, (2,))


@pytest.mark.parametrize("few", [False, True])
def test_missing_links_of_a_graph(tmp_path: object, few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair without an edge, or in large graphs those with a common neighbour."""
    graph = drawn(30, 40)
    table = "source,target\n" + "".join(f"n{a},n{b}\n" for a, b in graph.edges.T)
    (tmp_path / "edges.csv").write_text(table)
    if few:
        monkeypatch.setattr("maquette.tasks.link_prediction.MOST_PAIRS", 400)
    split = TASK.read_inputs([tmp_path], encoder_of(graph), (2,))
    own = split.x.graph
    joined = own.adjacency().toarray()
    wanted = np.triu(joined == 0, 1) & ((joined @ joined > 0) | (not few))
    found = np.zeros_like(wanted)
    found[tuple(split.x.ends.T)] = True
    assert np.array_equal(found, wanted)
    rows = TASK.answers(split, np.arange(len(split), dtype=float), None)
    assert len(rows) == min(100, len(split)) and rows[0]["source"] == split.ids[split.x.ends[-1, 0]]
    if few:
        monkeypatch.setattr("maquette.tasks.link_prediction.MOST_PAIRS", 4)
        with pytest.raises(InputError, match="too many pairs have a common neighbour"):
            TASK.read_inputs([tmp_path], encoder_of(graph), (2,))


def test_no_graph_is_refused() -> None:
    with pytest.raises(InputError, match="table is no graph"):
        TASK.adapt(Dataset("table", Split(np.zeros((3, 2)))), {**TASK.options, "seed": 0})
