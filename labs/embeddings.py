"""Word vectors as the input of a network: learned with it, or brought from elsewhere, frozen or not, by training texts.

    python labs/embeddings.py [--out runs/embeddings] [--seeds 3] [--only sentences]

The classifier is the mean of a text's word vectors with a softmax on top. Its vectors start at random, or are GloVe's
of six thousand million words, of which a list of 5,050 is at hand, or skip-gram's on texts without reviews (the Brown
corpus, presidents' addresses, articles: two million words). They are learned with the classifier, or stay as they are.

Two tasks: reviews of films, long texts, of which 600 words are read; and sentences of the Brown corpus, short texts,
from the press, learned writings, government documents or fiction. Each training takes 150 steps of at most 64 texts, or
five passes where these are more, with as many texts of each class. Seed s is scored on a tenth that it never trains on:
fold 1 + s of the reviews, or 1,000 sentences of every tenth book. Prints the accuracies with Student's intervals over
seeds and writes embeddings.png; what the .json files in the same folder hold is not measured again. Data are read from
$MAQUETTE_DATA.
"""

import argparse
import json
import os
import re
import sys
import zipfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from maquette import assembly, data, files, settings, train
from maquette.core.recipe import Recipe
from maquette.data import english_text
from maquette.data.dataset import Dataset, Split
from maquette.data.readers.word_vectors import save_vectors
from maquette.tasks.intervals import mean_of
from maquette.tasks.text_classification import TASK

STEPS, PASSES, BATCH = 150, 5, 64
SIZES = {"reviews": (50, 200, 600, 1800), "sentences": (20, 50, 200, 1000, 5000)}
LENGTH = {"reviews": 600, "sentences": 40}
GENRES = {"press": "abc", "learned": "j", "government": "h", "fiction": "klmnpr"}
GLOVE = "glove/glove.6B.50d.5k.txt.gz"
BLUE, ORANGE, GREY = "#3f7fd6", "#d9622b", "#8a8f98"
Found = dict[str, dict[int, list[float]]]


def ways(texts: str, own: str) -> dict[str, tuple[dict[str, Any], str, str]]:
    """Name -> settings, colour and style of line; skip-gram has read the sentences, and is not compared on them."""
    found: dict[str, tuple[dict[str, Any], str, str]] = {"from scratch": ({}, GREY, "-")}
    files_ = {"GloVe": (GLOVE, ORANGE)} | ({"skip-gram": (own, BLUE)} if texts == "reviews" else {})
    for name, (file, colour) in files_.items():
        found[f"{name}, frozen"] = ({"inputs.vectors": file, "model.frozen": True}, colour, "--")
        found[f"{name}, fine-tuned"] = ({"inputs.vectors": file}, colour, "-")
    return found


def sentences(archive: Path) -> Dataset:
    """The sentences of eight words or more of four kinds of books, with a tenth of the books in each fold."""
    texts, y, folds = [], [], []
    with zipfile.ZipFile(archive) as books:
        for label, letters in enumerate(GENRES.values()):
            names = [n for n in books.namelist() if re.fullmatch(f"brown/c[{letters}]\\d\\d", n)]
            for number, name in enumerate(sorted(names)):
                lines = (line.split() for line in books.read(name).decode("latin-1").splitlines())
                found = [" ".join(w.rpartition("/")[0] for w in line) for line in lines if len(line) >= 8]
                texts += found
                y += [label] * len(found)
                folds += [1 + number % 10] * len(found)
    train_ = Split(np.array(texts, object), np.array(y, np.int32))
    return Dataset("sentences", train_, classes=tuple(GENRES), folds=np.array(folds))


def vectors(out: Path) -> str:
    """A file of vectors of skip-gram on everything but the reviews."""
    file = out / "vectors.bin"
    if not file.exists():
        (out / "text.txt").write_bytes(bytes(english_text.read(without="movie_reviews.zip").train.x))
        model = train("skip-gram", str(out / "text.txt"), {"batch_size": 1024}, out=out / "skip_gram").model
        save_vectors(file, model.words, model.vectors())
    return str(file)


def some(dataset: Dataset, size: int, seed: int) -> Dataset:
    """The data set with `size` of its training texts, as many of each class, and at most 1,000 to be scored on."""
    random, y = np.random.default_rng(seed), np.asarray(dataset.train.y)
    each = size // len(dataset.classes)
    chosen = [random.permutation(np.flatnonzero(y == label))[:each] for label in range(len(dataset.classes))]
    test = dataset.test or dataset.train
    held = random.permutation(len(test))[:1000]
    return replace(dataset, train=dataset.train.take(np.concatenate(chosen)), test=test.take(held))


def accuracy(recipe: Recipe, base: Dataset, size: int) -> float:
    """Trained on `size` texts, the share of the held-out texts that is answered right."""
    options = assembly.input_options(recipe)
    dataset = some(TASK.adapt(base, options), size, recipe.seed)
    encoder = TASK.encoder(options).fit(dataset.train.x)
    recipe = replace(recipe, epochs=max(PASSES, -(-STEPS // -(-size // BATCH))))
    pipeline = assembly.Pipeline(recipe, TASK, dataset, encoder, {}, (encoder.length,))
    model = assembly.build(pipeline)
    TASK.start(model, pipeline)
    model.fit(pipeline.training(), epochs=recipe.epochs, shuffle=False, verbose=0)
    assert dataset.test
    answers = ops.convert_to_numpy(model.serve(encoder.transform(dataset.test.x))).argmax(axis=1)
    return float((answers == dataset.test.y).mean())


def measured(texts: str, base: Dataset, out: Path, own: str, seeds: int) -> Found:
    """Way -> size -> the accuracy of each seed."""
    kept, found = out / f"{texts}.json", {name: {} for name in ways(texts, own)}
    known: dict[str, float] = json.loads(kept.read_text()) if kept.exists() else {}
    for size, (name, (given, *_)) in product(SIZES[texts], ways(texts, own).items()):
        for seed in range(seeds):
            case = f"{name}, {size} {texts}, seed {seed}"
            if case not in known:
                shared = {"inputs.length": LENGTH[texts], "batch_size": BATCH, "seed": seed}
                known[case] = accuracy(settings.resolve("movie-reviews", settings={**shared, **given}), base, size)
                files.write_json(kept, known)
            found[name].setdefault(size, []).append(known[case])
        interval = mean_of(found[name][size])
        says = f"{interval.value:7.1%}  {interval.low:.1%} to {interval.high:.1%}"
        print(f"{size:6} {texts}  {name:24}{says}", flush=True)
    return found


def draw(path: Path, found: dict[str, Found], own: str) -> None:
    """Accuracy by the number of training texts."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.6), layout="constrained")
    for axes, (texts, rows) in zip(np.ravel(page.subplots(1, len(found))), found.items(), strict=True):
        for name, (_, colour, style) in ways(texts, own).items():
            intervals = [mean_of(values) for values in rows[name].values()]
            means = [100 * interval.value for interval in intervals]
            axes.plot(list(rows[name]), means, style, color=colour, marker="o", markersize=3.5, label=name)
            low, high = zip(*((100 * interval.low, 100 * interval.high) for interval in intervals))
            axes.fill_between(list(rows[name]), low, high, color=colour, alpha=0.1, linewidth=0)
        axes.set(xscale="log", xlabel=f"training {texts}", ylabel="accuracy, %", ylim=(20, 100))
        axes.set_xticks(SIZES[texts], [f"{size:,}" for size in SIZES[texts]])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right", fontsize=9)
    page.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/embeddings"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=list(SIZES))
    given = parser.parse_args()
    folder = Path(os.environ.get("MAQUETTE_DATA", ""))
    if not (folder / GLOVE).is_file() or not (folder / "nltk_corpora").is_dir():
        print("skipped: set MAQUETTE_DATA to a folder that holds nltk_corpora, wikitext2_heldout and glove")
        sys.exit(0)
    given.out.mkdir(parents=True, exist_ok=True)
    found, own = {}, ""
    for texts in [given.only] if given.only else SIZES:
        own = own or (vectors(given.out) if texts == "reviews" else "")
        base = data.load("movie_reviews") if texts == "reviews" else sentences(folder / "nltk_corpora" / "brown.zip")
        found[texts] = measured(texts, base, given.out, own, given.seeds)
    draw(given.out / "embeddings.png", found, own)
    print(given.out / "embeddings.png")


if __name__ == "__main__":
    main()
