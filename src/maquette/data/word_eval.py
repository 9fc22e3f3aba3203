"""Lists by which word vectors are judged: pairs of words that people scored, and questions of analogy."""

import os
from pathlib import Path

from maquette.data.source import cache_folder
from maquette.errors import InputError

LISTS = {
    **{"ws353": "EN-WS-353-ALL.txt", "men": "EN-MEN-TR-3k.txt", "simlex": "EN-SIMLEX-999.txt"},
    **{"mturk": "EN-MTurk-771.txt", "rg65": "EN-RG-65.txt"},
}
QUESTIONS = "questions-words.txt"


def folder() -> Path | None:
    """Where the lists are, $MAQUETTE_DATA/word_eval or the cache; None if they are not on this machine."""
    given = os.environ.get("MAQUETTE_DATA")
    places = [*([Path(given)] if given else []), cache_folder()]
    return next((p / "word_eval" for p in places if (p / "word_eval" / QUESTIONS).is_file()), None)


def pairs(place: Path) -> dict[str, list[tuple[str, str, float]]]:
    """List -> pairs of words with the mean of people's scores, for the lists that are there."""
    return {name: _pairs(place / file) for name, file in LISTS.items() if (place / file).is_file()}


def analogies(place: Path) -> list[tuple[str, str, str, str]]:
    """The questions (a, b, c, d), in lower case."""
    text = (place / QUESTIONS).read_text(encoding="utf-8").lower()
    rows = [tuple(line.split()) for line in text.splitlines() if line.strip() and not line.startswith(":")]
    wrong = [row for row in rows if len(row) != 4]
    if wrong:
        raise InputError(f"{place / QUESTIONS}: a question has {len(wrong[0])} words instead of 4; restore the file")
    return [(a, b, c, d) for a, b, c, d in rows]


def _pairs(path: Path) -> list[tuple[str, str, float]]:
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        return [(row[0].lower(), row[1].lower(), float(row[2])) for row in rows]
    except (IndexError, ValueError):
        raise InputError(f"{path}: a line is not a pair of words and a number; restore the file") from None
