"""GloVe: its weights and loss in closed form, gradients, a planted matrix, and the compiled loop against the page."""

import keras
import numpy as np
import pytest
from keras import ops
from tests.contract.subject import array

from maquette import assembly, settings
from maquette.data.batches import Batches
from maquette.errors import InputError
from maquette.models.text.glove import GloVe

WORDS = list("abcdefgh")
CELLS = np.array([[1, 2], [3, 8], [4, 4], [2, 1], [8, 3], [5, 6], [1, 2]], "int32")
COUNTS = np.array([7.5, 0.25, 30, 7.5, 12, 1, 3], "float32")
NAMES = ("U", "W", "b", "c")


def model(dim=5, optimizer=None, scale=0.7, **options):
    made = GloVe(words=WORDS, counts=[1] * 8, dim=dim, **{"x_max": 10.0, **options})
    made.build((None, 2))
    random = np.random.default_rng(1)
    for name in NAMES:
        variable = getattr(made, name)
        variable.assign(random.normal(0, scale, variable.shape))
    if optimizer:
        made.compile(optimizer)
        made.optimizer.build(made.trainable_variables)
    return made


def values(made):
    return {name: array(getattr(made, name)).astype("float64") for name in NAMES}


def slow_loss(tables, cells, counts, x_max=10.0, alpha=0.75):
    """The sum over the cells of h e^2, and its gradient, cell by cell as in the equations."""
    total, slopes = 0.0, {name: np.zeros_like(table) for name, table in tables.items()}
    for (i, j), x in zip(cells - 1, counts.astype("float64"), strict=True):
        h = min(1.0, (x / x_max) ** alpha)
        e = tables["U"][i] @ tables["W"][j] + tables["b"][i] + tables["c"][j] - np.log(x)
        total += h * e * e
        slopes["U"][i] += 2 * h * e * tables["W"][j]
        slopes["W"][j] += 2 * h * e * tables["U"][i]
        slopes["b"][i] += 2 * h * e
        slopes["c"][j] += 2 * h * e
    return total, slopes


def loss(made, cells, counts):
    x = ops.convert_to_tensor(cells)
    return float(array(made.compute_loss(x, ops.convert_to_tensor(counts), made(x), training=False)))


def test_weights_rise_as_a_power_and_stay_at_one():
    made = model(x_max=16.0, alpha=0.5)
    found = array(made.weight(ops.convert_to_tensor(np.array([0, 1, 4, 15.9999, 16, 1e6], "float32"))))
    np.testing.assert_allclose(found, [0, 0.25, 0.5, 1, 1, 1], rtol=1e-5)
    rising = array(made.weight(ops.convert_to_tensor(np.linspace(0, 30, 200, dtype="float32"))))
    assert (np.diff(rising) >= 0).all() and rising.max() == 1


def test_the_loss_is_the_weighted_mean_of_squared_errors_of_logarithms():
    made = model()
    total, _ = slow_loss(values(made), CELLS, COUNTS)
    assert loss(made, CELLS, COUNTS) == pytest.approx(total / len(CELLS), rel=1e-5)


def test_cells_without_a_count_or_a_word_take_no_part():
    made = model()
    cells = np.concatenate([CELLS, [[0, 3], [5, 0], [2, 2]]]).astype("int32")
    counts = np.concatenate([COUNTS, [4, 5, 0]]).astype("float32")
    assert loss(made, cells, counts) == pytest.approx(loss(made, CELLS, COUNTS), rel=1e-6)
    assert loss(made, cells[-1:], counts[-1:]) == 0


def test_the_gradient_is_that_of_the_equations_and_of_differences():
    made = model(optimizer=keras.optimizers.SGD(1.0))
    before = values(made)
    _, slopes = slow_loss(before, CELLS, COUNTS)
    place, step = {"U": (7, 2), "W": (1, 0), "b": (0,), "c": (3,)}, 1e-6
    for name, at in place.items():
        ends = []
        for sign in (1, -1):
            moved = {key: table.copy() for key, table in before.items()}
            moved[name][at] += sign * step
            ends.append(slow_loss(moved, CELLS, COUNTS)[0])
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slopes[name][at], rel=1e-5, abs=1e-7)
    made.train_on_batch(CELLS, COUNTS)
    for name, after in values(made).items():
        np.testing.assert_allclose(before[name] - after, slopes[name] / len(CELLS), atol=1e-5)


def test_words_and_neighbours_have_like_roles():
    one, other = model(), model()
    for name, mirror in zip(NAMES, ("W", "U", "c", "b"), strict=True):
        getattr(other, name).assign(getattr(one, mirror))
    assert loss(other, CELLS[:, ::-1].copy(), COUNTS) == pytest.approx(loss(one, CELLS, COUNTS), rel=1e-6)
    np.testing.assert_array_equal(one.vectors(), other.vectors())
    np.testing.assert_allclose(one.vectors(), array(one.U) + array(one.W))


# --- the compiled loop ---------------------------------------------------------------------------------------


def adagrad():
    return keras.optimizers.Adagrad(0.05, initial_accumulator_value=1.0)


@pytest.fixture
def loop():
    pytest.importorskip("numba")
    from maquette.models.text import _glove_loop

    return _glove_loop


def test_the_loop_has_the_loss_and_gradient_of_the_page(loop):
    """From sums of squares of 1e12 a step of the rate 1e6 is the gradient."""
    made = model(optimizer=adagrad())
    matrix = loop.Matrix(made, Batches(CELLS, COUNTS))
    start, moved, total = matrix._tables(), dict.fromkeys(NAMES, 0.0), 0.0
    for table in start:
        table[:, 1] = np.maximum(table[:, 1], 1e12)
    weights = np.minimum(1, (COUNTS / 10) ** 0.75).astype("float32")
    for k in range(len(CELLS)):
        tables = [table.copy() for table in start]
        one = slice(k, k + 1)
        rate = np.float32(1e6)
        total += loop.walk(CELLS[one], np.log(COUNTS[one]), weights[one], *tables, rate, np.float32(1e-7))
        steps = [before[:, 0] - after[:, 0] for before, after in zip(start, tables, strict=True)]
        for name, own in (("U", steps[0][:, :5]), ("W", steps[1][:, :5]), ("b", steps[0][:, 5]), ("c", steps[1][:, 6])):
            moved[name] = moved[name] + own
        assert not steps[0][:, 6:].any() and not steps[1][:, 5].any()  # ones and the rows' ends stay
    slow, slopes = slow_loss(values(made), CELLS, COUNTS)
    assert total == pytest.approx(slow, rel=1e-5) and loss(made, CELLS, COUNTS) == pytest.approx(slow / 7, rel=1e-5)
    for name in NAMES:
        np.testing.assert_allclose(moved[name], slopes[name], rtol=1e-5, atol=1e-5)


def test_the_loop_takes_keras_adagrads_steps_on_batches_of_one(loop):
    looped, stepped = model(optimizer=adagrad(), threads=1), model(optimizer=adagrad())
    history = looped.fit(Batches(CELLS, COUNTS, batch_size=1, seed=4), epochs=2).history
    losses = []
    for epoch in range(2):
        for k in np.random.default_rng((4, epoch)).permutation(len(CELLS)):
            stepped.reset_metrics()
            losses.append(stepped.train_on_batch(CELLS[k : k + 1], COUNTS[k : k + 1], return_dict=True)["loss"])
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (2, -1)).mean(axis=1), rtol=1e-5)
    for one, other in zip(
        looped.variables + looped.optimizer.variables, stepped.variables + stepped.optimizer.variables, strict=True
    ):
        np.testing.assert_allclose(array(one), array(other), rtol=1e-5, atol=1e-5, err_msg=one.path)


def planted(words, dim, seed=0):
    """All cells of a matrix whose logarithm is a product of `dim` columns and two biases."""
    random = np.random.default_rng(seed)
    left, right = random.normal(0, 0.7, (2, words, dim))
    logs = left @ right.T + random.normal(0, 0.5, (words, 1)) + random.normal(0, 0.5, (1, words))
    cells = np.stack(np.divmod(np.arange(words * words), words), axis=1).astype("int32") + 1
    return cells, np.exp(logs).ravel().astype("float32")


def test_a_planted_matrix_is_found_again(loop):
    cells, counts = planted(30, 3)
    made = GloVe(words=[str(i) for i in range(30)], counts=[1] * 30, dim=4, x_max=1e-3, threads=1)
    made.build((None, 2))
    made.compile(keras.optimizers.Adagrad(0.2, initial_accumulator_value=1.0))
    made.optimizer.build(made.trainable_variables)
    history = made.fit(Batches(cells, counts, batch_size=100, seed=0), epochs=400).history["loss"]
    assert history[0] > 0.5 and history[-1] < 1e-5
    found = array(made.U) @ array(made.W).T + array(made.b)[:, None] + array(made.c)
    np.testing.assert_allclose(found.ravel(), np.log(counts), atol=0.05)


def test_two_threads_come_as_far_as_one(loop):
    cells, counts = planted(220, 4)
    reached = []
    for threads in (1, 2):
        made = GloVe(words=[str(i) for i in range(220)], counts=[1] * 220, dim=16, x_max=1.0, threads=threads)
        made.build((None, 2))
        made.compile(adagrad())
        made.optimizer.build(made.trainable_variables)
        reached.append(made.fit(Batches(cells, counts, batch_size=1000, seed=0), epochs=4).history["loss"])
    assert loop.Matrix(made, Batches(cells, counts)).threads == 2
    np.testing.assert_allclose(reached[1], reached[0], rtol=0.05)
    assert reached[0][-1] < 0.5 * reached[0][0]


# --- the data ------------------------------------------------------------------------------------------------


def prepared(**changes):
    recipe = settings.tiny(settings.resolve("glove"))
    return assembly.prepare(settings.apply(recipe, {key.replace("__", "."): value for key, value in changes.items()}))


def test_cells_are_the_counts_of_the_text_but_for_those_held_out():
    from maquette.methods.word_vectors.cooccurrence import cooccurrence
    from maquette.methods.word_vectors.text_numbers import number_text

    pipeline = prepared()
    data = pipeline.dataset
    from maquette.data import load

    tokens, vocabulary = number_text(load("small_world").train.x)
    counts = cooccurrence(tokens, len(vocabulary.words), 2, "harmonic").toarray()
    table = np.zeros_like(counts)
    rows, y = pipeline.encoder.transform(data.train.x), data.train.y
    table[tuple(rows.T - 1)] = y
    held = pipeline.encoder.transform(data.test.x) - 1
    np.testing.assert_allclose(counts[tuple(held.T)], data.test.y, rtol=1e-6)
    assert not table[tuple(held.T)].any() and np.array_equal(table, table.T)  # both mirror images are held out
    table[tuple(held.T)] = data.test.y
    np.testing.assert_allclose(table, counts, rtol=1e-6)
    assert len(rows) == np.count_nonzero(counts) == len(y)


def test_a_validation_split_holds_cells_with_their_mirror_images():
    data = prepared(validation=0.2).dataset
    found = {part: {tuple(row) for row in getattr(data, part).x.rows()} for part in ("train", "validation")}
    for rows in found.values():
        assert {(b, a) for a, b in rows} == rows
    assert not found["train"] & found["validation"] and found["validation"]


@pytest.mark.parametrize(
    ("page", "key", "value", "said"),
    [
        ("glove", "inputs.dynamic", True, "inputs.dynamic=True"),
        ("glove", "inputs.subsample", 1e-3, "inputs.subsample=0.001"),
        ("glove", "inputs.samples", "windows", "learns from cells"),
        ("glove", "model.x_max", 0.0, "x_max"),
        ("glove", "inputs.phrases", -1, "passes"),
        ("skip_gram", "inputs.samples", "cells", "inputs.subsample|inputs.dynamic|learns from windows"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(page, key, value, said):
    recipe = settings.apply(settings.tiny(settings.resolve(page)), {key: value})
    with pytest.raises(InputError, match=said):
        assembly.build(assembly.prepare(recipe))


def test_phrases_of_the_text_get_vectors():
    words = prepared(inputs__phrases=1, inputs__phrase_threshold=10.0).dataset.train.x.vocabulary.words
    assert {"live_far", "at_night"} & set(words) or any("_" in word for word in words)
