"""Sampling, from exact enumeration to Markov chains: what each method finds, how sure it is, and what it costs.

    python labs/sampling.py [--chains 1000] [--draws 1000] [--out runs/sampling]

Prints what was measured beside what is known exactly, and writes sampling.png: a Boltzmann distribution, inference
from six tosses of a coin and the errors of Monte Carlo integration above, Markov chains and two samplers of a bivariate
normal in the middle, and below how chains start, forget and end.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from maquette.methods.sampling import diagnostics, monte_carlo
from maquette.methods.sampling.beta_bernoulli import Beta, maximum_likelihood
from maquette.methods.sampling.boltzmann import boltzmann, enumerated
from maquette.methods.sampling.chains import Chains
from maquette.methods.sampling.gibbs import Gibbs, normal_conditionals
from maquette.methods.sampling.ising import energies
from maquette.methods.sampling.markov_chain import MarkovChain
from maquette.methods.sampling.metropolis import Metropolis
from maquette.methods.sampling.metropolis_chain import metropolis_chain
from maquette.methods.sampling.monte_carlo import integrate
from maquette.methods.sampling.point_estimate import point_estimate
from maquette.tasks import sampling_figures as figures
from maquette.tasks.figure import BLUE, GREY, ORANGE, canvas

TARGET = np.array([[1.0, 0.7], [0.7, 1.0]])
PRECISION = np.linalg.inv(TARGET)
PROPOSALS = {"as printed": np.array([[1.0, 0.2], [0.2, 1.0]]), "narrow, 0.2 I": 0.2 * np.eye(2)}
RING = np.roll(np.eye(10), 1, axis=1) + np.roll(np.eye(10), -1, axis=1)
CHAINS = {
    "gas in three rooms": MarkovChain([[0.8, 0.2, 0], [0.1, 0.8, 0.1], [0, 0.2, 0.8]]),
    "rotation, lazy": MarkovChain(0.7 * np.roll(np.eye(3), 1, axis=1) + 0.3 * np.eye(3)),
    "rotation": MarkovChain(np.roll(np.eye(3), 1, axis=1)),
    "20 states, circles of 5": MarkovChain(np.kron(np.eye(4), np.roll(np.eye(5), 1, axis=1))),
}


def spins() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Ten spins on a ring, all 1,024 states; returns the energies and probabilities at three temperatures."""
    print("5.01  ten spins on a ring           log Z   transfer matrix    <E>    Var E   entropy")
    found = {}
    for t in (1.0, 2.0, 5.0):
        _, at = enumerated(lambda s: energies(s, RING), 10, (-1, 1), t)
        exact = np.log((2 * np.cosh(1 / t)) ** 10 + (2 * np.sinh(1 / t)) ** 10)
        numbers = f"{at.log_partition:.6f}  {exact:15.6f}  {at.mean_energy:7.3f}  {at.energy_variance:6.3f}"
        print(f"      T = {t:.0f}{'':20}{numbers}  {at.entropy:8.3f}")
        found[f"T = {t:.0f}"] = at
    levels = np.unique(at.energies)
    at_level = {name: boltzmann(one.energies, one.temperature).probabilities for name, one in found.items()}
    first = [int(np.flatnonzero(at.energies == level)[0]) for level in levels]
    return levels, {name: p[first] for name, p in at_level.items()}


def coin() -> None:
    """Six tosses, five heads, and the posterior mean by Monte Carlo."""
    after = Beta(2, 2).updated(5, 1)
    low, high = after.interval()
    print(f"\n5.02  5 heads of 6, prior Beta(2, 2): ML {maximum_likelihood(5, 1):.4f}, mode {after.mode}, ", end="")
    print(f"mean {after.mean}, 95 % between {low:.3f} and {high:.3f}, next is heads {after.predicted(1)[1]:.2f}")
    draws = after.draws(10_000)
    mean = monte_carlo.mean(draws)
    print(f"5.03  10,000 draws: mean {mean.value:.4f} +- {mean.error:.4f}; by loss: ", end="")
    both = {loss: (point_estimate(draws, loss), after.estimate(loss)) for loss in ("squared", "absolute", "zero-one")}
    print(", ".join(f"{loss} {found:.3f} (exact {exact:.3f})" for loss, (found, exact) in both.items()))


def pi() -> dict[str, tuple[list[int], list[float]]]:
    """Errors against the number of points; returns name -> (points, standard errors)."""

    def quarter(x: np.ndarray) -> np.ndarray:
        return 4.0 * ((x**2).sum(axis=1) < 1)

    found = integrate(quarter, [0, 0], [1, 1], 100_000)
    print(f"\n5.04  pi from 100,000 points: {found.value:.4f} +- {found.error:.5f}")
    curves, sizes = {}, [4**k for k in range(4, 10)]
    for method in ("plain", "stratified", "sobol"):
        errors = [integrate(quarter, [0, 0], [1, 1], n, method).error for n in sizes]
        curves[method] = (sizes, errors)
        slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
        print(f"      {method:12} error ~ n^{slope:.2f}, {errors[-1]:.6f} at {sizes[-1]:,} points")
    for d in (2, 5, 10, 15):
        ball = integrate(lambda x: 1.0 * ((x**2).sum(axis=1) < 1), [-1] * d, [1] * d, 200_000)
        print(f"      ball in {d:2} dimensions: volume {ball.value:.3f} +- {ball.error:.3f}", end="")
        print(f", {ball.value / 2**d:.2%} of the points inside")
    return curves


def markov() -> None:
    """What makes a chain settle."""
    print("\n5.05  chain                     irreducible  period  reversible  mixes in (to 0.01)")
    for name, chain in CHAINS.items():
        one = len(chain.closed_classes) == 1
        reversible = ("yes" if chain.reversible else "no") if one else "-"
        mixing = chain.mixing_time(0.01) if chain.ergodic else "never"
        print(f"      {name:26}{'yes' if chain.irreducible else 'no':13}{chain.period:<8}{reversible:12}{mixing}")
    p = np.array([1.0, 2.0, 4.0, 2.0, 1.0])
    walk = (np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1)) / 2
    chain = metropolis_chain(p, walk)
    print(f"      Metropolis on 5 states: target {p / p.sum()}, stationary {chain.stationary.round(6)},")
    print(f"      without its rejections {chain.jumps().stationary.round(3)}")


def log_normal(x: Any) -> Any:
    a, b = x[:, 0], x[:, 1]
    return -0.5 * (PRECISION[0, 0] * a * a + 2 * PRECISION[0, 1] * a * b + PRECISION[1, 1] * b * b)


def exact_acceptance(proposal: np.ndarray) -> float:
    """Of a random walk on the target: 1 - mean over directions z of sqrt(g / (4 + g)), g = z.L^T.precision.L.z."""
    turn = np.linspace(0, np.pi, 1000, endpoint=False)
    z = np.tensordot(np.linalg.cholesky(proposal), np.stack([np.cos(turn), np.sin(turn)]), 1)
    g = np.einsum("in,ij,jn->n", z, PRECISION, z)
    return float(np.mean(1 - np.sqrt(g / (4 + g))))


def samplers(chains: int, draws: int) -> dict[str, Chains]:
    """Metropolis under two proposals and Gibbs on the bivariate normal; prints a table."""
    made = {name: Metropolis(log_normal, covariance) for name, covariance in PROPOSALS.items()}
    made["Gibbs"] = Gibbs(normal_conditionals([0, 0], TARGET))
    start, found = np.zeros((chains, 2)), {}
    print(f"\n5.06 and 5.09  covariance 1, 0.7, 1 from {chains:,} chains of {draws:,} draws after 100")
    print("      sampler        accepted  variances and covariance        accepted alone   1,000 draws worth  seconds")
    for name, sampler in made.items():
        sampler(start, draws, 100)  # compiles
        begun = time.perf_counter()
        found[name] = sampler(start, draws, 100, seed=1)
        seconds = time.perf_counter() - begun
        x = found[name].samples
        c = np.cov(found[name].flat.T)
        error = diagnostics.standard_error(x[:, :, 0] ** 2)
        moved = np.cov(x[:, 1:][(x[:, 1:] != x[:, :-1]).any(axis=2)].T)
        worth = 1000 * diagnostics.effective_size(x[:, :, 0], "mean") / x[:, :, 0].size
        print(
            f"      {name:15}{found[name].acceptance.mean():.4f}    {c[0, 0]:.3f} {c[1, 1]:.3f} {c[0, 1]:.3f}", end=""
        )
        print(f" +- {error:.3f}       {moved[0, 0]:.3f} {moved[0, 1]:.3f}     {worth:10.0f}  {seconds:14.2f}")
    exact = ", ".join(f"{name} {exact_acceptance(proposal):.4f}" for name, proposal in PROPOSALS.items())
    print(f"      accepted without Monte Carlo error: {exact}")
    return found


def start_and_thinning() -> np.ndarray:
    """Chains from a far start; returns the first coordinate, (chains, draws)."""
    sampler = Metropolis(log_normal, PROPOSALS["narrow, 0.2 I"])
    x = sampler(np.full((500, 2), 15.0), 2000, seed=2).samples[:, :, 0]
    print("\n5.11  500 chains of 2,000 draws from (15, 15)     mean            R-hat   effective")
    for burn_in in (0, 50, 200):
        kept = x[:, burn_in:]
        mean = f"{kept.mean():7.4f} +- {diagnostics.standard_error(kept):.4f}"
        size = diagnostics.effective_size(kept, "mean")
        print(f"      without the first {burn_in:<4}{'':21}{mean}   {diagnostics.r_hat(kept):.3f}   {size:,.0f}")
    for thin in (5, 20, 100):
        kept = x[:, 200::thin]
        lag1 = diagnostics.autocorrelation(kept, 1)[1]
        size = diagnostics.effective_size(kept, "mean")
        print(f"      every {thin}th of them: lag-1 autocorrelation {lag1:.2f}, {kept.size:,} draws worth {size:,.0f}")
    return x


def page(levels: Any, errors: Any, found: dict[str, Chains], far: np.ndarray, out: Path) -> None:
    """All pictures on one page."""
    picture, axes = canvas(14, 11.5, nrows=3, ncols=3)
    picture.patch.set_alpha(1)
    figures.energy_levels(*levels, axes=axes[0, 0])
    figures.inference(Beta(2, 2), 5, 1, axes=axes[0, 1])
    for (name, (points, error)), colour in zip(errors.items(), (GREY, BLUE, ORANGE)):
        axes[0, 2].loglog(points, error, color=colour, marker="o", markersize=4, label=name)
    axes[0, 2].set(xlabel="points", ylabel="standard error of π")
    axes[0, 2].legend(frameon=False, fontsize=9)
    for (name, chain), colour in zip(list(CHAINS.items())[:3], (BLUE, ORANGE, GREY)):
        axes[1, 0].semilogy([max(chain.distance(n), 1e-8) for n in range(41)], color=colour, label=name)
    axes[1, 0].set(xlabel="steps", ylabel="distance from stationarity", ylim=(1e-6, 1.4))
    axes[1, 0].legend(frameon=False, fontsize=9, loc="lower left")
    figures.scatter(found["as printed"].samples, TARGET, 60, axes[1, 1])
    figures.scatter(_right_angled(found["Gibbs"].samples), TARGET, 60, axes[1, 2])
    figures.trace(far[:, :400], "x₁", axes=axes[2, 0])
    figures.autocorrelations({name: one.samples[:, :, 0] for name, one in found.items()}, 60, axes[2, 1])
    figures.density(
        found["as printed"].samples[:, :, 0], lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "x₁", axes[2, 2]
    )
    titles = ("Ten spins on a ring", "Five heads of six tosses", "Error of Monte Carlo integration")
    titles += ("Markov chains settle, or not", "Metropolis: 60 steps of one chain", "Gibbs: 30 sweeps of one chain")
    titles += (None, "How fast the samplers forget", "Draws of Metropolis and the exact density")
    for one, title in zip(axes.flat, titles):
        one.set_title(title or f"A far start: {one.get_title('left')}", fontsize=11, loc="left")
    out.mkdir(parents=True, exist_ok=True)
    picture.savefig(out / "sampling.png", dpi=110)
    print(f"\n{out / 'sampling.png'}")


def _right_angled(samples: np.ndarray) -> np.ndarray:
    """With the state between the two halves of every sweep: first x1 changes, then x2."""
    between = np.stack([samples[:, 1:, 0], samples[:, :-1, 1]], axis=2)
    return np.stack([samples[:, :-1], between], axis=2).reshape(len(samples), -1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("runs/sampling"))
    given = parser.parse_args()
    levels = spins()
    coin()
    errors = pi()
    markov()
    found = samplers(given.chains, given.draws)
    page(levels, errors, found, start_and_thinning(), given.out)


if __name__ == "__main__":
    main()
