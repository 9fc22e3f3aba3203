"""What a restricted Boltzmann machine has learnt, its filters, who is active, where chains go, how it over-fits; and a
map of an autoencoder's codes.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.methods.spectral.embedding_quality import embedding_quality
from maquette.tasks.density_likelihood import scaled
from maquette.tasks.figure import BLUE, GREY, ORANGE, WIDTH, Figure, canvas, finish, pictures, pictures_height, shade
from maquette.tasks.graph_figures import colours, plane
from maquette.tasks.task import Scored

FILTERS, COLUMNS = 50, 10
EXAMPLES = 200  # whose hidden units are shown, and whose free energies are compared (ten times as many)
MAPPED, NEIGHBOURS, MOST_CLASSES = 1000, 10, 20  # codes on the map
CHAINS, SWEEPS = 6, (0, 1, 2, 5, 10, 25, 50, 100, 200)  # the columns of the figure of chains


def draw(model: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
    """A machine's filters, hidden activity, chains and free energies, or the map of codes; of pictures alone."""
    if np.ndim(scored.split.x) != 4 or not len(scored.split):
        return []
    if hasattr(model, "decode") and hasattr(model, "transform"):
        return _codes(model, scored, dataset)
    if not hasattr(model, "machine"):
        return []
    x = scaled(np.asarray(scored.split.x[: 10 * EXAMPLES]))
    train = scaled(np.asarray(dataset.train.x[: 10 * EXAMPLES]))
    return [_filters(model), _activity(model, x[:EXAMPLES]), _chains(model, x[:CHAINS]), _energies(model, x, train)]


def _codes(model: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
    from keras import ops

    split = scored.split.take(np.arange(min(MAPPED, len(scored.split))))
    x = scaled(np.asarray(split.x))
    codes = ops.convert_to_numpy(model.transform(x)).astype(float)
    if len(x) <= 2 * NEIGHBOURS or not np.ptp(codes, axis=0).any():
        return []
    place = codes if codes.shape[1] == 2 else plane(codes)
    picture, axes = canvas(WIDTH, 4.2)
    named = split.y is not None and 1 < len(dataset.classes) <= MOST_CLASSES
    for number, colour in enumerate(colours(len(dataset.classes)) if named else [BLUE]):
        own = np.asarray(split.y) == number if named else np.ones(len(x), bool)
        axes.scatter(
            *place[own].T, s=9, color=colour, alpha=0.7, linewidths=0, label=dataset.classes[number] if named else None
        )
    axes.set_axis_off()
    if named:
        picture.legend(loc="outside lower center", ncols=5, fontsize=8, markerscale=1.6)
    found = embedding_quality(x.reshape(len(x), -1), codes, NEIGHBOURS)
    shown = "" if codes.shape[1] == 2 else ", shown in the two directions of greatest variance"
    caption = (
        f"The codes of {len(x)} pictures{shown}. Of {NEIGHBOURS} neighbours {found['preservation']:.0%} are kept: "
    )
    quality = f"trustworthiness {found['trustworthiness']:.3f}, continuity {found['continuity']:.3f}."
    return [finish(picture, "codes", "Codes", caption + quality)]


def _filters(model: Any) -> Figure:
    """The weights of the hidden units that are connected most strongly."""
    weights = model.machine().W.T  # (hidden, visible)
    order = np.argsort(-np.linalg.norm(weights, axis=1))[:FILTERS]
    shown = weights[order].reshape(-1, *model.shape)
    most = np.abs(shown).max(axis=(1, 2, 3), keepdims=True) + 1e-12
    picture, axes = canvas(WIDTH, pictures_height(shown, COLUMNS))
    pictures(axes, 0.5 + 0.5 * shown / most, COLUMNS)
    caption = f"The weights of the {len(shown)} hidden units with the largest ones: white excites, black inhibits."
    return finish(picture, "filters", "Filters", caption)


def _activity(model: Any, x: np.ndarray) -> Figure:
    from keras import ops

    p = ops.convert_to_numpy(model.transform(x)).astype(float)  # (examples, hidden)
    picture, (left, right) = canvas(WIDTH, 2.4, ncols=2, width_ratios=(2, 1))
    order = np.argsort(-p.mean(axis=0))
    left.imshow(p[:, order], cmap=shade(most=1.0), vmin=0, vmax=1, aspect="auto", interpolation="none")
    left.set(xlabel="hidden unit, the most active first", ylabel="picture")
    right.hist(p.mean(axis=0), bins=np.linspace(0, 1, 21), color=BLUE)
    right.set(xlabel="share of time on", ylabel="hidden units")
    stuck = np.mean((p.min(axis=0) > 0.9) | (p.max(axis=0) < 0.1))
    caption = f"p(h = 1 | v) of {len(x)} pictures, and its mean per unit. {stuck:.0%} of the units answer all alike."
    return finish(picture, "hidden-activity", "Hidden activity", caption)


def _chains(model: Any, x: np.ndarray) -> Figure:
    """Each row is a Gibbs chain from a picture, shown as E(v|h)."""
    from keras import ops

    columns, v = [x], x
    for before, after in pairwise(SWEEPS):
        v = model.sample(v, after - before)
        columns.append(ops.convert_to_numpy(model.reconstruct(v)).astype(float))
    shown = np.stack(columns, axis=1).reshape(-1, *x.shape[1:])
    picture, axes = canvas(WIDTH, pictures_height(shown, len(SWEEPS)))
    pictures(axes, shown, len(SWEEPS))
    caption = f"Gibbs chains from the pictures at the left, after {', '.join(map(str, SWEEPS[1:]))} sweeps. "
    return finish(picture, "chains", "Chains", caption + "Rows that keep their digit mix slowly.")


def _energies(model: Any, x: np.ndarray, train: np.ndarray) -> Figure:
    machine = model.machine()
    found = [machine.free_energy(part.reshape(len(part), -1)) for part in (train, x)]
    low, high = np.quantile(np.concatenate(found), [0.002, 0.998])
    bins = np.linspace(low, high, 41)
    picture, axes = canvas(WIDTH, 2.4)
    for values, colour, name in zip(found, (GREY, ORANGE), ("training", "scored"), strict=True):
        axes.hist(values, bins=bins, density=True, color=colour, alpha=0.6, label=name)
    axes.set(xlabel="free energy in nats", ylabel="density")
    picture.legend(loc="outside upper center", ncols=2)
    gap = found[1].mean() - found[0].mean()
    caption = f"Free energies of training and scored pictures; their means are {gap:.2g} nats apart, by over-fitting."
    return finish(picture, "free-energies", "Free energies", caption)
