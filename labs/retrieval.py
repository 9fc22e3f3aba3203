"""Finding the film review that a sentence was taken from: counts, TF-IDF and BM25, and what makes the difference.

    python labs/retrieval.py [--out runs/retrieval]

From each of 2,000 reviews two sentences are taken out. What is left is the collection, and a sentence is a query with
one right answer. The first sentences choose k1 and b, the second ones are the test, so no score is of queries that
something was chosen by. Prints the tables and writes retrieval.png. The reviews, of Pang and Lee (2004), are read from
$MAQUETTE_DATA/nltk_corpora/movie_reviews.zip.
"""

import argparse
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from maquette.methods.retrieval.bm25 import saturation
from maquette.methods.retrieval.counts import count_terms
from maquette.methods.retrieval.inverted_index import InvertedIndex
from maquette.methods.retrieval.metrics import evaluate
from maquette.methods.retrieval.one_hot import one_hot
from maquette.methods.retrieval.ranking import Ranking
from maquette.methods.retrieval.similarity import KINDS, nearest, similarity
from maquette.methods.retrieval.tf_idf import tf_idf, top_terms
from maquette.methods.retrieval.tokenizer import Tokenizer

WORDS = 6  # a query has at least as many
K1, B = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 3.0, 5.0), (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0)
BLUE, ORANGE, GREY = "#3f7fd6", "#d9622b", "#8a8f98"


def reviews() -> list[str]:
    """The texts, a sentence a line; ends the lab where they are absent."""
    path = Path(os.environ.get("MAQUETTE_DATA", "")) / "nltk_corpora" / "movie_reviews.zip"
    if not path.is_file():
        print("skipped: set MAQUETTE_DATA to a folder that holds nltk_corpora/movie_reviews.zip")
        sys.exit(0)
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".txt"))
        return [archive.read(name).decode("latin-1") for name in names]


def split(texts: list[str]) -> tuple[list[str], list[str], list[str], np.ndarray]:
    """The reviews without two sentences each, these sentences, and which review the pair is from."""
    random = np.random.default_rng(0)
    documents, first, second, source = [], [], [], []
    for number, text in enumerate(texts):
        sentences = text.splitlines()
        long = [i for i, sentence in enumerate(sentences) if len(Tokenizer()(sentence)) >= WORDS]
        taken = random.choice(long, 2, replace=False) if len(long) > 4 else []
        documents.append("\n".join(s for i, s in enumerate(sentences) if i not in taken))
        for kept, i in zip((first, second), taken):
            kept.append(sentences[i])
        source += [number] * bool(len(taken))
    return documents, first, second, np.array(source)


def small() -> None:
    """The vectors of two sentences and of their words, and four things that are called alike."""
    texts = ["The dog chased the cat", "The cat was chased down by the dog"]
    words = ("The", "dog", "chased", "the", "cat", "down", "by", "was")
    counts = count_terms(texts, Tokenizer(lower=False), words)
    for text, row in zip(texts, counts.matrix.toarray().tolist(), strict=True):
        print(f"{text:36}{row}")
    print(f"{'The, as a word vector':36}{counts.word('The').tolist()}")
    e = one_hot(words, words)
    print(f"{'one-hot vectors: largest product':36}{(e @ e.T - np.diag(np.ones(8))).max():g} of different words")
    print("\n" + "".join(f"{kind:>18}" for kind in KINDS))
    for pair in (counts.matrix[[0]], counts.matrix[[1]]), ([[1, 2]], [[50, 100]]):
        print("".join(f"{similarity(*pair, kind)[0, 0]:18.6f}" for kind in KINDS))


def judged(results: list[Any], source: np.ndarray) -> dict[str, float]:
    """The metrics of rankings, where each query has one right answer."""
    return evaluate([places.tolist() for places, _ in results], [{int(i)} for i in source])


def tuned(index: InvertedIndex, queries: list[str], source: np.ndarray) -> np.ndarray:
    """MRR for every k1 and b: (k1, b)."""
    table = np.zeros((len(K1), len(B)))
    for (i, k1), (j, b) in ((x, y) for x in enumerate(K1) for y in enumerate(B)):
        table[i, j] = judged(Ranking(index, k1=k1, b=b).search(queries), source)["mrr"]
    return table


def compared(index: InvertedIndex, documents: list[str], queries: list[str], source: np.ndarray, best: Any) -> None:
    """A row for each way to rank."""
    counts = count_terms(documents)
    asked = counts.transform(queries).matrix
    ways: dict[str, Any] = {
        f"counts, {kind}": list(zip(*nearest(asked, counts.matrix, 10, kind), strict=True))
        for kind in ("dot", "cosine")
    }
    settings = {
        "TF-IDF, book": ("tf-idf", {"idf": "book"}),
        "TF-IDF, scikit-learn": ("tf-idf", {}),
        "TF-IDF, 1 + log n": ("tf-idf", {"tf": "log"}),
        "BM25, b = 0": ("bm25", {"b": 0.0}),
        "BM25, 1.2 and 0.75": ("bm25", {}),
        "BM25, chosen": ("bm25", best),
        "BM25+, chosen": ("bm25", {**best, "variant": "plus"}),
        "BM25L, chosen": ("bm25", {**best, "variant": "l"}),
    }
    ways |= {name: Ranking(index, model, **given).search(queries) for name, (model, given) in settings.items()}
    print(f"\n{len(queries)} queries{'':10}{'MRR':>8}{'nDCG@10':>9}{'found@10':>9}{'mean words of the first':>25}")
    for name, results in ways.items():
        m = judged(results, source)
        words = np.mean([index.lengths[places[0]] for places, _ in results])
        print(f"{name:22}{m['mrr']:8.3f}{m['ndcg@10']:9.3f}{m['recall@10']:9.3f}{words:25.0f}")


def explained(index: InvertedIndex, query: str, right: int, best: Any) -> None:
    """Why the first answer is first."""
    ranking = Ranking(index, **best)
    places, scores = ranking.search([query], 1)[0]
    print(f"\n{query}\nreview {places[0]}{'' if places[0] == right else f', not {right}'}, score {scores[0]:.4f}")
    print(f"{'term':14}{'tf':>4}{'documents':>11}{'idf':>8}{'length':>8}{'weight':>8}{'contribution':>14}")
    rows = sorted(ranking.explain(query, int(places[0])), key=lambda row: -row["contribution"])
    for row in rows[:8]:
        print(f"{row['term']:14}{row['tf']:4}{row['documents']:11}{row['idf']:8.3f}", end="")
        print(f"{row['length_norm']:8.3f}{row['weight']:8.3f}{row['contribution']:14.4f}")
    print(f"{'all ' + str(len(rows)):53}{sum(row['contribution'] for row in rows):14.4f}")


def draw(path: Path, table: np.ndarray) -> None:
    """Saturation beside other ways to count, and the choice of k1 and b."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = page.subplots(1, 2)
    n = np.linspace(0, 10, 400)
    left.plot(n, n, color=GREY, label="n")
    left.plot(n[n >= 1], 1 + np.log(n[n >= 1]), color=ORANGE, label="1 + log n")
    for k1, width in ((0.5, 1.0), (1.2, 1.8), (2.0, 2.6), (5.0, 3.4)):
        left.plot(n, saturation(n, k1), color=BLUE, linewidth=width, label=f"BM25, k1 = {k1:g}")
    left.set(title="What n occurrences of a word weigh", xlabel="n", ylabel="weight", ylim=(0, 7))
    left.legend(frameon=False, fontsize=9)
    left.spines[["top", "right"]].set_visible(False)
    shown = right.imshow(table, cmap="Blues", aspect="auto")
    right.set(title="MRR of the first sentences", xlabel="b", ylabel="k1")
    right.set_xticks(range(len(B)), [f"{b:g}" for b in B])
    right.set_yticks(range(len(K1)), [f"{k1:g}" for k1 in K1])
    right.plot(*np.unravel_index(table.argmax(), table.shape)[::-1], "o", color=ORANGE)
    page.colorbar(shown, ax=right)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/retrieval"))
    path = parser.parse_args().out / "retrieval.png"
    small()
    documents, first, second, source = split(reviews())
    index = InvertedIndex.build(documents)
    print(f"\n{len(documents)} reviews of {index.lengths.min()} to {index.lengths.max()} words; ", end="")
    print(f"{len(index.terms)} words; {index.counts.nnz / np.prod(index.counts.shape):.2%} of the cells are not 0")
    counts = count_terms(documents[:1], vocabulary=index.terms)
    idf = Ranking(index, "tf-idf").model.idf
    about = top_terms(tf_idf(counts.matrix, idf), index.terms, 8)[0]
    print(f"the first is about {', '.join(word for word, _ in about)}")
    table = tuned(index, first, source)
    i, j = np.unravel_index(table.argmax(), table.shape)
    best = {"k1": K1[i], "b": B[j]}
    print(f"chosen by {len(first)} sentences: k1 = {K1[i]:g}, b = {B[j]:g}, MRR {table[i, j]:.3f}", end="")
    print(f"; the worst of the table {table.min():.3f}")
    compared(index, documents, second, source, best)
    explained(index, second[0], int(source[0]), best)
    draw(path, table)
    print(f"\n{path}")


if __name__ == "__main__":
    main()
