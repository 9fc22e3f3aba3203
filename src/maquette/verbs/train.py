"""Train a recipe into a run folder, and resume one exactly."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maquette import __version__, catalog, files, settings
from maquette import backend as backends
from maquette.core.recipe import Recipe
from maquette.errors import InputError
from maquette.run import Run

if TYPE_CHECKING:
    from maquette.progress import Style


def train(
    name: str,
    data: str | None = None,
    settings_: Mapping[str, Any] | None = None,
    *,
    task: str = "",
    seed: int | None = None,
    backend: str = "auto",
    out: str | Path | None = None,
    style: "Style" = "auto",
) -> Run:
    """Train a model or recipe and score it on its test split.

    Args:
        name: a recipe or a model page.
        data: a built-in data set, or the path of one's own data; the recipe's own if None.
        settings_: setting -> value, as `--set` takes them: {"epochs": 3, "model.hidden_units": (64,)}.
        task: the task, where a model has several and the data do not tell.
        seed: overrides the recipe's.
        backend: "auto", or tensorflow, jax or torch.
        out: the run's folder; by default a new one under runs/.
        style: how progress is shown.

    Returns:
        The finished Run.

    Raises:
        InputError: for whatever the user can mend, naming it.
    """
    page = catalog.model_of(catalog.recipe_page(name))
    chosen = backends.choose(backend, page)
    recipe = settings.resolve(name, data, _with_network(settings_ or {}, page), task)
    recipe = recipe if seed is None else settings.apply(recipe, {"seed": seed})
    return run_recipe(recipe, chosen, new_folder(recipe, out), style)


def _with_network(given: Mapping[str, Any], page: str) -> Mapping[str, Any]:
    """The settings after those of the network that pretrained weights belong to."""
    if not given.get("pretrained"):
        return given
    from maquette import pretrained

    return {**pretrained.arguments(str(given["pretrained"]), page), **given}


def new_folder(recipe: Recipe, out: str | Path | None) -> Path:
    """A folder that does not exist yet or is empty; raises InputError otherwise."""
    if out is None:
        start = Path("runs") / f"{recipe.name}-{datetime.now():%Y%m%d-%H%M%S}"
        return next(p for p in (start, *(Path(f"{start}-{i}") for i in range(2, 1000))) if not p.exists())
    folder = Path(out)
    if folder.is_file():
        raise InputError(f"--out {folder} is a file: choose another folder")
    if (folder / "recipe.json").exists():
        raise InputError(f"--out {folder} is a run already: choose another folder, or `maquette resume {folder}`")
    files.sweep(folder)
    # A start that was killed before it wrote recipe.json is no run, and would else block the folder for good.
    if folder.exists() and {item.name for item in folder.iterdir()} - {"environment.json", "pipeline.json"}:
        raise InputError(f"--out {folder} is not empty: choose another folder")
    return folder


def run_recipe(recipe: Recipe, backend: str, folder: Path, style: "Style" = "quiet", report: bool = True) -> Run:
    """Train and score a resolved recipe in a new folder; the backend is already chosen."""
    from maquette import assembly, transfer
    from maquette.progress import say

    pipeline = assembly.prepare(recipe)
    model = _initialized(assembly.build(pipeline), pipeline)
    run = Run(folder)
    files.write_json(run.path("environment.json"), environment(backend))
    files.write_json(run.path("pipeline.json"), pipeline.to_json())
    run.save_recipe(recipe, backend)
    for line in getattr(pipeline.encoder, "report", ()):
        say(style, line, event="read", read=line)
    advice = transfer.advice(recipe, len(pipeline.dataset.train), model)
    if advice:
        say(style, advice, event="advice", advice=advice)
    return _continue(run, pipeline, model, style, report)


def once(recipe: Recipe, backend: str, folder: Path, style: "Style" = "quiet", report: bool = True) -> Run:
    """The run of just this recipe in `folder`: found there, resumed, or trained in place of another."""
    run = Run(folder)
    if run.made_by(recipe, backend) and _same_data(run, recipe):
        return run if run.finished else resume(folder, style=style, report=report)
    if run.path("recipe.json").exists():
        shutil.rmtree(folder)
    return run_recipe(recipe, backend, folder, style, report)


def _same_data(run: Run, recipe: Recipe) -> bool:
    """Whether the run saw what a new one would see; built-in data do not change."""
    from maquette import assembly

    if recipe.data.replace("-", "_") in catalog.pages("data"):
        return True
    return _fits(run, assembly.prepare(recipe))


def _fits(run: Run, pipeline: Any) -> bool:
    ignored = {"report": 0, "origin": 0}
    return bool(files.plain(pipeline.to_json()) | ignored == run.pipeline | ignored)


def resume(folder: str | Path, *, epochs: int | None = None, style: "Style" = "auto", report: bool = True) -> Run:
    """Continue a run that was interrupted, or with `epochs` train a finished one for longer.

    The weights end bit for bit where the uninterrupted run would have ended, on the same machine and versions.

    Raises:
        InputError: if the folder is no run, the data have changed, or there is nothing left to do.
    """
    run = Run.open(folder)
    recipe, backend = run.recipe, backends.choose(run.backend, run.recipe.page)
    if epochs is not None:
        recipe = _longer(run, recipe, epochs)
    elif run.finished:
        raise InputError(f"{folder} is finished: train it for longer with --epochs above {recipe.epochs}")
    files.sweep(run.folder)
    from maquette import assembly

    pipeline = assembly.prepare(recipe)
    if not _fits(run, pipeline):
        raise InputError(f"the data in {recipe.data} are not those that {folder} was started with: train anew")
    model = assembly.build(pipeline)
    if not run.path("state.npz").exists():
        model = _initialized(model, pipeline)
    # Without this a run killed while it is trained for longer would still count as finished.
    run.path("result.json").unlink(missing_ok=True)
    run.save_recipe(recipe, backend)
    return _continue(run, pipeline, model, style, report)


def _initialized(model: Any, pipeline: Any) -> Any:
    """The model, started from pretrained weights, and from the training data where its task or page says how."""
    if pipeline.recipe.pretrained:
        from maquette import pretrained

        pretrained.load(model, pipeline.recipe)
    pipeline.task.start(model, pipeline)
    if hasattr(model, "initialize"):
        train_split = pipeline.dataset.train
        model.initialize(pipeline.encoder.transform(train_split.x), train_split.y)
    return model


def _longer(run: Run, recipe: Recipe, epochs: int) -> Recipe:
    if epochs <= recipe.epochs:
        raise InputError(f"--epochs {epochs}: {run.folder} has {recipe.epochs} already; give more")
    if recipe.finetune_epochs:
        raise InputError(f"--epochs: the fine-tuning of {run.folder} ended at {recipe.epochs}; train anew")
    if recipe.schedule != "constant":
        raise InputError(
            f"--epochs: the {recipe.schedule} schedule of {run.folder} ended at {recipe.epochs}; train anew"
        )
    return replace(recipe, epochs=epochs)


def _continue(run: Run, pipeline: Any, model: Any, style: "Style", report: bool) -> Run:
    from maquette import fitting
    from maquette.verbs import evaluate

    try:
        progress = fitting.fit(run, pipeline, model, style)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"`maquette resume {shlex.quote(str(run.folder))}` continues the run") from None
    with files.replacing(run.path("model.keras")) as temporary:
        model.save(temporary)
    evaluate.finish(run, pipeline, model, progress)
    if report:
        from maquette.verbs.report import report as write_report

        write_report(run.folder)
    return run


def environment(backend: str) -> dict[str, Any]:
    """Versions, device, command and time of a run."""
    packages = ("keras", "numpy", "scipy", "scikit-learn", "pillow", *_distributions(backend))
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["maquette", *sys.argv[1:]]),
        "backend": backend,
        "device": device_name(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        # Of Maquette the version that runs, which need not be the one that is installed.
        "versions": {"maquette": __version__} | {name: _version(name) for name in packages if _version(name)},
    }


def _distributions(backend: str) -> tuple[str, ...]:
    return {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax", "jaxlib")}.get(backend, (backend,))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def device_name() -> str:
    """The processor and the number of cores that this process may use, or the accelerator Keras sees."""
    if backends.device() == "gpu":
        return "NVIDIA GPU"
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        named = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        cpu = named[0].split(":", 1)[1].strip() if named else cpu
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu}, {cores} cores"
