"""Everything that an exact resume needs, in one file that is replaced as a whole."""

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from maquette import files
from maquette.errors import InputError


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        epoch: finished epochs.
        seconds: spent in them.
        best: the best validation loss so far, with patience.
        waited: epochs since then.
        best_weights: the weights of that epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    waited: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)


def variables(model: Any) -> dict[str, Any]:
    """Every variable that training changes, weights, seed counters and optimizer, in the order of creation.

    The order is a property of the page's code, whereas names and paths depend on what else the process has made.
    """
    kinds = {"trainable": model.trainable_variables, "state": model.non_trainable_variables}
    kinds["optimizer"] = model.optimizer.variables
    return {f"{kind}_{i:04d}": v for kind, found in kinds.items() for i, v in enumerate(found)}


def save(path: Path, model: Any, progress: Progress) -> None:
    """Write the state of `model` and the progress; raises InputError if the disk is full."""
    arrays: dict[str, Any] = {key: _array(v) for key, v in variables(model).items()}
    arrays |= {f"best_{i:04d}": value for i, value in enumerate(progress.best_weights)}
    numbers = {"epoch": progress.epoch, "seconds": progress.seconds, "best": progress.best, "waited": progress.waited}
    with files.replacing(path) as temporary:
        np.savez(temporary, progress=np.frombuffer(json.dumps(numbers).encode(), "uint8"), **arrays)


def _array(variable: Any) -> np.ndarray:
    value = np.asarray(ops.convert_to_numpy(variable.value))
    # bfloat16 is no dtype of NumPy's own and would not be read back.
    return value.astype("float32") if value.dtype.name == "bfloat16" else value


def epoch_of(path: Path) -> int:
    """How many epochs were finished when the state was saved; raises InputError if the file is damaged."""
    return int(_read(path)[1]["epoch"])


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        # NumPy leaves a damaged file open that it has opened itself.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        return arrays, json.loads(arrays.pop("progress").tobytes().decode())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}): remove it, and `maquette resume` starts anew") from error


def load(path: Path, model: Any) -> Progress:
    """Bring `model` to the saved state.

    Raises:
        InputError: if the file is damaged, or does not fit the model.
    """
    arrays, numbers = _read(path)
    best = [arrays.pop(key) for key in sorted(arrays) if key.startswith("best_")]
    own = variables(model)
    shapes = {key: tuple(v.shape) for key, v in own.items()}
    if {key: value.shape for key, value in arrays.items()} != shapes:
        raise InputError(f"{path} is the state of another model: train anew, for the recipe or the page has changed")
    for key, variable in own.items():
        variable.assign(arrays[key])
    return Progress(**numbers, best_weights=best)
