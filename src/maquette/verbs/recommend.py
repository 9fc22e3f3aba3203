"""What a user would like, and which items are alike, from a finished run of a recommender alone."""

from pathlib import Path
from typing import Any

import numpy as np

from maquette import backend as backends
from maquette.errors import InputError, near
from maquette.run import Run

REASONS = 2  # rated items that explain one recommendation


def recommend(folder: str | Path, user: str, top: int = 10) -> dict[str, Any]:
    """The items that a user has not rated and would rate highest.

    Args:
        folder: a finished run of the task recommendation.
        user: as the ratings name him.
        top: how many items.

    Returns:
        {"user", "rated": how many items he has rated in training, "fallback": what stands in for his taste where that
        is none, "items"}. An item is {"rank", "item", "rating" or "score", "because"}: of the items that he has rated
        at least as high as he does on average, the nearest ones by the cosine of the model's vectors, each
        {"item", "rating", "similarity"}. An unknown user gets the items rated most often.

    Raises:
        InputError: if the run is none, not finished, or of another task.
    """
    from keras import ops

    run, model = _opened(folder, top)
    encoder = run.encoder
    number = encoder.numbers[0].get(str(user), 0)
    values = np.array(ops.convert_to_numpy(model.catalogue(np.array([number], "float32")))[0], "float64")
    if hasattr(model, "low"):
        values = np.clip(values, model.low, model.high)
    counts = np.bincount(encoder.rated[:, 1], minlength=len(values))
    own, ratings = encoder.history(number)
    left = np.setdiff1d(np.flatnonzero(counts), own)  # items that nobody has rated are numbers alone
    best = left[np.argsort(-(values if number else counts)[left], kind="stable")][:top]
    vectors, liked = _directions(model), ratings >= ratings.mean() if len(ratings) else np.zeros(0, bool)
    what = "rating" if getattr(model, "rates", True) else "score"
    items = [
        {
            **{"rank": rank, "item": encoder.items[item - 1], what: float(values[item])},
            "because": _reasons(vectors, item, own[liked], ratings[liked], encoder),
        }
        for rank, item in enumerate(best.tolist(), 1)
    ]
    fallback = "" if number else f"user {str(user)!r} has no training rating: the items rated most often"
    return {"user": str(user), "rated": len(own), "fallback": fallback, "items": items}


def similar(folder: str | Path, item: str, top: int = 10) -> list[dict[str, Any]]:
    """The items that the model holds to be like one: rows {"rank", "item", "similarity", "ratings": in training}.

    The similarity is the cosine of the model's vectors of items. Raises InputError for an unknown item, naming the
    near ones, and for a folder that is no finished run of the task recommendation.
    """
    run, model = _opened(folder, top)
    encoder = run.encoder
    number = encoder.numbers[1].get(str(item), 0)
    if not number:
        raise InputError(f"{folder} has no training rating of the item {item!r}: {near(item, encoder.items)}")
    vectors, counts = _directions(model), np.bincount(encoder.rated[:, 1])
    cosine = np.sum(vectors[: len(encoder.items) + 1] * vectors[number], axis=1)
    cosine[[0, number]] = -np.inf
    best = np.argsort(-cosine, kind="stable")[: min(top, len(encoder.items) - 1)]
    return [
        {"rank": rank, "item": encoder.items[i - 1], "similarity": float(cosine[i]), "ratings": int(counts[i])}
        for rank, i in enumerate(best.tolist(), 1)
    ]


def _opened(folder: str | Path, top: int) -> tuple[Run, Any]:
    run = Run.open(folder)
    if run.recipe.task != "recommendation":
        raise InputError(f"{folder} is a run of {run.recipe.task}: take one of the task recommendation")
    if top < 1:
        raise InputError(f"--top {top}: give at least 1")
    backends.choose(run.backend, run.recipe.page)
    return run, run.model


def _directions(model: Any) -> np.ndarray:
    """The model's vectors of items, of length 1 where they are not zero: (items + 1, ...)."""
    from keras import ops

    vectors = np.array(ops.convert_to_numpy(model.item_vectors()), "float64")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _reasons(
    vectors: np.ndarray, item: int, rated: np.ndarray, ratings: np.ndarray, encoder: Any
) -> list[dict[str, Any]]:
    cosine = np.sum(vectors[rated] * vectors[item], axis=1)
    return [
        {"item": encoder.items[rated[i] - 1], "rating": float(ratings[i]), "similarity": float(cosine[i])}
        for i in np.argsort(-cosine, kind="stable")[:REASONS].tolist()
    ]
