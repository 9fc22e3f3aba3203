"""Autoencoders against principal components, Gaussian models in closed form, and quadrature."""

import re

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from maquette import catalog, settings
from maquette.core.noise import Noise
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.models.autoencoder.autoencoder import Autoencoder
from maquette.models.autoencoder.vae import VAE
from maquette.tasks import density
from maquette.tasks.task import Scored

N, UNITS, CODE = 200, 5, 2


def numbers(value):
    return np.array(ops.convert_to_numpy(value), "float64")


@pytest.fixture
def x(random):
    """Points (200, 5) that vary most along two directions."""
    return (random.normal(size=(N, UNITS)) @ random.normal(size=(UNITS, UNITS)) * 0.5 + 1).astype("float32")


def dense(network, name):
    return next(layer for layer in network.layers if layer.name == name)


# --- the autoencoder -----------------------------------------------------------------------------------------


def test_a_linear_autoencoder_finds_the_principal_subspace(x):
    keras.utils.set_random_seed(0)
    model = Autoencoder(hidden_units=(), code_units=CODE)
    rate = keras.optimizers.schedules.CosineDecay(0.03, 3000)
    model.compile(optimizer=keras.optimizers.Adam(rate))
    many = np.tile(x, (20, 1))
    model.fit(many, batch_size=40, epochs=30, verbose=0)
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(centred.T, bias=True))
    least = values[:-CODE].sum() / UNITS  # the discarded variance, per number
    error = np.mean((numbers(model(x)) - x) ** 2)
    assert least - 1e-6 <= error <= least * 1.01
    spanned, _ = np.linalg.qr(numbers(dense(model.decoder, "answer").kernel).T)
    angles = np.linalg.svd(spanned.T @ vectors[:, -CODE:], compute_uv=False)
    assert angles.min() > 0.999


def test_the_loss_is_error_and_divergence(random):
    model = Autoencoder(hidden_units=(4,), code_units=3, sparsity=0.2, sparsity_cost=0.7)
    pictures = random.random((6, 2, 2, 1)).astype("float32")
    answer, code = numbers(model(pictures)), numbers(model.transform(pictures))
    assert answer.shape == pictures.shape and answer.min() >= 0 and answer.max() <= 1
    np.testing.assert_allclose(numbers(model.decode(code.astype("float32"))), answer, rtol=1e-5)
    p = code.mean(axis=0)
    divergence = sum(stats.entropy([0.2, 0.8], [q, 1 - q]) for q in p)
    wanted = np.mean((answer - pictures) ** 2) + 0.7 * divergence
    found = model.compute_loss(ops.convert_to_tensor(pictures), None, model(pictures))
    assert numbers(found) == pytest.approx(wanted, rel=1e-5)


def test_noise_is_added_while_training_alone(x):
    model = Autoencoder(code_units=CODE, noise=0.3)
    model(x)
    still, shaken = numbers(model(x)), numbers(model(x, training=True))
    np.testing.assert_array_equal(still, numbers(model(x)))
    assert np.abs(still - shaken).max() > 1e-3
    quiet = Autoencoder(code_units=CODE)
    np.testing.assert_array_equal(numbers(quiet(x)), numbers(quiet(x, training=True)))


@pytest.mark.parametrize("make", [Autoencoder, VAE])
def test_pixels_outside_of_their_range_are_refused(make):
    model = make()
    model.build((None, 2, 2, 1))
    with pytest.raises(InputError, match=r"pixels in \[0, 1\]"):
        model.initialize(np.full((1, 2, 2, 1), 1.5, "float32"))


# --- the variational one -------------------------------------------------------------------------------------


@pytest.fixture
def principal(x):
    """A linear VAE at the maximum of the likelihood: probabilistic principal components, Tipping and Bishop (1999)."""
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((x - mean).T, bias=True))
    variance = values[:-CODE].mean()
    W = vectors[:, -CODE:] * np.sqrt(values[-CODE:] - variance)  # its columns are orthogonal
    spread = (W**2).sum(axis=0) + variance
    model = VAE(hidden_units=(), code_units=CODE, likelihood="gaussian", deviation=float(np.sqrt(variance)))
    model.build((None, UNITS))
    encode = W / spread  # the posterior's mean is (x - mean) W / spread, its variance that of the noise / spread
    dense(model.encoder, "code").set_weights(
        [np.hstack([encode, 0 * encode]), np.r_[-mean @ encode, np.log(variance / spread)]]
    )
    dense(model.decoder, "answer").set_weights([W.T, mean])
    return model, stats.multivariate_normal(mean, W @ W.T + variance * np.eye(UNITS))


def test_with_the_true_posterior_the_bound_is_the_likelihood(principal, x):
    model, gaussian = principal
    for draws in (1, 3):  # whatever is drawn
        np.testing.assert_allclose(numbers(model.bound(x, draws)), gaussian.logpdf(x), rtol=1e-3, atol=2e-3)


def test_a_wrong_posterior_lowers_the_bound_by_its_divergence(principal, x):
    model, gaussian = principal
    code = dense(model.encoder, "code")
    kernel, bias = code.get_weights()
    shift = np.array([0.4, -0.2, 0.3, -0.5], "float32")  # of the means, and of the logs of the variances
    code.set_weights([kernel, bias + shift])
    s = np.exp(bias[CODE:])
    divergence = np.sum(shift[:2] ** 2 / s + np.exp(shift[2:]) - 1 - shift[2:]) / 2
    x = x[:40]
    loss = np.mean(
        [numbers(model.compute_loss(ops.convert_to_tensor(x), None, model(x), None, False)) for _ in range(300)]
    )
    assert loss == pytest.approx(divergence - gaussian.logpdf(x).mean(), rel=0.03)
    one, many = (numbers(model.bound(x, draws)).mean() for draws in (1, 200))
    assert one < many < gaussian.logpdf(x).mean() + 0.05


def test_the_loss_counts_nats_of_bits(random):
    model = VAE(hidden_units=(3,), code_units=2, beta=0.3)
    x = random.integers(0, 2, (4, 2, 2, 1)).astype("float32")
    model(x)
    m, v = (numbers(part) for part in model.posterior(x))
    rate = sum(0.5 * (m**2 + np.exp(v) - 1 - v).sum(axis=1))
    Noise.table = lambda kind, shape, call: np.full(shape, 0.7, "float32")
    try:
        loss = numbers(model.compute_loss(ops.convert_to_tensor(x), None, model(x)))
    finally:
        Noise.table = None
    p = numbers(model.decode((m + 0.7 * np.exp(v / 2)).astype("float32")))
    distortion = -np.log(np.where(x == 1, p, 1 - p)).sum()
    assert loss == pytest.approx((distortion + 0.3 * rate) / 4, rel=1e-4)


def test_the_better_bound_nears_the_likelihood_of_bits(random):
    """p(x) of three bits with one unit of code, by quadrature over z."""
    model = VAE(hidden_units=(), code_units=1)
    model.build((None, 3))
    for layer in (dense(model.encoder, "code"), dense(model.decoder, "answer")):
        layer.set_weights([random.normal(0, 1.0, weight.shape) for weight in layer.get_weights()])
    x = np.array([[0, 1, 1], [1, 0, 0]], "float32")
    z = np.linspace(-8, 8, 4001)
    p = numbers(model.decode(z[:, np.newaxis].astype("float32")))
    exact = [np.trapezoid(np.prod(np.where(row == 1, p, 1 - p), axis=1) * stats.norm.pdf(z), z) for row in x]
    np.testing.assert_allclose(
        numbers(model.bound(np.repeat(x, 20, 0), 300)).reshape(2, 20).mean(1), np.log(exact), atol=0.02
    )


def test_the_decoder_of_mnist_vae_samples_is_the_generator_of_gan_mnist():
    recipes = [settings.resolve(name, None, {}) for name in ("mnist-vae-samples", "gan-mnist")]
    vae, gan = (catalog.model_class(recipe.page)(**recipe.model) for recipe in recipes)
    for model in (vae, gan):
        model.build((None, 28, 28, 1))
    shapes = [[weight.shape for weight in network.weights] for network in (vae.decoder, gan.generator)]
    assert shapes[0] == shapes[1] and len(shapes[0]) == 6


def test_codes_of_the_prior_are_new_items(principal):
    model, gaussian = principal
    made = numbers(model.generate(4000, seed=3))
    np.testing.assert_array_equal(made, numbers(model.generate(4000, seed=3)))
    W = numbers(dense(model.decoder, "answer").kernel)
    np.testing.assert_allclose(np.cov(made.T), W.T @ W, atol=0.12 * np.abs(W.T @ W).max())
    way = numbers(model.interpolate(pairs=2, steps=3, seed=1))
    np.testing.assert_allclose(way[:, 1], (way[:, 0] + way[:, 2]) / 2, atol=1e-5)
    assert model.active_units(gaussian.rvs(300, random_state=0).astype("float32")) == CODE


def test_the_map_of_codes_says_how_faithful_it_is(random):
    """Two groups of pictures: codes that keep all neighbours, and codes that keep none of them."""
    y = np.arange(60) % 2
    x = (40 * random.random((60, 2, 2, 1)) + 150 * y[:, None, None, None]).astype(np.uint8)
    split = Split(x, y.astype(np.int32))
    dataset = Dataset("made", split, classes=("dark", "light"))

    class Known:
        decode = None

        def __init__(self, order):
            self.order = order

        def transform(self, given):
            return ops.convert_to_tensor(given.reshape(len(given), -1)[self.order])

    def caption(order):
        (figure,) = density.TASK.model_figures(Known(order), None, Scored(split, np.zeros(60), {}), dataset)
        assert {"dark", "light"} <= set(re.findall(r">(\w+)</text>", figure.svg))
        return figure.caption

    assert "100% are kept: trustworthiness 1.000, continuity 1.000" in caption(np.arange(60))
    assert "trustworthiness 1.000" not in caption(random.permutation(60))
    assert density.TASK.model_figures(Known([0] * 60), None, Scored(split, np.zeros(60), {}), dataset) == []
