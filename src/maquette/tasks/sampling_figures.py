"""The pictures of sampling: where chains went, how fast they forget, what they drew, and what was inferred from tosses.

Every function draws into a matplotlib axes that it makes unless one is given, and returns the figure it belongs to;
`maquette.tasks.figure.finish` makes a report's picture of one.
"""

from typing import Any

import numpy as np

from maquette.methods.sampling.beta_bernoulli import Beta, likelihood, maximum_likelihood
from maquette.methods.sampling.diagnostics import autocorrelation, effective_size, r_hat
from maquette.tasks.curves import thinned
from maquette.tasks.figure import BLUE, GREY, INK, ORANGE, WIDTH, canvas

SHADES = (BLUE, ORANGE, GREY, "#3d9970")
MOST_POINTS = 4000


def _axes(axes: Any, height: float = 3.2) -> Any:
    return canvas(WIDTH, height)[1] if axes is None else axes


def trace(samples: Any, name: str = "x", chains: int = 4, axes: Any = None) -> Any:
    """One coordinate (chains, draws) of the first chains against the step, with R-hat over all of them."""
    x, axes = np.asarray(samples), _axes(axes)
    for chain, colour in zip(x[:chains], SHADES * chains):
        axes.plot(*thinned(np.arange(x.shape[1]), chain, 800), color=colour, linewidth=0.7, alpha=0.85)
    of = f"{min(chains, len(x))} of {len(x):,} chains" if len(x) > chains else f"{len(x)} chains"
    axes.set_title(f"{of}, R-hat {r_hat(x):.3f}", fontsize=10, loc="left")
    axes.set(xlabel="draw", ylabel=name, xlim=(0, x.shape[1]))
    return axes.figure


def autocorrelations(samples: dict[str, Any], lags: int = 60, axes: Any = None) -> Any:
    """The autocorrelation of one coordinate (chains, draws) of each sampler, with effective draws per thousand."""
    axes = _axes(axes)
    axes.axhline(0, color=INK, linewidth=0.8)
    for (name, x), colour in zip(samples.items(), SHADES):
        worth = 1000 * effective_size(x, "mean") / np.size(x)
        rho = autocorrelation(x, min(lags, np.shape(x)[1] - 1))
        axes.plot(rho, color=colour, linewidth=1.6, label=f"{name}: 1,000 worth {worth:,.0f}")
    axes.set(xlabel="lag", ylabel="autocorrelation", xlim=(0, lags), ylim=(None, 1.02))
    axes.legend(frameon=False, fontsize=9)
    return axes.figure


def density(samples: Any, exact: Any = None, name: str = "x", axes: Any = None) -> Any:
    """A histogram of all draws, any shape, and the exact density, a function of an array, where it is known."""
    x, axes = np.ravel(samples), _axes(axes)
    low, high = np.quantile(x, [0.0005, 0.9995])
    axes.hist(x, bins=60, range=(low, high), density=True, color=BLUE, alpha=0.45, label=f"{len(x):,} draws")
    if exact is not None:
        at = np.linspace(low, high, 400)
        axes.plot(at, exact(at), color=ORANGE, linewidth=1.6, label="exact")
    axes.set(xlabel=name, ylabel="density", xlim=(low, high))
    axes.legend(frameon=False, fontsize=9)
    return axes.figure


def scatter(samples: Any, covariance: Any = None, path: int = 0, axes: Any = None) -> Any:
    """Draws of two coordinates (chains, draws, 2), with the ellipse that holds 95 % of a normal of the covariance.

    Args:
        path: also draw so many first steps of the first chain.
    """
    x, axes = np.asarray(samples), _axes(axes, 4.4)
    flat = x.reshape(-1, x.shape[-1])
    shown = flat[:: max(1, len(flat) // MOST_POINTS)]
    axes.scatter(shown[:, 0], shown[:, 1], s=4, color=BLUE, alpha=0.35, linewidths=0)
    if covariance is not None:
        turn = np.linspace(0, 2 * np.pi, 200)
        circle = np.sqrt(-2 * np.log(0.05)) * np.stack([np.cos(turn), np.sin(turn)])
        axes.plot(*np.tensordot(np.linalg.cholesky(covariance), circle, 1), color=INK, linewidth=1.2)
    if path:
        axes.plot(*x[0, :path].T, color=ORANGE, linewidth=1.1, marker="o", markersize=2.5)
    axes.set(xlabel="x₁", ylabel="x₂", aspect="equal")
    return axes.figure


def energy_levels(energies: Any, probabilities: dict[str, Any], axes: Any = None) -> Any:
    """Probabilities (states,) at several temperatures against the energies, the lowest first."""
    axes, order = _axes(axes), np.argsort(energies, kind="stable")
    for (name, p), colour in zip(probabilities.items(), SHADES):
        axes.plot(np.asarray(energies)[order], np.asarray(p)[order], color=colour, marker="o", markersize=4, label=name)
    axes.set(xlabel="energy", ylabel="probability of a state", yscale="log")
    axes.legend(frameon=False, fontsize=9)
    return axes.figure


def inference(prior: Beta, heads: int, tails: int, axes: Any = None) -> Any:
    """Likelihood (made a density), prior and posterior of a coin, with the three estimates."""
    axes, theta, after = _axes(axes), np.linspace(0, 1, 400), prior.updated(heads, tails)
    seen = likelihood(theta, heads, tails)
    axes.plot(theta, seen / np.trapezoid(seen, theta), color=GREY, linestyle="--", label="likelihood, scaled")
    axes.plot(theta, prior.density(theta), color=ORANGE, label="prior")
    axes.plot(theta, after.density(theta), color=BLUE, linewidth=1.8, label="posterior")
    low, high = after.interval()
    inside = (theta >= low) & (theta <= high)
    axes.fill_between(theta[inside], after.density(theta[inside]), color=BLUE, alpha=0.15, linewidth=0)
    marks = {"mean": after.mean, "mode": after.mode, "ML": maximum_likelihood(heads, tails)}
    for i, (name, at) in enumerate(sorted(marks.items(), key=lambda item: item[1])):
        axes.axvline(at, color=INK, linewidth=0.8, linestyle=":")
        place: Any = {"ha": "left" if i else "right", "transform": axes.get_xaxis_transform(), "fontsize": 8}
        axes.text(at + (0.01 if i else -0.01), 0.9 if i > 1 else 0.96, name, **place)
    axes.set(xlabel="chance of heads θ", ylabel="density", xlim=(0, 1), ylim=(0, 1.3 * after.density(after.mode)))
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return axes.figure
