"""Ask word vectors, of a run or of a file; write them in another form; draw them as a page to search."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maquette import backend as backends
from maquette import files
from maquette.data import word_eval
from maquette.data.readers.word_vectors import load_vectors, save_vectors
from maquette.errors import InputError
from maquette.methods.word_vectors.projection import project
from maquette.methods.word_vectors.questions import parse_question
from maquette.methods.word_vectors.vectors import WordVectors
from maquette.run import Run
from maquette.tasks.word_vectors_scores import lists

DRAWN = 2000  # words on the page


def words(
    source: str | Path,
    questions: Sequence[str] = (),
    *,
    top: int = 10,
    method: str = "3cosadd",
    evaluate: bool = False,
    out: str | Path | None = None,
    projection: str = "pca",
) -> list[dict[str, Any]]:
    """Answer questions to word vectors.

    Args:
        source: a finished run of the task word-vectors, or a file of vectors in GloVe's or word2vec's forms.
        questions: such as "king", "king - man + woman" or "man : king :: woman".
        top: answers to each question.
        method: 3cosadd or 3cosmul, for questions of three words.
        evaluate: whether to score the lists of pairs and analogies as well.
        out: where to write the vectors: .txt (GloVe), .vec (word2vec's text) or .bin, each with .gz if packed; or a
            page .html with the words on a plane, which can be searched.
        projection: of the page: pca or t-sne.

    Returns:
        A row for each answer, {"question", "rank", "word", "score"}, and each list, {"list", "score", "known", "of"}.

    Raises:
        InputError: naming the file, the word or the option at fault.
    """
    vectors = read_vectors(source)
    rows: list[dict[str, Any]] = []
    for question in questions:
        found = _answer(vectors, question, top, method)
        rows += [{"question": question, "rank": i, "word": w, "score": s} for i, (w, s) in enumerate(found, 1)]
    if evaluate:
        folder = word_eval.folder()
        if not folder:
            raise InputError("--evaluate: the lists are not here: set MAQUETTE_DATA to a folder that holds word_eval")
        rows += lists(vectors, folder)
    if out is not None:
        _write(vectors, Path(out), projection)
    return rows


def read_vectors(source: str | Path) -> WordVectors:
    """The vectors of a run's folder or of a file."""
    if not Path(source).is_dir():
        return WordVectors(*load_vectors(source))
    run = Run.open(source)
    if run.recipe.task != "word-vectors":
        raise InputError(f"{source} is a run of {run.recipe.task}: give one of word-vectors")
    backends.choose(run.backend, run.recipe.page)
    return WordVectors(tuple(run.model.words), run.model.vectors())


def _answer(vectors: WordVectors, question: str, top: int, method: str) -> list[tuple[str, float]]:
    plus, minus = parse_question(question)
    if not plus:
        raise InputError(f"the question {question!r} adds no word: ask for one, such as king - man + woman")
    if method != "3cosadd":
        if (len(plus), len(minus)) != (2, 1):
            raise InputError(
                f"--method {method}: {question!r} is no question of three words, such as king - man + woman"
            )
        return vectors.analogy(minus[0], plus[0], plus[1], top, method)
    return vectors.nearest(plus, minus, top)


def _write(vectors: WordVectors, out: Path, projection: str) -> None:
    name = out.name.removesuffix(".gz")
    if name.endswith(".html"):
        _draw(vectors, out, projection)
    elif name.endswith((".txt", ".vec", ".bin")):
        save_vectors(out, vectors.words, vectors.matrix, header=name.endswith(".vec"))
    else:
        raise InputError(f"--out {out}: end it in .txt, .vec or .bin, each with .gz if packed, or in .html for a page")


def _draw(vectors: WordVectors, out: Path, projection: str) -> None:
    shown = vectors.words[:DRAWN]
    places = project(vectors.unit[:DRAWN], projection)
    low, high = places.min(axis=0), places.max(axis=0)
    places = (places - low) / (high - low + 1e-12)
    data = {"words": shown, "x": places[:, 0].round(4), "y": places[:, 1].round(4)}
    data["vectors"] = vectors.unit[:DRAWN].round(3)
    template = Path(__file__).with_name("templates") / "words.html"
    # A word may be "</script>": no tag of its own can stand in the page.
    text = json.dumps(files.plain(data), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    files.write_text(out, template.read_text(encoding="utf-8").replace("{{ data }}", text))
