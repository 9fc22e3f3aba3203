"""Three steps of a page from NumPy's weights and NumPy's noise: losses and the way the weights have gone."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from maquette.core.noise import Noise

FILE = Path(__file__).with_name("numbers.json")


def read() -> dict[str, Any]:
    """Page -> {"losses": three numbers, "moved": the sum of what every weight has moved}."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def steps(model: Any, pipeline: Any, count: int) -> list[float]:
    """The losses of the first steps of training, in the order of the data."""
    batches = pipeline.batches(pipeline.dataset.train)
    losses = []
    for i in range(count):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(*batches[i % len(batches)], return_dict=True)["loss"]))
    return losses


def measure(page: Any) -> dict[str, Any]:
    """The page's numbers on the running backend."""
    model = page.build(initialize=False, **page.without_dropout())
    started = [_array(v) for v in model.weights]
    model = page.build(**page.without_dropout())
    random = np.random.default_rng(zlib.crc32(page.name.encode()))
    for before, variable in zip(started, model.weights, strict=True):
        variable.assign(_start(before, _array(variable), random))
    model.run_eagerly = True
    before = [_array(v) for v in model.weights]
    Noise.table = staticmethod(_noise)
    try:
        losses = steps(model, page.pipeline, 3)
    finally:
        Noise.table = None
    moved = [np.abs(_array(v).astype("float64") - b).sum() for v, b in zip(model.weights, before, strict=True)]
    return {"losses": [round(loss, 7) for loss in losses], "moved": float(f"{sum(moved):.7g}")}


def _start(built: np.ndarray, initialized: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The weight as it is where every backend starts it alike (a constant, or set from data), else NumPy's draw."""
    if not np.issubdtype(built.dtype, np.floating) or not np.array_equal(built, initialized) or np.ptp(built) == 0:
        return initialized
    fan_in = max(1, int(np.prod(built.shape[:-1])))
    drawn = random.normal(0, fan_in**-0.5, built.shape).astype(built.dtype)
    never_negative = built.size > 8 and (built >= 0).all()  # a few numbers may be positive by chance, on one backend
    return np.abs(drawn) if never_negative else drawn


def _noise(kind: str, shape: tuple[int, ...], call: int) -> np.ndarray:
    random = np.random.default_rng(call)
    return (random.random(shape) if kind == "uniform" else random.normal(size=shape)).astype("float32")


def _array(variable: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable))
