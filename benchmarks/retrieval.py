"""Index and search a million short documents: Maquette, scikit-learn's TF-IDF with a sparse product, and bm25s.

    python benchmarks/retrieval.py [--documents 1000000] [--queries 2000] [--write]

The documents are lines of 6 to 14 made-up words by Zipf's law from 200,000; a query is three words of one of them. Each
contestant has a process of its own, reads the same file line by line, indexes it, and answers all queries with the ten
best documents. All compute on one core, and processor seconds are compared, so that other work on the machine does not
count. Memory is the most that the process held, less what it held after its imports. The answers are compared as well:
TF-IDF with scikit-learn's, BM25 with that of bm25s, if it is installed.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

TOP = 10
WORDS = 200_000
Results = tuple[np.ndarray, Any]  # scores (queries, TOP), and nothing else of interest
PEERS = {"maquette tf-idf": "scikit-learn", "maquette bm25": "bm25s"}


def make(count: int, queries: int, folder: Path) -> None:
    """Write documents.txt and queries.txt."""
    random = np.random.default_rng(0)
    syllables = ["".join(pair) for pair in product("bcdfghjklmnprstvwz", "aeiou")]
    words = []
    for parts in product(["", *syllables], ["", *syllables], syllables):
        words.append("".join(parts))
        if len(words) == WORDS:
            break
    names = np.array(words, object)[random.permutation(WORDS)]
    shares = np.cumsum(1 / np.arange(1, WORDS + 1))
    asked = random.choice(count, queries, replace=False)
    with (folder / "documents.txt").open("w") as stream, (folder / "queries.txt").open("w") as other:
        for start in range(0, count, 50_000):
            lengths = random.integers(6, 15, min(50_000, count - start))
            drawn = names[np.searchsorted(shares, random.random(lengths.sum()) * shares[-1])]
            texts = [part.tolist() for part in np.split(drawn, np.cumsum(lengths)[:-1])]
            stream.writelines(" ".join(text).capitalize() + ".\n" for text in texts)
            other.writelines(" ".join(texts[i - start][:3]) + "\n" for i in asked if start <= i < start + len(texts))


def lines(path: Path) -> Iterator[str]:
    """The texts of a file, one after the other."""
    with path.open() as stream:
        for line in stream:
            yield line.rstrip("\n")


def maquette(model: str) -> Callable[[Path], Callable[[list[str]], np.ndarray]]:
    """Maquette's contestant: the tokens are those of the peers, of two letters and more."""
    from maquette.methods.retrieval.inverted_index import InvertedIndex
    from maquette.methods.retrieval.ranking import Ranking
    from maquette.methods.retrieval.tokenizer import Tokenizer

    def index(path: Path) -> Callable[[list[str]], np.ndarray]:
        settings = {"k1": 1.5} if model == "bm25" else {}
        ranking = Ranking(InvertedIndex.build(lines(path), Tokenizer(shortest=2)), model, **settings)
        return lambda queries: np.stack([filled(scores) for _, scores in ranking.search(queries, TOP)])

    return index


def scikit_learn() -> Callable[[Path], Callable[[list[str]], np.ndarray]]:
    """TfidfVectorizer; the products of 100 queries at a time with the transposed matrix, stored by rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    def index(path: Path) -> Callable[[list[str]], np.ndarray]:
        vectorizer = TfidfVectorizer()
        documents = vectorizer.fit_transform(lines(path)).T.tocsr()

        def search(queries: list[str]) -> np.ndarray:
            found = []
            for i in range(0, len(queries), 100):
                scores = vectorizer.transform(queries[i : i + 100]) @ documents
                for a, b in zip(scores.indptr[:-1], scores.indptr[1:], strict=True):
                    row = scores.data[a:b]
                    place = np.argpartition(-row, TOP - 1)[:TOP] if len(row) > TOP else np.arange(len(row))
                    found.append(filled(np.sort(row[place])[::-1]))
            return np.stack(found)

        return search

    return index


def bm25s() -> Callable[[Path], Callable[[list[str]], np.ndarray]]:
    """bm25s with its own tokenizer, without stop words; its scores leave the factor k1 + 1 out."""
    import bm25s as library

    def index(path: Path) -> Callable[[list[str]], np.ndarray]:
        quiet = {"stopwords": None, "show_progress": False}
        retriever = library.BM25(k1=1.5, b=0.75, method="lucene")
        retriever.index(library.tokenize(list(lines(path)), **quiet), show_progress=False)

        def search(queries: list[str]) -> np.ndarray:
            tokens = library.tokenize(queries, **quiet)
            return 2.5 * np.asarray(retriever.retrieve(tokens, k=TOP, show_progress=False, sorted=True)[1])

        return search

    return index


CONTESTANTS: dict[str, Callable[[], Any]] = {
    "maquette tf-idf": lambda: maquette("tf-idf"),
    "maquette bm25": lambda: maquette("bm25"),
    "scikit-learn": scikit_learn,
    "bm25s": bm25s,
}


def filled(scores: np.ndarray) -> np.ndarray:
    """The scores, and zeros behind them to make TOP."""
    return np.pad(scores, (0, TOP - len(scores)))


def contest(name: str, folder: Path) -> None:
    """Index and search; print the processor seconds and mebibytes, and write the scores."""
    index = CONTESTANTS[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    queries = list(lines(folder / "queries.txt"))
    began = time.process_time()
    search = index(folder / "documents.txt")
    indexed = time.process_time()
    scores = search(queries)
    searched = time.process_time()
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    np.save(folder / f"{name}.npy", scores)
    print(json.dumps({"index": indexed - began, "search": searched - indexed, "memory": peak}))


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Every contestant that is installed, in a process of its own."""
    found = {}
    for name in CONTESTANTS:
        if name == "bm25s" and find_spec("bm25s") is None:
            continue
        done = subprocess.run(
            [sys.executable, __file__, "--run", name, str(folder)], stdout=subprocess.PIPE, check=True
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--write", action="store_true", help="record the ratios in results.json")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        contest(given.run[0], Path(given.run[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        make(given.documents, given.queries, Path(folder))
        found = measure(Path(folder))
        scores = {name: np.load(Path(folder) / f"{name}.npy") for name in found}
    report(given.documents, given.queries, found, scores, given.write)


def report(
    documents: int, queries: int, found: dict[str, dict[str, float]], scores: dict[str, np.ndarray], write: bool
) -> None:
    """Print a table, the ratios and how far the answers differ; record the ratios if asked."""
    from record import record

    rates = {name: (documents / row["index"], queries / row["search"], row["memory"]) for name, row in found.items()}
    print(f"{'':18}{'documents/s':>12}{'queries/s':>12}{'MiB':>8}")
    for name, (indexed, searched, memory) in rates.items():
        print(f"{name:18}{indexed:12,.0f}{searched:12,.0f}{memory:8,.0f}")
    units = ("documents/s", "queries/s", "MiB")
    for name, peer in PEERS.items():
        if peer not in found:
            continue
        gap = np.abs(scores[name] - scores[peer]).max()
        pairs = list(zip(units, rates[name], rates[peer], strict=True))
        ratios = [theirs / ours if unit == "MiB" else ours / theirs for unit, ours, theirs in pairs]
        words = ", ".join(f"{ratio:.2f} x {unit}" for unit, ratio in zip(units, ratios, strict=True))
        print(f"{name} against {peer}: {words}; scores differ by at most {gap:.1e}")
        for (unit, ours, theirs), ratio in zip(pairs, ratios, strict=True):
            if write:
                case = f"{name.split()[1]}, {documents:,} documents: {unit}"
                record("retrieval", case, unit, ours, theirs, peer, ratio, None)


if __name__ == "__main__":
    main()
