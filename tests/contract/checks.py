"""What every page has to keep, one function a rule: `check_<name>(page)` raises AssertionError where it is broken.

The checks know no page by name. What a page can do (`generate`, `initialize`, players, a target) is read off its
class, its recipe and its data, and decides what is asked of it.
"""

import ast
import inspect
import json
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

from maquette import assembly, catalog, files, fitting, settings
from maquette.core.noise import Noise
from maquette.errors import InputError
from maquette.run import Run, load_model
from tests.contract.source_checks import SOURCE_CHECKS
from tests.contract.subject import (
    Subject,
    Values,
    array,
    changed,
    first,
    same,
    served,
    sgd,
    trainable,
    training_only,
    values,
    with_data,
)
from tests.golden import golden

# TensorFlow takes longer to trace a training step than to run the few steps of a check operation by operation; JAX
# compiles every operation that is called on its own.
TRACES_SLOWLY = keras.backend.backend() == "tensorflow"
COMPILES_EACH = keras.backend.backend() == "jax"
ROUNDS = 5  # of 12 epochs each, at most, in which a page has to get better

# --- configuration and weights -------------------------------------------------------------------------------


def check_config(page: Subject) -> None:
    """get_config is plain JSON, holds every argument of the constructor, and makes the same model again."""
    model = page.build()
    config = model.get_config()
    text = json.dumps(config)
    missing = [name for name in settings.arguments(page.name) if name not in config]
    assert not missing, f"get_config lacks {', '.join(missing)}"
    again = type(model).from_config(json.loads(text)).get_config()
    assert files.plain(again) == files.plain(config), "from_config(get_config()) has another configuration"


def check_names(page: Subject) -> None:
    """Names do not count up with the models made before: two models have weights of the same paths, all distinct."""
    one, two = ([v.path for v in page.build().weights] for _ in range(2))
    counted = [f"{a} became {b}" for a, b in zip(one, two, strict=True) if a != b]
    assert not counted, f"name every layer and weight: {counted[0]}"
    assert len(set(one)) == len(one), "two weights share a path"


def check_same_seed(page: Subject) -> None:
    """The seed fixes the start, the noise and the order of the data: the same bits twice, others by another seed."""
    apart = training_only(changed(values(page.finished), values(page.trained())))
    assert not apart, f"differ with the same seed: {apart[:3]}"
    before, after = ([array(v) for v in page.build(seed=seed).weights] for seed in (0, 1))
    assert not all(map(same, before, after)), "another seed changes nothing"


def check_loss_assigns_no_trainable_weight(page: Subject) -> None:
    """The optimizer alone moves trainable weights: what a loss assigns to them is lost in a compiled step on JAX."""
    model = page.build()
    x, y = (*page.batch, None)[:2]
    scope = keras.StatelessScope([(v, v.value) for v in model.trainable_variables])
    before = [scope.get_current_value(v) for v in model.trainable_variables]

    def loss(x: Any) -> Any:
        with scope:
            return model.compute_loss(x, y, model(x, training=True), training=True)

    x = ops.convert_to_tensor(x)
    traced(loss, x) if COMPILES_EACH else loss(x)
    pairs = zip(model.trainable_variables, before, strict=True)
    assigned = [v.path for v, value in pairs if scope.get_current_value(v) is not value]
    assert not assigned, f"compute_loss assigns to {assigned}"


def traced(function: Callable[..., Any], x: Any) -> None:
    """Let JAX see what a function does, without computing it."""
    import jax

    jax.eval_shape(function, x)


def check_gradients(page: Subject) -> None:
    """Every trainable weight moves by plain gradient descent; a page without any moves its own state."""
    model = page.build()
    sgd(model, 1.0)
    model.run_eagerly = TRACES_SLOWLY
    moving = trainable(model) or {v.path: array(v) for v in model.weights}
    page.train(model)
    after = trainable(model) or {v.path: array(v) for v in model.weights}
    moved = changed(moving, after)
    assert moved, "training moves nothing"
    stuck = set(trainable(model)) - set(moved)
    assert not stuck, f"no gradient reaches {sorted(stuck)}"


# --- training ------------------------------------------------------------------------------------------------


def check_learns(page: Subject) -> None:
    """A short training, partial last batch included, reports finite numbers and lowers what the page says to watch."""
    model = page.build(epochs=ROUNDS * 12)
    outputs = served(model, page.x)
    before = after = page.evaluate(model)
    for _ in range(ROUNDS):
        history = page.train(model, epochs=12)
        after = page.evaluate(model)
        if model.monitor is None or after[model.monitor] < before[model.monitor]:
            break
    wrong = [key for key, row in history.items() if not np.isfinite(row).all()]
    assert not wrong, f"{wrong} is not finite: {history[wrong[0]]}"
    assert all(np.isfinite(v) for v in after.values()), f"not finite in evaluation: {after}"
    silent = {key for key in model.tracked if not any(history.get(key, ()))}  # a mean without values is 0
    assert not silent, f"compute_loss does not track {silent}"
    if model.monitor is None:  # a game: nothing has to fall
        assert not same(outputs, served(model, page.x)), "training changes no answer"
    else:
        low, high = after[model.monitor], before[model.monitor]
        assert low < high, f"{model.monitor} goes from {high:g} to {low:g} in {12 * ROUNDS} epochs"


def check_eager_equals_compiled(page: Subject) -> None:
    """The compiled step does what the page's lines say, one by one."""
    losses, ends = [], []
    for eager in (True, False):
        model = page.build()
        model.run_eagerly = eager
        losses.append(golden.steps(model, page.pipeline, 3))
        ends.append([array(v) for v in model.weights])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5, atol=1e-6, err_msg="losses, compiled and eager")
    for one, two, variable in zip(*ends, model.weights, strict=True):
        scale = max(np.abs(one).max(initial=0), 1e-3)
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-4 * scale, err_msg=variable.path)


def check_golden_numbers(page: Subject) -> None:
    """Three steps from NumPy's weights and NumPy's noise give the stored losses, on every backend."""
    stored = golden.read().get(page.name)
    assert stored, f"tests/golden/numbers.json lacks the page: python -m tests.golden.write {page.name}"
    now = golden.measure(page)
    again = f"if the rule was meant to change: python -m tests.golden.write {page.name}"
    np.testing.assert_allclose(now["losses"], stored["losses"], rtol=1e-4, atol=1e-5, err_msg=again)
    np.testing.assert_allclose(now["moved"], stored["moved"], rtol=1e-3, err_msg=again)


def check_mixed_precision(page: Subject) -> None:
    """Half precision answers in float32, near to what float32 answers, and bfloat16 trains to finite numbers."""
    full = page.build()
    full.set_weights([array(v) for v in page.finished.weights])
    reference = served(full, page.x)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        model = page.build(precision=policy)
        if policy == "mixed_bfloat16":
            history = page.train(model)
            assert all(np.isfinite(v).all() for v in history.values()), f"{policy}: {history}"
        model.set_weights([array(v) for v in full.weights])
        answer = assembly.Served(model).predict_on_batch(page.x) if COMPILES_EACH else served(model, page.x)
        assert answer.dtype == reference.dtype, f"{policy} answers in {answer.dtype}, not {reference.dtype}"
        if np.issubdtype(answer.dtype, np.integer):
            assert (answer == reference).mean() > 0.8, f"{policy} answers {answer} instead of {reference}"
        else:
            slack = 0.05 * (1 + np.abs(reference).max())
            np.testing.assert_allclose(answer, reference, atol=slack, err_msg=policy)


def check_batch_of_one(page: Subject) -> None:
    """One item trains, and is answered alone as it is in a batch."""
    model = page.build()
    together = served(model, page.x)
    alone = np.concatenate([served(model, page.x[i : i + 1]) for i in range(len(page.x))])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5, err_msg="answers alone and together")
    model.run_eagerly = TRACES_SLOWLY
    logs = model.train_on_batch(*(part[:1] for part in page.batch), return_dict=True)
    assert all(np.isfinite(v) for v in logs.values()), f"a batch of one gives {logs}"
    assert np.isfinite(served(model, page.x)).all(), "a batch of one spoils the weights"


def check_sample_weight(page: Subject) -> None:
    """Where the loss reads a target: weights of one change nothing, and a row of weight zero counts for nothing."""
    rule = inspect.unwrap(page.model_class.compute_loss)
    x, y = (*page.batch, None)[:2]
    if y is None or not _reads(rule, "y"):
        pytest.skip("the loss has no target")
    model = page.build()

    def loss(rows: slice, weight: np.ndarray | None) -> float:
        parts = [ops.convert_to_tensor(part[rows]) for part in (x, y)]
        weight = None if weight is None else ops.convert_to_tensor(weight.astype("float32"))
        with mock.patch.object(Noise, "table", lambda kind, shape, call: np.full(shape, 0.5)):
            return float(array(model.compute_loss(*parts, model(parts[0]), weight, training=False)))

    everything, fewer = slice(None), slice(3, None)
    ones = np.ones(len(x))
    zeros = ones.copy()
    zeros[:3] = 0
    assert np.isclose(loss(everything, ones), loss(everything, None), rtol=1e-5), "weights of one change the loss"
    assert np.isclose(loss(everything, zeros), loss(fewer, None), rtol=1e-5), "rows of weight zero count in the loss"


def _reads(function: Callable[..., object], name: str) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(tree))


# --- what training may not be disturbed by --------------------------------------------------------------------


def check_evaluation_leaves_the_model_alone(page: Subject) -> None:
    """Evaluating, predicting and generating change nothing but the counters of evaluation's own noise."""
    model = page.finished
    before = values(model)
    page.evaluate(model)
    page.pipeline.outputs(model, first(page.pipeline.dataset.train, 8))
    if hasattr(model, "generate"):
        model.generate(2)
    touched = training_only(changed(before, values(model)))
    assert not touched, f"evaluation changes {touched}"


def check_validation_does_not_change_training(page: Subject) -> None:
    """The weights end on the same bits with a validation split as without."""
    with tempfile.TemporaryDirectory() as folder:
        model = run_to_the_end(page, new_run(page, Path(folder) / "run"), validated=False)
    touched = training_only(changed(values(model), straight(page)[0]))
    assert not touched, f"validation changes {touched}"


# --- files ---------------------------------------------------------------------------------------------------


def check_saved_model(page: Subject) -> None:
    """A .keras file brings back every weight, counter and optimizer variable, and training goes on from there."""
    model = page.trained()
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        loaded = load_model(Path(folder) / "model.keras", page.name)
    lost = changed(values(model), values(loaded))
    assert not lost, f"not saved: {lost}"
    assert same(served(model, page.x), served(loaded, page.x)), "the loaded model answers differently"
    for one in (model, loaded):
        page.train(one)
    apart = changed(values(model), values(loaded))
    assert not apart, f"trained on from the file, these differ: {apart}"


class Killed(Exception):
    """Stands for whatever ends a process."""


def check_resume(page: Subject) -> None:
    """A run killed in its third epoch and resumed ends on the bits of one that was not, lines of metrics included."""
    weights, lines = straight(page)
    with tempfile.TemporaryDirectory() as folder:
        killed = new_run(page, Path(folder) / "run")
        kill(page, killed)
        resumed = run_to_the_end(page, killed)
        apart = changed(weights, values(resumed))
        assert not apart, f"differ after a kill: {apart}"
        assert lines == measured(killed), "metrics.jsonl differs after a kill"


@cache
def straight(page: Subject) -> tuple[Values, list[dict[str, float]]]:
    """What a run that nothing disturbs ends with, and its lines of metrics."""
    with tempfile.TemporaryDirectory() as folder:
        run = new_run(page, Path(folder) / "run")
        return values(run_to_the_end(page, run)), measured(run)


def new_run(page: Subject, folder: Path) -> Run:
    folder.mkdir()
    return Run(folder)


def run_to_the_end(page: Subject, run: Run, validated: bool = True) -> keras.Model:
    """Start the run of four epochs, or take it up where its state is."""
    model = page.build(initialize=not run.path("state.npz").exists(), epochs=4)
    fitting.fit(run, with_data(page.validated if validated else page.pipeline, epochs=4), model)
    return model


def kill(page: Subject, run: Run) -> None:
    """Start the run and end it in the middle of its third epoch."""
    ordinary = fitting.Keeper.on_epoch_begin

    def on_epoch_begin(keeper: fitting.Keeper, epoch: int, logs: object = None) -> None:
        if epoch == 2:
            raise Killed
        ordinary(keeper, epoch, logs)

    with mock.patch.object(fitting.Keeper, "on_epoch_begin", on_epoch_begin), pytest.raises(Killed):
        run_to_the_end(page, run)
    assert 0 < len(run.history) < 4


def measured(run: Run) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in run.history]


def check_export(page: Subject) -> None:
    """The ONNX file, read by ONNX Runtime, answers as the model does, for batches of other sizes too."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("every page is exported where TensorFlow is tested, which writes the file for all backends")
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    from maquette.verbs import _export_worker as worker

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = finished_run(page, folder / "run")
        run = Run.open(folder / "run")
        # What `export` has a process of its own do, here in this one: the worker exchanges two operations for good.
        with mock.patch.multiple(ops, argmin=ops.argmin, argmax=ops.argmax):
            worker.answer(run, folder)
            worker.convert(run, "onnx", folder, folder)
        session = runtime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        for rows in (1, 3, 8):
            x = np.asarray(page.x[:rows])
            answer = session.run(None, {session.get_inputs()[0].name: x})[0]
            np.testing.assert_allclose(answer, served(model, x), rtol=1e-4, atol=1e-4)


def finished_run(page: Subject, folder: Path) -> keras.Model:
    """A run folder with what export reads, around a model after a short training."""
    run, model = new_run(page, folder), page.finished
    # Another process reads the run, and finds a page that is in no folder of the catalogue by its path.
    own = page.name if page.page.file.is_relative_to(catalog.ROOT) else str(page.page.file)
    run.save_recipe(replace(page.pipeline.recipe, page=own), keras.backend.backend())
    files.write_json(run.path("pipeline.json"), page.pipeline.to_json())
    files.write_json(run.path("environment.json"), {"versions": {}})
    files.write_json(run.path("result.json"), {"metrics": {}})
    model.save(run.path("model.keras"))
    return model


# --- wrong input ---------------------------------------------------------------------------------------------


def refused(action: Callable[[], object], *words: str) -> None:
    """`action` has to raise an InputError of one line that holds the words."""
    try:
        action()
    except InputError as error:
        line = str(error)
        assert "\n" not in line and len(line) < 300, f"the message is no line: {line}"
        lacking = [word for word in words if word not in line]
        assert not lacking, f"{line!r} does not name {lacking}"
    else:
        raise AssertionError(f"accepted: {words}")


def check_settings_are_checked(page: Subject) -> None:
    """A setting that does not exist, or a value of the wrong type, is refused by name."""
    name = page.name
    untyped = [key for key, hint in settings.arguments(name).items() if hint is Any]
    assert not untyped, f"the constructor gives no type for {', '.join(untyped)}"
    for key in ("epoch", "model.no_such_argument", "inputs.no_such_option"):
        refused(lambda key=key: settings.resolve(name, settings={key: 1}), key)
    for key in ("epochs", "batch_size", "validation"):
        refused(lambda key=key: settings.resolve(name, settings={key: "many"}), key, "many")
    refused(lambda: settings.resolve(name, task="no-such-task"), "no-such-task")
    refused(
        lambda: (
            settings.resolve(name, data="no_such_data")
            and assembly.prepare(settings.resolve(name, data="no_such_data"))
        ),
        "no_such_data",
    )
    for key, hint in settings.arguments(name).items():
        if hint in (int, float):
            refused(lambda key=key: settings.resolve(name, settings={f"model.{key}": "many"}), f"model.{key}", "many")


def check_other_data(page: Subject) -> None:
    """On every other set that needs no file, the page trains a step and answers in shape, or refuses it by name."""
    for data in catalog.pages("data").values():
        if data.load().CARD.files or data.name == page.recipe.data:
            continue
        try:
            pipeline, model = _on(page, data.name)
        except InputError as error:
            assert "\n" not in str(error), f"{data.name}: the message is no line: {error}"
            continue
        batch = pipeline.batches(first(pipeline.dataset.train, 4))[0]
        model.run_eagerly = True
        logs = model.train_on_batch(*batch, return_dict=True)
        assert all(np.isfinite(v) for v in logs.values()), f"{data.name}: {logs}"
        if hasattr(model, "generate"):
            shape = tuple(model.generate(2).shape)
            assert shape == (2, *pipeline.shape), f"{data.name}: generates {shape} for items of {pipeline.shape}"


def _on(page: Subject, data: str) -> tuple[assembly.Pipeline, keras.Model]:
    resolved = replace(settings.resolve(page.name, data=data), page=page.name)
    recipe = replace(resolved, batch_size=4, test=0.2, validation=0.0, patience=0)
    small = {k: v for k, v in page.recipe.tiny.items() if k.startswith("model.")}
    pipeline = assembly.prepare(settings.apply(recipe, small))
    return pipeline, assembly.build(pipeline)


def check_damaged_data(page: Subject) -> None:
    """Numbers that are none, labels out of range and an empty training split are refused before training."""
    whole = page.whole.dataset
    train = first(whole.train, 20)
    spoiled = {"train": train.take(np.arange(0))}
    if isinstance(train.x, np.ndarray) and np.issubdtype(train.x.dtype, np.floating):
        spoiled["nan"] = replace(train, x=_with(train.x, np.nan))
    if train.y is not None and np.issubdtype(train.y.dtype, np.floating):
        spoiled["nan"] = replace(train, y=_with(train.y, np.nan))
    if train.y is not None and whole.classes:
        spoiled["-1"] = replace(train, y=_with(train.y, -1))
        spoiled[str(len(whole.classes))] = replace(train, y=_with(train.y, len(whole.classes)))
    for culprit, split in spoiled.items():
        damaged = replace(whole, train=split, validation=None, groups=None)
        with mock.patch("maquette.data.load", lambda name, size=None, damaged=damaged: damaged):
            refused(lambda: assembly.prepare(replace(page.recipe, inputs={})), whole.name, culprit)


def _with(values: np.ndarray, culprit: float) -> np.ndarray:
    values = values.copy()
    values[3] = culprit
    return values


CHECKS = {name: f for name, f in list(globals().items()) if name.startswith("check_")} | SOURCE_CHECKS
