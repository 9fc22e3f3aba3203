"""The convolutional networks, layer by layer, against NumPy and SciPy with the same weights."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.signal import correlate2d
from scipy.special import log_softmax

from maquette.models.vision.lenet5 import CONNECTIONS, ConnectedConvolution, LeNet5, Subsampling, squash
from maquette.models.vision.mnist_cnn import MnistCNN

# Which maps of S2 (lines) each of the 16 maps of C3 (columns) sees: table I of LeCun et al. (1998).
TABLE = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def scatter(model, random, scale=0.3):
    """Give every weight of `model` a random value, and return them by name as float64."""
    for weight in model.weights:
        weight.assign(random.normal(0, scale, weight.shape))
    return {"/".join(w.path.split("/")[1:]): np.asarray(w).astype("float64") for w in model.weights}


def convolved(x, kernel, bias, padding):
    """x (h, w, maps), kernel (k, k, maps, filters) -> feature maps, by SciPy's cross-correlation."""
    layers = [
        sum(correlate2d(x[..., s], kernel[..., s, t], mode=padding) for s in range(x.shape[-1]))
        for t in range(kernel.shape[-1])
    ]
    return np.stack(layers, axis=-1) + bias


def pooled(x):
    """Maximum of each 2 x 2, with the last row and column alone where their number is odd."""
    h, w = x.shape[:2]
    return np.array([[x[i : i + 2, j : j + 2].max(axis=(0, 1)) for j in range(0, w, 2)] for i in range(0, h, 2)])


def parameters(model):
    """Name of each layer that has weights -> how many."""
    counts = {}
    for weight in model.weights:
        layer = weight.path.split("/")[1]
        counts[layer] = counts.get(layer, 0) + int(np.prod(weight.shape))
    return counts


# --- the two-convolution network -----------------------------------------------------------------------------


def test_the_digit_network_has_its_published_weights():
    model = MnistCNN(classes=10)
    model.build((None, 28, 28, 1))
    assert parameters(model) == {"convolution_1": 640, "convolution_2": 73_856, "hidden": 6_423_552, "logits": 10_250}
    assert model.count_params() == 6_508_298
    larger = MnistCNN(classes=10, hidden_units=2)
    larger.build((None, 64, 64, 3))
    # Kernels are shared over the picture: its size changes the dense layer alone, its depth the first kernel.
    assert parameters(larger) == {
        **{"convolution_1": 64 * (9 * 3 + 1), "convolution_2": 73_856},
        **{"hidden": (16 * 16 * 128 + 1) * 2, "logits": 30},
    }


@pytest.mark.parametrize("shape, walk", [((28, 28, 1), (14, 7)), ((64, 64, 3), (32, 16)), ((7, 10, 2), (4, 2))])
def test_feature_maps_are_cross_correlations_and_maxima(shape, walk, random):
    model = MnistCNN(classes=4, filters=(3, 5), hidden_units=6)
    model.build((None, *shape))
    w, x = scatter(model, random), random.normal(size=(2, *shape)).astype("float32")
    answers, maps = [], []
    for picture in x.astype("float64"):
        a = picture
        for i in (1, 2):
            kernel, bias = w[f"convolution_{i}/kernel"], w[f"convolution_{i}/bias"]
            a = pooled(np.maximum(convolved(a, kernel, bias, "same"), 0))
            maps.append(a.shape)
        h = np.maximum(a.ravel() @ w["hidden/kernel"] + w["hidden/bias"], 0)
        answers.append(h @ w["logits/kernel"] + w["logits/bias"])
    assert [s[0] for s in maps[:2]] == list(walk) and [s[2] for s in maps[:2]] == [3, 5]
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), answers, rtol=1e-4, atol=1e-3)


def test_a_filter_finds_its_pattern_wherever_it_is(random):
    model = MnistCNN(classes=2, filters=(3,), hidden_units=2)
    model.build((None, 12, 12, 1))
    scatter(model, random)
    picture = np.zeros((1, 12, 12, 1), "float32")
    picture[0, 3:6, 3:6, 0] = random.normal(size=(3, 3))
    moved = np.roll(picture, (2, 4), axis=(1, 2))
    first = model.convolutions[0]
    one, other = (ops.convert_to_numpy(first(p)) for p in (picture, moved))
    np.testing.assert_allclose(np.roll(one, (2, 4), axis=(1, 2)), other, atol=1e-6)


@pytest.mark.parametrize("page", [MnistCNN, LeNet5])
def test_the_loss_of_pictures_is_their_mean_surprise(page, random):
    model = page(classes=10)
    z, y = random.normal(0, 3, (6, 10)).astype("float32"), random.integers(0, 10, 6)
    surprise = -log_softmax(z.astype("float64"), axis=1)[np.arange(6), y]
    assert float(model.compute_loss(None, y, ops.convert_to_tensor(z))) == pytest.approx(surprise.mean(), rel=1e-5)


# --- LeNet-5 -------------------------------------------------------------------------------------------------


def test_lenet_of_1998_has_its_published_weights():
    model = LeNet5(style="1998")
    model.build((None, 28, 28, 1))
    counts = parameters(model)
    assert counts.pop("logits") == 85 * 10
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert sum(counts.values()) == 60_000


def test_modern_lenet_sees_every_map_and_pools_without_weights():
    model = LeNet5(style="modern")
    model.build((None, 28, 28, 1))
    assert parameters(model) == {"c1": 156, "c3": 2416, "c5": 48_120, "f6": 10_164, "logits": 850}


def test_the_connections_are_those_of_the_paper():
    seen = np.array([[cell == "X" for cell in line.split()] for line in TABLE.strip().splitlines()])
    ours = np.array([[source in sources for sources in CONNECTIONS] for source in range(6)])
    np.testing.assert_array_equal(ours, seen)
    assert ours.sum(axis=0).tolist() == [3] * 6 + [4] * 9 + [6]
    assert ours.sum(axis=1).tolist() == [10] * 6 and 25 * ours.sum() + 16 == 1516


def impulse_response(layer):
    """The dense kernel (5, 5, 6, 16) that a connected convolution amounts to, read off impulses."""
    impulses = np.zeros((6, 9, 9, 6), "float32")
    impulses[range(6), 4, 4, range(6)] = 1
    answer = ops.convert_to_numpy(layer(impulses)) - np.asarray(layer.bias)
    return np.moveaxis(answer[:, ::-1, ::-1], 0, 2)  # a cross-correlation answers an impulse with its kernel reversed


def test_a_connected_convolution_is_a_dense_one_with_zeros(random):
    layer = ConnectedConvolution()
    layer.build((None, 14, 14, 6))
    weights = random.permutation(1500) + 1.0
    layer.kernel.assign(weights)
    layer.bias.assign(random.normal(size=16))
    kernel = impulse_response(layer)
    present = np.array([[source in sources for sources in CONNECTIONS] for source in range(6)])
    assert not kernel[:, :, ~present].any()
    # Every weight stands at one place, so none is shared and none is idle.
    assert sorted(np.rint(kernel[:, :, present]).ravel()) == sorted(weights)
    layer.kernel.assign(weights / 1500)
    x = random.normal(size=(2, 14, 14, 6)).astype("float32")
    expected = [convolved(p, kernel / 1500, np.asarray(layer.bias), "valid") for p in x.astype("float64")]
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=2e-4)


def test_no_gradient_reaches_an_absent_connection(random, gradient):
    model = LeNet5(style="1998")
    model.build((None, 28, 28, 1))
    x, y = random.normal(size=(8, 28, 28, 1)).astype("float32"), np.arange(8)
    moved = gradient(model, x, y)["le_net5/c3/kernel"]
    assert moved.shape == (1500,) and (moved != 0).all()
    present = np.array([[source in sources for sources in CONNECTIONS] for source in range(6)])
    assert not impulse_response(model.c3)[:, :, ~present].any()


def test_subsampling_adds_four_scales_and_squashes(random):
    layer = Subsampling()
    layer.build((None, 4, 6, 3))
    coefficient, bias = random.normal(size=3), random.normal(size=3)
    layer.coefficient.assign(coefficient)
    layer.bias.assign(bias)
    x = random.normal(size=(2, 4, 6, 3)).astype("float32")
    four = x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
    expected = 1.7159 * np.tanh(2 / 3 * (coefficient * four + bias))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)


def test_the_squashing_keeps_plus_and_minus_one_and_bends_most_there():
    f = ops.convert_to_numpy(squash(ops.convert_to_tensor([-1.0, 0.0, 1.0])))
    np.testing.assert_allclose(f, [-1, 0, 1], atol=2e-5)
    a = np.linspace(0, 3, 301)
    bend = np.abs(np.diff(ops.convert_to_numpy(squash(ops.convert_to_tensor(a, "float32"))).astype("float64"), 2))
    # Second differences of float32 are noisy: smooth them before looking for the top.
    bend = np.convolve(bend, np.ones(15) / 15, mode="same")
    assert a[1:-1][bend.argmax()] == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("style", ["1998", "modern"])
def test_lenet_is_its_layers_one_after_the_other(style, random):
    model = LeNet5(style=style)
    model.build((None, 28, 28, 1))
    w = scatter(model, random, 0.15)
    x = random.normal(size=(2, 28, 28, 1)).astype("float32")
    answers = []
    for picture in x.astype("float64"):
        a = np.pad(picture, ((2, 2), (2, 2), (0, 0)))
        for c, s in (("c1", "s2"), ("c3", "s4")):
            kernel = w[f"{c}/kernel"] if w[f"{c}/kernel"].ndim == 4 else impulse_response(model.c3).astype("float64")
            a = squashed(convolved(a, kernel, w[f"{c}/bias"], "valid"), style)
            if style == "modern":
                a = pooled(a)
            else:
                four = a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]
                a = squashed(w[f"{s}/coefficient"] * four + w[f"{s}/bias"], style)
        h = a.ravel()
        for name in ("c5", "f6"):
            h = squashed(h @ w[f"{name}/kernel"] + w[f"{name}/bias"], style)
        answers.append(h @ w["logits/kernel"] + w["logits/bias"])
    assert a.shape == (5, 5, 16)
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), answers, rtol=1e-3, atol=2e-3)


def squashed(a, style):
    return 1.7159 * np.tanh(2 * a / 3) if style == "1998" else np.maximum(a, 0)


def test_smoothed_targets_are_mixed_with_the_uniform_ones_in_training_alone(random):
    model = LeNet5(classes=4, label_smoothing=0.2)
    z, y = random.normal(size=(5, 4)).astype("float32"), np.array([0, 1, 2, 3, 1])
    target = 0.8 * np.eye(4)[y] + 0.2 / 4
    log_p = log_softmax(z.astype("float64"), axis=1)
    for training, expected in ((True, target), (False, np.eye(4)[y])):
        loss = model.compute_loss(None, y, ops.convert_to_tensor(z), training=training)
        assert float(loss) == pytest.approx(-(expected * log_p).sum(axis=1).mean(), rel=1e-5)


def test_channels_come_last():
    # A picture whose rows, columns and channels differ tells whether any axis is taken for another.
    assert keras.config.image_data_format() == "channels_last"
    model = MnistCNN(classes=2, filters=(1,), hidden_units=1)
    model.build((None, 6, 4, 3))
    convolution = model.convolutions[0]
    kernel = np.zeros((3, 3, 3, 1))
    kernel[1, 1, 2] = 1  # copies the third channel
    convolution.kernel.assign(kernel)
    x = np.arange(72, dtype="float32").reshape(1, 6, 4, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(convolution(x))[0, ..., 0], x[0, ..., 2])
