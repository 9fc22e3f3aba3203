"""The converted ImageNet networks against forward passes written in NumPy, and against the published 8-bit network."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from maquette import assembly, catalog, pretrained
from maquette.data import pretrained_imagenet
from maquette.errors import InputError


def answers(page, x):
    """The page's probabilities for pictures, compiled as one function."""
    return assembly.Served(pretrained.imagenet(page)).predict(
        pretrained.published_encoder(page).transform(x), verbose=0
    )


@pytest.fixture(scope="module")
def originals():
    folder = Path(os.environ.get("MAQUETTE_DATA") or "nowhere") / "pretrained_imagenet"
    if not folder.is_dir():
        pytest.skip("the pretrained networks are not there: set MAQUETTE_DATA")
    return folder


@pytest.fixture(scope="module")
def photographs():
    """photographs(size): six photographs of cats, dogs and flowers, uint8 (6, size, size, 3)."""
    import io
    import zipfile

    root = Path(os.environ.get("MAQUETTE_DATA") or "nowhere")
    names = {
        "cats_dogs/cats_dogs.zip": ["cats/cat.4199", "cats/cat.4300", "dogs/dog.4001", "dogs/dog.4205"],
        "flowers5/flowers_227_subset.zip": ["daisy/102841525_bd6628ae3c", "daisy/100080576_f52e8ee070_n"],
    }
    if not all((root / archive).is_file() for archive in names):
        pytest.skip("the photographs are not there: set MAQUETTE_DATA")
    files = []
    for archive, wanted in names.items():
        with zipfile.ZipFile(root / archive) as members:
            top = members.namelist()[0].split("/")[0]
            files += [members.read(f"{top}/{name}.jpg") for name in wanted]

    def read(size):
        opened = [Image.open(io.BytesIO(file)).convert("RGB") for file in files]
        return np.stack([np.asarray(one.resize((size, size), Image.Resampling.BILINEAR)) for one in opened])

    return read


def windows(x, side, stride):
    """(h, w, c) -> (h', w', c, side, side)"""
    return sliding_window_view(x, (side, side), (0, 1))[::stride, ::stride]


def same(x, side, stride):
    """TensorFlow's SAME: the odd pixel of padding comes after."""
    total = [max((-(-n // stride) - 1) * stride + side - n, 0) for n in x.shape[:2]]
    return np.pad(x, [*((t // 2, t - t // 2) for t in total), (0, 0)])


def numpy_mobilenet_v2(folder, pixels):
    """The network of mobilenet_v2_layers.json in double precision: uint8 (224, 224, 3) -> probabilities (1001,)."""
    layers = json.loads((folder / "mobilenet_v2_layers.json").read_text())
    x, carried = (pixels.astype(float) - 128) / 128, None
    with np.load(folder / "mobilenet_v2_1.0_224_quant_weights.npz") as stored:
        for layer in layers:
            prefix = f"{layer['index']}/{layer['kind']}"
            w = (stored[f"{prefix}/weight_u8"] - float(stored[f"{prefix}/weight_zero_point"])) * float(
                stored[f"{prefix}/weight_scale"]
            )
            b = stored[f"{prefix}/bias_i32"] * float(stored[f"{prefix}/bias_scale"])
            if layer["tf_name"].endswith("expand/Conv2D"):
                carried = x
            if layer is layers[-1]:
                x = x.mean((0, 1), keepdims=True)
            if layer["kind"] == "depthwise":
                seen = windows(same(x, 3, layer["stride"]), 3, layer["stride"])
                x = np.einsum("hwcij,ijc->hwc", seen, w[0]) + b
            else:
                seen = windows(same(x, w.shape[1], layer["stride"]), w.shape[1], layer["stride"])
                x = np.tensordot(seen, w, ([2, 3, 4], [3, 1, 2])) + b
            if layer["activation"] == "relu6":
                x = np.clip(x, 0, 6)
            if layer["tf_name"].endswith("project/Conv2D") and carried is not None and carried.shape == x.shape:
                x = x + carried
    z = np.exp(x.ravel() - x.max())
    return z / z.sum()


def numpy_squeezenet(folder, pixels):
    """SqueezeNet 1.0 from its files in double precision: uint8 (227, 227, 3) RGB -> probabilities (1000,)."""
    x = pixels[..., ::-1].astype(float) - (104, 117, 123)
    with np.load(folder / "squeezenet_v1.0_deepcompressed_fp32.npz") as stored:

        def convolved(x, name, stride=1, border=0):
            w = stored[f"{name}/weight"].astype(float)
            x = np.pad(x, [(border, border), (border, border), (0, 0)])
            return np.maximum(
                np.tensordot(windows(x, w.shape[2], stride), w, ([2, 3, 4], [1, 2, 3])) + stored[f"{name}/bias"], 0
            )

        x = windows(convolved(x, "conv1", 2), 3, 2).max((3, 4))
        for i in range(2, 10):
            thin = convolved(x, f"fire{i}/conv1x1_1")
            x = np.concatenate(
                [convolved(thin, f"fire{i}/conv1x1_2"), convolved(thin, f"fire{i}/conv3x3_2", border=1)], -1
            )
            x = windows(x, 3, 2).max((3, 4)) if i in (4, 8) else x
        z = convolved(x, "conv_final", border=1).mean((0, 1))
    z = np.exp(z - z.max())
    return z / z.sum()


@pytest.mark.parametrize("page, by_hand", [("mobilenet_v2", numpy_mobilenet_v2), ("squeezenet", numpy_squeezenet)])
def test_the_converted_network_is_the_published_one(page, by_hand, originals, photographs):
    x = photographs(pretrained.of_page(page).size)[[0, 4]]
    found = answers(page, x)
    wanted = np.stack([by_hand(originals, one) for one in x])
    assert found.shape == wanted.shape == (2, pretrained.of_page(page).arguments["classes"])
    assert np.array_equal(found.argmax(1), wanted.argmax(1))
    assert np.abs(found - wanted).max() < 2e-4
    names = pretrained_imagenet.labels()[-found.shape[1] :]
    assert names[found[1].argmax()] == "daisy"


def test_the_8_bit_network_says_the_same(originals, photographs):
    """Where it is sure: its sums are rounded to 8 bits after each layer, which moves what is undecided further."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed")
    network = interpreter.Interpreter(str(originals / "mobilenet_v2_1.0_224_quant.tflite"))
    network.allocate_tensors()
    (entry,), (exit_,) = network.get_input_details(), network.get_output_details()
    x = photographs(224)
    ours = answers("mobilenet_v2", x)
    sure = 0
    for pixels, p in zip(x, ours, strict=True):
        network.set_tensor(entry["index"], pixels[None])
        network.invoke()
        scale, zero = exit_["quantization"]
        q = (network.get_tensor(exit_["index"])[0].astype(float) - zero) * scale
        if q.max() > 0.85:
            sure += 1
            assert p.argmax() == q.argmax() and np.abs(p - q).max() < 0.02
        assert q[p.argmax()] > 0.5 * q.max() and np.abs(p - q).max() < 0.1
    assert sure >= 2


@pytest.mark.parametrize(
    "page, name, side",
    [("vgg", "VGG16", 32), pytest.param("inception_v3", "InceptionV3", 75, marks=pytest.mark.slow)],
)
def test_pages_of_keras_take_its_graph_and_scale(page, name, side, monkeypatch):
    """With random weights in place of the download, ours on our encoding answers as Keras's network on its own."""
    network = getattr(keras.applications, name)
    source = network(weights=None, input_shape=(side, side, 3), classes=1000)
    monkeypatch.setattr(keras.applications, name, lambda weights: source if weights == "imagenet" else None)
    model = catalog.model_class(page)(**pretrained.of_page(page).arguments)
    model.build((None, side, side, 3))
    pretrained.of_page(page).fill(model)
    x = np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype(np.uint8)
    preprocess = getattr(keras.applications, name.lower().replace("v3", "_v3")).preprocess_input
    theirs = source.predict(preprocess(x.astype("float32")), verbose=0)
    ours = assembly.Served(model).predict(pretrained.published_encoder(page).transform(x), verbose=0)
    assert np.abs(ours / theirs - 1).max() < 1e-3


def test_without_a_network_the_reason_and_a_remedy_are_told(monkeypatch):
    def unreachable(weights):
        raise Exception("URL fetch failure on https://nowhere: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(keras.applications, "MobileNet", unreachable)
    with pytest.raises(
        InputError, match=r"MobileNet cannot be had \(URL fetch failure.*connect to the network, or use "
    ):
        pretrained.of_page("mobilenet").fill(None)


def test_a_page_without_weights_is_told_which_have_them():
    with pytest.raises(InputError, match="no such weights for mobilenet_v3; did you mean 'mobilenet_v2'"):
        pretrained.of_page("mobilenet_v3")


def test_kernels_of_another_shape_are_refused():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(InputError, match=r"kernel has the shape \(3, 3, 3, 2\), the published one \(3, 3, 3, 4\)"):
        pretrained.fill_convolutions(lambda: [(np.zeros((3, 3, 3, 4), np.float32), np.zeros(4, np.float32))], model)


def test_a_folded_normalisation_adds_the_bias_alone():
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((5, 5, 3)),
            keras.layers.Conv2D(4, 1, use_bias=False),
            keras.layers.BatchNormalization(epsilon=1e-3),
            keras.layers.Conv2D(2, 1),
        ]
    )
    random = np.random.default_rng(1)
    pairs = [
        (random.normal(size=(1, 1, *s)).astype("f4"), random.normal(size=s[1]).astype("f4")) for s in ((3, 4), (4, 2))
    ]
    pretrained.fill_convolutions(lambda: pairs, model)
    (k1, b1), (k2, b2) = pairs
    wanted = (x @ k1[0, 0] + b1) @ k2[0, 0] + b2
    assert np.allclose(model.predict(x, verbose=0), wanted, atol=1e-5)
