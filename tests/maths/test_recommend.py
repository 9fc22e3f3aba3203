"""Recommenders against literal sums, enumeration, closed forms and each other."""

import itertools

import numpy as np
import pytest
from keras import ops

from maquette import catalog
from maquette.errors import InputError
from maquette.models.recommend.implicit_als import ImplicitALS
from maquette.models.recommend.matrix_factorization import MatrixFactorization
from maquette.models.recommend.rating_rbm import RatingRBM
from maquette.models.recommend.rating_svd import RatingSVD
from maquette.models.recommend.svdpp import SVDpp

USERS, ITEMS = 5, 4
PAGES = [name for name, page in catalog.pages("models").items() if "recommendation" in page.facts.get("tasks", ())]


@pytest.fixture
def rated(random):
    """Twelve of the twenty pairs x (12, 2) with ratings y (12,)."""
    pairs = np.array(list(itertools.product(range(1, USERS + 1), range(1, ITEMS + 1))))
    x = random.permutation(pairs)[:12].astype("float32")
    return x, random.integers(1, 6, 12).astype("float32")


def filled(model, x, y, random):
    """The model, initialised, with every trainable weight drawn."""
    model.initialize(x, y)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    return model


def numbers(value):
    return np.array(ops.convert_to_numpy(value), "float64")


def loss(model, x, y):
    return float(model.compute_loss(ops.convert_to_tensor(x), y, model(x), training=False))


def tables(model, *names):
    return [numbers(getattr(model, name).embeddings) for name in names]


# --- all of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_catalogue_of_a_user_is_his_pairs_one_by_one(page, rated, random):
    model = filled(catalog.model_class(page)(users=USERS, items=ITEMS), *rated, random)
    known = {tuple(pair) for pair in rated[0].astype(int).tolist()}
    users = np.arange(USERS + 1, dtype="float32")
    found = numbers(model.catalogue(users))
    assert found.shape == (USERS + 1, ITEMS + 1)
    # A machine of ratings leaves the rating in question out of its own prediction, and need not for a list.
    pairs = [(u, i) for u in range(USERS + 1) for i in range(1, ITEMS + 1) if (u, i) not in known]
    one_by_one = numbers(model(np.array(pairs, "float32")))
    np.testing.assert_allclose([found[pair] for pair in pairs], one_by_one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("page", PAGES)
def test_numbers_that_no_table_has_are_unknown_ones(page, rated, random):
    model = filled(catalog.model_class(page)(users=USERS, items=ITEMS), *rated, random)
    odd = np.array([[-3, 1], [USERS + 7, 1], [1, -2], [1, ITEMS + 9]], "float32")
    unknown = np.array([[0, 1], [0, 1], [1, 0], [1, 0]], "float32")
    np.testing.assert_array_equal(numbers(model(odd)), numbers(model(unknown)))
    assert np.isfinite(numbers(model(odd))).all()


@pytest.mark.parametrize("make", [MatrixFactorization, SVDpp, RatingSVD])
def test_an_unknown_user_gets_what_is_known_of_the_item(make, rated, random):
    model = filled(make(users=USERS, items=ITEMS), *rated, random)
    mean, (b_user, b_item) = float(rated[1].mean()), tables(model, "b_user", "b_item")
    found = numbers(model(np.array([[0, 2], [3, 0], [0, 0]], "float32")))
    np.testing.assert_allclose(found, [mean + b_item[2, 0], mean + b_user[3, 0], mean], rtol=1e-5)


@pytest.mark.parametrize("make", [MatrixFactorization, SVDpp, RatingSVD])
def test_answers_stay_within_the_scale(make, rated, random):
    model = filled(make(users=USERS, items=ITEMS, factors=30), *rated, random)
    raw, served = numbers(model(rated[0])), numbers(model.serve(rated[0]))
    assert raw.min() < 1 or raw.max() > 5
    np.testing.assert_array_equal(served, np.clip(raw, 1, 5))


# --- matrix factorisation ------------------------------------------------------------------------------------


def literal_loss(x, y, mean, decay, b_user, b_item, p, q, implicit=0.0, y_item=None):
    """The loss of SVD++, pair by pair, and without y that of matrix factorisation."""
    total = 0.0
    for (u, i), t in zip(x.astype(int).tolist(), y):
        own = [int(j) for v, j in x if v == u]
        taste, penalty = p[u].copy(), decay * (b_user[u, 0] ** 2 + b_item[i, 0] ** 2 + p[u] @ p[u] + q[i] @ q[i])
        if y_item is not None:
            taste += sum(y_item[j] for j in own) / np.sqrt(len(own))
            penalty += implicit * np.mean([y_item[j] @ y_item[j] for j in own])
        total += (t - mean - b_user[u, 0] - b_item[i, 0] - taste @ q[i]) ** 2 + penalty
    return total / len(y)


def test_the_loss_and_gradient_of_matrix_factorisation(rated, random, gradient, slope):
    model = filled(MatrixFactorization(users=USERS, items=ITEMS, factors=3, decay=0.2), *rated, random)
    now = tables(model, "b_user", "b_item", "p", "q")
    mean = float(rated[1].mean(dtype="float64"))
    assert loss(model, *rated) == pytest.approx(literal_loss(*rated, mean, 0.2, *now), rel=1e-5)
    found = gradient(model, *rated)
    for k, name in enumerate(("b_user", "b_item", "p", "q")):
        wanted = slope(lambda w, k=k: literal_loss(*rated, mean, 0.2, *now[:k], w, *now[k + 1 :]), now[k])
        (own,) = (g for path, g in found.items() if f"{name}/" in path)
        np.testing.assert_allclose(own, wanted, rtol=1e-3, atol=1e-5)


def test_the_compiled_descent_has_the_same_loss_and_gradient(rated, random, gradient):
    pytest.importorskip("numba")
    x, y = rated
    models = [MatrixFactorization(users=USERS, items=ITEMS, factors=3, decay=0.2) for _ in range(2)]
    filled(models[0], x, y, random)
    models[1].initialize(x, y)
    models[1].set_weights(models[0].get_weights())
    assert models[1].descend(x, y, rate=0.0)[0] == pytest.approx(loss(models[0], x, y), rel=1e-5)
    for one in range(3):
        pair, rating = x[one : one + 1], y[one : one + 1]
        for model in models:
            model.initialize(pair, rating)
        models[1].set_weights(models[0].get_weights())
        before = [numbers(w) for w in models[1].trainable_weights]
        assert models[1].descend(pair, rating, rate=0.02)[0] == pytest.approx(loss(models[0], pair, rating), rel=1e-5)
        moved = [numbers(w) - b for w, b in zip(models[1].trainable_weights, before)]
        for step, slope_ in zip(moved, gradient(models[0], pair, rating).values()):
            np.testing.assert_allclose(step, -0.01 * slope_, rtol=1e-3, atol=1e-6)


def test_no_turn_of_the_least_squares_raises_the_loss(rated):
    model = MatrixFactorization(users=USERS, items=ITEMS, factors=2, decay=0.05)
    model.initialize(*rated)
    losses = [loss(model, *rated)]
    for _ in range(6):
        model.solve(*rated, sweeps=1)
        losses.append(loss(model, *rated))
    assert all(after <= before + 1e-6 for before, after in itertools.pairwise(losses))
    assert losses[-1] < 0.5 * losses[0]


def test_a_whole_matrix_of_low_rank_is_recovered(random):
    full = random.normal(size=(8, 2)) @ random.normal(size=(2, 6))
    pairs = np.argwhere(np.ones_like(full)) + 1
    model = MatrixFactorization(users=8, items=6, factors=2, decay=1e-8)
    model.solve(pairs, full.ravel(), sweeps=60)
    np.testing.assert_allclose(numbers(model(pairs.astype("float32"))), full.ravel(), atol=2e-3)


def test_pairs_that_nobody_rated_have_no_say(rated):
    found = []
    for more in (0, 3):
        model = MatrixFactorization(users=USERS + more, items=ITEMS + more, factors=2, decay=0.05)
        model.initialize(*rated)
        for layer, seed in ((model.p, 1), (model.q, 2)):
            start = np.random.default_rng(seed).normal(size=(40, 2))
            layer.embeddings.assign(start[: layer.embeddings.shape[0]])
        model.solve(*rated, sweeps=3)
        found.append(numbers(model(rated[0])))
    np.testing.assert_allclose(*found, rtol=1e-5)


# --- SVD++ ---------------------------------------------------------------------------------------------------


def test_the_loss_and_gradient_of_svdpp(rated, random, gradient, slope):
    model = filled(SVDpp(users=USERS, items=ITEMS, factors=2, decay=0.2, implicit=0.3), *rated, random)
    now = tables(model, "b_user", "b_item", "p", "q")
    y_item, mean = tables(model, "y")[0], float(rated[1].mean(dtype="float64"))
    wanted = literal_loss(*rated, mean, 0.2, *now, 0.3, y_item)
    assert loss(model, *rated) == pytest.approx(wanted, rel=1e-5)
    (own,) = (g for path, g in gradient(model, *rated).items() if "y/" in path)
    by_hand = slope(lambda w: literal_loss(*rated, mean, 0.2, *now, 0.3, w), y_item)
    np.testing.assert_allclose(own, by_hand, rtol=1e-3, atol=1e-5)


# --- decomposition -------------------------------------------------------------------------------------------


def whole(random):
    full = random.uniform(1, 5, (7, 5))
    pairs = np.argwhere(np.ones_like(full)) + 1
    return full, pairs.astype("float32")


def test_all_singular_values_give_the_ratings_back(random):
    full, pairs = whole(random)
    model = RatingSVD(users=7, items=5, factors=5)
    model.initialize(pairs, full.ravel())
    np.testing.assert_allclose(numbers(model(pairs)), full.ravel(), rtol=1e-5)


def test_some_singular_values_are_the_nearest_matrix_of_their_rank(random):
    full, pairs = whole(random)
    model = RatingSVD(users=7, items=5, factors=2)
    model.initialize(pairs, full.ravel())
    b_user, b_item = tables(model, "b_user", "b_item")
    rest = full - full.mean() - b_user[1:] - b_item[1:].T
    values = np.linalg.svd(rest, compute_uv=False)
    missed = np.square(full.ravel() - numbers(model(pairs))).sum()
    assert missed == pytest.approx(np.square(values[2:]).sum(), rel=1e-4)
    u, v = tables(model, "p", "q")
    for side in (u, v):  # both hold the root of the singular values
        np.testing.assert_allclose(np.sqrt(np.diag(side.T @ side)) ** 2, values[:2], rtol=1e-4)


# --- implicit feedback ---------------------------------------------------------------------------------------


def all_pairs_loss(x, y, alpha, decay, users, items):
    extra = np.zeros((len(users), len(items)))
    extra[tuple(x.astype(int).T)] = alpha * y
    score = users @ items.T
    seen = np.zeros_like(extra)
    seen[tuple(x.astype(int).T)] = 1
    every = ((1 + extra) * np.square(seen - score))[1:, 1:].sum()
    rows = [table[np.unique(ids.astype(int))] for table, ids in zip((users, items), x.T)]
    return (every + decay * sum(np.square(part).sum() for part in rows)) / len(y)


def test_the_loss_of_implicit_feedback_is_over_all_pairs(rated, random):
    model = filled(ImplicitALS(users=USERS, items=ITEMS, factors=3, alpha=2.0, decay=0.7), *rated, random)
    users, items = (numbers(layer.table()) for layer in (model.x, model.y))
    users[np.setdiff1d(np.arange(USERS + 1), rated[0][:, 0])] = 0  # who has no pair is in no batch
    assert loss(model, *rated) == pytest.approx(all_pairs_loss(*rated, 2.0, 0.7, users, items), rel=1e-4)


def test_least_squares_of_implicit_feedback_end_where_no_step_helps(rated, gradient):
    model = ImplicitALS(users=USERS, items=ITEMS, factors=2, alpha=2.0, decay=0.5)
    model.initialize(*rated)
    losses = [loss(model, *rated)]
    for _ in range(5):
        model.solve(*rated, sweeps=1)
        losses.append(loss(model, *rated))
    assert all(after <= before + 1e-5 for before, after in itertools.pairwise(losses))
    model.solve(*rated, sweeps=200)
    assert max(np.abs(g).max() for g in gradient(model, *rated).values()) < 2e-3


# --- the machine of ratings ----------------------------------------------------------------------------------

K, HIDDEN = 3, 4


@pytest.fixture(params=[0, 2], ids=["of W", "of A B"])
def machine(random, request):
    """A conditional machine of two users and four items on three levels; user 1 has rated items 1, 2 and 4."""
    x = np.array([[1, 1], [1, 2], [1, 4], [2, 3]], "float32")
    y = np.array([1, 3, 2, 3], "float32")
    made = RatingRBM(users=2, items=4, high=3.0, hidden_units=HIDDEN, factors=request.param, conditional=True)
    return filled(made, x, y, random)


STATES = np.array(list(itertools.product([0.0, 1.0], repeat=HIDDEN)))


def energy(model, ratings, h):
    """E of {item: level from 0} and the hidden states h (states, hidden)."""
    W, b, c, D = (numbers(part) for part in (model.W, model.b, model.c, model.D))
    unit = h @ (c + sum(D[i] for i in ratings)) if ratings else h @ c
    return -unit - sum(b[i, k] + h @ W[i, k] for i, k in ratings.items())


USER = {1: 0, 2: 2, 4: 1}


def test_the_free_energy_sums_over_all_hidden_states(machine):
    v = machine.one_hot(machine.rated(np.array([1.0], "float32")))
    wanted = -np.log(np.exp(-energy(machine, USER, STATES)).sum())
    assert float(machine.free_energy(v)[0]) == pytest.approx(wanted, rel=1e-5)


def test_the_conditionals_are_those_of_the_energy(machine):
    v = machine.one_hot(machine.rated(np.array([1.0], "float32")))
    weight = np.exp(-energy(machine, USER, STATES))
    np.testing.assert_allclose(
        numbers(ops.sigmoid(machine.hidden_input(v)))[0], weight @ STATES / weight.sum(), rtol=1e-4
    )
    h = STATES[[5]]
    levels = [np.exp(-energy(machine, {**USER, 2: k}, h)[0]) for k in range(K)]
    found = numbers(ops.softmax(machine.visible_logits(h.astype("float32"))))[0, 2]
    np.testing.assert_allclose(found, np.array(levels) / sum(levels), rtol=1e-4)


@pytest.mark.parametrize("item", [3, 2])  # not rated; rated, and then left out of its own prediction
def test_the_prediction_is_the_sum_over_all_hidden_states(machine, item):
    others, pair = {i: k for i, k in USER.items() if i != item}, np.array([[1, item]], "float32")
    machine.D.assign(numbers(machine.D) * (np.arange(5) != item)[:, np.newaxis])  # q itself tells nothing
    joint = [np.exp(-energy(machine, {**others, item: k}, STATES)).sum() for k in range(K)]
    p = np.array(joint) / sum(joint)
    np.testing.assert_allclose(numbers(machine.probabilities(pair))[0], p, rtol=1e-4)
    assert float(machine(pair)[0]) == pytest.approx(p @ [1, 2, 3], rel=1e-5)
    machine.prediction = "most-likely"
    assert float(machine(pair)[0]) == 1 + p.argmax()


def test_sampling_in_two_steps_is_the_mixture_over_hidden_states(machine):
    weight = np.exp(-energy(machine, USER, STATES))
    weight /= weight.sum()
    logits = numbers(machine.b)[3] + STATES @ numbers(machine.W)[3].T  # (states, K)
    given = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    machine.prediction = "sampled"
    draws = numbers(machine(np.repeat(np.array([[1, 3]], "float32"), 6000, axis=0)))
    share = np.array([(draws == k).mean() for k in (1, 2, 3)])
    np.testing.assert_allclose(share, weight @ given, atol=4 * 0.5 / np.sqrt(6000))


def test_the_items_of_a_factored_machine_share_few_directions(random):
    x, y = np.array([[1, i] for i in range(1, 9)], "float32"), np.array([1, 2, 3, 4, 5, 1, 2, 3], "float32")
    rank = {
        factors: np.linalg.matrix_rank(numbers(filled(made, x, y, random).W).reshape(-1, 6), tol=1e-4)
        for factors in (0, 2, 6)
        for made in [RatingRBM(users=1, items=8, hidden_units=6, factors=factors)]
    }
    assert rank == {0: 6, 2: 2, 6: 6}


def test_the_penalties_of_a_machine_of_ratings(machine):
    """Without ratings of the user both free energies are those of nothing, and the loss is its penalties."""
    x, y = np.array([[0, 1]], "float32"), np.array([1], "float32")
    A, D = numbers(machine.A), numbers(machine.D)
    B = numbers(machine.B) if machine.factors else 0.0
    machine.decay, machine.smoothness = 0.2, 0.6
    wanted = 0.1 * (np.sum(A**2) + np.sum(B**2) + np.sum(D**2)) + 0.3 * np.sum(np.diff(A, axis=1) ** 2)
    assert loss(machine, x, y) == pytest.approx(wanted, rel=1e-5)


def test_what_is_not_rated_does_not_learn(machine, gradient):
    machine.decay = 0.0
    x, y = np.array([[1, 1], [1, 2], [1, 4]], "float32"), np.array([1, 3, 2], "float32")
    found = gradient(machine, x, y)
    for name in ("A", "b"):
        (own,) = (g for path, g in found.items() if path.endswith(f"/{name}"))
        assert not own[[0, 3]].any() and own[[1, 2, 4]].any()


def test_a_sweep_keeps_missing_what_is_missing(machine):
    v = machine.one_hot(machine.rated(np.array([1, 2, 0], "float32")))
    drawn = numbers(machine.gibbs(v))
    np.testing.assert_array_equal(drawn.sum(axis=-1), numbers(v).sum(axis=-1))
    assert set(np.unique(drawn)) == {0.0, 1.0}


def test_two_levels_are_a_machine_of_binary_units(random):
    x, y = np.array([[1, 1], [1, 2], [1, 3]], "float32"), np.array([2, 1, 2], "float32")
    model = filled(RatingRBM(users=1, items=3, high=2.0, hidden_units=3), x, y, random)
    W, b, c = (numbers(part) for part in (model.W, model.b, model.c))
    bits = np.array(list(itertools.product([0, 1], repeat=3)))
    v = np.zeros((8, 4, 2), "float32")
    v[:, 1:] = np.eye(2)[bits]
    weight, bias, start = W[1:, 1] - W[1:, 0], b[1:, 1] - b[1:, 0], c + W[1:, 0].sum(axis=0)
    binary = -bits @ bias - np.logaddexp(0, start + bits @ weight).sum(axis=1)
    gap = numbers(model.free_energy(v)) - binary
    np.testing.assert_allclose(gap, gap[0], rtol=1e-5)  # the same but for a constant


def test_by_item_is_by_user_with_the_parts_exchanged(rated, random):
    x, y = rated
    one = filled(RatingRBM(users=USERS, items=ITEMS, hidden_units=3), x, y, random)
    other = RatingRBM(users=ITEMS, items=USERS, hidden_units=3, by="item")
    other.initialize(x[:, ::-1], y)
    other.set_weights(one.get_weights())
    np.testing.assert_allclose(numbers(one(x)), numbers(other(x[:, ::-1])), rtol=1e-5)


def test_a_user_without_ratings_gets_the_shares_of_the_levels():
    x = np.array([[1, 1], [1, 2], [1, 4], [2, 3]], "float32")
    model = RatingRBM(users=2, items=4, high=3.0, hidden_units=HIDDEN, conditional=True)
    model.initialize(x, np.array([1, 3, 2, 3], "float32"))
    everywhere = np.array([2, 2, 3]) / 7  # of the levels, each counted once more
    wanted = (np.array([1, 0, 0]) + 3 * everywhere) / 4
    np.testing.assert_allclose(numbers(model.probabilities(np.array([[0, 1]], "float32")))[0], wanted, atol=0.03)


def test_ratings_between_the_levels_are_refused():
    with pytest.raises(InputError, match=r"model\.step"):
        RatingRBM(users=1, items=1).initialize(np.array([[1, 1]], "float32"), np.array([2.5]))
    assert RatingRBM(users=1, items=1, low=0.5, step=0.5).levels == 10
