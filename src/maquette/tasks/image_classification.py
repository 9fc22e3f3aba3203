"""Image classification: a picture in, one of several classes out.

Data     a built-in set, or a folder per class of pictures, alone or under train/ and test/
Options  size: resize every picture to size x size pixels; standardise: subtract the training mean and divide by
         the training deviation per channel, otherwise pixels are in [0, 1]
Metrics  accuracy and error with Wilson intervals, log loss, expected calibration error, precision, recall, F1
Answer   the three most probable classes of each picture
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from maquette.data.dataset import Dataset, Split
from maquette.data.pictures import PictureScaler
from maquette.tasks.classification import Classification


class ImageClassification(Classification):
    """Items are pictures: uint8 (height, width, channels)."""

    name = "image-classification"
    options = {"size": None, "standardise": True}
    option_types = {"size": Annotated[int, Field(ge=1)] | None, "standardise": bool}

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.images import read_folder

        return read_folder(path, size=options["size"])

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        return resized(dataset, options["size"])

    def encoder(self, options: Mapping[str, Any]) -> PictureScaler:
        return PictureScaler(standardise=options["standardise"])

    def restore(self, text: str) -> PictureScaler:
        return PictureScaler.from_json(text)

    def like(self, shape: Sequence[int]) -> dict[str, Any]:
        return {"size": tuple(shape[:2])} if len(shape) == 3 else {}

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        from maquette.data.readers.images import read_pictures

        names, x = read_pictures(paths, *shape)
        return Split(x, None, tuple(names))


def resized(dataset: Dataset, size: int | Sequence[int] | None) -> Dataset:
    """The data set with pictures of size x size pixels, or height x width, bilinearly; None leaves it alone."""
    if size is None:
        return dataset
    height, width = (int(side) for side in np.broadcast_to(size, 2))
    if dataset.train.x.shape[1:3] == (height, width):
        return dataset
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return replace(
        dataset, **{name: part and replace(part, x=_resize(part.x, height, width)) for name, part in parts.items()}
    )


def _resize(x: np.ndarray, height: int, width: int) -> np.ndarray:
    from PIL import Image

    def one(picture: np.ndarray) -> np.ndarray:
        image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)

    return np.stack([one(picture) for picture in x])


TASK = ImageClassification()
