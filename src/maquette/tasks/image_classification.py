"""Image classification: a picture in, one of several classes out.

Data     a built-in set, or a folder per class of pictures, alone or under train/ and test/
Options  size: resize every picture to size x size pixels; standardise: subtract the training mean and divide by
         the training deviation per channel, otherwise pixels are in [0, 1]; augment: random changes of training
         pictures, such as augment.flip=true augment.shift=4 (maquette/data/augmentation.py lists them)
         class_weight: "balanced" lets every class count alike in the loss of training, whatever its share
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1;
         prior_accuracy and prior_log_loss, what answering the shares of the classes alone would reach
Answer   the three most probable classes of each picture; in a .csv file the picture's name, its id, and the
         probability of every class, as competitions want it
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from maquette.data import augmentation
from maquette.data.dataset import Dataset, Split
from maquette.data.pictures import PictureScaler
from maquette.errors import InputError
from maquette.tasks import convolution_figures
from maquette.tasks.classification import Classification, balanced, counted
from maquette.tasks.figure import Figure
from maquette.tasks.task import Scored


class ImageClassification(Classification):
    """Items are pictures: uint8 (height, width, channels)."""

    name = "image-classification"
    options = {"size": None, "standardise": True, "augment": {}, "class_weight": "none"}
    option_types = {
        **{"size": Annotated[int, Field(ge=1)] | None, "standardise": bool},
        **{"augment": dict[str, Any], "class_weight": Literal["none", "balanced"]},
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.images import read_folder

        return read_folder(path, size=options["size"])

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        return resized(dataset, options["size"])

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        settings = augmentation.checked(options.get("augment", {}))
        return partial(augmentation.of_batch, seed=seed, settings=settings) if settings else None

    def weights(self, y: np.ndarray, options: Mapping[str, Any]) -> np.ndarray | None:
        return balanced(y) if options.get("class_weight") == "balanced" else None

    def encoder(self, options: Mapping[str, Any]) -> PictureScaler:
        return PictureScaler(standardise=options["standardise"])

    def restore(self, text: str) -> PictureScaler:
        return PictureScaler.from_json(text)

    def model_figures(self, model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
        return convolution_figures.draw(model, encoder, scored, dataset)

    def like(self, shape: Sequence[int]) -> dict[str, Any]:
        return {"size": tuple(shape[:2])} if len(shape) == 3 else {}

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        from maquette.data.readers.images import read_pictures

        names, x = read_pictures(paths, *shape)
        return Split(x, None, tuple(names))

    def table(self, split: Split, outputs: np.ndarray, dataset: Dataset, paths: Sequence[Path]) -> list[dict[str, Any]]:
        if "id" in dataset.classes:
            raise InputError("a class is called id, as the first column of a .csv is: write a .json file instead")
        ids = names_within(split.names, paths)
        return [
            {"id": name, **dict(zip(dataset.classes, p.tolist()))}
            for name, p in zip(ids, counted(outputs), strict=True)
        ]


def names_within(names: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """Each file's path below the folder of `paths` that holds it, or its name; raises InputError for equal ones."""
    folders = [path for path in paths if path.is_dir()]
    short: dict[str, str] = {}
    for name in names:
        home = next((folder for folder in folders if Path(name).is_relative_to(folder)), Path(name).parent)
        inner = Path(name).relative_to(home).as_posix()
        if inner in short:
            raise InputError(f"{name} and {short[inner]} would both have the id {inner}: predict them apart")
        short[inner] = name
    return list(short)


def resized(dataset: Dataset, size: int | Sequence[int] | None) -> Dataset:
    """The data set with pictures of size x size pixels, or height x width, bilinearly; None leaves it alone."""
    if size is None:
        return dataset
    height, width = (int(side) for side in np.broadcast_to(size, 2))
    if dataset.train.x.shape[1:3] == (height, width):
        return dataset
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return replace(
        dataset, **{name: part and replace(part, x=resize(part.x, height, width)) for name, part in parts.items()}
    )


def resize(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bytes (n, height, width, channels) of another size, bilinearly."""
    from PIL import Image

    def one(picture: np.ndarray) -> np.ndarray:
        image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)

    return np.stack([one(picture) for picture in x])


TASK = ImageClassification()
