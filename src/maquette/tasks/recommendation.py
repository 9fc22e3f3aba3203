"""Recommendation: a user and an item in, the rating out, and with it the items that a user would like best.

Data     a built-in set, or a CSV or Parquet table with a row per rating: user, item, rating and, if known, time
Options  user, item, rating, time: what the table calls these columns; rating='' where it only says who took what
         low, high: the ends of the scale, by default those of the table
         split: what is held out: random ratings, by time the latest ones, or leave-one-out, each user's latest
         fold: of a set with published folds, counted from 1; by default a run of seed s takes fold 1 + s mod folds
         relevant: from which rating on an item counts as liked, by default three quarters up the scale
         top: length k of the lists that are recommended
Metrics  RMSE and MAE, each beside predicting the mean, the user's, the item's, and both; precision, recall and nDCG of
         the first k among all items that the user has not rated in training, over users who liked a held-out one;
         coverage, the share of all items that is recommended to anyone
Answer   the rating of each pair. A user or item without a training rating is answered by what is known of the other
         one, and said to be so; without both it is the mean
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset, Split
from maquette.data.ratings import HOLDOUTS, RatingEncoder, Ratings
from maquette.errors import InputError, near
from maquette.tasks import recommendation_figures, recommendation_metrics
from maquette.tasks.figure import Figure
from maquette.tasks.task import Scored, Task


class Recommendation(Task):
    """Outputs are ratings: (n,)."""

    name = "recommendation"
    headline = "rmse"
    reads_a_file = True
    options = {
        **{"user": "user", "item": "item", "rating": "rating", "time": "time", "low": None, "high": None},
        **{"split": None, "fold": None, "relevant": None, "top": 10},
    }
    option_types = {
        **{"user": str, "item": str, "rating": str, "time": str, "low": float | None, "high": float | None},
        **{"split": str | None, "fold": int | None, "relevant": float | None, "top": int},
    }

    def read(self, path: Path, options: Mapping[str, Any]) -> Dataset:
        from maquette.data.readers.ratings import KEYS, read_ratings

        return read_ratings(path, {key: options[key] for key in KEYS}, options["low"], options["high"])

    def adapt(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        how = options["split"]
        if not isinstance(dataset, Ratings):
            raise InputError(f"{dataset.name} holds no ratings: give a table with the columns user, item and rating")
        if how is not None and how not in HOLDOUTS:
            raise InputError(f"inputs.split={how}: {near(how, HOLDOUTS)}")
        if options["top"] < 1:
            raise InputError(f"inputs.top={options['top']}: give at least 1")
        low, high = dataset.scale
        liked = low + 0.75 * (high - low) if options["relevant"] is None else options["relevant"]
        dataset = replace(dataset, relevant=liked, top=options["top"])
        if how is None and dataset.folds is not None:
            return dataset.with_fold(options["fold"] or 1 + options["seed"] % int(dataset.folds.max()))
        if options["fold"] is not None:
            raise InputError(
                f"inputs.fold={options['fold']}: {dataset.name} has no folds, or inputs.split overrules them"
            )
        return replace(dataset, holdout=how or "random", folds=None)

    def encoder(self, options: Mapping[str, Any]) -> RatingEncoder:
        return RatingEncoder(options["user"], options["item"])

    def restore(self, text: str) -> RatingEncoder:
        return RatingEncoder.from_json(text)

    def model_arguments(self, dataset: Dataset) -> dict[str, Any]:
        assert isinstance(dataset, Ratings)
        low, high = dataset.scale
        return {"users": len(dataset.users), "items": len(dataset.items), "low": low, "high": high}

    def score(self, model: Any, split: Split, outputs: np.ndarray, dataset: Dataset) -> Scored:
        assert isinstance(dataset, Ratings)
        return recommendation_metrics.score(model, split, outputs, dataset)

    def figures(self, scored: Scored, dataset: Dataset) -> list[Figure]:
        return recommendation_figures.draw(scored, dataset)

    def read_inputs(self, paths: Sequence[Path], encoder: Any, shape: Sequence[int]) -> Split:
        from maquette.data.readers.ratings import read_pairs

        tables = [read_pairs(path, dict(zip(("user", "item"), encoder.names))) for path in paths]
        names = tuple(f"{p}:{row}" for p, table in zip(paths, tables) for row in range(1, len(table["user"]) + 1))
        x = {key: np.concatenate([table[key] for table in tables]) for key in ("user", "item")}
        known = encoder.transform(x) > 0
        notes = np.array([["no training rating of either", "unknown user"], ["unknown item", ""]])
        return Split({**x, "note": notes[known[:, 0].astype(int), known[:, 1].astype(int)]}, None, names)

    def answers(self, split: Split, outputs: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
        columns = (split.x[key].tolist() for key in ("user", "item", "note"))
        return [
            {"input": name, "user": user, "item": item, "rating": rating, "note": note}
            for name, rating, user, item, note in zip(split.names, outputs.tolist(), *columns)
        ]


TASK = Recommendation()
