"""Contestants that train in turns, each in a process of its own, so that whatever else a machine does hits all alike.

A script calls `main`; its workers call `wait` before each round and `done` after it. The first round, which compiles,
does not count. Rates are examples per second, medians over the rounds; a ratio is the median of the ratios within each
round. Memory is the most that a process has held until then, libraries included.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np
from record import forget, record


def wait() -> float:
    """Block until the next round may start, and return the time."""
    if not sys.stdin.readline():
        sys.exit(0)
    return time.perf_counter()


def done(started: float) -> None:
    """Say how long the round took, and how much memory the process has held at most, in MiB."""
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


def _start(case: str, name: str) -> subprocess.Popen:
    command = [sys.executable, sys.argv[0], "--worker", name, "--case", case]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment)


def _one_round(process: subprocess.Popen) -> tuple[float, float]:
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(process.args)} died: run it by hand to see why")
    seconds, memory = map(float, line.split())
    return seconds, memory


def _measure(
    case: str, examples: int, contestants: list[str], rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Examples per second of each contestant in each round, name -> (rounds,), and how much memory it held at most."""
    processes = {name: _start(case, name) for name in contestants}
    try:
        for process in processes.values():
            _one_round(process)
        times, memory = {name: [] for name in processes}, {}
        for i in range(rounds):
            # Every other round runs backwards, so that no contestant always follows the same one.
            for name in list(processes)[:: 1 if i % 2 == 0 else -1]:
                seconds, memory[name] = _one_round(processes[name])
                times[name].append(seconds)
    finally:
        for process in processes.values():
            process.kill()
    return {name: examples / np.array(values) for name, values in times.items()}, memory


def main(
    benchmark: str,
    summary: str,
    cases: Mapping[str, int],
    contestants: Mapping[str, Callable[[str], None]],
    peers: list[list[str]],
    page: Callable[[str], str],
) -> None:
    """Run a benchmark from the command line.

    Args:
        benchmark: its name in results.json.
        summary: one sentence for `--help`.
        cases: name -> examples of a round.
        contestants: name -> what its process does for a case; the first is ours.
        peers: groups of contestants; the fastest of each group is compared with ours.
        page: case -> the model page, whose backend is recorded.
    """
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="record the ratios in benchmarks/results.json")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=cases, help="only this one")
    given = parser.parse_args()
    if given.worker:
        contestants[given.worker](given.case)
        return
    first = next(iter(contestants))
    for case in [given.case] if given.case else cases:
        rates, memory = _measure(case, cases[case], list(contestants), given.rounds)
        for name, rate in rates.items():
            spread = f"({rate.min():,.0f} to {rate.max():,.0f})"
            print(f"{case:16} {name:16} {np.median(rate):8,.0f} examples/s   {spread}, {memory[name]:,.0f} MiB")
        if given.write:
            forget(benchmark, case)
        for group in peers:
            peer = max(group, key=lambda name: np.median(rates[name]))
            ratio = float(np.median(rates[first] / rates[peer]))
            print(f"{case:16} {first} / {peer}: {ratio:.3f}")
            if given.write:
                ours, theirs = np.median(rates[first]), np.median(rates[peer])
                note = f"{memory[first]:.0f} against {memory[peer]:.0f} MiB"
                record(benchmark, case, "examples/s", ours, theirs, peer, ratio, page(case), note)
