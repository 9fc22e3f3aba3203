"""English text: the Brown corpus, film reviews, addresses of presidents and Wikipedia articles, a sentence a line."""

import gzip
import zipfile
from pathlib import Path
from typing import IO

from maquette.data.dataset import Card, Dataset, File, Split
from maquette.data.readers.text import spilled
from maquette.data.source import describe, locate

_NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28/packages/corpora/"
CORPORA = (
    File(
        "brown.zip",
        "9b275f9b3b95d7bd66ccfb7cd259f445a13bbe5d1f4107aba09fd3e8364bafa6",
        _NLTK + "brown.zip",
    ),
    File(
        "movie_reviews.zip",
        "a41211ae685019137410268134db6a1a14428c89b671eb83056151a878539008",
        _NLTK + "movie_reviews.zip",
    ),
    File(
        "state_union.zip",
        "366c1dc82b2abf896f42b2ec50ba802a0141a29f75d29ca48a7a243ce5bfbe8d",
        _NLTK + "state_union.zip",
    ),
    File(
        "inaugural.zip",
        "7c5fb5793e31fbeae12bf1aa0ffda5336468f07cedb50654c6d31ca384e2046b",
        _NLTK + "inaugural.zip",
    ),
)
# The parts of WikiText-2 that are packed have no public address of just these bytes.
ARTICLES = (
    File("wiki.valid.raw.gz", "ca53bb3fbc5d94eb22e60bb7d02f963ca9e01eef5eb50cd5c92a2745cd3e3281"),
    File("wiki.test.raw.gz", "aeb24039f80f70564e93f5f33f4479ba608581d060818ea7f3efe008b7043f6d"),
)

CARD = Card(
    title="English text: Brown corpus, film reviews, presidents' addresses, Wikipedia",
    task="word-vectors",
    source="Francis, Kucera (1964); Pang, Lee (2004); C-Span; Merity et al. (2016): the corpora of NLTK and the "
    "held-out parts of WikiText-2",
    licence="Brown: not for commercial purposes; reviews: CC BY 4.0; addresses: public domain; WikiText: CC BY-SA 3.0",
    counts={"train": 19_241_087},
    shape=(),
    files=(*CORPORA, *ARTICLES),
)


def read(without: str = "") -> Dataset:
    """The text as bytes: x uint8 (bytes,); words apart by blanks, as the corpora have them; all files but `without`."""
    paths = locate("nltk_corpora", CORPORA) | locate("wikitext2_heldout", ARTICLES)
    paths.pop(without, None)

    def write(stream: IO[bytes]) -> None:
        for name, path in paths.items():
            _unpack(name, path, stream)

    return Dataset(name="english_text", train=Split(spilled(write, "english_text")), origin=describe(paths))


def _unpack(name: str, path: Path, stream: IO[bytes]) -> None:
    if path.suffix == ".gz":
        with gzip.open(path) as text:
            stream.write(text.read())
        return
    with zipfile.ZipFile(path) as members:
        for member in sorted(members.namelist()):
            if name == "brown.zip" and member.startswith("brown/c") and not member.endswith(".txt"):
                stream.write(_untagged(members.read(member)))
            elif member.endswith(".txt"):
                stream.write(members.read(member).decode("latin-1").encode() + b"\n")


def _untagged(text: bytes) -> bytes:
    """Words without their tags: "the/at cat/nn" -> "the cat"."""
    lines = (b" ".join(word.rpartition(b"/")[0] for word in line.split()) for line in text.splitlines())
    return b"\n".join(line for line in lines if line) + b"\n"
