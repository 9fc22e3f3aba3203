"""Answer for the user's own items with a trained run."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maquette import backend as backends
from maquette import files
from maquette.errors import InputError
from maquette.run import Run


def predict(folder: str | Path, inputs: Sequence[str | Path], out: str | Path | None = None) -> list[dict[str, Any]]:
    """Predict for files or folders.

    Args:
        folder: a finished run.
        inputs: pictures or folders of pictures, or tables, as the run's task takes them.
        out: a file to write the answers to; .csv, .json or .jsonl.

    Returns:
        One row per item, in words of the training data: the input's name, then the answer.

    Raises:
        InputError: naming the file at fault.
    """
    run, paths = Run.open(folder), [Path(path) for path in inputs]
    form = _form(Path(out)) if out else None
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist: give files or folders to predict")
    backends.choose(run.backend, run.recipe.page)
    from maquette import assembly

    p = run.pipeline
    split = run.task.read_inputs(paths, run.encoder, p["shape"])
    pipeline = assembly.Pipeline(run.recipe, run.task, run.words, run.encoder, p["target_scale"], tuple(p["shape"]))
    outputs = pipeline.outputs(run.model, split)
    answers: list[dict[str, Any]] = run.task.answers(split, outputs, run.words)
    if out and form:
        rows = run.task.table(split, outputs, run.words, paths) if form is _as_csv else answers
        files.write_text(Path(out), form(rows))
    return answers


def _form(path: Path) -> Any:
    forms = {".csv": _as_csv, ".json": _as_json, ".jsonl": _as_lines}
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
