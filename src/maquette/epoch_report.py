"""The callbacks that report a `fit` as it goes."""

import time
from collections.abc import Mapping
from typing import Any

import keras

from maquette.progress import Style, chosen, say


class EpochReport(keras.callbacks.Callback):
    """Reports a `fit` in the chosen style, at most about once a second.

    Args:
        style: how.
        epochs: epochs of the whole run.
        batches: batches per epoch.
        examples: training examples per epoch.
    """

    def __init__(self, style: Style, epochs: int, batches: int, examples: int) -> None:
        super().__init__()
        self.style, self.epochs, self.batches, self.examples = chosen(style), epochs, batches, examples
        self.bar: Any = None
        self.said = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        if self.style == "bar" and not self.bar:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, TextColumn("{task.fields[values]}"), console=Console(stderr=True))
            self.line = self.bar.add_task("training", total=self.epochs * self.batches, values="")
            self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started, self.epoch = time.perf_counter(), epoch
        if self.bar:
            description = f"epoch {epoch + 1}/{self.epochs}"
            self.bar.update(self.line, completed=epoch * self.batches, description=description)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = {key: float(value) for key, value in (logs or {}).items()}
        rate = self.examples / max(time.perf_counter() - self.started, 1e-9)
        text = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
        if self.bar:
            self.bar.update(self.line, completed=(epoch + 1) * self.batches, values=text)
        elif self.style == "json":
            say("json", "", event="epoch", epoch=epoch + 1, epochs=self.epochs, examples_per_second=rate, **values)
        elif time.monotonic() - self.said > 1 or epoch + 1 == self.epochs:
            say(self.style, f"epoch {epoch + 1}/{self.epochs}  {text}  {rate:,.0f} examples/s")
            self.said = time.monotonic()

    def close(self) -> None:
        """End the bar; also after an error."""
        if self.bar:
            self.bar.stop()
            self.bar = None


class BatchTicks(keras.callbacks.Callback):
    """Moves an EpochReport's bar within long epochs; only added where there is a bar."""

    def __init__(self, report: EpochReport) -> None:
        super().__init__()
        self.report = report

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        report = self.report
        if report.bar and time.monotonic() - report.said > 0.1:
            report.said = time.monotonic()
            report.bar.update(report.line, completed=report.epoch * report.batches + batch + 1)
