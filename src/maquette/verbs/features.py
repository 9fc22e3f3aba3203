"""What a network sees in pictures, as an array: the input of its last layer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maquette import backend as backends
from maquette import catalog
from maquette.data.dataset import Dataset, Split
from maquette.errors import InputError
from maquette.run import Run


def features(source: Any, pictures: Any, backend: str = "auto") -> np.ndarray:
    """The features of pictures, one row each: what a classifier of one's own can be fitted on.

    Args:
        source: a finished run or its folder, or the name of a model with ImageNet weights, such as "mobilenet_v2".
        pictures: files and folders, or an array uint8 (n, height, width, channels) of the size that the network takes.
        backend: for a model's name: "auto", or tensorflow, jax or torch.

    Returns:
        float32 (n, channels), maps averaged over the picture where the network ends in maps; the order of files is
        theirs, and that of a folder's is sorted.

    Raises:
        InputError: for a model that has no features, pictures of another size, or a file that is none.
    """
    run = source if isinstance(source, Run) else Run.open(source) if Path(str(source)).is_dir() else None
    page = run.recipe.page if run else catalog.find(str(source), "models").name
    backends.choose(run.backend if run else backend, page)
    from maquette import pretrained, transfer

    if run:
        model, encoder, shape = run.model, run.encoder, tuple(run.pipeline["shape"])
    else:
        model, encoder = pretrained.imagenet(page), pretrained.published_encoder(page)
        shape = (pretrained.of_page(page).size,) * 2 + (3,)
    pretrained.backbone(model)  # refuses a model without features
    x = pictures if isinstance(pictures, np.ndarray) else _read(pictures, encoder, shape)
    if x.shape[1:] != shape:
        raise InputError(f"pictures of {x.shape[1:]}: {source} takes {shape}; give their files to have them resized")
    return _computed(transfer.Features(model), encoder, x, shape)


def _read(paths: str | Path | Sequence[str | Path], encoder: Any, shape: tuple[int, ...]) -> np.ndarray:
    given = [paths] if isinstance(paths, str | Path) else paths
    x: np.ndarray = catalog.task("image-classification").read_inputs([Path(path) for path in given], encoder, shape).x
    return x


def _computed(model: Any, encoder: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from maquette import assembly
    from maquette.core.recipe import Recipe

    task = catalog.task("image-classification")
    pipeline = assembly.Pipeline(Recipe("features", task.name, ""), task, Dataset("", Split(x)), encoder, {}, shape)
    return pipeline.answers(model, Split(x)).astype("float32")  # of a run in mixed precision too
