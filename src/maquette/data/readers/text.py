"""Reads a text as an array of bytes: a file is mapped into memory, others go through a temporary file.

Nothing has to fit into memory. What the bytes mean, and whether they are text, is found out by whoever reads them.
"""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from maquette.errors import InputError

SUFFIXES = (".txt", ".text", ".md", ".rst", ".gz")


def map_text(path: Path) -> np.ndarray:
    """The bytes of a text file, of a .gz file's content, or of a folder's text files by name: uint8 (bytes,).

    Raises:
        InputError: naming what does not exist, cannot be read, is damaged or is empty.
    """
    files = _files(path)
    if files == [path] and path.suffix != ".gz":
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty; give a text with a sentence a line")
        return np.memmap(path, np.uint8, "r")

    def write(stream: IO[bytes]) -> None:
        for file in files:
            _copy(file, stream)
            stream.write(b"\n")

    return spilled(write, str(path))


def spilled(write: Callable[[IO[bytes]], None], name: str) -> np.ndarray:
    """What `write` writes, in a temporary file that is gone with the array; raises InputError if that is nothing."""
    with tempfile.TemporaryFile() as stream:
        write(stream)
        stream.flush()
        if stream.tell() == 0:
            raise InputError(f"{name}: there is no text in it; give a text with a sentence a line")
        mapped: Any = np.memmap(stream, np.uint8, "r+")
        return mapped


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: does not exist; give a text file or a folder of text files")
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"{path}: the folder holds no text file; name them {', '.join(SUFFIXES)}")
    return files


def _copy(file: Path, stream: IO[bytes]) -> None:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as source:
            shutil.copyfileobj(source, stream, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: the packed file is damaged ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check the file") from None
