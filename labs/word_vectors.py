"""Word vectors six ways on one text: counts, their factors, skip-gram, CBOW and GloVe, and what an analogy looks like.

    python labs/word_vectors.py [--out runs/word_vectors] [--words 1000000] [--epochs 5]

Prints the co-occurrence matrix of three sentences with its singular values, then the scores of vectors that were
learned from English text in different ways. Draws how much GloVe lets a count weigh, and king, queen, man and woman on
the principal plane of their GloVe vectors. Texts, lists and vectors are read from $MAQUETTE_DATA.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from maquette import train
from maquette.data import english_text, word_eval
from maquette.data.readers.word_vectors import load_vectors
from maquette.methods.retrieval.tokenizer import Tokenizer
from maquette.methods.word_vectors.cooccurrence import cooccurrence
from maquette.methods.word_vectors.mutual_information import ppmi
from maquette.methods.word_vectors.projection import project
from maquette.methods.word_vectors.singular_vectors import singular_vectors
from maquette.methods.word_vectors.text_numbers import number_text
from maquette.methods.word_vectors.vectors import WordVectors
from maquette.tasks.word_vectors_scores import lists

SENTENCES = b"I like Machine Learning .\nI like TensorFlow .\nI prefer Python ."


def three_sentences() -> None:
    """The matrix, its singular values, and the first two components of each word."""
    text = np.frombuffer(SENTENCES, "uint8")
    tokens, vocabulary = number_text(text, tokenizer=Tokenizer(pattern=r"\w+|\."))
    counts = cooccurrence(tokens, len(vocabulary.words), reach=1)
    found = singular_vectors(counts, dim=8, power=0)
    for word, row, place in zip(vocabulary.words, counts.toarray().astype(int), found.vectors, strict=True):
        print(f"{word:12}{row}  {place[:2].round(2)}")
    print("singular values", found.values.round(4), f"share of the first two {(found.values[:2] ** 2).sum() / 24:.3f}")


def factored(text: np.ndarray) -> dict[str, WordVectors]:
    """Vectors from counts, their logarithm, and mutual information."""
    tokens, vocabulary = number_text(text, min_count=5)
    counts = cooccurrence(tokens, len(vocabulary.words), reach=5, weight="linear")
    tables = {"counts": counts, "log counts": counts.log1p(), "mutual information": ppmi(counts, smoothing=0.75)}
    return {name: WordVectors(vocabulary.words, singular_vectors(x, 100).vectors) for name, x in tables.items()}


def learned(path: Path, out: Path, epochs: int) -> dict[str, WordVectors]:
    """Vectors of skip-gram, CBOW and GloVe, whose passes are over cells instead of the text."""
    found = {}
    for name, passes in {"skip-gram": epochs, "cbow": epochs, "glove": 5 * epochs}.items():
        model = train(name, str(path), {"epochs": passes, "batch_size": 1024}, out=out / name).model
        found[name] = WordVectors(tuple(model.words), model.vectors())
    return found


def weights(out: Path) -> None:
    """How much a count weighs in GloVe's loss, for three exponents."""
    from matplotlib.figure import Figure

    counts = np.linspace(0, 20, 201)
    axes = (figure := Figure(figsize=(4, 3), layout="constrained")).subplots()
    for alpha in (0.5, 0.75, 1.0):
        axes.plot(counts, np.minimum(1, (counts / 10) ** alpha), label=f"alpha {alpha:g}")
    axes.set(xlabel="count (x_max = 10)", ylabel="weight")
    axes.legend()
    figure.savefig(out / "weights.png", dpi=150)


def parallelogram(folder: Path, out: Path) -> None:
    """king, queen, man and woman on their principal plane, and how parallel the two steps are."""
    from matplotlib.figure import Figure

    words = ["man", "king", "woman", "queen"]
    vectors = WordVectors(*load_vectors(folder / "glove.6B.50d.5k.txt.gz"))
    rows = vectors.unit[[vectors.row(word) for word in words]]
    steps = rows[1] - rows[0], rows[3] - rows[2]
    cosine = float(steps[0] @ steps[1] / np.linalg.norm(steps[0]) / np.linalg.norm(steps[1]))
    found = vectors.nearest(["king", "woman"], ["man"], 3)
    print("king - man + woman: " + ", ".join(f"{word} {score:.3f}" for word, score in found))
    print(f"cosine of king - man and queen - woman: {cosine:.3f}")
    places = project(rows)
    axes = (figure := Figure(figsize=(5, 3.6), layout="constrained")).subplots()
    for a, b in ((0, 1), (2, 3)):
        axes.annotate("", places[b], places[a], arrowprops={"arrowstyle": "->", "color": "#3f7fd6", "shrinkB": 4})
    for word, place in zip(words, places, strict=True):
        axes.annotate(word, place, (0, 7), textcoords="offset points", ha="center")
    axes.scatter(*places.T, s=14, color="#3f7fd6")
    axes.set(aspect="equal", xticks=[], yticks=[], title=f"The two steps have a cosine of {cosine:.2f}")
    axes.margins(0.2)
    axes.spines[:].set_visible(False)
    figure.savefig(out / "parallelogram.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/word_vectors"))
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    three_sentences()
    folder = word_eval.folder()
    if folder is None:
        print("skipped: set MAQUETTE_DATA to a folder that holds nltk_corpora, wikitext2_heldout, word_eval and glove")
        sys.exit(0)
    given.out.mkdir(parents=True, exist_ok=True)
    weights(given.out)
    text = english_text.read().train.x[: 6 * given.words]  # a word has about five letters
    path = given.out / "text.txt"
    path.write_bytes(bytes(text).rpartition(b"\n")[0])
    for name, vectors in (factored(np.fromfile(path, "uint8")) | learned(path, given.out, given.epochs)).items():
        scores = "  ".join(f"{row['list']} {row['score']:.3f}" for row in lists(vectors, folder))
        print(f"{name:20}{scores}")
    parallelogram(Path(os.environ["MAQUETTE_DATA"]) / "glove", given.out)


if __name__ == "__main__":
    main()
