"""The classic architectures: published counts of weights, the same answers as other implementations, and identities."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy.special import logsumexp, softmax

from maquette.errors import InputError
from maquette.layers.keras_weights import load_keras_weights
from maquette.layers.local_response_normalization import LocalResponseNormalization
from maquette.layers.normed_convolution import NormedConvolution
from maquette.layers.rbf_output import RBFOutput, discriminating_loss
from maquette.models.vision.alexnet import AlexNet
from maquette.models.vision.dilated_cnn import DilatedCNN
from maquette.models.vision.inception_v3 import Branches, InceptionV3
from maquette.models.vision.lenet5 import LeNet5
from maquette.models.vision.mobilenet import MobileNet
from maquette.models.vision.mobilenet_v2 import MobileNetV2, divisible
from maquette.models.vision.resnet import Residual, ResNet
from maquette.models.vision.separable_cnn import SeparableCNN
from maquette.models.vision.squeezenet import SqueezeNet
from maquette.models.vision.vgg import VGG


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


def scatter(layer, random, scale=0.3):
    """Give every weight a random value, positive where it is a variance."""
    for weight in layer.weights:
        values = random.normal(0, scale, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)


# --- published numbers of weights ----------------------------------------------------------------------------


@pytest.fixture
def weights(monkeypatch):
    """weights(model, shape) -> the shapes of its weights by path, without the memory that they would take."""
    monkeypatch.setattr(keras.Variable, "_deferred_initialize", lambda self: None)

    def of(model, shape):
        with keras.StatelessScope():
            model.build((None, *shape))
        return {weight.path.partition("/")[2]: tuple(weight.shape) for weight in model.weights}

    return of


def count(shapes):
    return sum(int(np.prod(shape)) for shape in shapes.values())


LARGE = (224, 224, 3)
PUBLISHED = {
    "alexnet": (AlexNet, {}, (227, 227, 3), 60_965_224),
    "alexnet in one tower": (AlexNet, {"groups": 1}, (227, 227, 3), 62_378_344),
    "vgg11": (VGG, {"depth": 11}, LARGE, 132_863_336),
    "vgg13": (VGG, {"depth": 13}, LARGE, 133_047_848),
    "vgg16": (VGG, {}, LARGE, 138_357_544),
    "vgg19": (VGG, {"depth": 19}, LARGE, 143_667_240),
    "vgg16 for two classes": (VGG, {"hidden_units": (), "classes": 1}, LARGE, 14_714_688 + 25_089),
    "resnet50": (ResNet, {"style": "imagenet", "depth": 50, "classes": 1000, "bias": True}, LARGE, 25_636_712),
    "inception v3": (InceptionV3, {}, (299, 299, 3), 23_851_784),
    "mobilenet": (MobileNet, {}, LARGE, 4_253_864),
    "mobilenet v2": (MobileNetV2, {}, LARGE, 3_538_984),
    "squeezenet": (SqueezeNet, {}, (227, 227, 3), 1_248_424),
    "standard convolutions": (SeparableCNN, {"convolution": "standard"}, (28, 28, 1), 431_242),
    "separable convolutions": (SeparableCNN, {}, (28, 28, 1), 414_899),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_has_its_published_weights(name, weights):
    page, arguments, shape, published = PUBLISHED[name]
    assert count(weights(page(**arguments), shape)) == published


# Trained weights, without running averages: as in torchvision for large pictures, by the table of the paper for small.
RESIDUAL = {
    ("imagenet", 18): 11_689_512,
    ("imagenet", 34): 21_797_672,
    ("imagenet", 50): 25_557_032,
    ("imagenet", 101): 44_549_160,
    ("cifar", 20): 269_722,
    ("cifar", 32): 464_154,
    ("cifar", 56): 853_018,
}


@pytest.mark.parametrize(("style", "depth"), RESIDUAL)
def test_a_residual_network_has_its_published_weights(style, depth, weights):
    shapes = weights(ResNet(1000 if style == "imagenet" else 10, depth, style), (32, 32, 3))
    trained = {path: shape for path, shape in shapes.items() if "moving" not in path}
    assert count(trained) == RESIDUAL[style, depth]
    deep = [path for path in trained if path.endswith("kernel") and "shortcut" not in path]
    assert len(deep) == depth


def test_alexnet_has_the_weights_of_each_layer_and_its_sizes(weights):
    shapes = weights(AlexNet(), (227, 227, 3))
    by_layer = {}
    for path, shape in shapes.items():
        layer = path.split("/")[0]
        by_layer[layer] = by_layer.get(layer, 0) + int(np.prod(shape))
    convolutions = {"conv1": 34_944, "conv2": 307_456, "conv3": 885_120, "conv4": 663_936, "conv5": 442_624}
    assert by_layer == {**convolutions, "hidden_1": 37_752_832, "hidden_2": 16_781_312, "logits": 4_097_000}
    # 37,752,832 = 4096 (6 * 6 * 256 + 1): the last maps are 6 x 6.
    assert 37_752_832 == 4096 * (6 * 6 * 256 + 1)


def test_squeezenet_has_26_convolutions_by_their_published_names(weights):
    shapes = weights(SqueezeNet(), (227, 227, 3))
    kernels = {path.removesuffix("/kernel"): shape for path, shape in shapes.items() if path.endswith("kernel")}
    assert len(kernels) == 26 and kernels["conv1"] == (7, 7, 3, 96) and kernels["conv_final"] == (1, 1, 512, 1000)
    for i, q in zip(range(2, 10), (16, 16, 32, 32, 48, 48, 64, 64)):
        assert kernels[f"fire{i}_squeeze"][-1] == q
        assert kernels[f"fire{i}_expand1x1"] == (1, 1, q, 4 * q)
        assert kernels[f"fire{i}_expand3x3"] == (3, 3, q, 4 * q)


@pytest.mark.parametrize(("c", "side"), [(3, 5), (16, 5), (16, 7)])
def test_stacked_small_kernels_see_as_much_with_fewer_weights(c, side):
    stacked, single = ((side - 1) // 2) * 9 * c**2, side**2 * c**2
    networks = [layers.Conv2D(c, 3, use_bias=False) for _ in range((side - 1) // 2)]
    x = keras.KerasTensor((1, side, side, c))
    for network in networks:
        x = network(x)
    assert x.shape == (1, 1, 1, c)  # one output sees side x side pixels, and no more
    assert sum(network.count_params() for network in networks) == stacked < single
    assert stacked == {5: 18, 7: 27}[side] * c**2 and single == {5: 25, 7: 49}[side] * c**2


# --- the same answers as keras.applications ------------------------------------------------------------------


def same_answers(ours, theirs, shape, random):
    ours.build((None, *shape))
    scatter(theirs, random, 0.1)
    load_keras_weights(ours, theirs)
    x = random.normal(size=(2, *shape)).astype("float32")
    expected = theirs.predict_on_batch(x)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(ours.predict_on_batch(x), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


SMALL = {"weights": None, "classes": 5, "classifier_activation": None}


def test_vgg16_answers_as_that_of_keras(random):
    backbone = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    theirs = keras.Model(backbone.input, layers.Dense(5)(layers.Flatten()(backbone.output)))
    same_answers(VGG(classes=5, hidden_units=()), theirs, (32, 32, 3), random)


def test_mobilenet_answers_as_that_of_keras(random):
    theirs = keras.applications.MobileNet(input_shape=(64, 64, 3), alpha=0.25, **SMALL)
    same_answers(MobileNet(classes=5, width=0.25), theirs, (64, 64, 3), random)


def test_mobilenet_v2_answers_as_that_of_keras(random):
    theirs = keras.applications.MobileNetV2(input_shape=(64, 64, 3), alpha=0.35, **SMALL)
    same_answers(MobileNetV2(classes=5, width=0.35), theirs, (64, 64, 3), random)


@pytest.mark.slow
def test_resnet50_answers_as_that_of_keras(random):
    theirs = keras.applications.ResNet50(input_shape=(64, 64, 3), **SMALL)
    same_answers(ResNet(classes=5, depth=50, style="imagenet", bias=True), theirs, (64, 64, 3), random)


@pytest.mark.slow
def test_inception_v3_answers_as_that_of_keras(random):
    theirs = keras.applications.InceptionV3(input_shape=(75, 75, 3), **SMALL)
    same_answers(InceptionV3(classes=5), theirs, (75, 75, 3), random)


def test_weights_of_another_network_are_refused():
    model = VGG(classes=2, depth=11, width=2, hidden_units=())
    model.build((None, 8, 8, 1))
    before = model.get_weights()
    other = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="other")], name="small")
    with pytest.raises(InputError, match="vgg has 9 kernels, small has 1"):
        load_keras_weights(model, other)
    twin = VGG(classes=3, depth=11, width=2, hidden_units=())
    twin.build((None, 8, 8, 1))
    with pytest.raises(InputError, match="logits/kernel and what follows have the shapes"):
        load_keras_weights(model, twin)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


# --- local response normalisation and grouped convolution ------------------------------------------------------


def test_local_response_normalisation_is_its_formula(random):
    layer = LocalResponseNormalization(n=5, k=2.0, alpha=0.3, beta=0.75)
    a = random.normal(size=(2, 3, 4, 7)).astype("float32")
    expected = np.zeros(a.shape)
    for c in range(7):
        near = a[..., max(0, c - 2) : min(6, c + 2) + 1].astype("float64")
        expected[..., c] = a[..., c] / (2.0 + 0.3 * (near**2).sum(axis=-1)) ** 0.75
    np.testing.assert_allclose(array(layer(a)), expected, rtol=1e-5)
    with pytest.raises(InputError, match="odd"):
        LocalResponseNormalization(n=4)


def test_local_response_normalisation_is_that_of_pytorch(random):
    torch = pytest.importorskip("torch")
    a = random.normal(size=(2, 3, 4, 9)).astype("float32")
    theirs = torch.nn.LocalResponseNorm(5, alpha=5 * 0.01, beta=0.75, k=2.0)(torch.tensor(np.moveaxis(a, -1, 1)))
    ours = array(LocalResponseNormalization(alpha=0.01)(a))
    np.testing.assert_allclose(ours, np.moveaxis(theirs.numpy(), 1, -1), rtol=1e-5)


def test_a_grouped_convolution_has_a_block_diagonal_kernel(random):
    model = AlexNet(classes=2, width=0.0625, hidden_units=2, stem_kernel=3, stem_stride=1, padding="same")
    model.build((None, 8, 8, 1))
    grouped = model.convolutions[0]
    below, above = model.conv1.filters, grouped.filters
    kernel = array(grouped.kernel)
    assert kernel.shape == (5, 5, below // 2, above)
    whole = np.zeros((5, 5, below, above), "float32")
    whole[:, :, : below // 2, : above // 2] = kernel[..., : above // 2]
    whole[:, :, below // 2 :, above // 2 :] = kernel[..., above // 2 :]
    x = random.normal(size=(2, 6, 6, below)).astype("float32")
    dense = np.maximum(array(ops.conv(x, whole, padding="same")), 0)
    np.testing.assert_allclose(array(grouped(x)), dense, atol=1e-5)


# --- radial basis functions ------------------------------------------------------------------------------------


def test_softmin_of_distances_is_a_linear_classifier(random):
    layer = RBFOutput(classes=4)
    layer.build((None, 6))
    w = random.normal(size=(4, 6))
    layer.prototypes.assign(w)
    x = random.normal(size=(5, 6)).astype("float32")
    linear = softmax(2 * x @ w.T - (w**2).sum(axis=1), axis=1)
    logits = array(layer(x))
    np.testing.assert_allclose(softmax(logits.astype("float64"), axis=1), linear, rtol=1e-4)
    nearest = np.linalg.norm(x[:, None] - w, axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(logits.argmax(axis=1), nearest)


def test_the_loss_of_distances_is_that_of_the_paper(random):
    y, d, j = random.uniform(0, 5, (6, 4)), np.array([0, 1, 2, 3, 0, 1]), 2.0
    right = y[np.arange(6), d]
    # Equation 9, whose logarithm bounds how far wrong classes are pushed.
    expected = right + np.log(np.exp(-j) + np.exp(-y).sum(axis=1))
    logits = ops.convert_to_tensor(-y, "float32")
    np.testing.assert_allclose(array(discriminating_loss(logits, d, j)), expected, rtol=1e-4, atol=1e-5)
    cross_entropy = right + logsumexp(-y, axis=1)
    np.testing.assert_allclose(array(discriminating_loss(logits, d, 1e6)), cross_entropy, rtol=1e-4, atol=1e-5)


def test_lenet_with_distances_has_60000_trained_weights_and_the_loss_of_the_paper(random):
    model = LeNet5(style="1998", rbf_output=True)
    model.build((None, 28, 28, 1))
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 60_000
    (fixed,) = (w for w in model.non_trainable_weights if w.path.endswith("prototypes"))
    assert tuple(fixed.shape) == (10, 84) and set(np.unique(array(fixed))) == {-1.0, 1.0}
    x, y = random.normal(size=(3, 28, 28, 1)).astype("float32"), np.array([1, 5, 7])
    logits = model(x)
    expected = array(discriminating_loss(logits, y, 1.0)).mean()
    assert float(model.compute_loss(None, y, logits)) == pytest.approx(expected, rel=1e-5)


# --- residual blocks and inception modules ---------------------------------------------------------------------


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_residual_block_that_adds_nothing_is_the_identity(bottleneck, random, gradient_of_sum):
    block = Residual(4 if not bottleneck else 1, 1, bottleneck, "identity", residual=True, bias=False)
    x = random.uniform(0.1, 1, (2, 5, 5, 4)).astype("float32")
    block(x)
    block.last.normalisation.gamma.assign(np.zeros(4))
    np.testing.assert_array_equal(array(block(x, training=False)), x)
    np.testing.assert_allclose(gradient_of_sum(lambda a: block(a, training=False), x), 1, atol=1e-6)


@pytest.fixture
def gradient_of_sum():
    from maquette.core.gradient import input_gradient

    return lambda function, x: array(input_gradient(function, ops.convert_to_tensor(x)))


def test_a_shortcut_takes_every_other_pixel_and_appends_zeros(random):
    block = Residual(6, 2, False, "identity", residual=True, bias=False)
    x = random.uniform(0.1, 1, (2, 7, 6, 4)).astype("float32")
    block(x)
    block.last.normalisation.gamma.assign(np.zeros(6))
    y = array(block(x, training=False))
    np.testing.assert_array_equal(y[..., :4], x[:, ::2, ::2])
    assert y.shape == (2, 4, 3, 6) and not y[..., 4:].any()


def first_gradient(depth, residual, random):
    """Size of the gradient at the first block, relative to that at the last one."""
    model = ResNet(classes=3, depth=depth, width=2, residual=residual)
    model.build((None, 8, 8, 1))
    model.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)
    kernels = [model.blocks[0].units[0].convolution.kernel, model.blocks[-1].last.convolution.kernel]
    before = [array(kernel).copy() for kernel in kernels]
    x = random.normal(size=(8, 8, 8, 1)).astype("float32")
    model.train_on_batch(x, np.arange(8) % 3)
    first, last = (np.abs(array(kernel) - old).mean() for kernel, old in zip(kernels, before))
    return first / last


def test_gradients_reach_the_first_layer_of_a_deep_residual_network(random):
    assert 0.05 < first_gradient(14, True, random) < 20


def test_a_module_is_as_deep_as_its_branches_together(random):
    model = InceptionV3(width=1.0)
    depths = []
    shape = (1, 35, 35, 192)
    for module in model.mixed:
        shape = tuple(module.compute_output_spec(keras.KerasTensor(shape)).shape)
        depths.append(shape[-1])
    # Table 1 of the paper and figures 5 to 7: 35 x 35 x 288, 17 x 17 x 768, 8 x 8 x 2048.
    assert depths == [256, 288, 288, *[768] * 5, 1280, 2048, 2048] and shape[1:3] == (8, 8)


def test_branches_stand_side_by_side(random):
    one = NormedConvolution(2, 1, name="one")
    three = [NormedConvolution(3, 1, name="thin"), NormedConvolution(4, 3, name="three")]
    pooled = [layers.MaxPooling2D(3, 1, padding="same", name="pool")]
    module = Branches([[one], three, pooled])
    x = random.normal(size=(2, 5, 5, 3)).astype("float32")
    y = array(module(x))
    np.testing.assert_allclose(y[..., :2], array(one(x)), atol=1e-6)
    np.testing.assert_allclose(y[..., 2:6], array(three[1](three[0](x))), atol=1e-6)
    np.testing.assert_allclose(y[..., 6:], array(pooled[0](x)), atol=1e-6)


def test_squeezenet_pools_the_cut_places_at_the_border_as_well(random):
    model = SqueezeNet(classes=2)
    for side, expected in ((113, 56), (8, 4), (9, 4), (2, 1), (1, 1)):
        x = random.uniform(0, 1, (1, side, side, 1)).astype("float32")
        y = array(model._pooled(x))
        best = [[x[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max() for j in range(expected)] for i in range(expected)]
        np.testing.assert_allclose(y[0, ..., 0], best)
        assert max(2 * expected + 1, 3) >= side  # every place is seen


def test_widths_of_mobile_networks_are_multiples_of_eight():
    assert [divisible(m) for m in (32 * 0.35, 16 * 0.35, 24 * 0.5, 96 * 1.4, 7)] == [16, 8, 16, 136, 8]


# --- separable and dilated convolutions ------------------------------------------------------------------------


def test_a_separable_convolution_is_a_standard_one_of_rank_one(random):
    separable = SeparableCNN(filters=(3, 5)).convolutions[1]
    separable.build((None, 8, 8, 3))
    scatter(separable, random)
    depthwise, pointwise = array(separable.depthwise_kernel)[..., 0], array(separable.pointwise_kernel)[0, 0]
    kernel = depthwise[:, :, :, None] * pointwise
    x = random.normal(size=(2, 8, 8, 3)).astype("float32")
    standard = array(ops.conv(x, kernel.astype("float32"), padding="valid")) + array(separable.bias)
    np.testing.assert_allclose(array(separable(x)), standard, atol=1e-5)
    m, n, area = 3, 5, 9
    assert depthwise.size + pointwise.size == m * area + m * n
    assert (m * area + m * n) / (m * n * area) == pytest.approx(1 / n + 1 / area)


def test_a_dilated_convolution_has_zeros_between_its_taps(random):
    model = DilatedCNN(filters=(2, 2, 2))
    model.build((None, 9, 9, 2))
    for convolution, d in zip(model.convolutions, (1, 2, 4)):
        scatter(convolution, random)
        kernel = array(convolution.kernel)
        stuffed = np.zeros((2 * d + 1, 2 * d + 1, 2, 2), "float32")  # K + (K - 1)(d - 1) = 2 d + 1
        stuffed[::d, ::d] = kernel
        x = random.normal(size=(2, 9, 9, 2)).astype("float32")
        plain = np.maximum(array(ops.conv(x, stuffed, padding="same")) + array(convolution.bias), 0)
        np.testing.assert_allclose(array(convolution(x)), plain, atol=1e-5)
    single = layers.Conv2D(1, 3, dilation_rate=2)
    assert single(np.zeros((1, 9, 9, 1), "float32")).shape == (1, 5, 5, 1) and single.count_params() == 10


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_receptive_field_is_where_the_gradient_is(n, random, gradient_of_sum):
    model = DilatedCNN(filters=(2,) * n)
    side = 2 ** (n + 1) - 1
    assert model.receptive_field == side
    model.build((None, side + 4, side + 4, 1))
    for convolution in model.convolutions:
        convolution.kernel.assign(random.uniform(0.1, 1, convolution.kernel.shape))
    middle = side // 2 + 2

    def centre(x):
        for convolution in model.convolutions:
            x = convolution(x)
        return x[:, middle, middle]

    seen = gradient_of_sum(centre, random.uniform(0.1, 1, (1, side + 4, side + 4, 1)).astype("float32"))[0, ..., 0] != 0
    expected = np.zeros(seen.shape, bool)
    expected[2:-2, 2:-2] = True
    np.testing.assert_array_equal(seen, expected)


# --- backbones -------------------------------------------------------------------------------------------------


BACKBONES = {
    AlexNet: {"width": 0.0625, "hidden_units": 6, "stem_kernel": 3, "stem_stride": 1, "padding": "same"},
    VGG: {"depth": 11, "width": 2, "hidden_units": (6,)},
    ResNet: {"depth": 8, "width": 2},
    InceptionV3: {"width": 0.0625, "modules": (1, 0, 0), "padding": "same"},
    DilatedCNN: {"filters": (3, 3)},
    SeparableCNN: {"filters": (3,), "hidden_units": 6},
    MobileNet: {"width": 0.125, "blocks": ((32, 1),)},
    MobileNetV2: {"width": 0.25, "table": ((1, 8, 1, 1), (2, 8, 1, 2)), "last_maps": 8},
}


@pytest.mark.parametrize("page", BACKBONES, ids=lambda page: page.__name__)
def test_logits_are_the_head_of_the_features(page, random):
    model = page(classes=3, **BACKBONES[page])
    x = random.normal(size=(2, 9, 10, 3)).astype("float32")
    logits = array(model(x))
    features = array(model.features(x))
    assert features.ndim == 2
    kernel, bias = array(model.head.kernel), array(model.head.bias)
    np.testing.assert_allclose(logits, features @ kernel + bias, atol=1e-4)
    rest = {id(w) for w in model.weights} - {id(w) for w in model.head.weights}
    assert len(rest) == len(model.weights) - 2
