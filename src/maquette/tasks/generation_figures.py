"""The pictures of generators: samples, samples by epoch, ways between samples, and the nearest training pictures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from maquette.tasks.figure import GREY, ORANGE, WIDTH, Figure, canvas, finish, pictures, pictures_height
from maquette.tasks.generation_features import flat

COLUMNS = 10
PAIRS, STEPS = 5, 10  # of ways between samples
ROWS = 2 * COLUMNS  # samples whose nearest pictures are sought
POINTS = 2000  # of the data, behind generated ones


def gallery(samples: np.ndarray) -> Figure:
    """The first 60 samples (n, height, width, channels) in [0, 1]."""
    return _grid(samples[:60], COLUMNS, "samples", "Samples", "Pictures that the model generated, not chosen.")


def nearest(samples: np.ndarray, train: np.ndarray) -> Figure:
    """Samples over the training pictures, bytes or in [0, 1], that they are nearest to in pixels."""
    samples = samples[:ROWS]
    made, known = flat(samples), flat(train)
    squared = np.square(known).sum(axis=1) - 2 * np.inner(made, known)  # less what is the same for all
    own = known[squared.argmin(axis=1)].reshape(samples.shape)
    rows = [part.reshape(-1, COLUMNS, *samples.shape[1:]) for part in (samples, own)]
    shown = np.stack(rows, axis=1).reshape(-1, *samples.shape[1:])
    caption = "Rows of samples, each over the row of the training pictures nearest to them: copies would be equal."
    return _grid(shown, COLUMNS, "nearest", "Nearest training pictures", caption)


def ways(model: Any) -> Figure:
    """Rows that lead from one sample to another."""
    from keras import ops

    items = ops.convert_to_numpy(model.interpolate(PAIRS, STEPS)).astype("float32")
    caption = (
        "Each row leads from one latent vector to another: a generator that has learnt its pictures by heart jumps."
    )
    return _grid(items.reshape(-1, *items.shape[2:]), STEPS, "ways", "Interpolation", caption)


def _grid(items: np.ndarray, columns: int, name: str, title: str, caption: str) -> Figure:
    picture, axes = canvas(WIDTH, pictures_height(items, columns))
    pictures(axes, items, columns)
    return finish(picture, name, title, caption)


def epochs(samples: Mapping[int, np.ndarray], data: np.ndarray) -> Figure:
    """Epoch -> samples of the same noise: rows of pictures, or panels of points over the data."""
    caption = f"What the same noise became after epochs {', '.join(map(str, samples))}."
    if data.ndim == 4:
        items = np.concatenate(list(samples.values()))
        return _grid(items, len(items) // len(samples), "epochs", "Samples by epoch", caption)
    columns = min(4, len(samples))
    rows = -(-len(samples) // columns)
    size = WIDTH / columns
    picture, panels = canvas(WIDTH, rows * (size + 0.2), nrows=rows, ncols=columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, (epoch, points) in zip(panels.flat, samples.items()):
        axes.scatter(*data[:POINTS, :2].T, s=1, color=GREY, alpha=0.3, linewidths=0)
        axes.scatter(*points[:, :2].T, s=2, color=ORANGE, alpha=0.8, linewidths=0)
        axes.set_title(f"{epoch}", fontsize=9)
        axes.set(xlim=_range(data[:, 0]), ylim=_range(data[:, 1]), aspect="equal")
    return finish(picture, "epochs", "Samples by epoch", caption)


def _range(values: np.ndarray) -> tuple[float, float]:
    slack = 0.15 * float(np.ptp(values))
    return float(values.min()) - slack, float(values.max()) + slack
