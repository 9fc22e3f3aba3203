"""Train GloVe on English text: the compiled loop against another trainer, NumPy, and what the memory allows.

    python benchmarks/glove.py [--epochs 3] [--rounds 3] [--threads 2] [--words 1000000] [--write]

The text is that of benchmarks/word_vectors.py, 100 dimensions, windows of 10, words that occur 5 times, weights up to
counts of 10. All contestants train on the same cells, at the rate 0.05, in turns, each in a process of its own; rates
are cells per second, medians over the rounds, and a ratio is the median of the ratios within each round:

    glove-python     the Cython trainer that still installs, as bicleaner-ai-glove, in as many threads
    NumPy            batches of 1,024 cells with AdaGrad, written with arrays alone
    memory           a cell reads and writes two rows of vectors and two of sums of squares: 4 * 2 * 400 bytes, at the
                     rate at which all cores copy arrays that no cache holds

Prints the loss that each reaches, and the rate and the memory of the co-occurrence counts, in memory and through
files. Scores are those of `maquette train glove`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

DIM, WINDOW, MIN_COUNT, X_MAX, RATE, BATCH = 100, 10, 5, 10.0, 0.05, 1024


def cells_of(path: Path, memory: int = 1 << 31) -> tuple:
    """The matrix of a text, and the words."""
    from maquette.methods.word_vectors.cooccurrence import cooccurrence
    from maquette.methods.word_vectors.text_numbers import number_text

    tokens, vocabulary = number_text(np.fromfile(path, "uint8"), MIN_COUNT)
    return cooccurrence(tokens, len(vocabulary.words), WINDOW, "harmonic", memory=memory), vocabulary


def loss_of(score: np.ndarray, counts: np.ndarray) -> float:
    return float(np.mean(np.minimum(1, (counts / X_MAX) ** 0.75) * (score - np.log(counts)) ** 2))


def maquette(counts: object, vocabulary: object, epochs: int, threads: int) -> tuple[float, object]:
    """Seconds, and the scores of cells."""
    import keras

    from maquette.data.batches import Batches
    from maquette.methods.word_vectors.cells import Cells
    from maquette.models.text.glove import GloVe

    model = GloVe(list(vocabulary.words), vocabulary.counts.tolist(), DIM, X_MAX, threads=threads)
    model.build((None, 2))
    model.compile(keras.optimizers.Adagrad(RATE, initial_accumulator_value=1.0))
    model.optimizer.build(model.trainable_variables)
    rows, y = Cells(counts, vocabulary).rows(), counts.data.astype("float32")
    model.fit(Batches(rows[:100], y[:100]), epochs=1)  # compiles
    started = time.perf_counter()
    model.fit(Batches(rows, y, BATCH, seed=0), epochs=epochs)
    seconds = time.perf_counter() - started
    U, W, b, c = (keras.ops.convert_to_numpy(v) for v in (model.U, model.W, model.b, model.c))
    return seconds, lambda i, j: (U[i] * W[j]).sum(axis=1) + b[i] + c[j]


def glove_python(counts: object, vocabulary: object, epochs: int, threads: int) -> tuple[float, object]:
    """The same; its vectors of words and neighbours are one table, and it counts a pair once."""
    # This script is called as that package is, and stands before it.
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
    from glove import Glove
    from scipy import sparse

    model = Glove(no_components=DIM, learning_rate=RATE, alpha=0.75, max_count=int(X_MAX), random_state=0)
    matrix = sparse.coo_matrix(counts)
    matrix.row, matrix.col = matrix.row.astype("int32"), matrix.col.astype("int32")
    started = time.perf_counter()
    model.fit(matrix, epochs=epochs, no_threads=threads)
    seconds = time.perf_counter() - started
    v, b = model.word_vectors, model.word_biases
    return seconds, lambda i, j: (v[i] * v[j]).sum(axis=1) + b[i] + b[j]


def arrays(counts: object, vocabulary: object, epochs: int, threads: int) -> tuple[float, object]:
    """Batches of cells with AdaGrad in NumPy: a hundredth of the cells, since it is slow."""
    matrix, random = counts.tocoo(), np.random.default_rng(0)
    i, j, x = matrix.row, matrix.col, matrix.data.astype("float32")
    tables = [random.uniform(-0.5 / DIM, 0.5 / DIM, (len(vocabulary.words), DIM)).astype("float32") for _ in range(2)]
    squares = [np.ones_like(table) for table in tables]
    order = random.permutation(len(x))[: max(BATCH, len(x) // 100)]
    started = time.perf_counter()
    for k in np.array_split(order, len(order) // BATCH):
        u, w, one = tables[0][i[k]], tables[1][j[k]], x[k]
        g = (2 * np.minimum(1, (one / X_MAX) ** 0.75) * ((u * w).sum(axis=1) - np.log(one)))[:, np.newaxis]
        for table, sums, at, slope in ((tables[0], squares[0], i[k], g * w), (tables[1], squares[1], j[k], g * u)):
            np.add.at(sums, at, slope**2)
            np.add.at(table, at, -RATE * slope / np.sqrt(sums[at]))
    seconds = (time.perf_counter() - started) * epochs * len(x) / len(order)
    return seconds, lambda a, b: (tables[0][a] * tables[1][b]).sum(axis=1)


def memory(counts: object, vocabulary: object, epochs: int, threads: int) -> tuple[float, object]:
    """The time to copy what the cells read and write."""
    size = 1 << 24  # numbers of 4 bytes: what a thread copies
    parts = [(np.ones(size, "float32"), np.empty(size, "float32")) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(2):  # the first round takes the pages
            started = time.perf_counter()
            list(pool.map(lambda pair: [np.copyto(pair[1], pair[0]) for _ in range(8)], parts))
            seconds = time.perf_counter() - started
    bytes_per_second = threads * 8 * 4 * size / seconds  # read, and as many written
    return epochs * counts.nnz * 4 * 4 * DIM / bytes_per_second, lambda i, j: np.zeros(len(i))


CONTESTANTS = {"maquette": maquette, "glove-python": glove_python, "NumPy": arrays, "memory": memory}


def contest(name: str, path: Path, epochs: int, threads: int) -> None:
    """Train and print one line of JSON."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    counts, vocabulary = cells_of(path)
    seconds, score = CONTESTANTS[name](counts, vocabulary, epochs, threads)
    some = np.random.default_rng(1).integers(0, counts.nnz, 100_000)
    i, j = np.searchsorted(counts.indptr, some, "right") - 1, counts.indices[some]
    facts = {"cells/s": epochs * counts.nnz / seconds, "loss": loss_of(score(i, j), counts.data[some])}
    print(json.dumps({**facts, "cells": counts.nnz}))


def count(path: Path, megabytes: int) -> None:
    """Count the cells with so much memory and print one line of JSON."""
    started = time.perf_counter()
    counts, _ = cells_of(path, megabytes << 20)
    seconds = time.perf_counter() - started
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    memory = int(peak[1]) / 1024 if peak else float("nan")
    print(json.dumps({"cells": counts.nnz, "cells/s": counts.nnz / seconds, "MiB": memory, "budget": megabytes}))


def child(*arguments: object) -> dict:
    """What this script prints in a process of its own."""
    command = [sys.executable, __file__, "--run", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def report(found: dict[str, list[dict]], write: bool) -> None:
    """Print medians and ratios; record the ratios if asked."""
    from record import record

    rates = {name: np.array([one["cells/s"] for one in rounds]) for name, rounds in found.items()}
    for name, rounds in found.items():
        print(f"{name:14}{np.median(rates[name]):14,.0f} cells/s   loss {rounds[0]['loss']:.4f}")
    for name in list(found)[1:]:
        ratio = float(np.median(rates["maquette"] / rates[name]))
        print(f"maquette / {name}: {ratio:.2f}")
        if write:
            middle = np.median(rates["maquette"]), np.median(rates[name])
            record("glove", "english text", "cells/s", *middle, name, ratio, None)


def main() -> None:
    from word_vectors import write_text

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--words", type=int, default=1_000_000, help="of the text; 0 takes all")
    parser.add_argument("--write", action="store_true", help="record the ratios in results.json")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        name, path, *numbers = given.run
        count(Path(path), *map(int, numbers)) if name == "count" else contest(name, Path(path), *map(int, numbers))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        write_text(path, given.words)
        for megabytes in (2048, 64):
            print(child("count", path, megabytes))
        found: dict[str, list[dict]] = {name: [] for name in CONTESTANTS}
        for i in range(given.rounds):
            for name in list(CONTESTANTS)[:: 1 if i % 2 == 0 else -1]:
                found[name].append(child(name, path, given.epochs, given.threads))
        report(found, given.write)


if __name__ == "__main__":
    main()
