"""Write a trained model as a file that runs without Maquette, and check that it answers as the model does."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import maquette
from maquette import backend as backends
from maquette import catalog, files
from maquette.data.pictures import PictureScaler
from maquette.data.tables import TableEncoder
from maquette.errors import InputError, near
from maquette.run import Run
from maquette.tasks.classification import Classification
from maquette.verbs.train import environment

if TYPE_CHECKING:
    from maquette.progress import Style

TOLERANCE = 1e-4  # |artefact - model| <= TOLERANCE * (1 + |model|)
WORKER = ("-m", "maquette.verbs._export_worker")


class ExportError(RuntimeError):
    """The model cannot be written in the format, or the file written does not answer as the model does."""


@dataclass(frozen=True)
class Format:
    """A format of exported models.

    Attributes:
        file: the artefact's name in its folder.
        backend: the one that writes the format best.
        packages: what has to be installed besides.
        note: what a user of the artefact must know.
    """

    file: str
    backend: str
    packages: tuple[str, ...] = ()
    note: str = ""


FORMATS = {
    "onnx": Format("model.onnx", "tensorflow", ("tf2onnx", "onnx", "onnxruntime")),
    "saved_model": Format("saved_model", "tensorflow", note="the signature is called serve"),
    "litert": Format("model.tflite", "tensorflow", note="use the only signature, which resizes to any batch"),
    "openvino": Format(
        *("model.xml", "torch", ("openvino",)),
        note="compared with INFERENCE_PRECISION_HINT=f32; without it some processors compute in bfloat16",
    ),
}


def export(folder: str | Path, format: str = "onnx", out: str | Path | None = None, style: "Style" = "quiet") -> Path:
    """Write the trained model of a run in another format, with all that is needed to use it.

    The file maps `input` (batch, *shape) to `output`, what the model's `serve` answers, for any batch size. It is
    read again and compared with the model on batches of 1 and 5 items before it takes its place; `model.json` beside
    it describes input, preprocessing and output, and states the largest difference. Model and artefact are run on
    the processor, in processes of their own, so that it does not matter which backend trained.

    Args:
        folder: a finished run.
        format: onnx, saved_model, litert or openvino.
        out: a new or empty folder; by default export/<format> in the run, where an earlier export is replaced.
        style: how progress is shown.

    Returns:
        The artefact: model.onnx, saved_model/, model.tflite or model.xml.

    Raises:
        InputError: for an unfinished run, an unknown format, a missing package, a model that draws noise when it
            answers or needs an operation that the format lacks.
        ExportError: if the artefact's answers differ from the model's, or the conversion fails; nothing is left.
    """
    run = Run.open(folder)
    form = _checked(run, format)
    target = _target(run, format, out)
    with _appearing(target) as artefact, tempfile.TemporaryDirectory() as exchange:
        _say(style, f"writing {target / form.file}", event="export", format=format)
        _work(run, format, artefact, Path(exchange))
        expected, actual = (_arrays(Path(exchange) / name) for name in ("expected.npz", "actual.npz"))
        x = expected.pop("x")
        differences = compare(expected, actual, f"{run.folder} as {format}")
        facts = json.loads((Path(exchange) / "facts.json").read_text(encoding="utf-8"))
        files.write_json(artefact / "model.json", describe(run, format, x, actual, differences, facts))
    return target / form.file


def _checked(run: Run, format: str) -> Format:
    if format not in FORMATS:
        raise InputError(f"--format {format}: {near(format, FORMATS)}")
    if not run.finished:
        raise InputError(f"{run.folder} has not finished: `maquette resume {run.folder}` continues it")
    form = FORMATS[format]
    missing = [name for name in (form.backend, *form.packages) if find_spec(name) is None]
    if missing:
        remedies = {form.backend: f"'maquette[{form.backend}]'", "openvino": "openvino"}
        remedy = " ".join(dict.fromkeys(remedies.get(name, "'maquette[export]'") for name in missing))
        raise InputError(f"--format {format} needs {', '.join(missing)}: pip install {remedy}")
    return form


def _target(run: Run, format: str, out: str | Path | None) -> Path:
    if out is None:
        return run.path("export") / format
    target = Path(out)
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InputError(f"--out {target} is not an empty folder: choose another; the files are written into it")
    return target


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` which takes its place when the block ends, and is removed if it fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; choose another folder with --out") from error
    old = temporary.with_name(f"{temporary.name}-old")
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            target.rename(old)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _say(style: "Style", text: str, **event: Any) -> None:
    if style != "quiet":
        from maquette.progress import say

        say(style, text, **event)


def _work(run: Run, format: str, artefact: Path, exchange: Path) -> None:
    """Let the model answer under the backend that trained it, and the artefact be written under its own."""
    writer = FORMATS[format].backend
    own = run.backend if run.backend in backends.installed() else writer
    steps = [(own, "answer"), (writer, "convert")] if own != writer else [(writer, "answer,convert")]
    for backend, step in steps:
        arguments = (step, str(run.folder), format, str(artefact), str(exchange))
        done = subprocess.run(
            [sys.executable, *WORKER, *arguments], env=_environment(backend), capture_output=True, text=True
        )
        if done.returncode:
            _fail(run, format, done, exchange / "error.json")


def _environment(backend: str) -> dict[str, str]:
    here = str(catalog.ROOT.parent)
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    # On the processor numbers are exact to single precision, and no accelerator is taken from a training.
    device = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    # OpenVINO reports every import to its makers, except where it finds itself under continuous integration.
    quiet = {"PYTHONWARNINGS": "ignore", "CI": "true"}
    return {**os.environ, **device, **quiet, "KERAS_BACKEND": backend, "PYTHONPATH": path}


def _fail(run: Run, format: str, done: "subprocess.CompletedProcess[str]", path: Path) -> None:
    if path.exists():
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["wrong_input"]:
            raise InputError(told["line"])
        reason = told["line"]
    else:
        last = done.stderr.strip().splitlines()[-1:]
        reason = f"the process ended with status {done.returncode}{': ' if last else ''}{''.join(last)}"
    raise ExportError(f"{run.folder} cannot be exported as {format}: {reason}")


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def compare(expected: Mapping[str, np.ndarray], actual: Mapping[str, np.ndarray], what: str) -> dict[str, float]:
    """The largest |actual - expected| of each batch; whole numbers have to be equal.

    Raises:
        ExportError: with the number, if a shape differs or |actual - expected| > TOLERANCE (1 + |expected|).
    """
    largest = {}
    for name, y in expected.items():
        answer = actual[name]
        if answer.shape != y.shape:
            raise ExportError(f"{what} answers with the shape {answer.shape} where the model has {y.shape}; removed")
        gap = np.abs(answer.astype("float64") - y.astype("float64"))
        slack = TOLERANCE * (1 + np.abs(y)) if np.issubdtype(y.dtype, np.floating) else np.zeros(y.shape)
        largest[name] = float(gap.max(initial=0.0))
        if not (gap <= slack).all():  # also where one of them is not a number
            size = name.removeprefix("batch_")
            fault = f"differs from the model by {largest[name]:.3g} on a batch of {size}"
            raise ExportError(f"{what} {fault}, more than {TOLERANCE:g}; it was removed")
    return largest


def describe(
    run: Run,
    format: str,
    x: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    differences: Mapping[str, float],
    facts: Mapping[str, str],
) -> dict[str, Any]:
    """What model.json says."""
    form, recipe = FORMATS[format], run.recipe
    y = outputs["batch_1"]
    versions = {"maquette": maquette.__version__} | environment(form.backend)["versions"]
    return {
        **{"format": format, "file": form.file, "note": form.note},
        "input": {"name": "input", "shape": [None, *x.shape[1:]], "dtype": x.dtype.name},
        "preprocessing": preprocessing(run.encoder, x.shape[1:], run.pipeline["encoder"]),
        "output": {"name": "output", "shape": [None, *y.shape[1:]], "dtype": y.dtype.name}
        | meaning(run, x, y, facts["says"]),
        **{"task": recipe.task, "model": recipe.page, "recipe": recipe.name, "data": recipe.data},
        **{"run": run.folder.resolve().name, "trained_on": run.backend},
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions | dict([facts["runtime"].split(" ", 1)]),
        "parity": {
            "max_abs_difference": {name.removeprefix("batch_"): value for name, value in differences.items()},
            "tolerance": {"absolute": TOLERANCE, "relative": TOLERANCE},
            **{"inputs": facts["inputs"], "runtime": facts["runtime"]},
            **{"model_ran_on": facts["model_backend"], "exported_with": facts["export_backend"]},
        },
    }


def meaning(run: Run, x: np.ndarray, y: np.ndarray, says: str) -> dict[str, Any]:
    """What the numbers of one output are."""
    classes, target, scale = (run.pipeline[key] for key in ("classes", "target", "target_scale"))
    if isinstance(run.task, Classification) and y.shape[1:] == (len(classes),):
        return {"meaning": "probability of each class, in the order of `classes`", "classes": classes}
    if scale:
        name = target or "prediction"
        text = f"{name} = output * deviation + mean, in the unit of the data"
        return {"meaning": text, "target": name, "scale": scale}
    if y.shape[1:] == x.shape[1:] and np.issubdtype(y.dtype, np.floating):
        return {"meaning": "reconstruction of the input", "page": says}
    return {"meaning": says}


def preprocessing(encoder: Any, shape: tuple[int, ...], text: str) -> dict[str, Any]:
    """How raw items become the input, in steps and numbers that need nothing of Maquette."""
    if isinstance(encoder, PictureScaler):
        return _of_pictures(encoder, shape)
    if isinstance(encoder, TableEncoder):
        return _of_table(encoder)
    state = json.loads(text)
    steps = [f"{type(encoder).__name__}: {' '.join((type(encoder).__doc__ or '').split())}"]
    return {"kind": "other", "steps": steps, "state": state}


def _of_pictures(encoder: PictureScaler, shape: tuple[int, ...]) -> dict[str, Any]:
    height, width, channels = shape
    steps = [
        "turn the picture upright by its EXIF orientation; lay transparent pixels on white; 16 bits to 8 by / 257",
        f"convert to {'grey (Pillow mode L)' if channels == 1 else 'RGB'}",
        f"resize to {height} rows and {width} columns, bilinearly (Pillow's BILINEAR), if it has another size",
        "as float32 (height, width, channels): value = (byte / 255 - mean) / std, channel by channel",
    ]
    numbers = {"mean": np.asarray(encoder.mean).tolist(), "std": np.asarray(encoder.std).tolist()}
    return {"kind": "picture", "steps": steps, "height": height, "width": width, "channels": channels, **numbers}


def _of_table(encoder: TableEncoder) -> dict[str, Any]:
    fitted: tuple[Any, ...] = encoder.columns
    steps = [
        "take the columns in the order below and set their values side by side, as float32",
        "number: value = (x - mean) / std, a missing x being the median",
        "number with gaps: true: a second value follows, 1 where x is missing, else 0",
        "text: one value per category in order, 1 where the cell equals it, else 0; a missing cell is ''",
    ]
    kinds = {column.name: "text" if column.name in encoder.text_columns else "number" for column in fitted}
    columns = [{"kind": kinds[column.name], **asdict(column)} for column in fitted]
    return {"kind": "table", "steps": steps, "columns": columns}
