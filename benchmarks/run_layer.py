"""What the run layer costs: training through `maquette train` against `keras.Model.fit` alone, on the same model.

    python benchmarks/run_layer.py [--case mnist-cnn] [--rounds 9] [--write]

Both train one model in one process, in turns, two epochs at a time, of which the second counts: two processes of the
same program differ by more than the layer costs. `fit` alone gets the pictures as floats in an array; the run layer has
bytes, its own batches, reports, metrics.jsonl and the state that makes the run resumable, which it writes where that
takes a hundredth of the time. The ratio is the median of those within each round.
"""

import argparse
import os
import time

import numpy as np
from image_classification import CASES, page_of, prepared, run_layer
from record import forget, record


def measure(case: str, rounds: int) -> np.ndarray:
    """Examples per second through the run layer and without it: (rounds, 2)."""
    pipeline = prepared(case, epochs=2)
    import keras

    from maquette import assembly

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.seconds = time.perf_counter() - self.started

    model, clock, train = assembly.build(pipeline), Clock(), pipeline.dataset.train
    floats, size = pipeline.encoder.transform(train.x), pipeline.recipe.batch_size

    def bare() -> None:
        model.fit(floats, train.y, batch_size=size, epochs=2, verbose=0, callbacks=[clock])

    contestants = [lambda: run_layer(pipeline, model, clock), bare]
    rates = np.zeros((rounds + 1, 2))
    for i in range(rounds + 1):
        for which in (0, 1) if i % 2 else (1, 0):
            contestants[which]()
            rates[i, which] = len(floats) / clock.seconds
    return rates[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="record the ratio in benchmarks/results.json")
    parser.add_argument("--case", choices=CASES, default="mnist-cnn")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rates = measure(given.case, given.rounds)
    ratio = float(np.median(rates[:, 0] / rates[:, 1]))
    ours, alone = np.median(rates, axis=0)
    print(f"{given.case}: {ours:,.0f} examples/s through the run layer, {alone:,.0f} by fit alone, ratio {ratio:.3f}")
    if given.write:
        forget("run_layer", given.case)
        record("run_layer", given.case, "examples/s", ours, alone, "bare fit", ratio, page_of(given.case))


if __name__ == "__main__":
    main()
