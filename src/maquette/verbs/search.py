"""Search documents of the user's own: rank them for queries, and say why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maquette.data.readers.documents import Documents, find_documents
from maquette.errors import InputError
from maquette.methods.retrieval.inverted_index import InvertedIndex
from maquette.methods.retrieval.ranking import Ranking

SHOWN = 160  # characters of a document


def search(
    documents: str | Path,
    queries: Sequence[str],
    *,
    model: str = "bm25",
    top: int = 10,
    explain: bool = False,
    index: str | Path | None = None,
    text: str | None = None,
) -> list[dict[str, Any]]:
    """Find the documents that answer queries best.

    Args:
        documents: a folder of text files, a file with a document a line, or a table: see `find_documents`.
        queries: one or more.
        model: bm25 or tf-idf.
        top: how many to return for each query.
        explain: whether to say what each word adds to each score.
        index: a file that keeps the index, so that the documents need not be read again to search them. It is
            written if it does not exist, and anew if the documents have changed.
        text: of a table, the column that holds the texts.

    Returns:
        A row for each query: {"query", "documents": how many there are, "left_out": how many files of a folder are of
        other kinds, "unknown": words that no document holds, "hits"}. A hit is {"rank", "score", "document", "text"}
        with a beginning of the text, and "explain" where asked for.

    Raises:
        InputError: naming the file, the column, the query, or the index at fault.
    """
    found = find_documents(documents, text)
    ranking = Ranking(_index(found, Path(index) if index is not None else None), model)
    results = ranking.search(queries, top)
    shown = found.pick({int(number) for numbers, _ in results for number in numbers})
    answers = []
    for query, (numbers, scores) in zip(queries, results, strict=True):
        hits = []
        for rank, (number, score) in enumerate(zip(numbers.tolist(), scores.tolist(), strict=True), 1):
            name, words = shown[number]
            hit = {"rank": rank, "score": score, "document": name, "text": _beginning(words)}
            hits.append({**hit, "explain": ranking.explain(query, number)} if explain else hit)
        facts = {"documents": ranking.index.counts.shape[0], "left_out": found.left_out}
        facts |= {"unknown": ranking.index.unknown(query)}
        answers.append({"query": query, **facts, "hits": hits})
    return answers


def _index(found: Documents, path: Path | None) -> InvertedIndex:
    stamp = found.stamp()
    if path is not None and path.is_dir():
        raise InputError(f"--index {path}: is a folder; give a file, such as {path / 'index.npz'}")
    if path is not None and path.exists():
        kept = InvertedIndex.load(path)
        if kept.about == stamp:
            return kept
        if any(kept.about.get(key) != stamp[key] for key in ("source", "column")):
            raise InputError(f"--index {path} is of other documents, {kept.about.get('source')}: give another file")
    try:
        index = InvertedIndex.build((text for _, text in found), about=stamp)
    except InputError as error:
        raise InputError(str(error) if str(found.path) in str(error) else f"{found.path}: {error}") from None
    if path is not None:
        index.save(path)
    return index


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * SHOWN].split())
    return line if len(line) <= SHOWN else line[: SHOWN - 4].rstrip() + " ..."
