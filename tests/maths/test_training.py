"""Batches and the training loop: what an epoch is, what noise a small batch makes, and `fit` against a loop by hand."""

import random as python_random
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax, softmax

from maquette import assembly, fitting, settings
from maquette.data.batches import Batches
from maquette.models.linear.softmax_regression import SoftmaxRegression
from maquette.run import Run


def rows(batches):
    """All items of one epoch, batch after batch."""
    return [batches[i] for i in range(len(batches))]


def classifier(random, features=5, classes=3):
    model = SoftmaxRegression(classes=classes)
    model.build((None, features))
    model.logits.kernel.assign(random.normal(size=(features, classes)))
    model.logits.bias.assign(random.normal(size=classes))
    return model


def weights_of(model):
    return [np.asarray(w).astype("float64") for w in model.trainable_weights]


def slopes(kernel, bias, x, y):
    """Gradients of the mean cross-entropy of softmax regression, and the loss."""
    z = x @ kernel + bias
    error = softmax(z, axis=1) - np.eye(len(bias))[y]
    loss = -log_softmax(z, axis=1)[np.arange(len(y)), y].mean()
    return x.T @ error / len(x), error.mean(axis=0), loss


@pytest.fixture
def sample(random):
    """60 rows of 5 columns and their classes."""
    return random.normal(size=(60, 5)).astype("float32"), random.integers(0, 3, 60).astype("int32")


# --- batches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m, size", [(60_000, 1000), (60_000, 256), (10, 3), (10, 1), (10, 10), (10, 64), (10, 0)])
def test_an_epoch_sees_every_item_once_with_its_own_target(m, size):
    x = np.arange(m)
    batches = Batches(x, 2 * x, size, seed=5)
    assert len(batches) == (-(-m // size) if size else 1)
    seen = rows(batches)
    assert all(len(b[0]) == (size or m) for b in seen[:-1]) and 0 < len(seen[-1][0]) <= (size or m)
    np.testing.assert_array_equal(np.sort(np.concatenate([b[0] for b in seen])), x)
    assert all(np.array_equal(2 * a, b) for a, b in seen)
    if (m, size) == (60_000, 1000):
        assert len(batches) == 60


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    def orders(seed, first, epochs):
        batches, found = Batches(np.arange(50), None, 8, seed=seed, epoch=first), []
        for _ in range(epochs):
            # Whatever is asked for, and in whatever order, the batch of an index stays what it is.
            backwards = [batches[i][0] for i in reversed(range(len(batches)))][::-1]
            assert all(np.array_equal(a, b[0]) for a, b in zip(backwards, rows(batches), strict=True))
            found.append(np.concatenate(backwards).tolist())
            batches.on_epoch_end()
        return found

    whole = orders(3, 0, 4)
    assert whole == orders(3, 0, 4) and whole[2:] == orders(3, 2, 2)
    assert len({tuple(order) for order in (*whole, *orders(4, 0, 4))}) == 8


def test_without_a_seed_the_order_is_that_of_the_data():
    batches = Batches(np.arange(10), None, 4)
    for _ in range(2):
        assert [b[0].tolist() for b in rows(batches)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        batches.on_epoch_end()


def test_fit_walks_through_the_epochs_of_the_batches(sample):
    x, y = sample

    class Witness(Batches):
        seen = []

        def __getitem__(self, index):
            self.seen.append((self.epoch, index))
            return super().__getitem__(index)

    model = classifier(np.random.default_rng(0))
    model.compile(optimizer="sgd")
    Witness.seen.clear()
    model.fit(Witness(x, y, 25, seed=0), epochs=3, shuffle=False, verbose=0)
    # Keras may look at batches of epoch 0 to learn their shape, and ends it before it begins: `fit` counts from 1.
    assert [pair for pair in Witness.seen if pair[0]] == [(epoch, i) for epoch in (1, 2, 3) for i in range(3)]


# --- the noise of a small batch ------------------------------------------------------------------------------


def test_equal_batches_give_the_full_gradient_on_average(sample, gradient):
    x, y = sample

    def of(x, y):
        return gradient(classifier(np.random.default_rng(2)), x, y)

    full = of(x, y)
    parts = [of(*batch) for batch in rows(Batches(x, y, 15, seed=0))]
    assert len(parts) == 4
    for path, expected in full.items():
        np.testing.assert_allclose(np.mean([part[path] for part in parts], axis=0), expected, atol=1e-6)


def test_the_variance_of_a_batch_gradient_falls_as_one_over_its_size(sample):
    x, y = sample
    kernel, bias = weights_of(classifier(np.random.default_rng(2)))
    single = np.stack([slopes(kernel, bias, x[[i]], y[[i]])[0].ravel() for i in range(60)])
    total = single.var(axis=0).sum()
    for size in (1, 5, 20, 60):
        noise = []
        for epoch in range(200):
            for batch in rows(Batches(x, y, size, seed=0, epoch=epoch))[:3]:
                noise.append(np.square(slopes(kernel, bias, *batch)[0].ravel() - single.mean(axis=0)).sum())
        # Drawn without replacement, which takes the factor (m - B) / (m - 1) off the sigma^2 / B of independent draws.
        expected = total / size * (60 - size) / 59
        assert np.mean(noise) == pytest.approx(expected, rel=0.15, abs=1e-12)


# --- the loop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 16, 60])
def test_fit_is_the_loop_written_by_hand(size, sample):
    x, y = sample
    model = classifier(np.random.default_rng(2))
    kernel, bias = weights_of(model)
    model.compile(optimizer=keras.optimizers.SGD(0.1), metrics=["accuracy"])
    told = model.fit(Batches(x, y, size, seed=7), epochs=3, shuffle=False, verbose=0).history
    trace, hits = [], []
    for epoch in (1, 2, 3):
        order, loss, right = np.random.default_rng((7, epoch)).permutation(60), 0.0, 0
        for start in range(0, 60, size):
            part = order[start : start + size]
            right += (np.argmax(x[part] @ kernel + bias, axis=1) == y[part]).sum()
            by_kernel, by_bias, batch_loss = slopes(kernel, bias, x[part], y[part])
            kernel, bias = kernel - 0.1 * by_kernel, bias - 0.1 * by_bias
            loss += batch_loss * len(part)
        trace.append(loss / 60)
        hits.append(right / 60)
    for found, by_hand in zip(weights_of(model), (kernel, bias), strict=True):
        np.testing.assert_allclose(found, by_hand, atol=1e-5)
    # What is shown per epoch is the mean over its items, the short last batch counted by its length.
    np.testing.assert_allclose(told["loss"], trace, rtol=1e-5)
    np.testing.assert_allclose(told["accuracy"], hits, atol=1e-6)


def test_scoring_while_training_changes_nothing(sample):
    x, y = sample

    def trained(**extra):
        model = classifier(np.random.default_rng(2))
        model.compile(optimizer=keras.optimizers.Adam(0.01))
        model.fit(Batches(x, y, 16, seed=0), epochs=2, shuffle=False, verbose=0, **extra)
        if extra:
            model.evaluate(x, y, verbose=0)
            model.predict(x, verbose=0)
        model.fit(Batches(x, y, 16, seed=0, epoch=2), epochs=1, shuffle=False, verbose=0)
        return weights_of(model)

    for watched, alone in zip(trained(validation_data=Batches(x, y, 7)), trained(), strict=True):
        np.testing.assert_array_equal(watched, alone)


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    def trained(seed):
        recipe = replace(settings.tiny(settings.resolve("softmax_regression")), epochs=2, seed=seed)
        pipeline = assembly.prepare(recipe)
        model = assembly.build(pipeline)
        model.fit(pipeline.batches(pipeline.dataset.train, shuffle=True), epochs=2, shuffle=False, verbose=0)
        return weights_of(model)

    one, again, other = trained(1), trained(1), trained(2)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.allclose(one[0], other[0])


def test_a_run_goes_through_its_batches_in_the_order_of_seed_and_epoch(tmp_path):
    recipe = replace(settings.tiny(settings.resolve("softmax_regression")), optimizer={"sgd": 0.1}, schedule="constant")
    pipeline = assembly.prepare(recipe)

    def trained(folder, disturbance):
        model = assembly.build(pipeline)
        python_random.seed(disturbance)  # the run's order must not come from here
        fitting.fit(Run(tmp_path / folder), pipeline, model)
        return weights_of(model)

    kernel, bias = weights_of(assembly.build(pipeline))
    batches = pipeline.batches(pipeline.dataset.train, shuffle=True)
    for _ in range(recipe.epochs):
        for x, y in rows(batches):
            by_kernel, by_bias, _ = slopes(kernel, bias, x.reshape(len(x), -1).astype("float64"), y)
            kernel, bias = kernel - 0.1 * by_kernel, bias - 0.1 * by_bias
        batches.on_epoch_end()
    one, other = trained("one", 1), trained("other", 2)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    np.testing.assert_allclose(one[0], kernel, atol=1e-4)
    np.testing.assert_allclose(one[1], bias, atol=1e-4)


def test_a_rate_can_be_too_small_and_too_large(sample, descend):
    x, y = sample  # whose classes are drawn by lot: there is little to learn, and a least loss well above 0
    reached = {}
    for rate in (1e-3, 0.5, 50.0):
        model = classifier(np.random.default_rng(2))
        for weight in model.weights:
            weight.assign(np.zeros(weight.shape))
        descend(model, x, y, rate, 100)
        reached[rate] = slopes(*weights_of(model), x, y)[2]
    # Hardly moved from the start, log 3; where it can get; thrown about, above the start.
    assert np.log(3) - 0.01 < reached[1e-3] < np.log(3)
    assert reached[0.5] < np.log(3) - 0.05
    assert reached[50.0] > np.log(3)


# --- from pictures to batches --------------------------------------------------------------------------------


def test_what_the_model_was_fed_is_restored_from_its_record():
    pipeline = assembly.prepare(settings.tiny(settings.resolve("mnist_cnn", settings={"inputs.standardise": True})))
    record = pipeline.to_json()
    test = pipeline.dataset.test
    again = pipeline.task.restore(record["encoder"]).transform(test.x)
    served = np.concatenate([batch[0] for batch in rows(pipeline.batches(test))])
    np.testing.assert_array_equal(again, served)
    assert tuple(record["shape"]) == served.shape[1:] == (8, 8, 1)
    # Fitted on the training pictures alone: their mean is 0 and their deviation 1, nearly but not quite the test's.
    train = np.concatenate([batch[0] for batch in rows(pipeline.batches(pipeline.dataset.train))])
    assert train.mean(dtype="float64") == pytest.approx(0, abs=1e-6)
    assert train.std(dtype="float64") == pytest.approx(1, abs=1e-6)
    assert abs(served.mean(dtype="float64")) > 1e-4
    scaled = (test.x / 255 - pipeline.encoder.mean) / pipeline.encoder.std
    np.testing.assert_allclose(served, scaled, atol=1e-5)


@pytest.mark.parametrize("standardise", [False, True])
def test_mnist_arrives_in_the_declared_range(standardise, original):
    original("mnist")
    recipe = settings.apply(settings.resolve("mnist-softmax"), {"inputs.standardise": standardise, "batch_size": 1000})
    pipeline = assembly.prepare(recipe)
    batches = pipeline.batches(pipeline.dataset.train, shuffle=True)
    assert len(batches) == 60 and len(pipeline.batches(pipeline.dataset.test)) == 10
    mean, std = (0.1307, 0.3081) if standardise else (0.0, 1.0)
    seen = [batches[i] for i in (0, 59)]
    for x, y in seen:
        assert x.dtype == np.float32 and x.shape == (1000, 28, 28, 1) and set(y) == set(range(10))
        assert x.min() == pytest.approx(-mean / std, abs=1e-3)
        assert x.max() == pytest.approx((1 - mean) / std, abs=1e-3)


def test_half_precision_answers_nearly_the_same(random):
    x = random.normal(size=(40, 5)).astype("float32")
    whole = classifier(np.random.default_rng(2))
    with assembly.precision("mixed_bfloat16"):
        half = classifier(np.random.default_rng(2))
    assert half.logits.kernel.dtype == "float32"
    one, other = (ops.convert_to_numpy(model.serve(x)) for model in (whole, half))
    # bfloat16 keeps 8 bits of a number.
    np.testing.assert_allclose(one, other, atol=0.05)
    assert (one.argmax(axis=1) == other.argmax(axis=1)).mean() > 0.9
