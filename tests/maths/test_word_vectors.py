"""Skip-gram and CBOW: probabilities, gradients, and the compiled loops against the pages' own rule."""

import keras
import numpy as np
import pytest
from keras import ops
from tests.contract.subject import array

from maquette.core.noise import Noise
from maquette.models.text.cbow import CBOW
from maquette.models.text.skip_gram import SkipGram
from maquette.tasks.word_vectors import Thinning

COUNTS = [9, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1]
WORDS = list("abcdefghijkl")


def model(page, objective, dim=16, **options):
    made = page(words=WORDS, counts=COUNTS, dim=dim, objective=objective, **options)
    made.build((None, 5))
    random = np.random.default_rng(3)
    made.U.assign(random.normal(0, 0.6, made.U.shape))
    made.W.assign(random.normal(0, 0.6, made.W.shape))
    return made


def loss(made, x):
    return float(array(made.compute_loss(ops.convert_to_tensor(x), None, made(ops.convert_to_tensor(x)))))


def slopes(made, x, name, places, step=1e-2):
    """Central differences of the loss by some entries of a table."""
    variable, found = getattr(made, name), []
    start = array(variable)
    for place in places:
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            variable.assign(moved)
            ends.append(loss(made, x))
        found.append((ends[0] - ends[1]) / (2 * step))
    variable.assign(start)
    return np.array(found)


@pytest.mark.parametrize("page", [SkipGram, CBOW])
@pytest.mark.parametrize("objective", ["softmax", "hierarchical"])
def test_probabilities_of_all_words_sum_to_one(page, objective):
    made = model(page, objective)
    total = 0.0
    for word in range(1, 13):
        x = np.array([[3, word, 0, 0, 0]] if page is SkipGram else [[word, 5, 9, 0, 0]])
        total += np.exp(-loss(made, x))
    assert total == pytest.approx(1, abs=1e-5)


def test_softmax_is_the_cross_entropy_of_the_mean_of_the_neighbours():
    made = model(CBOW, "softmax")
    h = array(made.U)[[4, 8, 0]].mean(axis=0)
    logits = array(made.W) @ h
    expected = np.log(np.exp(logits).sum()) - logits[2]
    assert loss(made, np.array([[3, 5, 9, 1, 0]])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("page", [SkipGram, CBOW])
def test_rows_without_words_count_for_nothing(page):
    made = model(page, "softmax")
    rows = np.array([[3, 5, 9, 0, 0], [1, 2, 0, 0, 0]])
    empty = np.array([[0, 0, 0, 0, 0], [4, 0, 0, 0, 0]])
    assert loss(made, np.concatenate([rows, empty])) == pytest.approx(loss(made, rows), rel=1e-6)
    assert loss(made, empty) == 0


def test_answers_are_cosines_of_sums_of_words_at_length_one():
    made = model(SkipGram, "negative")
    unit = array(made.U) / np.linalg.norm(array(made.U), axis=1, keepdims=True)
    asked = unit[1] - unit[4] + unit[6]
    expected = unit @ (asked / np.linalg.norm(asked))
    np.testing.assert_allclose(array(made.serve(np.array([[2, -5, 7, 0]])))[0], expected, atol=1e-5)


@pytest.fixture
def kernels():
    pytest.importorskip("numba")
    from maquette.models.text import _kernels

    return _kernels


def compiled_gradient(kernels, made, tokens, reach, noise):
    """Loss, gradients and number of targets by one compiled step of a group: -(what moved) / rate, over the targets."""
    start = [array(made.U), array(made.W)]
    tables = [table.copy() for table in start]
    group = kernels.MEANS if made.mean else kernels.GROUP
    size = group + 2 * reach + kernels.KEPT
    kept, lines = np.zeros(size, "uint32"), np.zeros(size, "int64")
    state, all_ = np.uint64(1), np.ones(12, "float32")
    _, stop, state = kernels.keep_words(tokens, 0, all_, state, kept, lines, reach)
    assert stop - reach == np.count_nonzero(tokens) <= group
    room = kernels.make_room(made.mean, reach, len(noise), 16)
    kernels.find_neighbours(lines, reach, reach, False, state, room)
    words, around = kept[reach : reach + group], kept[: group + 2 * reach]
    step = kernels.cbow_step if made.mean else kernels.skip_gram_step
    scale = np.float32(made.negatives / made.noise_words)
    total, targets = step(*tables, words, around, noise.astype("uint32"), np.float32(1), scale, True, room)
    moved = [(before - after) / targets for before, after in zip(start, tables, strict=True)]
    return total / targets, moved, targets


@pytest.mark.parametrize("page", [SkipGram, CBOW])
def test_compiled_loops_follow_the_loss_and_gradient_of_the_page(page, kernels, monkeypatch):
    """Lines of five words, three, one, which has no neighbour, and two; in skip-gram with a word that occurs twice."""
    from maquette.methods.word_vectors.text_numbers import Vocabulary
    from maquette.methods.word_vectors.windows import Windows

    made = model(page, "negative", noise_words=8)
    tokens = np.array([3, 5, 9, 10 if made.mean else 3, 12, 0, 7, 2, 4, 0, 6, 0, 8, 1, 0], "int32")
    rows = Windows(tokens, Vocabulary(tuple(WORDS), np.array(COUNTS)), 2).rows()
    drawn = np.linspace(0.02, 0.98, 8, dtype="float32")
    monkeypatch.setattr(Noise, "table", staticmethod(lambda kind, shape, call: drawn))
    noise = np.searchsorted(made.noise_share, drawn)
    found, tables, targets = compiled_gradient(kernels, made, tokens, 2, noise)
    assert targets == (10 if page is CBOW else 14 + 6 + 2)
    assert found == pytest.approx(loss(made, rows), rel=1e-5)
    before = [array(made.U), array(made.W)]
    made.compile(keras.optimizers.SGD(1.0))
    made.train_on_batch(rows)
    for start, variable, table in zip(before, (made.U, made.W), tables, strict=True):
        np.testing.assert_allclose(table, start - array(variable), atol=1e-5)
    if keras.backend.backend() == "jax":  # both against the loss itself
        made.U.assign(before[0]), made.W.assign(before[1])
        places = [(2, 0), (4, 3), (0, 7)]
        np.testing.assert_allclose(slopes(made, rows, "U", places), [tables[0][p] for p in places], atol=2e-4)


def test_compiled_noise_is_drawn_as_often_as_it_should(kernels):
    share = np.array(COUNTS) ** 0.75
    from maquette.models.text._loops import noise_table

    table = noise_table(COUNTS, 1 << 16)
    np.testing.assert_allclose(np.bincount(table) / len(table), share / share.sum(), atol=1e-4)


def test_the_fast_sigmoid_is_right_to_a_millionth(kernels):
    from numba import njit

    every = njit(lambda x: np.array([kernels_sigmoid(value) for value in x]))
    kernels_sigmoid = kernels.sigmoid
    x = np.linspace(-12, 12, 4001).astype("float32")
    np.testing.assert_allclose(every(x), 1 / (1 + np.exp(-x.astype("float64"))), atol=2e-6)


def test_negative_sampling_finds_the_shifted_mutual_information(kernels):
    """With as many dimensions as words the optimum is log p(w, c) / (p(w) p'(c)) - log K, whatever the vectors."""
    from maquette.data.batches import Batches
    from maquette.methods.word_vectors.cooccurrence import cooccurrence
    from maquette.methods.word_vectors.text_numbers import Vocabulary
    from maquette.methods.word_vectors.windows import Windows

    random = np.random.default_rng(0)
    chain = random.dirichlet(np.ones(6) * 3, 6)
    text = [0]
    for _ in range(30_000):
        text.append(int(random.choice(6, p=chain[text[-1]])))
    tokens = np.array(text, "int32") + 1
    counts = np.bincount(tokens)[1:]
    windows = Windows(tokens, Vocabulary(tuple("abcdef"), counts), 1)
    made = SkipGram(words=list("abcdef"), counts=counts.tolist(), dim=16, negatives=2, noise_words=16, threads=1)
    made.build((None, 3))
    steps = -(-len(tokens) // 100) * 12
    made.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.05, steps)))
    change = Thinning({"subsample": 0.0, "dynamic": False}, 0)
    made.fit(Batches(windows, batch_size=100, seed=0, change=change), epochs=12)
    pairs = cooccurrence(tokens, 6, 1).toarray()
    noise = counts**0.75 / (counts**0.75).sum()
    expected = np.log(pairs / pairs.sum(axis=1, keepdims=True) / noise) - np.log(2)
    np.testing.assert_allclose(array(made.U) @ array(made.W).T, expected, atol=0.15)
