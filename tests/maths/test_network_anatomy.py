"""Convolution and pooling by hand: Keras and autodiff, adjoints, finite differences, and their arithmetic."""

import doctest
from itertools import product

import keras
import numpy as np
import pytest
from keras import ops
from scipy import signal

from maquette import catalog
from maquette.core.gradient import input_gradient
from maquette.errors import InputError
from maquette.methods.network.convolution_arithmetic import (
    effective_kernel,
    output_length,
    padding_of,
    transposed_length,
)
from maquette.methods.network.convolution_layer import convolution_gradients, convolution_layer
from maquette.methods.network.pooling import pool, pool_gradient
from maquette.methods.network.receptive_field import Step, measured_field, receptive_field, steps_of
from maquette.methods.network.weight_sharing import weight_sharing
from maquette.models.vision.lenet5 import LeNet5
from maquette.models.vision.mnist_cnn import MnistCNN

CONVOLUTIONS = [
    # lengths, taps, channels, maps, stride, padding, dilation, groups
    ((9,), (3,), 2, 4, 1, "valid", 1, 1),
    ((10,), (4,), 2, 4, 3, "same", 1, 2),
    ((12,), (3,), 1, 2, 1, "valid", 3, 1),
    ((7, 8), (3, 3), 3, 4, 1, "same", 1, 1),
    ((8, 7), (3, 2), 2, 4, 2, "same", 1, 1),
    ((8, 9), (3, 3), 4, 6, 2, "valid", 1, 2),
    ((9, 9), (3, 3), 2, 3, 1, "valid", 2, 1),
    ((5, 6, 5), (2, 3, 2), 2, 2, 1, "same", 1, 1),
    ((6, 5, 6), (3, 2, 2), 1, 3, 2, "valid", 1, 1),
]


PAGES = {name: page for name, page in catalog.pages("methods").items() if page.file.parent.name == "network"}


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_a_page_is_true(name):
    result = doctest.testmod(PAGES[name].load())
    assert result.attempted > 1 and not result.failed


def numeric(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def drawn(random, lengths, taps, channels, maps, groups):
    x = random.normal(size=(2, *lengths, channels))
    return x, random.normal(size=(*taps, channels // groups, maps)), random.normal(size=maps)


def test_output_lengths_of_the_stride_that_does_not_divide():
    assert [output_length(12, 3, stride=2, padding=p) for p in ("valid", "same")] == [5, 6]
    assert output_length(5, 3) == 3 and output_length(5, 3, padding=1) == 5
    assert output_length(9, 3, dilation=2) == 5 and effective_kernel(3, 2) == 5
    with pytest.raises(InputError, match="leaves 1 sample unread; give a length of 11 or 13"):
        output_length(12, 3, stride=2, strict=True)
    assert [output_length(n, 3, stride=2, strict=True) for n in (11, 13)] == [5, 6]


def test_every_output_length_is_the_count_of_places_and_keras_agrees(random):
    for length, kernel, stride, dilation in product(range(1, 14), (1, 2, 3, 5), (1, 2, 3), (1, 2)):
        wide = effective_kernel(kernel, dilation)
        for padding in ("valid", "same", 1, (2, 0)):
            before, after = padding_of(length, kernel, stride, padding, dilation)
            places = [i for i in range(0, length + before + after, stride) if i + wide <= length + before + after]
            if places:
                assert output_length(length, kernel, stride, padding, dilation) == len(places)
        if stride == 1 or dilation == 1:
            layer = keras.layers.Conv1D(1, kernel, stride, "same", dilation_rate=dilation)
            assert layer.compute_output_shape((1, length, 1))[1] == output_length(
                length, kernel, stride, "same", dilation
            )
    with pytest.raises(InputError, match="kernel 3: it spans 5 samples of 4"):
        output_length(4, 3, dilation=2)
    with pytest.raises(InputError, match="padding"):
        output_length(4, 3, padding="full")


def test_a_transposed_convolution_gives_back_the_length():
    for length, kernel, stride, pad in product(range(4, 15), (2, 3, 5), (1, 2, 3), (0, 1)):
        if kernel > length:
            continue
        short = output_length(length, kernel, stride, pad)
        rest = (length + 2 * pad - kernel) % stride
        assert transposed_length(short, kernel, stride, pad, surplus=rest) == length
        for word in ("valid", "same"):
            layer = keras.layers.Conv1DTranspose(1, kernel, stride, word)
            assert layer.compute_output_shape((1, length, 1))[1] == transposed_length(length, kernel, stride, word)
    with pytest.raises(InputError, match="surplus 2"):
        transposed_length(4, 3, 2, 1, surplus=2)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_a_convolution_layer_is_that_of_keras_with_its_gradients(case, random):
    lengths, taps, channels, maps, stride, padding, dilation, groups = case
    x, w, b = drawn(random, lengths, taps, channels, maps, groups)
    if groups > 1 and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow has no gradient of grouped convolutions on a CPU")

    def layer(x, w):
        return ops.conv(x, w, stride, padding, dilation_rate=dilation)

    y = convolution_layer(x, w, b, stride, padding, dilation, groups)
    x32, w32 = x.astype("float32"), w.astype("float32")
    np.testing.assert_allclose(y, numeric(layer(x32, w32)) + b, rtol=1e-5, atol=1e-5)
    delta = random.normal(size=y.shape)
    slopes = convolution_gradients(x, w, delta, stride, padding, dilation, groups)
    d32 = delta.astype("float32")
    by_x = numeric(input_gradient(lambda a: ops.multiply(layer(a, w32), d32), x32))
    by_w = numeric(input_gradient(lambda a: ops.multiply(layer(x32, a), d32), w32))
    np.testing.assert_allclose(slopes.x, by_x, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(slopes.w, by_w, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(slopes.b, delta.sum(axis=tuple(range(delta.ndim - 1))), rtol=1e-12)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_the_gradient_is_the_adjoint_and_the_slope_of_the_layer(case, random, slope):
    lengths, taps, channels, maps, *rest, groups = case
    x, w, b = drawn(random, lengths, taps, channels, maps, groups)
    y = convolution_layer(x, w, 0.0, *rest, groups)
    delta = random.normal(size=y.shape)
    slopes = convolution_gradients(x, w, delta, *rest, groups)
    assert np.sum(y * delta) == pytest.approx(np.sum(x * slopes.x), rel=1e-10)
    assert np.sum(y * delta) == pytest.approx(np.sum(w * slopes.w), rel=1e-10)
    found = slope(lambda a: np.sum(convolution_layer(x, a, b, *rest, groups) * delta), w, 1e-4)
    np.testing.assert_allclose(slopes.w, found, rtol=1e-6, atol=1e-6)


def test_the_worked_example_of_a_true_convolution(random):
    a, w, delta = random.normal(size=(3, 3)), random.normal(size=(2, 2)), random.normal(size=(2, 2))
    x, turned = a[None, :, :, None], np.flip(w)[:, :, None, None]
    s = convolution_layer(x, turned).squeeze()
    for i, j in product(range(2), repeat=2):
        by_hand = sum(w[1 - m, 1 - n] * a[i + m, j + n] for m in range(2) for n in range(2))
        assert s[i, j] == pytest.approx(by_hand)
    slopes = convolution_gradients(x, turned, delta[None, :, :, None])
    np.testing.assert_allclose(slopes.w.squeeze(), signal.correlate2d(a, delta, "valid"))  # of the turned kernel
    np.testing.assert_allclose(slopes.w.squeeze(), signal.convolve2d(a, np.flip(delta), "valid"))
    np.testing.assert_allclose(slopes.x.squeeze(), signal.correlate2d(delta, w, "full"))


def test_special_kernels_are_known_layers(random):
    x = random.normal(size=(2, 5, 6, 3))
    w = random.normal(size=(1, 1, 3, 4))
    np.testing.assert_allclose(convolution_layer(x, w), np.einsum("nijc,co->nijo", x, w[0, 0]))
    w = random.normal(size=(5, 6, 3, 4))
    np.testing.assert_allclose(convolution_layer(x, w).squeeze(), x.reshape(2, -1).dot(w.reshape(-1, 4)))
    w = random.normal(size=(3, 3, 3, 1))
    one = sum(signal.correlate2d(x[0, :, :, c], w[:, :, c, 0], "valid") for c in range(3))
    np.testing.assert_allclose(convolution_layer(x, w)[0, :, :, 0], one)
    stuffed = np.zeros((5, 5, 3, 1))
    stuffed[::2, ::2] = w
    np.testing.assert_allclose(convolution_layer(x, w, dilation=2), convolution_layer(x, stuffed))


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("size, stride, padding", [(2, 2, "valid"), (3, 2, "valid"), (3, 2, "same"), (2, 1, "same")])
def test_pooling_is_that_of_keras_with_its_gradient(kind, size, stride, padding, random, slope):
    x = random.permutation(2 * 7 * 8 * 3).reshape(2, 7, 8, 3) / 100.0 + 1.0  # no two are alike
    function = ops.max_pool if kind == "max" else ops.average_pool
    if (kind, padding, keras.backend.backend()) == ("average", "same", "torch"):
        # Keras 3.15 repeats the border there: the average is a sum over a count of pixels.
        def function(a, size, stride, padding):
            ones = np.broadcast_to(np.eye(3, dtype="float32"), (size, size, 3, 3))
            return ops.conv(a, ones, stride, padding) / ops.conv(
                np.ones((1, 7, 8, 3), "float32"), ones, stride, padding
            )

    z = pool(x, size, stride, padding, kind)
    x32 = x.astype("float32")
    np.testing.assert_allclose(z, numeric(function(x32, size, stride, padding)), rtol=1e-6)
    delta = random.normal(size=z.shape)
    back = pool_gradient(x, delta, size, stride, padding, kind)
    by_keras = input_gradient(lambda a: ops.multiply(function(a, size, stride, padding), delta.astype("float32")), x32)
    assert back.sum() == pytest.approx(delta.sum())
    np.testing.assert_allclose(back, numeric(by_keras), atol=1e-5)
    found = slope(lambda a: np.sum(pool(a, size, stride, padding, kind)[0] * delta[0]), x, 1e-5)
    np.testing.assert_allclose(back[0], found[0], atol=1e-6)


@pytest.mark.parametrize("shape, size", [((2, 9, 3), 3), ((2, 4, 6, 4, 1), 2)])
def test_pooling_of_other_dimensions_keeps_the_mass(shape, size, random):
    x = random.normal(size=shape)
    for kind in ("max", "average"):
        delta = random.normal(size=pool(x, size, kind=kind).shape)
        assert pool_gradient(x, delta, size, kind=kind).sum() == pytest.approx(delta.sum())
    w = np.full([size] * (x.ndim - 2), 1 / size ** (x.ndim - 2))[..., None, None]
    for c in range(shape[-1]):
        mean = convolution_layer(x[..., c : c + 1], w, stride=size)
        np.testing.assert_allclose(pool(x, size, kind="average")[..., c : c + 1], mean)


def test_ties_go_to_the_first_and_overlaps_add_up():
    x = np.ones((1, 2, 2, 1))
    assert pool_gradient(x, [[[[4.0]]]]).squeeze().tolist() == [[4.0, 0.0], [0.0, 0.0]]
    x = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1)
    assert pool_gradient(x, np.array([2.0, 5.0]).reshape(1, 2, 1), 2, 1).ravel().tolist() == [0.0, 7.0, 0.0]


def test_receptive_fields_of_known_stacks():
    assert [row.field for row in receptive_field([Step(3)] * 3)] == [3, 5, 7]
    for n in range(1, 6):
        doubled = [Step(3, dilation=2**i) for i in range(n)]
        assert receptive_field(doubled)[-1].field == 2 ** (n + 1) - 1
    vgg = [Step(3, padding="same")] * 2 + [Step(2, 2)] + [Step(3, padding="same")] * 2 + [Step(2, 2)]
    last = receptive_field([*vgg, *([*[Step(3, padding="same")] * 3, Step(2, 2)] * 3)], 224)[-1]
    assert (last.length, last.field, last.jump) == (7, 212, 32)  # VGG16, Araujo et al. (2019), table 1


@pytest.mark.parametrize("page", [LeNet5, MnistCNN])
def test_the_receptive_field_of_a_model_is_where_its_gradient_is_not_zero(page, random):
    keras.utils.set_random_seed(0) if keras.backend.backend() == "tensorflow" else None
    model = page(classes=3)
    model.build((None, 28, 28, 1))
    steps = steps_of(model, (28, 28, 1))
    *_, third, _ = receptive_field(steps, 28)
    names = {"c3": (5, 5), "convolution_2": (7, 7)}
    i, j = names[third.name]

    def unit(x):
        if page is LeNet5:
            return ops.sum(ops.square(model.c3(ops.relu(model.s2(model.c1(model.pad(x))))))[:, i, j], axis=-1)
        first, second = model.convolutions
        return ops.sum(ops.square(second(model.pool(first(x))))[:, i, j], axis=-1)

    seen = np.argwhere(measured_field(unit, random.normal(size=(16, 28, 28, 1))))
    middle = [third.centre + third.jump * place for place in (i, j)]
    reach = (third.field - 1) / 2
    np.testing.assert_array_equal(seen.min(axis=0), [m - reach for m in middle])
    np.testing.assert_array_equal(seen.max(axis=0), [m + reach for m in middle])
    assert receptive_field(steps, 28)[-1].length == {LeNet5: 5, MnistCNN: 7}[page]


def test_models_whose_windows_are_not_told_are_refused():
    old = LeNet5(style="1998")
    old.build((None, 28, 28, 1))
    with pytest.raises(InputError, match="the window of a Subsampling is not known"):
        steps_of(old, (28, 28, 1))
    x = keras.Input((8, 8, 3))
    joined = keras.Model(x, keras.layers.Add()([keras.layers.Conv2D(3, 3, padding="same")(x), x]))
    with pytest.raises(InputError, match="joins 2 inputs"):
        steps_of(joined, (8, 8, 3))


def test_what_sharing_saves_is_what_keras_counts():
    costs = weight_sharing((28, 28, 1), 64, 3, padding="same")
    dense = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(64, 3, padding="same")])
    assert costs["convolution"].weights == dense.count_params() == 640
    assert costs["convolution"].multiply_adds == 28 * 28 * 9 * 64
    k, n = 26, 28  # every pixel of an n x n picture with every unit of one k x k map
    assert weight_sharing((n, n, 1), 1, 3, bias=False)["dense"].weights == k**2 * n**2
    small = weight_sharing((6, 5, 2), 3, [3, 2], stride=[1, 2], groups=1)
    layer = keras.Sequential([keras.Input((60,)), keras.layers.Dense(4 * 2 * 3)])
    assert small["dense"].weights == layer.count_params()
    assert small["locally connected"].weights == 4 * 2 * (6 * 2 * 3 + 3)
    grouped = keras.Sequential([keras.Input((9, 9, 4)), keras.layers.Conv2D(6, 3, groups=2)])
    assert weight_sharing((9, 9, 4), 6, 3, groups=2)["convolution"].weights == grouped.count_params()
    for c in (1, 16, 64):  # two layers of 3 x 3 see as much as one of 5 x 5
        pair = 2 * weight_sharing((9, 9, c), c, 3, bias=False)["convolution"].weights
        wide = weight_sharing((9, 9, c), c, 5, bias=False)["convolution"].weights
        assert (pair, wide) == (18 * c**2, 25 * c**2)
