"""Laplacians and their identities, spectra against closed forms, cuts, clusters and communities of graphs."""

import doctest
from itertools import combinations

import networkx
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from maquette import catalog
from maquette.errors import InputError
from maquette.methods.spectral.adjacency import adjacency, symmetrised
from maquette.methods.spectral.bethe_hessian import bethe_clustering, bethe_hessian
from maquette.methods.spectral.block_model import block_model
from maquette.methods.spectral.communities import conductance, modularity, score
from maquette.methods.spectral.connectivity import connectivity
from maquette.methods.spectral.fiedler_cut import fiedler_cut
from maquette.methods.spectral.laplacian import dirichlet_energy, incidence, laplacian
from maquette.methods.spectral.laplacian_spectrum import spectrum
from maquette.methods.spectral.spectral_clustering import cut_values, eigengap, spectral_clustering

PAGES = [page for page in catalog.pages("methods").values() if page.file.parent.name in ("spectral", "walks")]
FIVE = np.zeros((5, 5))  # the tree 0-1, 1-2, 1-3, 3-4
for i, j in ((0, 1), (1, 2), (1, 3), (3, 4)):
    FIVE[i, j] = FIVE[j, i] = 1


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def weighted(n: int, density: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    upper = np.triu(random.uniform(0.2, 2, (n, n)) * (random.random((n, n)) < density), 1)
    return upper + upper.T


def ring(n: int) -> sparse.csr_array:
    at = np.arange(n)
    half = sparse.csr_array((np.ones(n), (at, (at + 1) % n)), shape=(n, n))
    return half + half.T


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: catalog.Page) -> None:
    found = doctest.testmod(page.load())
    assert found.attempted and not found.failed


# Laplacians


@pytest.mark.parametrize("kind", ["combinatorial", "symmetric"])
def test_laplacians_are_those_of_scipy(kind: str) -> None:
    graph = weighted(30, 0.05)  # has isolated nodes
    assert (graph.sum(axis=1) == 0).any()
    expected = csgraph.laplacian(graph, normed=kind == "symmetric")
    np.testing.assert_allclose(laplacian(graph, kind).toarray(), expected, atol=1e-12)


def test_the_random_walk_laplacian_has_the_eigenvalues_of_the_symmetric_one() -> None:
    graph = weighted(20, 0.3)
    walk, symmetric = (laplacian(graph, kind).toarray() for kind in ("random-walk", "symmetric"))
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(walk).real), np.linalg.eigvalsh(symmetric), atol=1e-10)
    np.testing.assert_allclose(walk.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("signed", [False, True])
def test_the_energy_is_the_sum_over_the_edges_and_l_is_b_transposed_b(
    random: np.random.Generator, signed: bool
) -> None:
    graph = weighted(12, 0.4)
    if signed:
        signs = np.triu(random.choice([-1, 1], graph.shape), 1)
        graph = graph * (signs + signs.T)
    x = random.normal(size=(12, 3))
    edges = [(i, j) for i, j in combinations(range(12), 2) if graph[i, j]]
    by_hand = sum(abs(graph[i, j]) * (x[i] - np.sign(graph[i, j]) * x[j]) ** 2 for i, j in edges)
    np.testing.assert_allclose(dirichlet_energy(graph, x, signed=signed), by_hand)
    b = incidence(graph, signed).toarray()
    assert b.shape == (len(edges), 12)
    np.testing.assert_allclose(b.T @ b, laplacian(graph, signed=signed).toarray(), atol=1e-12)


def test_a_signed_graph_is_balanced_if_its_lowest_eigenvalue_is_zero() -> None:
    balanced = np.array([[0, 1, -1], [1, 0, -1], [-1, -1, 0.0]])
    frustrated = -np.ones((3, 3)) + np.eye(3)
    assert np.linalg.eigvalsh(laplacian(balanced, signed=True).toarray())[0] == pytest.approx(0, abs=1e-12)
    assert np.linalg.eigvalsh(laplacian(frustrated, signed=True).toarray())[0] == pytest.approx(1)


def test_the_small_tree() -> None:
    np.testing.assert_allclose(spectrum(FIVE, 5).values, [0, 0.5188, 1, 2.3111, 4.1701], atol=5e-5)
    np.testing.assert_allclose(spectrum(FIVE, 5, "symmetric").values, [0, 0.4226, 1, 1.5774, 2], atol=5e-5)
    assert laplacian(FIVE).diagonal().tolist() == [1, 3, 1, 2, 1]
    assert connectivity(FIVE).spanning_trees == pytest.approx(1)


def test_two_is_an_eigenvalue_of_bipartite_components_alone() -> None:
    for n in range(3, 10):
        largest = spectrum(ring(n), n, "symmetric").values[-1]
        assert (largest == pytest.approx(2)) == (n % 2 == 0) and largest <= 2 + 1e-12


def test_loops_change_nothing_and_graphs_are_taken(random: np.random.Generator) -> None:
    class Held:
        def adjacency(self) -> sparse.csr_matrix:
            return sparse.csr_matrix(FIVE + 3 * np.eye(5))

    for kind in ("combinatorial", "symmetric", "random-walk"):
        np.testing.assert_array_equal(laplacian(Held(), kind).toarray(), laplacian(FIVE, kind).toarray())


@pytest.mark.parametrize(
    ("graph", "names"),
    [
        (np.ones((2, 3)), "square"),
        ([[0, np.nan], [np.nan, 0]], "NaN"),
        ([[0, 1], [0, 0]], "0 -> 1"),
        ([[0, -1], [-1, 0]], "signed=True"),
        (np.zeros((0, 0)), "row per node"),
        ("graph", "sparse or dense"),
    ],
)
def test_unfit_graphs_are_named(graph: object, names: str) -> None:
    with pytest.raises(InputError, match=names) as error:
        laplacian(graph)
    assert "\n" not in str(error.value)


def test_directed_graphs_are_made_symmetric() -> None:
    a = np.array([[0, 4.0, 0], [0, 0, 1], [0, 3, 0]])
    assert symmetrised(a).toarray().tolist() == [[0, 2, 0], [2, 0, 2], [0, 2, 0]]
    assert symmetrised(a, "maximum").toarray().tolist() == [[0, 4, 0], [4, 0, 3], [0, 3, 0]]
    assert symmetrised(a, "minimum").nnz == 2
    assert adjacency(a, directed=True).nnz == 3


# Spectra


@pytest.mark.parametrize("solver", ["dense", "lanczos", "factorised"])
def test_a_ring_and_a_path_have_their_closed_forms(solver: str) -> None:
    n, modes = 64, 7
    k = (np.arange(modes) + 1) // 2
    found = spectrum(ring(n), modes, solver=solver)
    np.testing.assert_allclose(found.values, 2 - 2 * np.cos(2 * np.pi * k / n), atol=1e-9)
    path = ring(n).tolil()
    path[0, n - 1] = path[n - 1, 0] = 0
    np.testing.assert_allclose(
        spectrum(path, modes, solver=solver).values, 2 - 2 * np.cos(np.pi * np.arange(modes) / n), atol=1e-9
    )
    # The first pair of the ring are a sine and a cosine: together they have the same length at every node.
    np.testing.assert_allclose((found.vectors[:, 1:3] ** 2).sum(axis=1), 2 / n, atol=1e-9)


@pytest.mark.parametrize("kind", ["combinatorial", "symmetric", "random-walk"])
def test_the_solvers_agree_and_solve_the_equation(kind: str) -> None:
    graph = sparse.block_diag([weighted(60, 0.1, 1), weighted(40, 0.2, 2), np.zeros((1, 1))])
    dense = spectrum(graph, 8, kind, "dense")
    matrix = laplacian(graph, kind)
    for solver in ("lanczos", "factorised", "auto"):
        found = spectrum(graph, 8, kind, solver)
        np.testing.assert_allclose(found.values, dense.values, atol=1e-8)
        np.testing.assert_allclose(found.vectors, dense.vectors, atol=1e-5)
        np.testing.assert_allclose(matrix @ found.vectors, found.vectors * found.values, atol=1e-7)
    d = np.asarray(graph.sum(axis=1)).ravel() if kind == "random-walk" else np.ones(101)
    d = np.where(d > 0, d, 1)
    np.testing.assert_allclose((dense.vectors.T * d) @ dense.vectors, np.eye(8), atol=1e-9)


@pytest.mark.parametrize("solver", ["lanczos", "factorised"])
def test_equal_eigenvalues_are_all_found(solver: str) -> None:
    for graph in (networkx.balanced_tree(2, 6), networkx.star_graph(60), networkx.hypercube_graph(6)):
        weights = networkx.to_scipy_sparse_array(graph, dtype=float)
        expected = np.linalg.eigvalsh(laplacian(weights).toarray())[:9]
        np.testing.assert_allclose(spectrum(weights, 9, solver=solver).values, expected, atol=1e-9)


def test_large_graphs_are_solved_without_a_dense_matrix() -> None:
    n = 6_000
    found = spectrum(ring(n), 3)  # Lanczos gives up on it
    np.testing.assert_allclose(found.values[1:], 2 - 2 * np.cos(2 * np.pi / n), rtol=1e-5)
    graph, _ = block_model([5000, 5000], 0.004, 0.0005, seed=1)
    both = [spectrum(graph, 3, "symmetric", "lanczos", seed) for seed in (0, 1)]
    np.testing.assert_allclose(both[0].values, both[1].values, atol=1e-9)
    np.testing.assert_allclose(
        laplacian(graph, "symmetric") @ both[0].vectors, both[0].vectors * both[0].values, atol=1e-6
    )


def test_what_the_solver_refuses() -> None:
    with pytest.raises(InputError, match="modes 6"):
        spectrum(FIVE, 6)
    with pytest.raises(InputError, match="did you mean 'lanczos'"):
        spectrum(FIVE, 2, solver="lancos")


# Connectivity


def test_zero_eigenvalues_count_what_a_search_finds(random: np.random.Generator) -> None:
    for seed in range(20):
        graph = weighted(25, random.uniform(0, 0.12), seed)
        found = connectivity(graph)
        total, of = csgraph.connected_components(graph)
        assert found.components == total
        pairs = found.labels[:, np.newaxis] == found.labels
        np.testing.assert_array_equal(pairs, of[:, np.newaxis] == of)


def test_the_spectrum_is_that_of_the_components_together() -> None:
    a, b = weighted(8, 0.5, 1), weighted(6, 0.7, 2)
    both = connectivity(sparse.block_diag([a, b]))
    np.testing.assert_allclose(
        both.spectrum, np.sort(np.r_[connectivity(a).spectrum, connectivity(b).spectrum]), atol=1e-9
    )


def test_an_edge_lowers_no_eigenvalue_and_connectivity_is_below_the_least_degree() -> None:
    graph = weighted(14, 0.5)
    before = connectivity(graph)
    d = graph.sum(axis=1)
    assert 0 < before.algebraic_connectivity <= 14 / 13 * d.min() + 1e-12
    for i, j in [(i, j) for i, j in combinations(range(14), 2) if not graph[i, j]][:10]:
        more = graph.copy()
        more[i, j] = more[j, i] = 0.7
        assert (connectivity(more).spectrum >= before.spectrum - 1e-10).all()


def test_trees_are_counted() -> None:
    for n in range(2, 8):
        complete = np.ones((n, n)) - np.eye(n)
        assert connectivity(complete).spanning_trees == pytest.approx(n ** (n - 2))  # Cayley
    graph = networkx.karate_club_graph()
    weights = networkx.to_scipy_sparse_array(graph, weight=None)
    minor = np.linalg.slogdet(laplacian(weights).toarray()[1:, 1:])[1]
    assert connectivity(weights).log_spanning_trees == pytest.approx(minor)
    assert connectivity(np.zeros((3, 3))).spanning_trees == 0


# Cuts


def test_a_sweep_finds_the_best_threshold_and_keeps_cheegers_bounds() -> None:
    for seed in range(3):
        graph = weighted(8, 0.6, seed)
        if csgraph.connected_components(graph)[0] > 1:
            continue
        cuts = {objective: fiedler_cut(graph, objective) for objective in ("ratio", "normalised")}
        for found in cuts.values():
            again = cut_values(graph, found.side)
            assert [found.cut, found.ratio_cut, found.normalised_cut] == pytest.approx(list(again.values()))
            assert found.conductance == pytest.approx(conductance(graph, found.side).max())
        sides = [np.isin(np.arange(8), s) for k in range(1, 5) for s in combinations(range(8), k)]
        best = {key: min(cut_values(graph, s)[f"{key}_cut"] for s in sides) for key in cuts}
        for key, found in cuts.items():
            assert found.connectivity <= best[key] + 1e-9 <= getattr(found, f"{key}_cut") + 2e-9
        least = min(conductance(graph, s).max() for s in sides)
        second = cuts["normalised"].connectivity
        assert second / 2 <= least <= cuts["normalised"].conductance + 1e-9 <= np.sqrt(2 * second)


def test_two_cliques_fall_apart_at_their_bridge() -> None:
    graph = np.kron(np.eye(2), np.ones((6, 6)))
    graph[5, 6] = graph[6, 5] = 1
    for threshold in ("sweep", "sign"):
        found = fiedler_cut(graph, threshold=threshold)
        assert found.side.tolist() == [False] * 6 + [True] * 6 and found.cut == 1
    apart = fiedler_cut(np.kron(np.eye(2), np.ones((3, 3))))
    assert (apart.connectivity, apart.cut) == (0, 0) and apart.side.sum() == 3


# Clusters and communities


def same_groups(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(((a[:, np.newaxis] == a) == (b[:, np.newaxis] == b)).all())


@pytest.mark.parametrize("kind", ["ng-jordan-weiss", "shi-malik", "unnormalised"])
def test_clear_groups_are_found(kind: str) -> None:
    graph, truth = block_model([40, 60, 50], 0.5, 0.02, seed=3)
    assert same_groups(spectral_clustering(graph, 3, kind), truth)
    assert eigengap(spectrum(graph, 10, "symmetric").values, least=2) == 3
    values = spectrum(graph, 3, "combinatorial" if kind == "unnormalised" else "symmetric").values
    cut = cut_values(graph, truth)["ratio_cut" if kind == "unnormalised" else "normalised_cut"]
    assert values.sum() <= cut + 1e-9


def test_clusters_are_those_of_scikit_learn() -> None:
    from sklearn.cluster import spectral_clustering as of_sklearn

    graph, _ = block_model([60, 60, 60], 0.3, 0.04, seed=5)
    theirs = of_sklearn(graph, n_clusters=3, random_state=0, eigen_solver="arpack")
    assert same_groups(spectral_clustering(graph, 3, "shi-malik"), theirs)


def test_the_blocks_have_their_densities(random: np.random.Generator) -> None:
    sizes, within, between = [300, 500], 0.05, 0.01
    counts = np.zeros(3)
    for seed in range(20):
        graph, labels = block_model(sizes, within, between, seed)
        assert (graph != graph.T).nnz == 0 and not graph.diagonal().any() and set(graph.data) == {1.0}
        i, j = sparse.triu(graph).coords
        counts += [(labels[i] + labels[j] == s).sum() for s in (0, 1, 2)]
    pairs = np.array([300 * 299 / 2, 300 * 500, 500 * 499 / 2]) * 20
    chances = np.array([within, between, within])
    assert (np.abs(counts - pairs * chances) < 4 * np.sqrt(pairs * chances)).all()
    assert block_model([4], 1.0, 0.0)[0].nnz == 12


def test_the_bethe_hessian_counts_groups_where_laplacians_are_lost() -> None:
    graph, truth = block_model([1500, 1500], 8 / 3000, 1 / 3000, seed=0)  # (a - b)^2 = 49 > 2 (a + b) = 18
    labels = bethe_clustering(graph)
    assert len(set(labels)) == 2
    agreement = (labels == truth).mean()
    assert max(agreement, 1 - agreement) > 0.85
    lost = spectral_clustering(graph, 2, "unnormalised")
    assert abs((lost == truth).mean() - 0.5) < 0.05
    matrix = bethe_hessian(FIVE, 1.0)
    np.testing.assert_allclose(matrix.toarray(), laplacian(FIVE).toarray())  # at r = 1 it is the Laplacian


def test_modularity_is_that_of_networkx() -> None:
    from networkx.algorithms.community import modularity as of_networkx

    graph = networkx.karate_club_graph()
    weights, club = networkx.to_scipy_sparse_array(graph), [graph.nodes[i]["club"] for i in graph]
    groups = [{i for i in graph if graph.nodes[i]["club"] == name} for name in set(club)]
    for resolution in (0.5, 1.0, 2.0):
        assert modularity(weights, club, resolution) == pytest.approx(of_networkx(graph, groups, resolution=resolution))
    directed = networkx.gnp_random_graph(12, 0.3, seed=1, directed=True)
    parts = [set(range(5)), set(range(5, 12))]
    labels = [int(i >= 5) for i in range(12)]
    matrix = networkx.to_scipy_sparse_array(directed)
    assert modularity(matrix, labels, directed=True) == pytest.approx(of_networkx(directed, parts))
    assert modularity(weights, np.zeros(34)) == pytest.approx(0)


def test_the_karate_club_splits_as_it_did() -> None:
    graph = networkx.karate_club_graph()
    club = np.array([graph.nodes[i]["club"] for i in graph]) == "Officer"
    side = fiedler_cut(networkx.to_scipy_sparse_array(graph), "normalised").side
    assert (side != club).sum() <= 1
    found = score(networkx.to_scipy_sparse_array(graph), side, club)
    assert found["communities"] == 2 and found["nmi"] > 0.8 and found["ari"] > 0.85


def test_names_of_groups_do_not_matter(random: np.random.Generator) -> None:
    graph, truth = block_model([20, 30], 0.4, 0.1, seed=1)
    assert score(graph, truth, 7 - truth)["ari"] == 1
    with pytest.raises(InputError, match="labels: 3"):
        modularity(graph, [0, 1, 2])
