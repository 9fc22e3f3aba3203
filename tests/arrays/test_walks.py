"""Random walks: every step has its exact probability, whatever the graph, the parameters and the threads."""

import numpy as np
import pytest
from scipy import sparse, stats

from maquette.errors import InputError
from maquette.methods.walks.random_walks import Walker, as_text, random_walks
from maquette.methods.walks.walk_chain import walk_chain


def graph_of(directed: bool, weighted: bool, n: int = 9) -> np.ndarray:
    random = np.random.default_rng(0)
    a = (random.random((n, n)) < 0.45) * (random.random((n, n)) + 0.05 if weighted else 1.0)
    return a if directed else np.triu(a) + np.triu(a, 1).T


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.25, 4), (4, 0.25), (0.5, 2), (1e-3, 1), (1e3, 3)])
def test_steps_are_as_frequent_as_they_are_probable(directed: bool, weighted: bool, p: float, q: float) -> None:
    graph = graph_of(directed, weighted)  # with loops
    chain = walk_chain(graph, p, q)
    walks = random_walks(graph, walks=5000, length=6, p=p, q=q, seed=1)
    number = np.full(graph.shape, -1)
    number[tuple(chain.arcs.T)] = np.arange(len(chain.arcs))
    whole = walks[:, 2:] >= 0
    before, after = number[walks[:, :-2], walks[:, 1:-1]][whole], number[walks[:, 1:-1], walks[:, 2:]][whole]
    assert before.min() >= 0 and after.min() >= 0  # every step is an edge
    seen = np.zeros(chain.transition.shape)
    np.add.at(seen, (before, after), 1)
    chances = chain.transition.toarray()
    assert not seen[chances == 0].any()
    expected = chances * seen.sum(axis=1, keepdims=True)
    often = expected > 5
    chi2 = ((seen - expected)[often] ** 2 / expected[often]).sum()
    assert stats.chi2.sf(chi2, often.sum() - often.any(axis=1).sum()) > 1e-3


def test_first_steps_follow_the_weights() -> None:
    graph = graph_of(True, True)
    first = random_walks(graph, walks=20_000, length=2, starts=[0])[:, 1]
    seen, expected = np.bincount(first, minlength=9), 20_000 * graph[0] / graph[0].sum()
    kept = expected > 0
    assert not seen[~kept].any() and stats.chisquare(seen[kept], expected[kept]).pvalue > 1e-3


@pytest.mark.parametrize(("p", "q"), [(1, 1), (0.3, 2)])
def test_in_the_long_run_nodes_are_visited_as_the_chain_says(p: float, q: float) -> None:
    graph = graph_of(False, True)
    exact = walk_chain(graph, p, q).stationary()
    if p == q == 1:
        np.testing.assert_allclose(exact, graph.sum(axis=1) / graph.sum(), atol=1e-9)
    seen = np.bincount(random_walks(graph, walks=50, length=2000, p=p, q=q)[:, 100:].ravel(), minlength=9)
    np.testing.assert_allclose(seen / seen.sum(), exact, atol=0.005)


def test_a_seed_means_the_same_walks_with_any_number_of_threads() -> None:
    graph = sparse.random_array((1000, 1000), density=0.01, random_state=1)
    one, three = (random_walks(graph, walks=8, length=10, p=0.5, q=2, seed=5, threads=t) for t in (1, 3))
    np.testing.assert_array_equal(one, three)
    assert (one != random_walks(graph, walks=8, length=10, p=0.5, q=2, seed=6)).any()
    walker, starts = Walker(graph, 0.5, 2), np.arange(1000)
    parts = [walker.walk(starts[a : a + 500], 7, seed=-3, first=a) for a in (0, 500)]
    np.testing.assert_array_equal(np.concatenate(parts), walker.walk(starts, 7, seed=-3))


def test_each_round_starts_once_from_every_node() -> None:
    walks = random_walks(np.ones((50, 50)), walks=3, length=2)
    assert (np.sort(walks[:, 0].reshape(3, 50), axis=1) == np.arange(50)).all()
    assert (walks[:50, 0] != walks[50:100, 0]).any()


def test_walks_end_where_no_edge_leads_on() -> None:
    chain_of_three = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]  # directed; node 3 is isolated
    walks = random_walks(chain_of_three, walks=1, length=4, p=0.2, q=0.5)
    found = {int(row[0]): row.tolist() for row in walks}
    assert found == {0: [0, 1, 2, -1], 1: [1, 2, -1, -1], 2: [2, -1, -1, -1], 3: [3, -1, -1, -1]}
    assert as_text(walks[walks[:, 0] == 1]).tolist() == [2, 3, 0, 0, 0]


def test_a_leaf_is_left_although_turning_back_is_all_but_forbidden() -> None:
    star = np.zeros((6, 6))
    star[0, 1:] = star[1:, 0] = 1
    walks = random_walks(star, walks=200, length=9, p=1e12)
    inner = walks[walks[:, 0] == 0]
    assert (inner[:, ::2] == 0).all() and (inner[:, 1:-2:2] != inner[:, 3::2]).all()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [({"p": 0}, "p 0"), ({"q": -1}, "q -1"), ({"length": 0}, "length 0"), ({"starts": [9]}, "from 0 to 2")],
)
def test_what_is_refused(arguments: dict, names: str) -> None:
    with pytest.raises(InputError, match=names):
        random_walks([[0, 1, 0], [1, 0, 1], [0, 1, 0]], **arguments)


def test_the_chain_refuses_a_dead_end() -> None:
    with pytest.raises(InputError, match="no arc leaves"):
        walk_chain([[0, 1], [0, 0]]).stationary()
