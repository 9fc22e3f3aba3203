"""Train word2vec on English text: Maquette's compiled loops against gensim, in words per second and in what is learned.

    python benchmarks/word_vectors.py [--epochs 5] [--rounds 3] [--threads 2] [--words 0] [--model cbow] [--write]

The text is that of nltk_corpora, penn_treebank and wikitext2_heldout in $MAQUETTE_DATA, in lower case and without
punctuation, a sentence a line. Both sides train 100 dimensions with windows of at most 5, 5 negative samples, words
that occur 5 times and subsampling at 0.001; gensim in its fastest form, from a file, in as many threads. Each has a
process of its own, and they train in turns, in each round with another seed. Rates count every word of the vocabulary,
by the clock and by the processor's time, which other work on the machine changes less; memory is the most that the
process held. Quality is the mean over the seeds of Spearman's rho on MEN and WordSim-353 and of the share of analogies.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

DIM, WINDOW, NEGATIVES, MIN_COUNT, SUBSAMPLE = 100, 5, 5, 5, 1e-3
RATES = {"skip-gram": 0.04, "cbow": 0.13}
QUALITY = ("men", "ws353", "analogy")


def write_text(path: Path, words: int) -> None:
    """The text, or its first so many words."""
    import zipfile

    from maquette.data import english_text

    found = bytes(english_text.read().train.x).decode()
    data = Path(os.environ["MAQUETTE_DATA"])
    with zipfile.ZipFile(data / "penn_treebank" / "ptb.zip") as members:
        parts = [members.read(f"ptb/ptb.{part}.txt").decode() for part in ("train", "valid", "test")]
    found += "".join(parts).replace("<unk>", " ")
    left = words or sys.maxsize
    with path.open("w") as stream:
        for line in found.lower().splitlines():
            tokens = re.findall(r"\w+", line)[:left]
            left -= len(tokens)
            if tokens:
                stream.write(" ".join(tokens) + "\n")


def maquette(path: Path, model: str, epochs: int, threads: int, seed: int) -> tuple:
    """Words, vectors, words of the text, seconds by the clock and of the processor."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    from dataclasses import replace

    from maquette import assembly, settings

    options = {"model.dim": DIM, "model.threads": threads, "inputs.window": WINDOW, "inputs.min_count": MIN_COUNT}
    options |= {"inputs.subsample": SUBSAMPLE, "epochs": epochs, "seed": seed, "optimizer.sgd": RATES[model]}
    pipeline = assembly.prepare(settings.resolve(model, str(path), options))
    few = replace(pipeline, dataset=replace(pipeline.dataset, train=pipeline.dataset.train.take(np.arange(5000))))
    assembly.build(few).fit(few.training(), epochs=1)  # compiles
    trained = assembly.build(pipeline)
    clock, used = time.perf_counter(), time.process_time()
    trained.fit(pipeline.training(), epochs=epochs)
    clock, used = time.perf_counter() - clock, time.process_time() - used
    return trained.words, trained.vectors(), sum(trained.counts), clock, used


def gensim(path: Path, model: str, epochs: int, threads: int, seed: int) -> tuple:
    """The same of gensim; its learning rate is its own default."""
    from gensim.models import Word2Vec

    sizes = {"vector_size": DIM, "window": WINDOW, "negative": NEGATIVES, "min_count": MIN_COUNT, "sample": SUBSAMPLE}
    trained = Word2Vec(sg=int(model == "skip-gram"), workers=threads, seed=seed, **sizes)
    trained.build_vocab(corpus_file=str(path))
    total = {"total_words": trained.corpus_total_words, "total_examples": trained.corpus_count}
    clock, used = time.perf_counter(), time.process_time()
    trained.train(corpus_file=str(path), epochs=epochs, **total)
    clock, used = time.perf_counter() - clock, time.process_time() - used
    words = trained.wv.index_to_key
    return words, trained.wv.vectors, sum(trained.wv.get_vecattr(w, "count") for w in words), clock, used


CONTESTANTS = {"maquette": maquette, "gensim": gensim}


def contest(name: str, path: Path, model: str, epochs: int, threads: int, seed: int) -> None:
    """Train, score, and print one line of JSON."""
    from maquette.data import word_eval
    from maquette.methods.word_vectors.vectors import WordVectors
    from maquette.tasks.word_vectors_scores import lists

    words, matrix, total, clock, used = CONTESTANTS[name](path, model, epochs, threads, seed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = {row["list"]: row for row in lists(WordVectors(tuple(words), matrix), word_eval.folder())}
    facts = {"words/s": epochs * total / clock, "words/processor s": epochs * total / used, "MiB": memory}
    facts |= {key: table[key]["score"] for key in QUALITY}
    print(json.dumps({**facts, "known": {key: [table[key]["known"], table[key]["of"]] for key in QUALITY}}))


def measure(path: Path, model: str, given: argparse.Namespace) -> dict[str, list[dict]]:
    """Contestant -> what it reached in each round."""
    found: dict[str, list[dict]] = {name: [] for name in CONTESTANTS}
    for i in range(given.rounds):
        for name in list(CONTESTANTS)[:: 1 if i % 2 == 0 else -1]:
            arguments = [name, str(path), model, *map(str, (given.epochs, given.threads, i))]
            command = [sys.executable, __file__, "--run", *arguments]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def report(model: str, found: dict[str, list[dict]], given: argparse.Namespace) -> None:
    """Print medians of rates and means of quality side by side; record the ratios if asked."""
    from record import record

    known = found["maquette"][0]["known"]
    print(f"{model}; known: " + ", ".join(f"{key} {some} of {total}" for key, (some, total) in known.items()))
    middle = {}
    for name, rounds in found.items():
        rates = {key: float(np.median([r[key] for r in rounds])) for key in ("words/s", "words/processor s", "MiB")}
        middle[name] = rates | {key: float(np.mean([r[key] for r in rounds])) for key in QUALITY}
        text = "  ".join(f"{key} {value:,.0f}" for key, value in rates.items())
        print(f"{name:10} {text}  " + "  ".join(f"{key} {middle[name][key]:.4f}" for key in QUALITY))
    pairs = list(zip(found["maquette"], found["gensim"], strict=True))
    clock, used = (float(np.median([a[unit] / b[unit] for a, b in pairs])) for unit in ("words/s", "words/processor s"))
    print(f"{model}: {clock:.2f} times gensim's words by the clock, {used:.2f} by the processor's time")
    if given.write:
        text = f"{given.words:,} words" if given.words else "whole text"
        case = f"{model}, {text}, {given.threads} thread{'s' * (given.threads > 1)}"
        ours, theirs = (middle[name]["words/s"] for name in CONTESTANTS)
        record("word vectors", case, "words/s", ours, theirs, "gensim", clock, None, note(middle, used))


def note(middle: dict[str, dict[str, float]], used: float) -> str:
    """Quality and memory of both sides, and the ratio by the processor's time."""
    scores = (f"{key} {middle['maquette'][key]:.3f} against {middle['gensim'][key]:.3f}" for key in QUALITY)
    memory = f"{middle['maquette']['MiB']:.0f} against {middle['gensim']['MiB']:.0f} MiB"
    return ", ".join((*scores, memory, f"{used:.2f} times per processor second"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="each with another seed")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--words", type=int, default=0, help="of the text; 0 takes all")
    parser.add_argument("--model", choices=RATES, help="only this one")
    parser.add_argument("--write", action="store_true", help="record the ratios in results.json")
    parser.add_argument("--run", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        name, path, model, *numbers = given.run
        contest(name, Path(path), model, *map(int, numbers))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        write_text(path, given.words)
        for model in [given.model] if given.model else RATES:
            report(model, measure(path, model, given), given)


if __name__ == "__main__":
    main()
