"""Score a trained model on a split, with intervals, tables and figures."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette import backend as backends
from maquette import files
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.run import Run
from maquette.tasks import network

if TYPE_CHECKING:
    from maquette.state import Progress
    from maquette.tasks.figure import Figure
    from maquette.tasks.task import Scored


def evaluate(folder: str | Path, data: str | None = None) -> dict[str, Any]:
    """Score a finished run again, on the test split of its own data or on other data.

    Args:
        folder: the run.
        data: a built-in data set or a path; its classes or columns have to be those of the training data.

    Returns:
        {"data", "split", "items", "metrics": {name: {"value", "low", "high"}}, "tables"}; nothing is written.

    Raises:
        InputError: if the data do not fit the run.
    """
    run = Run.open(folder)
    backends.choose(run.backend, run.recipe.page)
    from maquette import assembly

    recipe = run.recipe if data is None else _on(run, str(data))
    dataset = _numbered_as(tuple(run.pipeline["classes"]), assembly.read_data(recipe), recipe.data, folder)
    pipeline = assembly.Pipeline(
        recipe, run.task, dataset, run.encoder, run.pipeline["target_scale"], tuple(run.pipeline["shape"])
    )
    split = "test" if dataset.test is not None else "train"
    try:
        scored = score(pipeline, run.model, split)
    except InputError as error:
        raise InputError(f"{recipe.data}: {error}") from error
    return {
        **{"data": recipe.data, "split": split, "items": len(scored.split)},
        **{"metrics": measured(scored, split), "tables": scored.tables},
    }


def _numbered_as(classes: tuple[str, ...], dataset: Any, data: str, folder: Any) -> Any:
    """The data set with each class's number in training; classes that it does not have are no error."""
    odd = sorted(set(dataset.classes) - set(classes))
    if odd or bool(classes) != bool(dataset.classes):
        raise InputError(f"{data} has classes that {folder} was not trained on ({', '.join(odd)}): leave them out")
    if classes == tuple(dataset.classes):
        return dataset
    number = np.array([classes.index(name) for name in dataset.classes], np.int32)
    splits = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    renumbered = {name: replace(split, y=number[split.y]) for name, split in splits.items() if split is not None}
    return replace(dataset, classes=classes, **renumbered)


def _on(run: Run, data: str) -> Recipe:
    """The run's recipe on other data, all of it to be scored."""
    # A built-in table knows its target; of another table its column of the same name is taken.
    target = {"target": run.pipeline["target"]} if "target" in run.task.options else {}
    inputs = {**target, **run.recipe.inputs, **run.task.like(run.pipeline["shape"])}
    return replace(run.recipe, data=data, inputs=inputs, test=0.0, validation=0.0)


def score(pipeline: Any, model: Any, split: str) -> "Scored":
    """The task's metrics of `model` on one split of the pipeline's data."""
    part = getattr(pipeline.dataset, split)
    model = pipeline.task.placed(model, part, pipeline.encoder)
    return pipeline.task.score(model, part, pipeline.outputs(model, part), pipeline.dataset)


def measured(scored: "Scored", split: str) -> dict[str, dict[str, float]]:
    """{"test_accuracy": {"value": …, "low": …, "high": …}, …}."""
    return {f"{split}_{name}": measure._asdict() for name, measure in scored.measures.items()}


def finish(run: Run, pipeline: Any, model: Any, progress: "Progress") -> None:
    """Write result.json and the task's figures of a trained run."""
    recipe, dataset = pipeline.recipe, pipeline.dataset
    main = "test" if dataset.test is not None else "train"
    scored = score(pipeline, model, main)
    metrics = measured(scored, main)
    if main == "test" and any(name.startswith("train_") for name in recipe.expect):
        metrics |= measured(score(pipeline, model, "train"), "train")
    layers = network.layers_of(model, pipeline.shape)
    figures = pipeline.task.figures(scored, dataset)
    figures += pipeline.task.model_figures(model, pipeline.encoder, scored, dataset)
    for figure in [*figures, network.network_figure(layers)]:
        save_figure(run, figure)
    seconds = progress.seconds
    files.write_json(
        run.path("result.json"),
        {
            **{"recipe": recipe.name, "page": recipe.page, "task": recipe.task, "data": recipe.data},
            **{"seed": recipe.seed, "backend": run.backend, "split": main, "items": len(scored.split)},
            **{"epochs": progress.epoch, "seconds": seconds, "parameters": model.count_params()},
            "examples_per_second": len(dataset.train) * progress.epoch / max(seconds, 1e-9),
            **{"headline": f"{main}_{pipeline.task.headline}", "network": layers},
            **{"metrics": metrics, "tables": scored.tables, "expect": expectations(recipe, metrics)},
        },
    )


def expectations(recipe: Any, metrics: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """What the recipe expects of this seed, and whether it was met."""
    rows = []
    for name, expect in recipe.expect.items():
        value = measure_of(metrics, name).get("value")
        met = value is not None and expect.met(value)
        rows.append({"metric": name, "value": value, "expected": str(expect), "source": expect.source, "met": met})
    return rows


def measure_of(metrics: dict[str, dict[str, float]], name: str) -> dict[str, float]:
    """The measure that a recipe expects as `name`: "train_mse" as it is, "solved" on the split that was scored."""
    split = "test_" if any(key.startswith("test_") for key in metrics) else "train_"
    return metrics.get(name) or metrics.get(split + name, {})


def save_figure(run: Run, figure: "Figure") -> None:
    """Write a figure as SVG and its words as JSON beside it."""
    files.write_text(run.path(f"figures/{figure.name}.svg"), figure.svg)
    files.write_json(run.path(f"figures/{figure.name}.json"), {"title": figure.title, "caption": figure.caption})
