"""Draw from a run's generator into a folder, and say how near a heap of pictures is to real ones."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maquette import backend as backends
from maquette import files
from maquette.errors import InputError, near
from maquette.run import Run

AT_ONCE = 256


def generate(
    folder: str | Path,
    out: str | Path,
    count: int = 64,
    seed: int | None = None,
    truncation: float | None = None,
    label: str | None = None,
) -> list[Path]:
    """Generate pictures, each into a file of its own, or points into one table, points.csv.

    Args:
        folder: a finished run of a model that generates: an adversarial network, a Boltzmann machine, a belief network.
        out: a new or empty folder.
        count: how many items.
        seed: fixes the noise of an adversarial network, 0 if left out; 64 items are the first 64 of 100.
        truncation: no number of that noise is further from 0: fewer kinds of better items.
        label: the class, by its name, of a generator that is told one; each in turn if left out.

    Returns:
        The files.

    Raises:
        InputError: if the run has no generator, or one that cannot be asked for what is given; for a folder in use.
    """
    run, place = Run.open(folder), Path(out)
    if count < 1:
        raise InputError(f"--count {count}: generate at least 1")
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise InputError(f"--out {place} is not an empty folder: choose another; what is generated is written into it")
    backends.choose(run.backend, run.recipe.page)
    model = run.model
    options = _options(run, model, {"seed": seed, "truncation": truncation, "class": label})
    parts = [_drawn(model, start, min(AT_ONCE, count - start), options) for start in range(0, count, AT_ONCE)]
    items = np.concatenate(parts)
    return _write_points(place, items) if items.ndim == 2 else _write_pictures(place, items)


def _options(run: Run, model: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What a generator can be asked, as its method takes it."""
    if not hasattr(model, "generate"):
        raise InputError(f"{run.folder} is a run of {run.recipe.page}, which generates nothing: take another run")
    known = set(inspect.signature(model.generate).parameters)
    known |= {"class"} if getattr(model, "conditional", False) else set()
    for name, value in given.items():
        if value is not None and name not in known:
            raise InputError(f"--{name}: {run.recipe.page} of this run takes none; leave it out")
    classes, name = run.words.classes, given["class"]
    if name is not None and name not in classes:
        raise InputError(f"--class {name}: the training data have no such class; {near(name, classes)}")
    asked = {key: value for key, value in given.items() if value is not None}
    if "seed" in known:
        asked.setdefault("seed", 0)
    return asked if name is None else {**asked, "class": classes.index(name)}


def _drawn(model: Any, start: int, count: int, options: dict[str, Any]) -> np.ndarray:
    """Items start, start + 1, ...: (count, ...)."""
    from keras import ops

    asked = dict(options)
    if "seed" in asked:
        asked["seed"] = (asked["seed"], start)
    if "class" in asked:
        asked["labels"] = np.full(count, asked.pop("class"))
    return np.asarray(ops.convert_to_numpy(model.generate(count, **asked)), np.float32)


def _write_pictures(folder: Path, items: np.ndarray) -> list[Path]:
    from PIL import Image

    digits, paths = max(4, len(str(len(items)))), []
    for i, item in enumerate((items.clip(0, 1) * 255 + 0.5).astype(np.uint8)):
        paths.append(folder / f"{i:0{digits}}.png")
        with files.replacing(paths[-1]) as temporary:
            Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).save(temporary)
    return paths


def _write_points(folder: Path, items: np.ndarray) -> list[Path]:
    rows = [",".join(f"x{i}" for i in range(items.shape[1])), *(",".join(map(str, row)) for row in items.tolist())]
    files.write_text(folder / "points.csv", "\n".join(rows) + "\n")
    return [folder / "points.csv"]


def score(generated: Any, real: Any, source: Any = "mobilenet_v2", backend: str = "auto") -> dict[str, float]:
    """How near generated pictures are to real ones, over the features of a network that was trained on pictures.

    Args:
        generated: files and folders, or an array uint8 (n, height, width, channels) of the size that `source` takes.
        real: the same; pictures that the generator has not seen, as many as are generated.
        source: whose features, see `maquette.features`: a model with ImageNet weights, or a run of your own.
        backend: for a model's name: "auto", or tensorflow, jax or torch.

    Returns:
        frechet_distance, kernel_distance, precision and recall, see
        `maquette.methods.generative.sample_quality`; the names end in that of the model, and values over other
        features, or of another number of pictures, cannot be compared.

    Raises:
        InputError: for fewer than four pictures on a side, and as `maquette.features`.
    """
    from maquette.methods.generative.sample_quality import frechet_distance, kernel_distance, precision_recall
    from maquette.verbs.features import features

    made, true = (features(source, _listed(pictures), backend) for pictures in (generated, real))
    for words, rows in {"generated": made, "real": true}.items():
        if len(rows) < 4:
            raise InputError(f"{len(rows)} {words} pictures: four are needed on each side, and hundreds say something")
    name = source.recipe.page if isinstance(source, Run) else Path(str(source)).name
    covered = precision_recall(true, made)
    return {
        f"frechet_distance_{name}": frechet_distance(true, made),
        f"kernel_distance_{name}": kernel_distance(true, made),
        f"precision_{name}": covered.precision,
        f"recall_{name}": covered.recall,
    }


def _listed(pictures: Any) -> Any:
    """Paths that exist, or an array."""
    if isinstance(pictures, np.ndarray):
        return pictures
    paths: Sequence[Any] = [pictures] if isinstance(pictures, str | Path) else pictures
    for path in paths:
        if not Path(path).exists():
            raise InputError(f"{path} does not exist: give files or folders of pictures")
    return [Path(path) for path in paths]
