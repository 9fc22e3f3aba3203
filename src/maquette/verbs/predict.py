"""Answer for the user's own items with a trained run."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maquette import backend as backends
from maquette import files
from maquette.errors import InputError, near
from maquette.run import Run
from maquette.settings import checked


def predict(
    folder: str | Path,
    inputs: Sequence[str | Path],
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Predict for files or folders.

    Args:
        folder: a finished run.
        inputs: pictures or folders of pictures, or tables, as the run's task takes them.
        out: a file to write the answers to, .csv, .json or .jsonl; or, where the answers are pictures, a new or empty
            folder for them and a page that shows them.
        settings: what the task can be asked besides, such as {"direction": "b-to-a"} of a translation.

    Returns:
        One row per item, in words of the training data: the input's name, then the answer.

    Raises:
        InputError: naming the file at fault.
    """
    run, paths = Run.open(folder), [Path(path) for path in inputs]
    task = run.task.asked(_checked(run.task, settings or {}))
    form = _form(Path(out), task) if out else None
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: give files or folders to predict")
    backends.choose(run.backend, run.recipe.page)
    from maquette import assembly

    p = run.pipeline
    split = task.read_inputs(paths, run.encoder, p["shape"])
    pipeline = assembly.Pipeline(run.recipe, task, run.words, run.encoder, p["target_scale"], tuple(p["shape"]))
    outputs = pipeline.outputs(run.model, split)
    answers: list[dict[str, Any]] = task.answers(split, outputs, run.words)
    if out and form:
        rows = task.table(split, outputs, run.words, paths) if form is _as_csv else answers
        files.write_text(Path(out), form(rows))
    elif out:
        _write_pictures(Path(out), task, split, outputs, paths)
    return answers


def _checked(task: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    for key in settings:
        if key not in task.answer_types:
            raise InputError(f"--set {key}: a prediction has no such setting here; {near(key, task.answer_types)}")
    return {key: checked(key, value, task.answer_types[key]) for key, value in settings.items()}


def _write_pictures(folder: Path, task: Any, split: Any, outputs: Any, paths: Sequence[Path]) -> None:
    """The pictures, and index.html, which shows them."""
    from PIL import Image

    from maquette.verbs import page

    for name, picture in task.answer_pictures(split, outputs, paths).items():
        with files.replacing(folder / name) as temporary:
            Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(temporary)
    figures = [page.drawing(figure) for figure in task.answer_figures(split, outputs)]
    page.write(folder / "index.html", "pictures.html", title=folder.resolve().name, count=len(split), figures=figures)


def _form(path: Path, task: Any) -> Any:
    """The writer of a file of answers, or None for a folder of pictures."""
    forms = {".csv": _as_csv, ".json": _as_json, ".jsonl": _as_lines}
    if task.makes_pictures and path.suffix not in forms:
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise InputError(f"--out {path} is not an empty folder: choose another; the pictures are written into it")
        return None
    if path.suffix not in forms:
        raise InputError(f"--out {path}: end it in .csv, .json or .jsonl")
    return forms[path.suffix]


def _as_csv(rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(files.flat(rows[0])) if rows else ["input"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(files.flat(row) for row in rows)
    return buffer.getvalue()


def _as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(files.plain(rows), indent=2, ensure_ascii=False) + "\n"


def _as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(files.plain(row), ensure_ascii=False) + "\n" for row in rows)
