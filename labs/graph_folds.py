"""What a protocol is worth: the accuracy of GIN on sets of graphs, its number of epochs chosen in three ways.

    python labs/graph_folds.py [--recipes mutag-gin,proteins-gin] [--epochs 100] [--folds 10] [--schedule cosine]

Each of ten folds is tested once, by a network trained on the other nine for so many epochs; the rate falls to 0 over
them, or is `constant`, where the curves of single folds jump more and the last epoch is worth less.

published  the epoch at which the mean of the ten test curves is highest, as Xu et al. (2019), section 7, report it:
           the tested folds choose, so that the number says what was reached, and not what to expect
nested     each fold's network is trained without a ninth of its nine folds, which then chooses its epoch alone
last       nothing is chosen: the last epoch of the networks of the first line

Prints mean and standard deviation over the folds, and the epochs chosen.
"""

import argparse
from typing import Any

import numpy as np


def curves(recipe: str, fold: int, validation: float, changed: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Share of right answers after each epoch, of the validation part and of the tested fold: (epochs,) each."""
    import keras

    from maquette import assembly, settings

    given = {**changed, "validation": validation, "seed": fold - 1, "inputs.fold": fold}
    pipeline = assembly.prepare(settings.resolve(recipe, None, given))
    model, parts = assembly.build(pipeline), (pipeline.dataset.validation, pipeline.dataset.test)
    everything = np.arange(len(model.places[0][0]), dtype=np.float32)[:, None]
    right: list[Any] = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            answers = self.model.predict(everything, batch_size=len(everything), verbose=0).argmax(axis=1)
            right.append([np.mean(answers[part.x.places] == part.y) if part else 0.0 for part in parts])

    model.fit(pipeline.training(), epochs=changed["epochs"], shuffle=False, verbose=0, callbacks=[Look()])
    validated, tested = np.array(right).T
    return validated, tested


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", default="mutag-gin,proteins-gin", help="with commas")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--folds", type=int, default=10, help="how many of the ten")
    parser.add_argument("--schedule", default="cosine", choices=("cosine", "constant"))
    given = parser.parse_args()
    changed = {"epochs": given.epochs, "schedule": given.schedule}

    from maquette import backend

    backend.choose("auto", "gin")
    for recipe in given.recipes.split(","):
        folds = range(1, given.folds + 1)
        whole = np.array([curves(recipe, fold, 0.0, changed)[1] for fold in folds])
        nested = [curves(recipe, fold, 1 / 9, changed) for fold in folds]
        best, own = int(whole.mean(axis=0).argmax()), [int(validated.argmax()) for validated, _ in nested]
        chosen = [tested[epoch] for (_, tested), epoch in zip(nested, own, strict=True)]
        lines = {
            f"published  epoch {best + 1}": whole[:, best],
            f"nested     epochs {min(own) + 1} to {max(own) + 1}": chosen,
            f"last       epoch {given.epochs}": whole[:, -1],
        }
        for words, accuracy in lines.items():
            print(f"{recipe:13} {words:28} {np.mean(accuracy):.4f} +- {np.std(accuracy):.4f}", flush=True)


if __name__ == "__main__":
    main()
