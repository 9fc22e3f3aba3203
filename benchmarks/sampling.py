"""Draws per second and effective draws per second of random-walk Metropolis on Gaussians: 1,000 chains, or walkers.

    python benchmarks/sampling.py [--rounds 5] [--write]

The target is a normal with the covariance 0.7^|i - j| in 2 or 100 dimensions, the proposal 2.38^2 / d of it. Beside
ours: one chain as a plain loop in NumPy, as a textbook prints it; all chains at once in NumPy; BlackJAX's random walk,
vectorised and compiled; emcee's ensemble of walkers, vectorised. NumPyro has no random walk: its kernels follow the
gradient or learn from the chains, which are other algorithms. Every contestant runs in a process of its own and starts
in a draw of the target. A ratio is the median over rounds; every second round runs backwards. What is recorded is the
effective draws per second of the first coordinate.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from record import record

CHAINS = 1000
STEPS = {2: 1000, 100: 300}
LOOP_STEPS = {2: 20_000, 100: 5_000}  # of the one chain


def target(d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision (d, d), Cholesky factor of the covariance, and starts (chains, d)."""
    covariance = 0.7 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    factor = np.linalg.cholesky(covariance)
    start = np.random.default_rng(0).normal(size=(CHAINS, d))
    return np.linalg.inv(covariance), factor, np.einsum("ij,nj->ni", factor, start)


def ours(d: int) -> Callable[[int], np.ndarray]:
    from keras import ops

    from maquette.methods.sampling.metropolis import Metropolis

    precision, factor, start = target(d)
    single = precision.astype("float32")
    proposal = 2.38**2 / d * np.einsum("ik,jk->ij", factor, factor)
    sampler = Metropolis(lambda x: -0.5 * ops.sum(ops.matmul(x, single) * x, axis=-1), proposal)
    return lambda seed: sampler(start, STEPS[d], seed=seed).samples


def numpy_loop(d: int) -> Callable[[int], np.ndarray]:
    precision, factor, start = target(d)
    scale = 2.38 / np.sqrt(d) * factor

    def log_density(x: np.ndarray) -> float:
        return -0.5 * np.dot(x, np.dot(precision, x))

    def run(seed: int) -> np.ndarray:
        random, x, kept = np.random.default_rng(seed), start[seed], []
        log_p = log_density(x)
        for _ in range(LOOP_STEPS[d]):
            y = x + np.dot(scale, random.standard_normal(d))
            log_q = log_density(y)
            if np.log(random.random()) < log_q - log_p:
                x, log_p = y, log_q
            kept.append(x)
        return np.array(kept)[np.newaxis]

    return run


def numpy_chains(d: int) -> Callable[[int], np.ndarray]:
    precision, factor, start = target(d)
    scale = 2.38 / np.sqrt(d) * factor.T

    def log_density(x: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum(np.matmul(x, precision) * x, axis=1)

    def run(seed: int) -> np.ndarray:
        random, x, kept = np.random.default_rng(seed), start.copy(), []
        log_p = log_density(x)
        for _ in range(STEPS[d]):
            y = x + np.matmul(random.standard_normal(x.shape), scale)
            log_q = log_density(y)
            accept = np.log(random.random(CHAINS)) < log_q - log_p
            x, log_p = np.where(accept[:, None], y, x), np.where(accept, log_q, log_p)
            kept.append(x)
        return np.swapaxes(kept, 0, 1)

    return run


def blackjax(d: int) -> Callable[[int], np.ndarray]:
    import jax
    import jax.numpy as jnp
    from blackjax import additive_step_random_walk
    from blackjax.mcmc.random_walk import normal

    precision, factor, start = target(d)
    single = jnp.asarray(precision, "float32")

    def log_density(x):
        return -0.5 * jnp.dot(x, jnp.dot(single, x))

    walk = additive_step_random_walk(log_density, normal(jnp.asarray(2.38 / np.sqrt(d) * factor, "float32")))

    @jax.jit
    def sample(key, first):
        def step(states, key):
            states, _ = jax.vmap(walk.step)(jax.random.split(key, CHAINS), states)
            return states, states.position

        return jax.lax.scan(step, jax.vmap(walk.init)(first), jax.random.split(key, STEPS[d]))[1]

    first = jnp.asarray(start, "float32")
    return lambda seed: np.swapaxes(np.asarray(sample(jax.random.key(seed), first)), 0, 1)


def emcee(d: int) -> Callable[[int], np.ndarray]:
    from emcee import EnsembleSampler

    precision, _, start = target(d)

    def log_density(x: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum(np.matmul(x, precision) * x, axis=1)

    def run(seed: int) -> np.ndarray:
        sampler = EnsembleSampler(CHAINS, d, log_density, vectorize=True)
        sampler.random_state = np.random.RandomState(seed).get_state()
        sampler.run_mcmc(start, STEPS[d])
        return np.swapaxes(sampler.get_chain(), 0, 1)

    return run


CONTESTANTS = {
    "maquette": ours,
    "numpy loop": numpy_loop,
    "numpy chains": numpy_chains,
    "blackjax": blackjax,
    "emcee": emcee,
}


def work(name: str, d: int) -> None:
    """Answer each line of standard input with draws, effective draws, seconds, and the variance found."""
    from maquette.methods.sampling.diagnostics import effective_size

    run = CONTESTANTS[name](d)
    for seed, _ in enumerate(sys.stdin):
        begun = time.perf_counter()
        x = run(seed)
        seconds = time.perf_counter() - begun
        first = x[:, :, 0].astype(float)
        print(first.size, effective_size(first, "mean"), seconds, first.var(), flush=True)


def measure(d: int, rounds: int) -> dict[str, np.ndarray]:
    """Name -> (rounds, 3): draws per second, effective draws per second, variance; who is not installed is left out."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    processes = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--worker", name, "--dimensions", str(d)], **pipes, text=True, env=environment
        )
        for name in CONTESTANTS
    }
    found: dict[str, list[list[float]]] = {name: [] for name in CONTESTANTS}
    try:
        for i in range(rounds + 1):  # the first compiles and does not count
            for name in list(found)[:: 1 if i % 2 else -1]:
                answer = _ask(processes[name])
                if not answer:
                    print(f"{name} did not answer: is it installed?")
                    del found[name]
                elif i:
                    draws, effective, seconds, variance = map(float, answer.split())
                    found[name].append([draws / seconds, effective / seconds, variance])
    finally:
        for process in processes.values():
            process.kill()
    return {name: np.array(rows) for name, rows in found.items()}


def _ask(process: subprocess.Popen) -> str:
    try:
        process.stdin.write("go\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="record the ratios in benchmarks/results.json")
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--dimensions", type=int, choices=STEPS, help="only this target")
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.dimensions)
        return
    for d in [given.dimensions] if given.dimensions else STEPS:
        found = measure(d, given.rounds)
        print(f"{d:3} dimensions    draws/s    effective draws/s   ours / theirs: draws, effective   variance (1)")
        for name, rows in found.items():
            ratio = np.median(found["maquette"][:, :2] / rows[:, :2], axis=0)
            rates = np.median(rows, axis=0)
            print(f"{name:14}{rates[0]:12,.0f} {rates[1]:15,.0f} {ratio[0]:24.2f} {ratio[1]:10.2f} {rates[2]:14.3f}")
            if given.write and name != "maquette":
                mine = float(np.median(found["maquette"][:, 1]))
                record("sampling", f"normal-{d}d", "effective draws/s", mine, rates[1], name, ratio[1], "metropolis")


if __name__ == "__main__":
    main()
