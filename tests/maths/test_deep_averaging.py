"""Averaged word vectors: the mean by hand, its gradient, frozen vectors, and what the order of words leaves alone."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from tests.contract.checks import check_resume
from tests.contract.subject import Subject, array

from maquette import assembly, catalog, settings, transfer
from maquette.core.recipe import Recipe
from maquette.models.text.deep_averaging import DeepAveraging

X = np.array([[1, 2, 0, 0], [3, 3, 4, 1], [0, 0, 0, 0], [2, 0, 0, 0]], "int32")
Y = np.array([0, 1, 1, 0], "int32")


def made(**arguments):
    model = DeepAveraging(words=4, dim=3, **arguments)
    model.build((None, 4))
    random = np.random.default_rng(1)
    model.embedding.embeddings.assign(random.normal(size=(5, 3)))
    return model


def test_a_text_is_the_mean_of_its_words_and_row_zero_is_none():
    model = made()
    table = array(model.embedding.embeddings)
    by_hand = [(table[1] + table[2]) / 2, (2 * table[3] + table[4] + table[1]) / 4, np.zeros(3), table[2]]
    np.testing.assert_allclose(array(model.mean(X)), by_hand, rtol=1e-5, atol=1e-6)
    table[0] = 1e6  # whatever stands there, it is no word
    model.embedding.embeddings.assign(table)
    np.testing.assert_allclose(array(model.mean(X)), by_hand, rtol=1e-5, atol=1e-6)


def test_order_and_padding_change_nothing():
    model = made(hidden_units=(5,))
    one = array(model(X))
    np.testing.assert_allclose(array(model(X[:, ::-1].copy())), one, atol=1e-6)
    np.testing.assert_allclose(array(model(np.pad(X, ((0, 0), (2, 3))))), one, atol=1e-6)


def test_a_step_moves_a_word_by_its_share_of_its_texts():
    """dL/de_w = sum over texts of (n_w / n) W (p - y) / batch, without hidden layers."""
    model = made()
    before = array(model.embedding.embeddings)
    kernel, p = array(model.head.kernel), array(model.serve(X))
    error = (p - np.eye(2)[Y]) / 4
    expected = np.zeros((5, 3))
    for ids, slope in zip(X, error @ kernel.T, strict=True):
        words = ids[ids > 0]
        for word in words:
            expected[word] += slope / len(words)
    model.compile(keras.optimizers.SGD(1.0))
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(before - array(model.embedding.embeddings), expected, atol=1e-5)


def test_vectors_from_elsewhere_are_scaled_by_the_training_texts():
    model, rows = made(frozen=True), np.random.default_rng(0).normal(2, 3, (4, 3)).astype("float32")
    model.start_from(rows, X)
    features = array(model.features(X))
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(features.std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(array(model.mean(X[3:])), rows[1:2], rtol=1e-6)
    model.compile(keras.optimizers.Adam(0.1))
    model.train_on_batch(X, Y)
    assert np.array_equal(array(model.embedding.embeddings)[1:], rows)


def test_a_number_that_is_the_same_in_all_texts_is_not_blown_up():
    model, rows = made(), np.array([[0.3, 0.1, 1], [0.7, 0.1, 0], [0.2, 0.1, 3], [0.1, 0.1, 2]], "float32")
    texts = X[[0, 1, 3]]
    model.start_from(rows, texts)
    features = array(model.features(texts))
    assert np.abs(features[:, 1]).max() < 1e-6
    np.testing.assert_allclose(features[:, [0, 2]].std(axis=0), 1, rtol=1e-5)


def test_dropped_words_leave_the_mean_of_the_others():
    model = made(word_dropout=0.5)
    x = np.full((4000, 1), 2, "int32")
    mean = array(model.mean(x, training=True))
    kept = mean.any(axis=1)
    assert abs(kept.mean() - 0.5) < 0.04
    np.testing.assert_allclose(mean[kept], np.tile(array(model.embedding.embeddings)[2], (kept.sum(), 1)), rtol=1e-5)


@pytest.fixture
def pipeline():
    recipe = Recipe("", "text-classification", "opinions", "deep_averaging", optimizer={"adam": 0.01}, epochs=3)
    return assembly.prepare(settings.apply(recipe, {"model.dim": 4, "model.frozen": 2}))


def test_vectors_frozen_for_two_epochs_learn_in_the_third(pipeline):
    model = assembly.build(pipeline)
    tables, heads = [array(model.embedding.embeddings)], []
    done = 0
    for stage in transfer.stages(pipeline, model):
        stage.start().fit(stage.training(done), initial_epoch=done, epochs=stage.last, shuffle=False, verbose=0)
        tables.append(array(model.embedding.embeddings))
        heads.append(array(model.head.kernel))
        done = stage.last
    assert [stage.last for stage in transfer.stages(pipeline, model)] == [2, 3]
    assert np.array_equal(tables[0], tables[1]) and (tables[1] != tables[2])[1:].any(axis=1).all()
    assert not np.array_equal(*heads)


@pytest.mark.parametrize("frozen", [2, 3])
def test_a_run_killed_in_its_third_epoch_ends_on_the_same_bits(frozen):
    subject = Subject(catalog.pages("models")["deep_averaging"])
    model = {**subject.recipe.model, "frozen": frozen}
    subject.__dict__["recipe"] = replace(subject.recipe, model=model)
    check_resume(subject)


def test_the_loss_is_the_cross_entropy_of_what_is_served():
    model = made(hidden_units=(6, 5), activation="tanh")
    p = array(model.serve(X))
    loss = float(array(model.compute_loss(X, ops.convert_to_tensor(Y), model(X))))
    assert loss == pytest.approx(-np.log(p[np.arange(4), Y]).mean(), rel=1e-5)
