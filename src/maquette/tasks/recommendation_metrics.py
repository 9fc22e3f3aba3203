"""How good predicted ratings and recommended lists are, beside means and the most popular items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from maquette.data.dataset import Split
from maquette.data.ratings import RatingEncoder, Ratings
from maquette.methods.retrieval.metrics import ndcg, precision, recall
from maquette.tasks.intervals import Measure, bootstrap, mean_of
from maquette.tasks.task import Scored

AT_ONCE = 64  # users whose items are all rated together


@dataclass(frozen=True)
class ScoredRatings(Scored):
    """Scored, with the items recommended to each user: `lists` (users, k), numbers of the training's encoder."""

    lists: np.ndarray | None = None
    encoder: Any = None


def score(model: Any, split: Split, outputs: np.ndarray, dataset: Ratings) -> Scored:
    """Errors of the predicted ratings; on held-out ratings also tables beside the means, and the lists.

    A model whose `rates` is False answers with scores that order items: of such only the lists are judged.
    """
    residual = np.asarray(split.y, "float64") - outputs
    rates = getattr(model, "rates", True)
    measures = errors_of(residual) if rates else {}
    if split is dataset.train:
        return Scored(split, outputs, measures)
    encoder = RatingEncoder().fit(dataset.train.x)
    pairs = encoder.transform(split.x).astype(int)
    tables = {}
    if rates:
        tables["beside means"] = [{"rating": "the model", **_row(measures)}, *baselines(dataset.train, split)]
        tables["cold start"] = _cold(pairs, residual)
    if hasattr(model, "catalogue"):
        users, liked = _liked(pairs, np.asarray(split.y) >= dataset.relevant)
        if users.size:
            from keras import ops

            lists = recommended(lambda ids: ops.convert_to_numpy(model.catalogue(ids)), users, encoder, dataset.top)
            popular = recommended(lambda ids: _popularity(encoder, len(ids)), users, encoder, dataset.top)
            both = {"the model": lists, "most popular": popular}
            found = {name: of_lists(own, liked, len(dataset.items)) for name, own in both.items()}
            tables["lists"] = [
                {"list": name, **{key: m.value for key, m in row.items()}} for name, row in found.items()
            ]
            return ScoredRatings(split, outputs, measures | found["the model"], tables, None, lists, encoder)
    return ScoredRatings(split, outputs, measures, tables, None, None, encoder)


def errors_of(residual: np.ndarray) -> dict[str, Measure]:
    """RMSE and MAE of residuals (n,)."""
    square, distance, n = np.square(residual), np.abs(residual), len(residual)
    return {
        "rmse": bootstrap(lambda rows: float(np.sqrt(square[rows].mean())), n),
        "mae": bootstrap(lambda rows: float(distance[rows].mean()), n),
    }


def _row(measures: Mapping[str, Measure]) -> dict[str, float]:
    ends = ("", "_low", "_high")
    return {f"{key}{end}": value for key in ("rmse", "mae") for end, value in zip(ends, measures[key])}


def baselines(train: Split, test: Split) -> list[dict[str, Any]]:
    """RMSE and MAE on `test` of the training ratings' mean, by user, by item, and by both: mean + b_i + b_u.

    A user or item without training ratings is answered by the mean of all. Of both, the user's offset is the mean of
    what the items leave.
    """
    y = np.asarray(train.y, "float64")
    mean = float(y.mean())
    rest = y - mean
    by_user, by_item = (_offsets(train.x[key], rest) for key in ("user", "item"))
    by_both = _offsets(train.x["user"], rest - _looked_up(by_item, train.x["item"]))
    item = _looked_up(by_item, test.x["item"])
    guesses = {
        "mean of all": np.zeros(len(item)),
        "mean of the user": _looked_up(by_user, test.x["user"]),
        "mean of the item": item,
        "item and user": item + _looked_up(by_both, test.x["user"]),
    }
    truth = np.asarray(test.y, "float64") - mean
    return [{"rating": name, **_row(errors_of(truth - guess))} for name, guess in guesses.items()]


def _offsets(ids: np.ndarray, values: np.ndarray) -> dict[str, float]:
    names, index = np.unique(ids, return_inverse=True)
    return dict(zip(names.tolist(), (np.bincount(index, values) / np.bincount(index)).tolist()))


def _looked_up(table: Mapping[str, float], ids: np.ndarray) -> np.ndarray:
    return np.array([table.get(name, 0.0) for name in ids.tolist()])


def _cold(pairs: np.ndarray, residual: np.ndarray) -> list[dict[str, Any]]:
    """The error where the user or the item of a pair, or both, had no training rating."""
    known = pairs > 0
    groups = {
        "user and item": known.all(axis=1),
        "user alone": known[:, 0] & ~known[:, 1],
        "item alone": ~known[:, 0] & known[:, 1],
        "neither": ~known.any(axis=1),
    }
    return [
        {"known": name, "ratings": int(own.sum()), "rmse": float(np.sqrt(np.square(residual[own]).mean()))}
        for name, own in groups.items()
        if own.any()
    ]


def _liked(pairs: np.ndarray, liked: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The known users (n,) who liked a held-out item, and for each the items; an unknown one (0) counts as missed."""
    kept = pairs[liked & (pairs[:, 0] > 0)]
    order = np.argsort(kept[:, 0], kind="stable")
    users, starts = np.unique(kept[order, 0], return_index=True)
    return users, np.split(kept[order, 1], starts[1:])


def recommended(rate: Callable[[np.ndarray], np.ndarray], users: np.ndarray, encoder: Any, top: int) -> np.ndarray:
    """The `top` items (users, top) that each user has not rated, best first by `rate`, users -> (users, items + 1).

    Where fewer are left, a list ends in zeros.
    """
    lists = np.zeros((len(users), top), int)
    for start in range(0, len(users), AT_ONCE):
        part = users[start : start + AT_ONCE]
        scores = np.array(rate(part), "float64")
        scores[:, 0] = scores[:, len(encoder.items) + 1 :] = -np.inf  # items that nobody has rated
        place = np.full(len(encoder.users) + 1, -1)
        place[part] = np.arange(len(part))
        row = place[encoder.rated[:, 0]]
        scores[row[row >= 0], encoder.rated[row >= 0, 1]] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        best = np.where(np.isfinite(np.take_along_axis(scores, best, 1)), best, 0)
        lists[start : start + len(part), : best.shape[1]] = best
    return lists


def _popularity(encoder: Any, rows: int) -> np.ndarray:
    counts = np.bincount(encoder.rated[:, 1], minlength=len(encoder.items) + 1)
    return np.repeat(counts[np.newaxis], rows, axis=0)


def of_lists(lists: np.ndarray, liked: list[np.ndarray], items: int) -> dict[str, Measure]:
    """Precision, recall and nDCG of lists (users, k), means over users, and the share of all items in any of them."""
    k = lists.shape[1]
    rows = []
    for own, wanted in zip(lists, liked):
        grades = np.isin(own, wanted) & (own > 0)
        rows.append((precision(grades, k), recall(grades, k, len(wanted)), ndcg(grades, [1.0] * len(wanted), k)))
    names = (f"precision@{k}", f"recall@{k}", f"ndcg@{k}")
    measures = {name: mean_of(list(values)) for name, values in zip(names, zip(*rows))}
    return {**measures, "coverage": Measure(len(np.setdiff1d(lists, [0])) / items)}
