"""The pictures of games: tables of pay-offs with their best responses, and the paths of players who follow gradients.

Every function draws into a matplotlib axes that it makes unless one is given, and returns the figure it belongs to;
`maquette.tasks.figure.finish` makes a report's picture of one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from maquette.methods.games.normal_form import NormalForm
from maquette.tasks.figure import BLUE, GREY, INK, ORANGE, WIDTH, canvas, label, shade

SHADES = (BLUE, ORANGE, GREY, "#3d9970")


def payoffs(game: NormalForm, rows: Sequence[str] = (), columns: Sequence[str] = (), axes: Any = None) -> Any:
    """The pay-offs of two players, row player's first; best responses are underlined, equilibria shaded."""
    axes = canvas(WIDTH, 2.6)[1] if axes is None else axes
    best = [game.best_responses(player) for player in (0, 1)]
    height, width = best[0].shape
    axes.imshow(np.logical_and(*best), cmap=shade(most=0.35), vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(height, width):
        for player, side in enumerate((-0.2, 0.2)):
            text = axes.text(j + side, i, f"{game.payoffs[player, i, j]:g}", ha="center", va="center")
            if best[player][i, j]:
                axes.plot([j + side - 0.1, j + side + 0.1], [i + 0.2] * 2, color=(BLUE, ORANGE)[player], linewidth=1.6)
                text.set_fontweight("bold")
    axes.set_xticks(range(width), [label(c) for c in columns] or None)
    axes.set_yticks(range(height), [label(r) for r in rows] or None)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    return axes.figure


def paths(
    field: Callable[[np.ndarray], np.ndarray], found: Mapping[str, Any], reach: float = 2.0, axes: Any = None
) -> Any:
    """Paths (steps + 1, 2) by name over the field z (2,) -> F(z), whose arrows point where the players pull."""
    axes = canvas(WIDTH, WIDTH)[1] if axes is None else axes
    at = np.linspace(-reach, reach, 15)
    grid = np.stack(np.meshgrid(at, at), axis=-1)
    pull = -np.apply_along_axis(field, -1, grid)
    axes.quiver(grid[..., 0], grid[..., 1], pull[..., 0], pull[..., 1], color=GREY, alpha=0.5, width=0.003)
    for (name, path), colour in zip(found.items(), SHADES):
        axes.plot(*np.asarray(path).T, color=colour, linewidth=1.2, label=name)
        axes.plot(*np.asarray(path)[-1], "o", color=colour, markersize=4)
    axes.plot(0, 0, "+", color=INK)
    axes.set(xlabel="x descends", ylabel="y ascends", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return axes.figure


def distances(found: Mapping[str, Any], axes: Any = None) -> Any:
    """How far each path (steps + 1, n) is from the equilibrium at 0, by step."""
    axes = canvas(WIDTH, 3.2)[1] if axes is None else axes
    for (name, path), colour in zip(found.items(), SHADES):
        axes.semilogy(np.linalg.norm(path, axis=1), color=colour, linewidth=1.4, label=name)
    axes.set(xlabel="step", ylabel="distance from the equilibrium")
    axes.legend(frameon=False, fontsize=8)
    return axes.figure


def slopes(axes: Any = None) -> Any:
    """What each of the generator's losses gives it to learn from, against how sure the critic is that it is fake."""
    axes = canvas(WIDTH, 3.2)[1] if axes is None else axes
    logit = np.linspace(-8, 4, 200)
    believed = 1 / (1 + np.exp(-logit))
    axes.semilogy(logit, believed, color=ORANGE, label="minimax, log(1 - D): slope D")
    axes.semilogy(logit, 1 - believed, color=BLUE, label="non-saturating, -log D: slope 1 - D")
    axes.set(xlabel="logit of the critic on a generated item", ylabel="slope of the generator's loss")
    axes.legend(frameon=False, fontsize=8)
    return axes.figure
