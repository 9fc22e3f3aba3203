"""Word vectors by the command line: texts and files of vectors that are none, and questions that cannot be answered."""

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from maquette.data.readers.word_vectors import save_vectors
from maquette.verbs.words import words as words_
from tests.test_bad_input import refused

pytest_plugins = ["tests.commands"]

TEXTS = {
    "a binary file": (b"\x7fELF" + bytes(range(64)), "byte 4", "binary file"),
    "latin-1": ("le café est fermé\n".encode("latin-1"), "byte 6", "save the text as UTF-8"),
    "UTF-16": ("the cat sees the dog\n".encode("utf-16"), "UTF-16", "save the text as UTF-8"),
    "nothing": (b"", "empty", "give a text"),
    "no word": (b"... !\n\n", "0 words", "give more text"),
    "a single word": (b"row row row\nrow\n", "1 word", "min_count"),
    "rare words alone": (b"each word stands here once\n", "0 words", "min_count"),
    "a damaged .gz": (gzip.compress(b"the cat sees the dog\n" * 50)[:-9], "damaged", "fetch it again"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_that_is_none_is_refused_before_training(kind, command, tmp_path):
    content, *told = TEXTS[kind]
    path = tmp_path / ("corpus.txt.gz" if ".gz" in kind else "corpus.txt")
    path.write_bytes(content)
    few = ["--set", f"inputs.min_count={2 if 'rare' in kind else 1}"]
    refused(command("train", "skip-gram", "--data", path, *few, "--out", tmp_path / "run"), path.name, *told)
    assert not (tmp_path / "run").exists()


VECTORS = {
    "cut.txt": (b"cat 1 2 3\ndog 4 5", "line 2", "2 numbers where others have 3"),
    "uneven.txt": (b"cat 1.5 2.5\ndog 3.5 4.5 5.5\n", "line 2", "3 numbers where others have 2"),
    "cut.vec": (b"3 2\ncat 1 2\ndog 3 4\n", "2 of 3 words", "fetch it again"),
    "cut.bin": (b"2 4\ncat " + struct.pack("<4f", 1, 2, 3, 4) + b"dog \0\0", "1 of 2 words", "fetch it again"),
    "cut.txt.gz": (gzip.compress(b"cat 1 2 3\n" * 500)[:-12], "damaged", "fetch it again"),
    "letters.txt": (b"cat 1 two\n", "line 1", "number"),
    "encoding.txt": ("café 1 2\n".encode("latin-1"), "line 1", "UTF-8"),
    "empty.txt": (b"", "no vector"),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_file_of_vectors_that_is_none_is_refused(name, command, tmp_path):
    content, *told = VECTORS[name]
    (tmp_path / name).write_bytes(content)
    refused(command("words", tmp_path / name, "cat"), name, *told)


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "four.txt"
    save_vectors(path, ("cat", "dog", "the", "tower"), np.eye(4, 3, dtype="float32") + 0.1)
    return path


ASKED = {
    "a word that is absent": (["towr"], "'towr'", "did you mean 'tower'"),
    "an absent word in an analogy": (["cat - dog + kitten"], "'kitten'"),
    "words taken off alone": (["--", "- cat"], "adds no word"),
    "another method": (["cat", "--method", "3cosdiv"], "3cosdiv"),
    "a form that there is not": (["--out", "words.npy"], "words.npy", ".html"),
    "a folder that is no run": (None, "no run folder"),
}


@pytest.mark.parametrize("kind", ASKED)
def test_a_question_without_an_answer_is_refused(kind, command, vectors, tmp_path):
    asked, *told = ASKED[kind]
    told_ = command("words", tmp_path) if asked is None else command("words", vectors, *asked)
    refused(told_, *told)


def test_what_the_page_holds(vectors, tmp_path):
    words_(vectors, out=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["words"] == ["cat", "dog", "the", "tower"]
    unit = np.eye(4, 3) + 0.1
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    np.testing.assert_allclose(data["vectors"], unit, atol=1e-3)
    assert min(data["x"]) == min(data["y"]) == 0 and max(data["x"]) == 1
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no Chromium to open the page in")
def test_the_page_finds_the_nearest_words(vectors, tmp_path):
    words_(vectors, out=tmp_path / "page.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    shown = {}
    for word in ("dog", "unicorn"):
        address = f"{(tmp_path / 'page.html').as_uri()}#{word}"
        done = subprocess.run(["chromium", *options, address], capture_output=True, text=True, timeout=120, check=True)
        shown[word] = done.stdout
    listed = re.findall(r"<li><button>(\w+)</button><span>(-?[\d.]+)</span>", shown["dog"])
    expected = words_(vectors, ["dog"])
    assert sorted(word for word, _ in listed) == sorted(row["word"] for row in expected)
    np.testing.assert_allclose([float(s) for _, s in listed], [row["score"] for row in expected], atol=2e-3)
    assert len(re.findall(r'<circle[^>]*class="found"', shown["dog"])) == 4
    assert "unicorn is not among these words" in shown["unicorn"]


GLOVE = Path(os.environ.get("MAQUETTE_DATA", "")) / "glove" / "glove.6B.50d.5k.txt.gz"


@pytest.mark.skipif(not GLOVE.is_file(), reason="set MAQUETTE_DATA to a folder that holds glove")
def test_king_less_man_and_woman_by_the_command_line(command):
    done = command("words", GLOVE, "king - man + woman", "man : king :: woman", "--top", 1, "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 0 and [row["word"] for row in rows] == ["queen", "queen"]
    again = command("words", GLOVE, "king - man + woman", "--top", 1, "--method", "3cosmul", "--json")
    assert json.loads(again.out)["word"] == "queen"
