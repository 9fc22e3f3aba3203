"""Reads and writes files of word vectors: GloVe's text, word2vec's text and word2vec's binary form, plain or .gz.

    GloVe text      word, blank, numbers with blanks between them; a line a word, no header
    word2vec text   a first line "words dim", then the same
    word2vec binary a first line "words dim", then for each word its UTF-8 letters, a blank and dim float32 numbers

The header is found, not asked for: a first line of just two whole numbers is one. A word may hold blanks: the numbers
are the last `dim` of a line. Ends of lines within the binary form are passed over, as the program that made it up does.
"""

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from maquette import files
from maquette.errors import InputError

BINARY = (".bin", ".bin.gz")


def load_vectors(path: str | Path, only: Sequence[str] | None = None) -> tuple[tuple[str, ...], np.ndarray]:
    """The words of a file and their vectors, float32 (words, dim), in the file's order.

    Args:
        path: the form is told by the content, packing by the ending .gz.
        only: words to keep; all if None.

    Raises:
        InputError: naming the file and the line, or the word, where it is cut off, rows are of unequal length, a number
            is none, a word comes twice, or there is no word.
    """
    path = Path(path)
    wanted = None if only is None else frozenset(only)
    try:
        with _open(path) as stream:
            first = stream.readline()
            header = _header(first)
            rest = stream.read(4096) if header else b""
            binary = bool(header) and _is_binary(rest)
        with _open(path) as stream:
            if binary:
                return _binary(path, stream, wanted)
            return _text(path, stream, header, wanted)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the packed file is damaged ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the file") from None


def save_vectors(path: str | Path, words: Sequence[str], matrix: np.ndarray, header: bool = False) -> None:
    """Write GloVe's text, with a `header` word2vec's text, and to a name that ends in .bin word2vec's binary form.

    A name that ends in .gz is packed. Text holds nine digits, from which float32 is read back to the bit.

    Raises:
        InputError: for a word with a blank or an end of line in it, which the forms have no place for.
    """
    path = Path(path)
    odd = next((word for word in words if not word or word.split() != [word]), None)
    if odd is not None:
        raise InputError(
            f"the word {odd!r} holds a blank, which {path.name} has no place for: write it with underscores"
        )
    values = np.asarray(matrix, "float32")
    binary = path.name.endswith(BINARY)
    with files.replacing(path) as temporary, (gzip.open if path.suffix == ".gz" else open)(temporary, "wb") as stream:
        if binary or header:
            stream.write(f"{len(words)} {values.shape[1]}\n".encode())
        for word, row in zip(words, values, strict=True):
            numbers = row.tobytes() + b"\n" if binary else (" ".join(f"{x:.9g}" for x in row) + "\n").encode()
            stream.write(word.encode() + b" " + numbers)


def _open(path: Path) -> IO[bytes]:
    if path.is_dir() or not path.exists():
        raise InputError(f"{path}: is no file; give a file of word vectors")
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _header(line: bytes) -> tuple[int, int] | None:
    parts = line.split()
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdigit() for part in parts) else None


def _is_binary(sample: bytes) -> bool:
    """Whether what follows a header are float32 numbers: their bytes hold such as no text has."""
    return any(byte < 9 or 14 <= byte < 32 for byte in sample)


def _text(path: Path, stream: IO[bytes], header: tuple[int, int] | None, wanted: frozenset[str] | None) -> tuple:
    lines = enumerate(stream, 1)
    if header:
        next(lines)
    words: list[str] = []
    rows: list[np.ndarray] = []
    dim = header[1] if header else 0
    seen = number = 0
    for number, line in lines:
        parts = line.split()
        if not parts:
            continue
        dim = dim or len(parts) - 1
        seen += 1
        word, row = _row(path, number, line, dim)
        if wanted is None or word in wanted:
            words.append(word)
            rows.append(row)
    if header and seen != header[0]:
        raise InputError(f"{path}: ends after {seen} of {header[0]} words: the file is cut off; fetch it again")
    return _checked(path, words, rows)


def _row(path: Path, number: int, line: bytes, dim: int) -> tuple[str, np.ndarray]:
    parts = line.rsplit(maxsplit=dim)
    try:
        row = np.array(parts[1:], "float32") if len(parts) == dim + 1 and dim else np.zeros(0)
        word = parts[0].decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: line {number} is not UTF-8; save the file as UTF-8") from None
    except ValueError:
        raise InputError(
            f"{path}: line {number} holds a number that is none; mend the line or fetch the file again"
        ) from None
    if len(row) != dim or not dim or _is_longer(parts[0]):
        found = len(line.split()) - 1
        raise InputError(
            f"{path}: line {number} has {found} numbers where others have {dim}: cut off, or of another file"
        )
    return word, row


def _is_longer(word: bytes) -> bool:
    """Whether what stands before the numbers ends in one more number, with a point as a word hardly has it."""
    return re.search(rb"\s-?\d+\.\d+$", word) is not None


def _binary(path: Path, stream: IO[bytes], wanted: frozenset[str] | None) -> tuple:
    count, dim = _header(stream.readline()) or (0, 0)
    words, rows = [], []
    for i in range(count):
        letters = bytearray()
        while (byte := stream.read(1)) not in (b" ", b""):
            letters += byte if byte != b"\n" else b""
        numbers = stream.read(4 * dim)
        if len(numbers) < 4 * dim:
            raise InputError(f"{path}: ends after {i} of {count} words: the file is cut off; fetch it again")
        try:
            word = letters.decode()
        except UnicodeDecodeError:
            raise InputError(f"{path}: word {i + 1} is not UTF-8: no file of word2vec's binary form") from None
        if wanted is None or word in wanted:
            words.append(word)
            rows.append(np.frombuffer(numbers, "<f4"))
    return _checked(path, words, rows)


def _checked(path: Path, words: list[str], rows: list[np.ndarray]) -> tuple[tuple[str, ...], np.ndarray]:
    if not words:
        raise InputError(f"{path}: holds no vector of a word that is asked for; check the file")
    matrix = np.stack(rows).astype("float32")
    if not np.isfinite(matrix).all():
        raise InputError(f"{path}: the vector of {words[np.argwhere(~np.isfinite(matrix))[0][0]]!r} is no number")
    if len(set(words)) < len(words):
        last = {word: i for i, word in enumerate(words)}
        twice = next(word for i, word in enumerate(words) if last[word] != i)
        raise InputError(f"{path}: the word {twice!r} comes twice; leave one out")
    return tuple(words), matrix
