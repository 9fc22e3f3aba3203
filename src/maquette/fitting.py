"""The only place that calls `fit`, with the callback that keeps a run resumable."""

import json
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import keras
import numpy as np

from maquette import files, state, transfer
from maquette.epoch_report import BatchTicks, EpochReport
from maquette.errors import InputError
from maquette.progress import Style
from maquette.run import Run
from maquette.state import Progress

SAVING_SHARE = 0.01  # of the run's time is spent on saving its state


class Keeper(keras.callbacks.Callback):
    """Writes metrics.jsonl and state.npz, stops early, and refuses a loss that is no number.

    The state is written after an epoch if the time since the last writing makes writing cheap in comparison, so that
    runs of thousands of short epochs are not slowed down; a killed run resumes at the last state written.
    """

    def __init__(self, run: Run, progress: Progress, patience: int, kept: list[dict[str, Any]]) -> None:
        super().__init__()
        self.run, self.progress, self.patience = run, progress, patience
        self.written, self.cost = -math.inf, 0.0
        self.path = run.path("metrics.jsonl")
        files.write_text(self.path, "".join(_line(row) for row in kept))
        self.lines = self.path.open("a", encoding="utf-8")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = {key: float(value) for key, value in (logs or {}).items()}
        wrong = [key for key, value in values.items() if not math.isfinite(value)]
        if wrong:
            raise InputError(
                f"{wrong[0]} is {values[wrong[0]]} after epoch {epoch + 1}: lower the learning rate or mend the data; "
                f"the last good state is that of epoch {self.progress.epoch}"
            )
        progress = self.progress
        progress.epoch, progress.seconds = epoch + 1, progress.seconds + time.perf_counter() - self.started
        with files.writing(self.path):
            self.lines.write(_line({"epoch": epoch + 1, **values, "seconds": round(progress.seconds, 4)}))
        if self.patience:
            self._watch(values)
        now = time.perf_counter()
        if self.cost <= SAVING_SHARE * (now - self.written):
            self.save()

    def _watch(self, values: Mapping[str, float]) -> None:
        progress, loss = self.progress, values["val_loss"]
        progress.waited += 1
        if loss < progress.best:
            progress.best, progress.waited = loss, 0
            progress.best_weights = [np.array(w) for w in self.model.get_weights()]
        if progress.waited >= self.patience:
            self.model.stop_training = True

    def save(self) -> None:
        """Write the state now."""
        before = time.perf_counter()
        with files.writing(self.path):
            self.lines.flush()
        state.save(self.run.path("state.npz"), self.model, self.progress)
        self.written = time.perf_counter()
        self.cost = self.written - before

    def close(self) -> None:
        """Close metrics.jsonl; what a full disk did not take has been told by then."""
        with suppress(OSError):
            self.lines.close()


class CtrlC(keras.callbacks.Callback):
    """Keeps the first Ctrl-C until a batch ends, where nothing can drop the exception; a second is raised at once.

    Python throws a KeyboardInterrupt away that comes while an object is deleted, and so does native code that clears
    errors it did not expect.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pressed = False

    def _stop(self, *_: Any, **__: Any) -> None:
        if self.pressed:
            raise KeyboardInterrupt

    on_train_batch_begin = on_test_batch_begin = on_epoch_end = _stop

    def _press(self, *_: Any) -> None:
        again, self.pressed = self.pressed, True
        if again:
            raise KeyboardInterrupt

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within it SIGINT waits for the end of a batch; other threads than the main one cannot be told of signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        usual = signal.signal(signal.SIGINT, self._press)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)
        self._stop()


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"


def fit(
    run: Run, pipeline: Any, model: Any, style: Style = "quiet", callbacks: Sequence[keras.callbacks.Callback] = ()
) -> Progress:
    """Train `model` from where the run's state left it to the recipe's last epoch; `callbacks` are called last.

    Returns:
        How far it came; with patience, the model holds its best weights.

    Raises:
        InputError: if a loss or metric is not finite, or the disk is full.
    """
    recipe, items = pipeline.recipe, len(pipeline.dataset.train)
    saved = run.path("state.npz")
    reached = state.epoch_of(saved) if saved.exists() else 0
    # A state was saved in the stage that led to it, and has its optimizer.
    first, *others = (stage for stage in transfer.stages(pipeline, model) if stage.last >= reached)
    trained = first.start()
    progress = state.load(saved, trained) if saved.exists() else Progress()
    keeper = Keeper(run, progress, recipe.patience, run.history[: progress.epoch])
    keeper.set_model(trained)  # Keras does so too, but not where no epoch is left to train
    shown = EpochReport(style, recipe.epochs, math.ceil(items / (recipe.batch_size or items)), items)
    ctrl_c = CtrlC()
    ticks = [BatchTicks(shown)] if shown.style == "bar" else []
    own = [*pipeline.task.callbacks(run.folder, pipeline), keeper, shown, *ticks, ctrl_c, *callbacks]
    with closing(keeper), closing(shown), ctrl_c.watching():
        if not recipe.patience or progress.waited < recipe.patience:
            _train(trained, first, progress, own)
        keeper.save()
        for stage in others:
            trained = stage.start()
            _train(trained, stage, progress, own)
            keeper.save()
    if progress.best_weights:
        trained.set_weights(progress.best_weights)
    if recipe.pretrained:
        transfer.thaw(pipeline, model)
    return progress


def _train(model: Any, stage: transfer.Stage, progress: Progress, callbacks: Sequence[Any]) -> None:
    """Train from where `progress` is to the last epoch of a stage."""
    if progress.epoch >= stage.last:
        return
    start = time.perf_counter()
    batches, validation = stage.training(progress.epoch), stage.validation()
    progress.seconds += time.perf_counter() - start
    model.fit(
        batches,
        initial_epoch=progress.epoch,
        epochs=stage.last,
        validation_data=validation,
        callbacks=[_counting(batches), *callbacks],
        shuffle=False,  # Keras would mix the batches by Python's own generator, beside (seed, epoch)
        verbose=0,
    )


def _counting(batches: Any) -> keras.callbacks.Callback:
    """Tells the batches their epoch: Keras ends one of its own before the first begins, which would count."""
    return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch))
