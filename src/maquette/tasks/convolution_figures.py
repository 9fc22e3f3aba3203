"""What a trained convolutional network looks at: its first filters, its feature maps, and maps of single answers."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.methods.network.grad_cam import grad_cam
from maquette.methods.network.layer_outputs import Call, layer_outputs, leaves
from maquette.methods.network.occlusion import occlusion
from maquette.methods.network.pooling import pool
from maquette.tasks import network
from maquette.tasks.figure import (
    BLUE,
    LINE,
    ORANGE,
    WIDTH,
    Figure,
    canvas,
    finish,
    label,
    pictures,
    pictures_height,
)
from maquette.tasks.task import Scored

FILTERS, FILTER_COLUMNS = 32, 8
MAPS, MAP_ROWS, FEWEST = 8, 5, 4  # feature maps of a layer that are shown, layers, and maps that a layer has to have
EXPLAINED = 6  # pictures, fewer for a network so large that they would take more than a few seconds
EXPLAINED_COLUMNS = 6
LARGEST = 96  # pixels of a side of what is drawn
OCCLUSION_COST, CAM_COST = 4e9, 1e11  # multiply-adds that they may take on a processor: a few seconds
CAM_PASSES = 8  # through the network for a Grad-CAM map, the way back included
PATCHES = 14  # along a side, at most


def draw(model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
    """Filters, feature maps, occlusion and Grad-CAM; nothing for a model that has no convolution.

    Args:
        model: pictures as the encoder makes them -> one number per class.
        encoder: of the run.
        scored: a split of pictures and the model's answers.
        dataset: where the split is from.
    """
    from keras import ops

    kernels = ((layer, w) for layer in leaves(model) for w in layer.weights if len(w.shape) == 4)
    first, kernel = next(kernels, (None, None))
    if first is None or not len(scored.outputs):
        return []
    pixels = np.asarray(scored.split.x)
    mean = encoder.transform(pixels[:1000].mean(axis=0, keepdims=True).round().astype(np.uint8))[0]
    cost = max(1, network.total(network.layers_of(model, mean.shape))[0])
    shown = chosen(scored, int(np.clip(CAM_COST / (CAM_PASSES * cost), 2, EXPLAINED)))
    x = encoder.transform(pixels[shown])
    if tuple(model(x, training=False).shape[1:]) != scored.outputs.shape[1:]:
        return []  # no numbers per class to ask about
    answer = scored.outputs[shown].argmax(axis=1)
    covered, cam = _occluded(model, x, answer, mean, cost), grad_cam(model, x, answer)
    return [
        filters(ops.convert_to_numpy(kernel), label(first.name)),
        *feature_maps(layer_outputs(model, x), dataset.classes[int(np.asarray(scored.split.y)[shown[0]])]),
        explanations(scored, dataset, shown, covered, cam),
    ]


def chosen(scored: Scored, most: int = EXPLAINED) -> np.ndarray:
    """The pictures to explain: the first right ones and the wrongest, half of each if there are as many."""
    truth, answer = np.asarray(scored.split.y), scored.outputs.argmax(axis=1)
    order = np.argsort(scored.outputs[np.arange(len(truth)), truth], kind="stable")
    right, wrong = np.flatnonzero(answer == truth), order[(answer != truth)[order]]
    wrong = wrong[: max(most // 2, most - len(right))]
    return np.concatenate([right[: most - len(wrong)], wrong])


def filters(kernel: np.ndarray, name: str) -> Figure:
    """The kernels of the first convolution as pictures, each scaled by its own largest weight."""
    weights = np.moveaxis(kernel, -1, 0)
    colour = weights.shape[-1] == 3
    tiles = _grey(weights if colour else weights.mean(axis=-1, keepdims=True))[:FILTERS]
    columns = min(FILTER_COLUMNS, len(tiles))
    picture, axes = canvas(WIDTH, pictures_height(tiles, columns))
    pictures(axes, tiles, columns)
    some = f"The first {len(tiles)} of {len(weights)}" if len(tiles) < len(weights) else f"{len(weights)}"
    zero = "Mid-grey is 0 in a channel" if colour else "Mid-grey is 0, white a positive weight, black a negative one"
    size = network.sizes(kernel.shape[:2])
    words = f"{some} filter{'s' * (len(weights) > 1)} of {name}, {size} weights each"
    caption = f"{words}. {zero}; every filter has its own scale."
    return finish(picture, "filters", "First filters", caption)


def _grey(values: np.ndarray) -> np.ndarray:
    """Signed values (n, ...) -> [0, 1] with 0 at 0.5 and the largest of each of the n at an end."""
    largest = np.abs(values).reshape(len(values), -1).max(axis=1)
    return 0.5 + values / (2 * np.maximum(largest, 1e-12)).reshape(-1, *(1,) * (values.ndim - 1))


def feature_maps(calls: list[Call], name: str) -> list[Figure]:
    """A row of feature maps for each of a few layers, of the first picture; none if no layer has enough of them."""
    rows = [call for call in calls if call.output.ndim == 4 and call.output.shape[-1] >= FEWEST]
    rows = [call for call in rows if call.layer.weights or hasattr(call.layer, "pool_size")]
    if not rows:
        return []
    rows = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, MAP_ROWS).astype(int))]
    columns = min(MAPS, *(call.output.shape[-1] for call in rows))
    side = min(LARGEST, max(call.output.shape[1] for call in rows))
    side = side, max(1, round(side * rows[0].output.shape[2] / rows[0].output.shape[1]))
    tiles = np.concatenate([_row(call.output[0, :, :, :columns], side) for call in rows])
    picture, axes = canvas(WIDTH, pictures_height(tiles, columns, 1))
    pictures(axes, tiles, columns, [""] * len(tiles), 1)
    tall = side[0] / side[1]
    for i, call in enumerate(rows):
        below = i * (tall + 0.08 + LINE) + tall + LINE * 0.95
        axes.text(0, below, f"{label(call.name)}: {network.sizes(call.output.shape[1:])}", fontsize=9)
    caption = (
        f"The first {columns} maps of some layers for the first picture that is explained, of class {label(name)}. "
    )
    caption += "Mid-grey is 0; every layer has its own scale. Activations that are no layers are not applied."
    return [finish(picture, "feature-maps", "Feature maps", caption)]


def _row(maps: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    """Maps (height, width, n) of one layer as pictures (n, *side, 1), on one scale."""
    grey = np.moveaxis(_grey(maps[np.newaxis])[0], -1, 0)
    return np.stack([_resized(one, side, smooth=False) for one in grey])[..., np.newaxis]


def _resized(values: np.ndarray, side: tuple[int, int], smooth: bool = True) -> np.ndarray:
    """Numbers (height, width) at another size."""
    from PIL import Image

    way = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(values.astype("float32")).resize(side[::-1], way))


def explanations(
    scored: Scored, dataset: Dataset, shown: np.ndarray, covered: np.ndarray | None, cam: np.ndarray
) -> Figure:
    """Pictures beside their occlusion maps, where there are any, and their Grad-CAM maps."""
    truth, answer = np.asarray(scored.split.y)[shown], scored.outputs[shown].argmax(axis=1)
    base = _small(np.asarray(scored.split.x)[shown])
    tiles, texts = [], []
    for i, p in enumerate(scored.outputs[shown].max(axis=1)):
        sign = "✓" if truth[i] == answer[i] else "→"
        tiles.append(np.broadcast_to(base[i], (*base.shape[1:3], 3)))
        texts.append(f"{label(dataset.classes[truth[i]], 9)}\n{sign} {label(dataset.classes[answer[i]], 7)}")
        if covered is not None:
            tiles.append(_tinted(base[i], covered[i]))
            texts.append(f"occlusion\n−{100 * max(covered[i].max(), 0):.0f} points")
        tiles.append(_tinted(base[i], cam[i]))
        texts.append(f"Grad-CAM\n{100 * p:.0f} %")
    return _explained(np.stack(tiles), texts, covered is not None)


def _explained(tiles: np.ndarray, texts: list[str], covered: bool) -> Figure:
    picture, axes = canvas(WIDTH, pictures_height(tiles, EXPLAINED_COLUMNS, 2))
    pictures(axes, tiles, EXPLAINED_COLUMNS, texts, 2)
    caption = "The first right and the wrongest answers: true class, then answer. Orange speaks for the answer"
    if covered:
        caption += ", blue against it. Occlusion: what covering a patch takes from the answer's probability"
    caption += ". Grad-CAM: where the last feature maps speak for it. Every map has its own scale."
    return finish(picture, "explanations", "What the answers rest on", caption)


def _occluded(model: Any, x: np.ndarray, answer: np.ndarray, mean: np.ndarray, cost: int) -> np.ndarray | None:
    """Occlusion maps with as many patches as are affordable, or None where that is too few."""
    from keras import ops

    along = min(PATCHES, int((OCCLUSION_COST / (len(x) * cost)) ** 0.5))
    if along < 4:
        return None
    size = [max(1, round(side / 4)) for side in x.shape[1:3]]
    stride = [max(1, -(-(side - k) // (along - 1))) for side, k in zip(x.shape[1:3], size)]
    return occlusion(lambda a: ops.convert_to_numpy(model.serve(a)), x, answer, size, stride, mean, batch_size=500)


def _small(x: np.ndarray) -> np.ndarray:
    """Pictures as real numbers in [0, 1], at most LARGEST pixels a side."""
    step = -(-max(x.shape[1:3]) // LARGEST)
    return pool(x / 255.0, step, padding="same", kind="average") if step > 1 else x / 255.0


def _tinted(base: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A picture (height, width, channels) paled to grey, orange where values are positive and blue where negative."""
    from matplotlib.colors import to_rgb

    grey = 0.15 + 0.7 * np.broadcast_to(base.mean(axis=-1, keepdims=True), (*base.shape[:2], 3))
    scaled = _resized(values / max(np.abs(values).max(), 1e-12), base.shape[:2])[..., np.newaxis]
    colour = np.where(scaled > 0, to_rgb(ORANGE), to_rgb(BLUE))
    strength = 0.7 * np.abs(scaled)
    return grey * (1 - strength) + colour * strength
