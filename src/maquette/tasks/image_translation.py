"""Image translation: pictures of one kind in, what they would be as pictures of the other kind out.

Data     a built-in set, or a folder with a/ and b/, or with pairs side by side (maquette/data/readers/translation.py)
Options  size: every picture is resized to size x size pixels; built-in photographs come in 64
         channels: 1 or 3, where grey and colour are mixed
         swap: whether a and b change places
         pairs: "keep"; "break" shuffles b against a in the training split, which needs a test split of its own;
         "none" calls no item a pair, for kinds whose files have equal names by chance
         augment: random changes of training pictures, as for image classification, the same for both of an item
Metrics  of true pairs: error_b and error_a, the mean absolute difference of a translation from the true picture, with
         psnr_b and ssim_b; identity_error, that of leaving the picture as it is, and remaining_error, the share of it
         that is left, over both directions
         of models that translate both ways: cycle_error_a and cycle_error_b, of there and back from the start
         kernel_distance_pca64_b and ..._a, between translations and held-out pictures of that kind, over 64 principal
         components of its training pictures; the table `distances` has those of pictures that are left as they are
Figures  test pictures, their translations and, where there are, the way back and the truth; the same by epoch
Answer   by how much each picture changes, and with --out FOLDER the translated pictures and a page that shows them;
         --set direction=b-to-a for the other way, --set size=128 for pictures of another size than the trained one
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
from maquette.errors import InputError
from maquette.tasks import translation_figures
from maquette.tasks.figure import Figure
from maquette.tasks.image_classification import ImageClassification, names_within, resize
from maquette.tasks.task import Scored, Task
from maquette.tasks.translation_metrics import distances, measures

DIRECTIONS = ("a-to-b", "b-to-a")


class PairScaler:
    """Pictures of a and b, bytes (2, height, width, channels), as float32: value = byte / 255."""

    def fit(self, x: np.ndarray) -> "PairScaler":
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return np.multiply(x, np.float32(1 / 255), dtype=np.float32)

    def to_json(self) -> str:
        return "{}"


class ImageTranslation(Task):
    """Items are pairs, uint8 (2, height, width, channels); outputs (n, k, height, width, channels) in [0, 1].

    Of the k pictures of an answer the first are a as b and, where the model translates both ways, b as a; then come
    both ways back. k is 1 or 4.
    """

    name = "image-translation"
    headline = "remaining_error"
    most_answered = 32
    options = {"size": None, "channels": None, "swap": False, "pairs": "keep", "augment": {}}
    option_types = {
        **{"size": ImageClassification.option_types["size"], "channels": Literal[1, 3] | None, "swap": bool},
        **{"pairs": Literal["keep", "break", "none"], "augment": dict[str, Any]},
    }
    answer_types = {"direction": Literal["a-to-b", "b-to-a"], "size": Annotated[int, Field(ge=8)]}
    makes_pictures = True
    direction = "a-to-b"
    size: int | None = None

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.translation import read_pairs

        return read_pairs(path, options["size"], options["channels"])

    def like(self, shape: Sequence[int]) -> dict[str, Any]:
        return {"size": tuple(shape[1:3]), "channels": shape[3]}

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        x = dataset.train.x
        if not isinstance(x, np.ndarray) or x.ndim != 5 or x.shape[1] != 2:
            raise InputError(f"{dataset.name} holds no pictures of two kinds: give a folder that has a/ and b/")
        if options["pairs"] == "break" and dataset.test is None:
            raise InputError(f"inputs.pairs=break: {dataset.name} needs a test split of its own, in a folder test/")
        parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
        changed: dict[str, Any] = {name: part and _adapted(part, options, name) for name, part in parts.items()}
        return replace(dataset, **changed)

    def change(self, options: Mapping[str, Any], seed: int) -> Any:
        settings = augmentation.checked(options["augment"])
        return partial(_augmented, seed=seed, settings=settings) if settings else None

    def encoder(self, options: Mapping[str, Any]) -> PairScaler:
        return PairScaler()

    def restore(self, text: str) -> PairScaler:
        return PairScaler()

    def callbacks(self, folder: Path, pipeline: Any) -> list[Any]:
        from maquette.tasks.translation_progress import Progress

        return [Progress(folder, pipeline.dataset, pipeline.recipe.epochs)]

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        found = measures(split, outputs)
        apart, rows = distances(split, outputs, dataset)
        return Scored(split, outputs, {**found, **apart}, {"distances": rows} if rows else {})

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        return translation_figures.galleries(scored.split, scored.outputs)

    # --- prediction ---------------------------------------------------------------------------------------------

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        from maquette.data.readers.images import read_pictures

        height, width = (self.size, self.size) if self.size else shape[1:3]
        names, x = read_pictures(paths, height, width, shape[3])
        return Split(np.stack([x, x], axis=1), None, names)

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        there, back = self._chosen(outputs)
        x = split.x[:, 0] / np.float32(255)
        rows = [{"input": name, "change": float(abs(y - a).mean())} for name, a, y in zip(split.names, x, there)]
        for row, a, y in zip(rows, x, back) if back is not None else ():
            row["return_error"] = float(abs(y - a).mean())
        return rows

    def _chosen(self, outputs: np.ndarray) -> tuple[np.ndarray, Any]:
        """The translations in the direction that was asked for, and the ways back, or None."""
        side = DIRECTIONS.index(self.direction)
        if side and outputs.shape[1] == 1:
            raise InputError(f"--set direction={self.direction}: the run's model translates {DIRECTIONS[0]} alone")
        return outputs[:, side], outputs[:, 2 + side] if outputs.shape[1] == 4 else None

    def answer_pictures(self, split: Split, outputs: np.ndarray, paths: Sequence[Path]) -> dict[str, np.ndarray]:
        names = [Path(name).with_suffix(".png").as_posix() for name in names_within(split.names, paths)]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), "")
        if twice:
            raise InputError(f"two pictures would both become {twice}: translate them apart")
        there, _ = self._chosen(outputs)
        return {name: (y.clip(0, 1) * 255 + 0.5).astype("uint8") for name, y in zip(names, there, strict=True)}

    def answer_figures(self, split: Split, outputs: np.ndarray) -> list[Figure]:
        there, back = self._chosen(outputs)
        return [translation_figures.gallery(split.x[:, 0], there, back, None, self.direction, most=64)]


def _adapted(split: Split, options: Mapping[str, Any], part: str) -> Split:
    x, y = split.x, split.y
    if options["size"] is not None:
        height, width = (int(side) for side in np.broadcast_to(options["size"], 2))
        if x.shape[2:4] != (height, width):
            x = resize(x.reshape(-1, *x.shape[2:]), height, width).reshape(len(x), 2, height, width, -1)
    x = x[:, ::-1] if options["swap"] else x
    if options["pairs"] == "break" and part == "train":
        order = np.random.default_rng(0).permutation(len(x))
        b = np.empty_like(x[:, 1])
        b[order] = x[np.roll(order, 1), 1]  # nobody keeps its own
        x = np.stack([x[:, 0], b], axis=1)
    broken = options["pairs"] == "none" or (options["pairs"] == "break" and part == "train")
    return replace(split, x=x, y=np.zeros(len(x), np.int32) if broken else y)


def _augmented(x: np.ndarray, epoch: int, index: int, seed: int, settings: Mapping[str, float]) -> np.ndarray:
    changed = [augmentation.of_batch(x[:, i], epoch, index, seed, settings) for i in (0, 1)]  # the same draws
    return np.stack(changed, axis=1)


TASK = ImageTranslation()
