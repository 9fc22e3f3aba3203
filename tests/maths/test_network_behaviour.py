"""What parts of a network do: normalise, drop, average, move along, explain; closed forms and enumerations."""

from xml.etree import ElementTree

import keras
import numpy as np
import pytest
from keras import ops

from maquette.core.dropout import Dropout
from maquette.core.gradient import input_gradient
from maquette.data.dataset import Dataset, Split
from maquette.data.pictures import PictureScaler
from maquette.errors import InputError
from maquette.methods.network.batch_normalization import (
    batch_normalization,
    batch_normalization_gradients,
    folded,
    inference,
    running_statistics,
    statistics,
)
from maquette.methods.network.convolution_layer import convolution_layer
from maquette.methods.network.dropout import dropout, mask_chances, masks, subnetwork_average
from maquette.methods.network.equivariance import agreement, equivariance_error, invariance_error, shifted
from maquette.methods.network.grad_cam import grad_cam
from maquette.methods.network.layer_outputs import layer_outputs
from maquette.methods.network.model_averaging import average, softmax
from maquette.methods.network.occlusion import occlusion
from maquette.methods.network.pooling import pool
from maquette.methods.network.saturation import covariate_shift, saturation
from maquette.models.neuron.mlp import MLP
from maquette.models.vision.lenet5 import LeNet5
from maquette.models.vision.mnist_cnn import MnistCNN
from maquette.tasks import convolution_figures, image_classification


def numeric(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


@pytest.mark.parametrize("shape", [(16, 3), (4, 5, 6, 3)])
def test_batch_normalisation_is_that_of_keras_with_its_gradients(shape, random):
    x, gamma, beta = random.normal(2, 3, shape), random.normal(size=3), random.normal(size=3)
    layer = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    x32 = x.astype("float32")
    y = batch_normalization(x, gamma, beta)
    np.testing.assert_allclose(y, numeric(layer(x32, training=True)), atol=2e-5)
    mean, variance = running_statistics(np.zeros(3), np.ones(3), x, momentum=0.9)
    np.testing.assert_allclose(mean, numeric(layer.moving_mean), rtol=1e-5)
    np.testing.assert_allclose(variance, numeric(layer.moving_variance), rtol=1e-5)
    np.testing.assert_allclose(
        inference(x, mean, variance, gamma, beta), numeric(layer(x32, training=False)), atol=2e-5
    )
    delta = random.normal(size=shape)

    def by_hand(a, g, b):  # the equations in Keras's words, for its autodiff
        over = tuple(range(len(shape) - 1))
        a, g, b, d = (ops.convert_to_tensor(value, "float32") for value in (a, g, b, delta))
        middle = a - ops.mean(a, axis=over)
        return (g * middle / ops.sqrt(ops.mean(middle * middle, axis=over) + 1e-3) + b) * d

    g32, b32 = gamma.astype("float32"), beta.astype("float32")
    slopes = batch_normalization_gradients(x, delta, gamma)
    np.testing.assert_allclose(slopes.x, numeric(input_gradient(lambda a: by_hand(a, g32, b32), x32)), atol=1e-5)
    by_gamma = numeric(input_gradient(lambda a: by_hand(x32, a, b32), g32))
    np.testing.assert_allclose(slopes.gamma, by_gamma, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(slopes.beta, delta.sum(axis=tuple(range(len(shape) - 1))))


def test_batch_normalisation_holds_its_invariants(random, slope):
    x, w = random.normal(1, 2, (12, 4)), random.normal(size=(4, 3))
    mean, variance = statistics(x)
    np.testing.assert_allclose(batch_normalization(x, np.sqrt(variance + 1e-3), mean), x)
    y = batch_normalization(x, 3.0, -1.0)
    np.testing.assert_allclose(y.mean(axis=0), -1)
    np.testing.assert_allclose(y.var(axis=0), 9 * variance / (variance + 1e-3))
    z = x.dot(w)
    np.testing.assert_allclose(batch_normalization(7 * z + 5, epsilon=0), batch_normalization(z, epsilon=0))
    delta = random.normal(size=x.shape)
    slopes = batch_normalization_gradients(x, delta, 2.0, epsilon=0)
    np.testing.assert_allclose(slopes.x.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose((slopes.x * batch_normalization(x, epsilon=0)).sum(axis=0), 0, atol=1e-12)
    found = slope(lambda a: np.sum(batch_normalization(a, 2.0, epsilon=0) * delta), x, 1e-5)
    np.testing.assert_allclose(slopes.x, found, atol=1e-7)
    assert not batch_normalization(x[:1]).any()  # one example says nothing
    with pytest.raises(InputError, match="constant"):
        batch_normalization(x[:1], epsilon=0)


def test_running_statistics_reach_those_of_the_population(random):
    biased, unbiased = (np.zeros(1), np.ones(1)), (np.zeros(1), np.ones(1))
    for _ in range(4000):
        batch = random.normal(3.0, 2.0, (8, 1))
        biased = running_statistics(*biased, batch, 0.998)
        unbiased = running_statistics(*unbiased, batch, 0.998, unbiased=True)
    assert unbiased[0] == pytest.approx(3.0, abs=0.1) and unbiased[1] == pytest.approx(4.0, rel=0.05)
    assert biased[1] / unbiased[1] == pytest.approx(7 / 8, rel=1e-2)


def test_a_folded_convolution_does_what_both_layers_did(random):
    x, w, b = random.normal(size=(2, 6, 7, 2)), random.normal(size=(3, 3, 2, 4)), random.normal(size=4)
    mean, variance, gamma, beta = (
        random.normal(size=4),
        random.random(4) + 0.1,
        random.normal(size=4),
        random.normal(size=4),
    )
    both = inference(convolution_layer(x, w, b), mean, variance, gamma, beta)
    np.testing.assert_allclose(convolution_layer(x, *folded(w, b, mean, variance, gamma, beta)), both, atol=1e-12)


# Dropout and averages of models


def test_inverted_dropout_has_the_mean_of_its_input_on_both_sides(random):
    x = random.normal(size=(3, 4))
    many = dropout(np.repeat(x[np.newaxis], 20_000, axis=0), keep=0.7, seed=1)
    np.testing.assert_allclose(many.mean(axis=0), x, atol=0.03)
    assert set(np.unique((many / x).round(9))) == {0.0, round(1 / 0.7, 9)}
    classic = dropout(np.repeat(x[np.newaxis], 20_000, axis=0), keep=0.7, seed=1, inverted=False)
    np.testing.assert_allclose(classic / 0.7, many)
    np.testing.assert_array_equal(dropout(x, keep=1.0), x)
    layer = Dropout(0.3, seed=1)
    np.testing.assert_array_equal(numeric(layer(x.astype("float32"), training=False)), x.astype("float32"))
    kept = numeric(layer(np.ones((200, 200), "float32"), training=True))
    assert set(np.unique(kept.round(5))) == {0.0, round(1 / 0.7, 5)} and kept.mean() == pytest.approx(1, abs=0.02)


def test_whole_maps_are_kept_or_left_out():
    y = dropout(np.ones((50, 3, 4, 8)), keep=0.5, whole_maps=True)
    share = (y > 0).mean(axis=(1, 2))
    assert set(np.unique(share)) == {0.0, 1.0} and 0.4 < share.mean() < 0.6


def test_there_are_two_to_the_n_masks():
    assert len({tuple(mask) for mask in masks(6)}) == 2**6
    assert mask_chances(6, 0.7).sum() == pytest.approx(1)
    np.testing.assert_allclose(mask_chances(6, 0.7).dot(masks(6)), 0.7)  # each unit is kept with p
    with pytest.raises(InputError, match="give at most 20"):
        masks(21)


@pytest.mark.parametrize("keep", [0.5, 0.7])
def test_weight_scaling_is_the_geometric_mean_of_a_linear_softmax_and_of_nothing_else(keep, random):
    x, w, b = random.normal(size=6), random.normal(size=(6, 3)), random.normal(size=3)

    def linear(inputs):
        return softmax(inputs.dot(w) + b)

    geometric, arithmetic = (subnetwork_average(linear, x, keep, mean) for mean in ("geometric", "arithmetic"))
    np.testing.assert_allclose(geometric, linear(keep * x), atol=1e-12)
    assert np.abs(arithmetic - linear(keep * x)).max() > 1e-3
    v = random.normal(size=(3, 3))

    def hidden(inputs):
        return softmax(np.maximum(inputs.dot(w) + b, 0).dot(v))

    assert np.abs(subnetwork_average(hidden, x, keep, "geometric") - hidden(keep * x)).max() > 1e-3


def test_the_average_over_masks_is_the_expectation_of_sampled_ones(random):
    x, w = random.normal(size=5), random.normal(size=(5, 3))
    exact = subnetwork_average(lambda inputs: softmax(inputs.dot(w)), x, 0.6)
    drawn = softmax(dropout(np.repeat(x[np.newaxis], 40_000, axis=0), 0.6, inverted=False).dot(w)).mean(axis=0)
    np.testing.assert_allclose(drawn, exact, atol=0.01)


def test_ensembles_obey_jensen_and_the_geometric_one_averages_logits(random):
    z, truth = random.normal(size=(4, 50, 3)), random.integers(0, 3, 50)
    p, w = softmax(z), np.array([1.0, 2.0, 3.0, 4.0])

    def surprise(q):
        return -np.log(q[..., np.arange(50), truth])

    for mean in ("arithmetic", "geometric"):
        q = average(p, w, mean)
        np.testing.assert_allclose(q.sum(axis=-1), 1)
        assert (surprise(q) <= np.tensordot(w / 10, surprise(p), 1) + 1e-12).all()
        np.testing.assert_allclose(average([p[0], p[0]], mean=mean), p[0])
    np.testing.assert_allclose(average(p, w, "geometric"), softmax(np.tensordot(w / 10, z, 1)))
    (a, b), (c, d) = (0.9, 0.1), (0.3, 0.7)
    two = np.sqrt([a * c, b * d])
    np.testing.assert_allclose(average([[[a, b]], [[c, d]]], mean="geometric")[0], two / two.sum())
    with pytest.raises(InputError, match="take the arithmetic mean"):
        average([[[1.0, 0.0]], [[0.0, 1.0]]], mean="geometric")


# Shifts


def circular(x, w):
    wide = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="wrap")
    return convolution_layer(wide, w)


def test_the_block_of_ones_answers_514_and_183_and_moves_along():
    x = np.random.RandomState(0).randint(0, 100, (1, 5, 5, 1)).astype(float)
    assert x[0, :3, :3, 0].tolist() == [[44, 47, 64], [9, 83, 21], [70, 88, 88]]
    wide = np.pad(x, [(0, 0), (0, 3), (0, 3), (0, 0)])
    ones = np.ones((3, 3, 1, 1))
    y, moved = (convolution_layer(a, ones, padding="same")[0, :, :, 0] for a in (wide, shifted(wide, (2, 1))))
    assert (y[1, 1], y[0, 0]) == (514, 183) and (moved[3, 2], moved[2, 1]) == (514, 183)


def test_convolutions_are_equivariant_where_theory_says_so(random):
    x, w, v = random.normal(size=(2, 12, 12, 2)), random.normal(size=(3, 3, 2, 3)), random.normal(size=(3, 3, 3, 2))

    def net(x):
        return circular(np.maximum(circular(x, w), 0), v)

    def zeros_around(x):
        return convolution_layer(x, w, padding="same")

    def strided(x):
        return circular(x, w)[:, ::2, ::2]

    for shift in ((1, 0), (0, -3), (5, 2)):
        assert equivariance_error(net, x, shift, border="wrap") < 1e-12
        assert equivariance_error(zeros_around, x, shift, margin=1) < 1e-12
    assert equivariance_error(zeros_around, x, (1, 0)) > 0.01  # at the rim
    assert equivariance_error(strided, x, (2, 4), 2, "wrap") < 1e-12 < equivariance_error(strided, x, (1, 2), 2, "wrap")
    np.testing.assert_array_equal(shifted(x, (3, -2), "wrap"), np.roll(x, (3, -2), (1, 2)))
    np.testing.assert_array_equal(shifted(x, (3, -2))[:, 3:, :-2], x[:, :-3, 2:])


def test_pooling_is_invariant_inside_a_window_and_not_across(random):
    x = np.zeros((1, 6, 6, 1))
    x[0, 2, 2] = 1.0
    assert invariance_error(pool, x, (1, 1)) == 0  # from the first to the last pixel of one window
    assert invariance_error(pool, x, (-1, 0)) == pytest.approx(np.sqrt(2))
    x = random.normal(size=(2, 8, 8, 3))
    for kind in ("max", "average"):
        assert equivariance_error(lambda a, kind=kind: pool(a, kind=kind), x, (4, -2), 2, "wrap") < 1e-12


def test_agreement_counts_the_answers_that_stay(random):
    x = random.normal(size=(5, 6, 6, 1))
    assert agreement(lambda a: a.sum(axis=(1, 2)) * np.array([[1.0, -1.0]]), x, 2, border="wrap") == 1
    bright = np.zeros((1, 5, 5, 1))
    bright[0, 2, 2] = 1.0
    halves = agreement(lambda a: np.stack([a[:, :3].sum(axis=(1, 2, 3)), a[:, 3:].sum(axis=(1, 2, 3))], 1), bright, 1)
    assert halves == 5 / 8  # three of the eight ways lead below the middle row


# Saturation


def test_saturation_of_known_distributions(random):
    a = random.normal(size=(200_000, 2))
    from scipy.stats import norm

    bound = np.arctanh(np.sqrt(0.9))
    for scale in (1.0, 3.0):
        found = saturation(np.tanh(scale * a), "tanh")
        assert found.share == pytest.approx(2 * norm.sf(bound / scale), abs=5e-3)
        sigmoid = saturation(1 / (1 + np.exp(-2 * scale * a)), "sigmoid")  # tanh(a) = 2 sigmoid(2 a) - 1
        assert sigmoid.share == pytest.approx(found.share, abs=1e-12)
        assert sigmoid.slope == pytest.approx(found.slope)
    dead = np.maximum(a, 0) * np.array([1.0, 0.0])
    assert saturation(dead, "relu").stuck == 0.5 and saturation(dead, "relu").share == pytest.approx(0.75, abs=5e-3)
    with pytest.raises(InputError, match="none of sigmoid"):
        saturation(3 * a, "sigmoid")


def test_relu_passes_the_gradient_of_what_is_positive_and_its_dead_units_are_found(random):
    x = random.normal(size=(40, 6)).astype("float32")
    x[:, 1] = -np.abs(x[:, 1])  # below 0 for every example
    np.testing.assert_array_equal(numeric(input_gradient(ops.relu, x)), x > 0)
    found = saturation(np.maximum(x, 0), "relu")
    assert found.stuck == pytest.approx(1 / 6) and found.slope == pytest.approx((x > 0).mean())


def test_the_head_of_a_network_is_dense_layers_and_a_softmax(random):
    model = MnistCNN(classes=5, filters=(2, 3), hidden_units=7)
    model.build((None, 8, 8, 1))
    x, y = random.random((4, 8, 8, 1)).astype("float32"), np.array([0, 1, 4, 2])
    flat = {call.name: call.output for call in layer_outputs(model, x)}["flatten"]
    (w1, b1), (w2, b2) = model.hidden.get_weights(), model.head.get_weights()
    z = np.maximum(flat.dot(w1) + b1, 0).dot(w2) + b2
    np.testing.assert_allclose(numeric(model(x)), z, atol=1e-5)
    np.testing.assert_allclose(numeric(model.serve(x)), softmax(z), atol=1e-5)
    slope = input_gradient(lambda a: 4 * model.compute_loss(x, y, a), z.astype("float32"))
    np.testing.assert_allclose(numeric(slope), softmax(z) - np.eye(5)[y], atol=1e-5)


def test_covariate_shift_is_in_deviations(random):
    a = random.normal(5.0, 2.0, (4000, 3))
    assert covariate_shift(a, a) == 0
    assert covariate_shift(a, a + np.array([2.0, -4.0, 0.0])) == pytest.approx(1.0, rel=0.02)
    normal = batch_normalization(a), batch_normalization(3 * a + 7)
    assert covariate_shift(*normal) < 1e-9  # what normalisation takes away


# Maps of what an answer rests on


def test_occlusion_of_a_linear_model_is_its_weights_times_the_pixels(random):
    x, w = random.normal(size=(2, 4, 6, 1)), random.normal(size=(24, 3))
    maps = occlusion(lambda a: a.reshape(len(a), -1).dot(w), x, [0, 2], size=1)
    np.testing.assert_allclose(maps, (x[..., 0] * w[:, [0, 2]].T.reshape(2, 4, 6)), atol=1e-12)
    whole = occlusion(lambda a: a.reshape(len(a), -1).dot(w), x, [0, 2], size=[4, 6])
    np.testing.assert_allclose(whole[1], x[1].ravel().dot(w[:, 2]))
    in_two = occlusion(lambda a: a.reshape(len(a), -1).dot(w), x, [0, 2], size=2, stride=2, batch_size=3)
    np.testing.assert_allclose(in_two[0, 2, 4], (x[0] * w[:, 0].reshape(4, 6, 1))[2:4, 4:6].sum())


def test_grad_cam_is_the_class_activation_map(random):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", name="maps"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="classes"),
        ]
    )
    x = random.normal(size=(2, 7, 8, 2)).astype("float32")
    model(x)
    model.layers[-1].set_weights([random.normal(size=(4, 3)), random.normal(size=3)])
    maps = numeric(model.layers[0](x))
    w = numeric(model.layers[-1].kernel)
    wanted = np.stack([np.maximum(maps[i].dot(w[:, c]), 0) for i, c in enumerate((2, 0))]) / maps[0, :, :, 0].size
    np.testing.assert_allclose(grad_cam(model, x, [2, 0]), wanted, rtol=1e-5, atol=1e-7)
    with pytest.raises(InputError, match="layer 'classes' has no feature maps"):
        grad_cam(model, x, [2, 0], "classes")


@pytest.mark.parametrize("page", [LeNet5, MnistCNN])
def test_grad_cam_of_a_relu_apart_is_that_of_one_inside(page, random):
    keras.utils.set_random_seed(0)
    model = page(classes=4)
    model.build((None, 28, 28, 1))
    x = random.random((3, 28, 28, 1)).astype("float32")
    before = numeric(model(x))
    last = model.c3 if page is LeNet5 else model.convolutions[-1]
    apart = grad_cam(model, x, [0, 1, 3])
    np.testing.assert_array_equal(numeric(model(x)), before)  # nothing of the model has changed
    last.activation = ops.relu
    inside = grad_cam(model, x, [0, 1, 3])
    np.testing.assert_allclose(apart, inside, rtol=1e-4, atol=1e-9)
    assert apart.max() > 0


def test_layer_outputs_are_what_the_layers_answer(random):
    model = LeNet5()
    model.build((None, 28, 28, 1))
    x = random.random((2, 28, 28, 1)).astype("float32")
    found = {call.name: call.output for call in layer_outputs(model, x)}
    np.testing.assert_array_equal(found["logits"], ops.convert_to_numpy(model(x)))
    first = convolution_layer(np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)]), numeric(model.c1.kernel))
    np.testing.assert_allclose(found["c1"], first, atol=1e-5)
    np.testing.assert_allclose(found["s2"], pool(np.maximum(first, 0)), atol=1e-5)


def scored_by(model, x, y, classes):
    split = Split(x, y.astype("int32"))
    dataset = Dataset("made", split, classes=tuple(classes))
    encoder = PictureScaler().fit(x)
    outputs = numeric(model.serve(encoder.transform(x)))
    return model, encoder, image_classification.TASK.score(None, split, outputs, dataset), dataset


@pytest.mark.parametrize("size, channels", [((8, 8), 1), ((120, 90), 3)])
def test_figures_of_a_convolution_show_the_filters_and_explain_answers(size, channels, random):
    model = MnistCNN(classes=3, filters=(4, 6), hidden_units=8)
    model.build((None, *size, channels))
    x, y = random.integers(0, 256, (12, *size, channels)).astype("uint8"), random.integers(0, 3, 12)
    scored = scored_by(model, x, y, ["cat & dog", "$b$", "c" * 40])
    figures = {figure.name: figure for figure in convolution_figures.draw(*scored)}
    assert set(figures) == {"filters", "feature-maps", "explanations"}
    svg = "{http://www.w3.org/2000/svg}"
    count = {}
    for name, figure in figures.items():
        root = ElementTree.fromstring(figure.svg)
        count[name] = sum(1 for _ in root.iter(f"{svg}image"))
        assert len(figure.svg) < 300_000
    assert count == {"filters": 4, "feature-maps": 4 * 4, "explanations": 3 * 6}
    assert "convolution_1, 3" in figures["filters"].caption
    right = scored[2].outputs.argmax(axis=1) == y
    shown = convolution_figures.chosen(scored[2])
    assert right[shown].tolist() == sorted(right[shown], reverse=True) and len(shown) == 6


def test_models_without_a_convolution_or_without_a_number_per_class_have_no_such_figures(random):
    x, y = random.integers(0, 256, (6, 8, 8, 1)).astype("uint8"), random.integers(0, 2, 6)
    plain = MLP(classes=2)
    plain.build((None, 8, 8, 1))
    assert convolution_figures.draw(*scored_by(plain, x, y, "ab")) == []
    model = MnistCNN(classes=2, filters=(4,), hidden_units=3)
    model.build((None, 8, 8, 1))
    _, encoder, scored, dataset = scored_by(model, x, y, "ab")
    other = MnistCNN(classes=5, filters=(4,), hidden_units=3)
    other.build((None, 8, 8, 1))
    assert convolution_figures.draw(other, encoder, scored, dataset) == []
