"""Two small networks trained on ImageNet, as their authors published them, and the names of the classes.

SqueezeNet 1.0 in the decoded form of Deep Compression: kernels (out, in, height, width), input BGR from 0 to 255 minus
(104, 117, 123). MobileNet-v2 in 8 bits, batch normalisation folded in: real kernel = (byte - zero point) scale, kernels
(out, height, width, in), depthwise (1, height, width, channels); input RGB (p - 128) / 128.

**Source:** F. Iandola et al., *SqueezeNet*, 2016; S. Han, H. Mao, W. Dally, *Deep compression*, 2016; M. Sandler et
al., *MobileNetV2: inverted residuals and linear bottlenecks*, 2018, the quantised model of Coral.

**Weakness:** both lean to the 118 classes of dogs; the 8 bits of MobileNet-v2 cost some accuracy.
"""

from pathlib import Path

import numpy as np

from maquette.data.dataset import File

SQUEEZENET = File(
    "squeezenet_v1.0_deepcompressed_fp32.npz", "b9e4f58f3d048905d9825d6a3ffb27b152c95cb00666e275565be2dba4e4cb1f"
)
MOBILENET_V2 = File(
    "mobilenet_v2_1.0_224_quant_weights.npz", "51c94c155c6e8218fbb5c56d606c78844e41c3ccc149289dc0f8eec4f56ccb18"
)
LABELS = File("imagenet_labels.txt", "b8aaeb5630c62626a7d124a05c0e14230a7ffdd2136a31d0190a4fb71c1d82f1")

Convolution = tuple[np.ndarray, np.ndarray]


def squeezenet() -> list[Convolution]:
    """The 26 convolutions of SqueezeNet in order: kernels (height, width, in, out) for RGB, and biases (out,).

    Raises InputError naming a file that is missing or altered.
    """
    with np.load(_path(SQUEEZENET), allow_pickle=False) as stored:
        names = [name.removesuffix("/weight") for name in stored.files if name.endswith("/weight")]
        found = [(stored[f"{name}/weight"].transpose(2, 3, 1, 0), stored[f"{name}/bias"]) for name in names]
    first, bias = found[0]
    return [(first[:, :, ::-1], bias), *found[1:]]


def mobilenet_v2() -> list[Convolution]:
    """The 53 convolutions of MobileNet-v2 in order: kernels (height, width, in, out), or (height, width, channels, 1)
    where they are depthwise, and biases, both as real numbers.

    Raises InputError naming a file that is missing or altered.
    """
    found = []
    with np.load(_path(MOBILENET_V2), allow_pickle=False) as stored:
        for name in sorted({name.rpartition("/")[0] for name in stored.files}):
            part = {key: stored[f"{name}/{key}"] for key in ("weight_u8", "weight_zero_point", "weight_scale")}
            kernel = (part["weight_u8"].astype(np.float32) - part["weight_zero_point"]) * part["weight_scale"]
            bias = stored[f"{name}/bias_i32"] * stored[f"{name}/bias_scale"]
            kernel = kernel.transpose((1, 2, 3, 0))  # (1, h, w, c) of a depthwise one becomes (h, w, c, 1)
            found.append((kernel.astype(np.float32), bias.astype(np.float32)))
    return found


def labels() -> tuple[str, ...]:
    """The names of the 1001 classes: "background" and the 1000 of ImageNet; SqueezeNet's class k is number k + 1."""
    return tuple(_path(LABELS).read_text(encoding="utf-8").splitlines())


def _path(file: File) -> Path:
    from maquette.data.source import locate

    return locate("pretrained_imagenet", (file,))[file.name]
