"""Affinity graphs, scaling, Isomap, eigenmaps and locally linear embedding: invariants, and scikit-learn up to sign."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn import manifold
from sklearn.datasets import make_swiss_roll

from maquette.errors import InputError
from maquette.methods.spectral.affinity import affinity
from maquette.methods.spectral.embedding_quality import embedding_quality, procrustes
from maquette.methods.spectral.isomap import geodesic_distances, isomap, residual_variance
from maquette.methods.spectral.laplacian import dirichlet_energy
from maquette.methods.spectral.laplacian_eigenmaps import laplacian_eigenmaps, place
from maquette.methods.spectral.locally_linear_embedding import locally_linear_embedding, reconstruction_weights
from maquette.methods.spectral.multidimensional_scaling import scaling


@pytest.fixture(scope="module")
def roll() -> np.ndarray:
    return make_swiss_roll(250, random_state=0)[0]


def up_to_sign(a: np.ndarray, b: np.ndarray) -> None:
    """Each column of a is that of b, or its negative."""
    signs = np.sign((a * b).sum(axis=0))
    np.testing.assert_allclose(a * signs, b, atol=1e-6 * np.abs(b).max())


# Affinity graphs


@pytest.mark.parametrize("kind", ["knn", "mutual-knn", "epsilon"])
def test_neighbours_are_those_of_all_pairs(kind: str) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    d = squareform(pdist(x))
    near = np.argsort(d + np.diag(np.full(40, np.inf)), axis=1)[:, :4]
    chosen = np.zeros((40, 40), bool)
    chosen[np.arange(40)[:, np.newaxis], near] = True
    joined = {"knn": chosen | chosen.T, "mutual-knn": chosen & chosen.T, "epsilon": (d <= 1.2) & (d > 0)}[kind]
    found = affinity(x, kind, neighbours=4, radius=1.2, weights="distance").toarray()
    np.testing.assert_allclose(found, np.where(joined, d, 0))
    heat = affinity(x, kind, neighbours=4, radius=1.2, weights="heat", sigma=0.7).toarray()
    np.testing.assert_allclose(heat, np.where(joined, np.exp(-(d**2) / (2 * 0.49)), 0))
    tuned = affinity(x, kind, neighbours=4, radius=1.2, weights="self-tuning", scale=5).toarray()
    scale = np.sort(d, axis=1)[:, 5]
    np.testing.assert_allclose(tuned, np.where(joined, np.exp(-(d**2) / np.outer(scale, scale)), 0))


def test_points_at_one_place_are_joined() -> None:
    x = np.repeat([[0.0], [5.0]], 3, axis=0)
    assert (affinity(x, "knn", 2, weights="one").toarray() == np.kron(np.eye(2), 1 - np.eye(3))).all()
    assert affinity(x, "epsilon", radius=1, weights="heat", sigma=1).nnz == 12
    with pytest.raises(InputError, match="neighbours 6"):
        affinity(x, "knn", 6)


# Multidimensional scaling


def test_distances_of_points_are_reproduced_and_are_principal_components() -> None:
    x = np.random.default_rng(0).normal(size=(30, 3)) * [3, 2, 1]
    found = scaling(squareform(pdist(x)), dim=3)
    np.testing.assert_allclose(pdist(found.places), pdist(x))
    assert found.energy == pytest.approx(1) and found.stress < 1e-12
    middle = x - x.mean(axis=0)
    up_to_sign(found.places, middle @ np.linalg.svd(middle)[2].T)
    moved = scaling(squareform(pdist(x @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0] + 7)), dim=2)
    up_to_sign(moved.places, found.places[:, :2])


def test_distances_of_no_points_lose_energy() -> None:
    d = 1 - np.eye(4)
    d[0, 1] = d[1, 0] = 3  # longer than any way round
    assert scaling(d, dim=4).energy < 1 - 1e-3


def test_smacof_lowers_the_stress_at_each_step_to_that_of_scikit_learn(roll: np.ndarray) -> None:
    d = squareform(pdist(roll[:60]))
    classical, metric = scaling(d), scaling(d, method="metric", steps=200, tolerance=0)
    assert (np.diff(metric.history) <= 1e-9).all()
    assert metric.stress < classical.stress
    theirs, stress = manifold.smacof(
        d, init=classical.places, n_init=1, max_iter=200, eps=0, normalized_stress=False, random_state=0
    )
    gaps = squareform(d) - pdist(metric.places)
    assert (gaps**2).sum() == pytest.approx(stress, rel=1e-4) and procrustes(theirs, metric.places) < 1e-4


def test_an_ordinal_scaling_asks_for_the_order_alone() -> None:
    x = np.random.default_rng(2).normal(size=(25, 2))
    bent = squareform(pdist(x) ** 3)  # the same order
    assert scaling(bent, method="ordinal", steps=500, tolerance=0).stress < 0.02 < scaling(bent, method="metric").stress


@pytest.mark.parametrize("d", [[[0, 1], [2, 0]], [[1, 1], [1, 0]], [[0, -1], [-1, 0]], np.zeros((2, 3)), [[0, np.nan]]])
def test_what_are_no_dissimilarities(d: object) -> None:
    with pytest.raises(InputError, match="dissimilarities"):
        scaling(d, dim=1)


# Isomap


def test_isomap_is_scaling_of_geodesic_distances_as_in_scikit_learn(roll: np.ndarray) -> None:
    theirs = manifold.Isomap(n_neighbors=5, n_components=2).fit(roll)
    distances = geodesic_distances(roll, 5)
    np.testing.assert_allclose(distances, theirs.dist_matrix_)
    found = isomap(roll, neighbours=5)
    up_to_sign(found.places, theirs.embedding_)
    up_to_sign(found.places, scaling(distances).places)
    assert residual_variance(distances, found.places) < 0.05
    assert residual_variance(distances, scaling(squareform(pdist(roll))).places) > 0.5


def test_with_all_points_joined_isomap_is_classical_scaling(roll: np.ndarray) -> None:
    x = roll[:40]
    np.testing.assert_allclose(isomap(x, neighbours=39).places, scaling(squareform(pdist(x))).places, atol=1e-9)


def test_a_graph_in_parts_has_no_ways() -> None:
    with pytest.raises(InputError, match="2 parts; take more"):
        isomap(np.r_[np.eye(3), np.eye(3) + 100], neighbours=2)


# Laplacian eigenmaps


def test_eigenmaps_are_those_of_scikit_learn_and_minimise_the_energy(roll: np.ndarray) -> None:
    graph = affinity(roll, neighbours=8)
    found = laplacian_eigenmaps(graph, dim=3)
    theirs = manifold.spectral_embedding(graph.toarray(), n_components=3, eigen_solver="arpack", random_state=0)
    up_to_sign(found.vectors, theirs)
    d = np.asarray(graph.sum(axis=1)).ravel()
    np.testing.assert_allclose((found.vectors.T * d) @ found.vectors, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(d @ found.vectors, 0, atol=1e-8)
    np.testing.assert_allclose(dirichlet_energy(graph, found.vectors), found.values, atol=1e-9)


def test_diffusion_distances_are_those_of_walks() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    graph = affinity(x, "epsilon", radius=10, sigma=1.0)
    d = graph.sum(axis=1)
    walk = np.linalg.matrix_power(graph.toarray() / d[:, np.newaxis], 3)
    found = laplacian_eigenmaps(graph, dim=19, time=3).vectors
    np.testing.assert_allclose(pdist(found), pdist(walk / np.sqrt(d)), atol=1e-9)


def test_a_point_of_the_graph_is_placed_where_it_is(roll: np.ndarray) -> None:
    graph = affinity(roll, neighbours=8)
    found = laplacian_eigenmaps(graph, dim=2)
    np.testing.assert_allclose(place(found, graph[[5, 90]]), found.vectors[[5, 90]], atol=1e-9)
    with pytest.raises(InputError, match="row 1 has no neighbour"):
        place(found, np.r_[np.ones((1, 250)), np.zeros((1, 250))])


# Locally linear embedding


def test_weights_do_not_change_under_turns_shifts_and_scales(roll: np.ndarray) -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    before, after = (reconstruction_weights(x, 8).toarray() for x in (roll, 5 * roll @ turn + [1, 2, 3]))
    np.testing.assert_allclose(after, before, atol=1e-7)
    np.testing.assert_allclose(before.sum(axis=1), 1)


def test_a_plane_is_reconstructed_without_error() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    w = reconstruction_weights(x, neighbours=3, regularisation=1e-9)
    np.testing.assert_allclose(w @ x, x, atol=1e-4)


@pytest.mark.parametrize("variant", ["standard", "modified", "hessian", "ltsa"])
def test_places_are_those_of_scikit_learn(roll: np.ndarray, variant: str) -> None:
    theirs = manifold.LocallyLinearEmbedding(n_neighbors=12, n_components=2, method=variant, eigen_solver="dense")
    found = locally_linear_embedding(roll, neighbours=12, variant=variant)
    up_to_sign(found, np.sqrt(len(roll)) * theirs.fit_transform(roll))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.T @ found / len(roll), np.eye(2), atol=1e-9)


def test_the_sparse_solver_finds_the_dense_places(monkeypatch: pytest.MonkeyPatch, roll: np.ndarray) -> None:
    from maquette.methods.spectral import locally_linear_embedding as page

    dense = locally_linear_embedding(roll, neighbours=12)
    monkeypatch.setattr(page, "DENSE", 100)
    np.testing.assert_allclose(page.locally_linear_embedding(roll, neighbours=12), dense, atol=1e-4)


def test_what_locally_linear_embedding_refuses(roll: np.ndarray) -> None:
    with pytest.raises(InputError, match="hessian takes at least 6"):
        locally_linear_embedding(roll, neighbours=5, variant="hessian")


# Quality


def test_quality_of_a_torn_and_of_a_folded_map() -> None:
    x = np.linspace(0, 1, 100)[:, np.newaxis]
    folded, torn = np.abs(x - 0.503), x + 10.0 * (x > 0.5)
    fold, tear = (embedding_quality(x, y, neighbours=5) for y in (folded, torn))
    assert fold["trustworthiness"] < 0.9 < fold["continuity"]
    assert tear["continuity"] < 1 and tear["trustworthiness"] > 0.99
    assert procrustes(x @ [[1.0, 2.0]], 3 - x @ [[2.0, 4.0]]) == pytest.approx(0, abs=1e-12)
