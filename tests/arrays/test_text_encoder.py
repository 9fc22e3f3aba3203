"""Texts with classes: readers, the vocabulary, rows of numbers, word vectors from files, and the built-in sets."""

import os
from pathlib import Path

import numpy as np
import pytest

import maquette.data
from maquette.data.dataset import Dataset, Split
from maquette.data.readers.labelled_texts import read_labelled
from maquette.data.readers.word_vectors import save_vectors
from maquette.errors import InputError
from maquette.tasks.text_classification import TASK, wrongest
from maquette.tasks.text_encoder import TextEncoder

ARCHIVE = Path(os.environ.get("MAQUETTE_DATA", "")) / "nltk_corpora" / "movie_reviews.zip"
TEXTS = np.array(["the cat sees the dog", "The dog, a dog!", "cats rare"], object)


def refuses(*words):
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(words))


# --- vocabulary and rows ---------------------------------------------------------------------------------------


def test_the_vocabulary_is_that_of_the_training_texts_by_frequency():
    encoder = TextEncoder(min_count=2).fit(TEXTS)
    assert set(encoder.words) == {"the", "dog"} and encoder.length == 5
    assert encoder.report == ("vocabulary: 2 of 7 words, 54.5% of the 11 in the texts",)
    number = {word: i for i, word in enumerate(encoder.words, 1)}
    rows = encoder.transform(["a dog sees the unicorn", "", "Dog"])
    assert rows.tolist() == [[number["dog"], number["the"], 0, 0, 0], [0] * 5, [number["dog"], 0, 0, 0, 0]]


def test_long_texts_are_cut_and_large_vocabularies_too():
    encoder = TextEncoder(min_count=1, length=2, most=3).fit(TEXTS)
    assert len(encoder.words) == 3 and encoder.words[:2] in (("the", "dog"), ("dog", "the"))
    assert encoder.transform(["the dog the dog"]).shape == (1, 2)


def test_an_encoder_comes_back_without_its_file(tmp_path):
    save_vectors(tmp_path / "v.txt", ("dog", "unicorn"), np.eye(2))
    encoder = TextEncoder(min_count=1, vectors=str(tmp_path / "v.txt")).fit(TEXTS)
    (tmp_path / "v.txt").unlink()
    again = TextEncoder.from_json(encoder.to_json())
    assert again.words == encoder.words and again.rows is None and again.report == encoder.report
    assert np.array_equal(again.transform(TEXTS), encoder.transform(TEXTS))


def test_texts_without_a_frequent_word_are_refused():
    with refuses("occurs 5 times", "min_count"):
        TextEncoder(min_count=5).fit(TEXTS)
    with refuses("occurs 2 times"):
        TextEncoder().fit(np.array(["...", "!"], object))


# --- vectors from elsewhere ------------------------------------------------------------------------------------


def test_words_of_a_file_get_their_rows_others_zeros_and_unseen_ones_are_known(tmp_path):
    words, matrix = ("unicorn", "dog", "the"), np.arange(6, dtype="float32").reshape(3, 2) + 1
    save_vectors(tmp_path / "v.txt", words, matrix)
    encoder = TextEncoder(min_count=1, vectors=str(tmp_path / "v.txt")).fit(TEXTS)
    assert encoder.words[-1] == "unicorn" and encoder.model_arguments == {"words": 8, "dim": 2}
    for word, row in zip(encoder.words, encoder.rows, strict=True):
        assert row.tolist() == (matrix[words.index(word)].tolist() if word in words else [0, 0])
    # 2 of 7 words, 6 of 11 occurrences: the, the, the, dog, dog, dog
    assert "28.6% of these words and 54.5% of their occurrences" in encoder.report[1]
    assert "1 of its words" in encoder.report[1]
    assert encoder.transform(["unicorn"])[0, 0] == len(encoder.words)


def test_vectors_are_found_below_the_data_folder_and_missing_ones_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MAQUETTE_DATA", str(tmp_path))
    save_vectors(tmp_path / "v.txt", ("dog",), np.ones((1, 2)))
    assert TextEncoder(vectors="v.txt").fit(TEXTS).rows.shape[1] == 2
    for source, words in {
        "none.txt": ("inputs.vectors=none.txt", "does not exist", "run"),
        str(tmp_path): ("is no run",),
    }.items():
        with refuses(*words):
            TextEncoder(vectors=source).fit(TEXTS)
    save_vectors(tmp_path / "other.txt", ("le", "chien"), np.ones((2, 2)))
    with refuses("other.txt", "none of the 2 words"):
        TextEncoder(vectors="other.txt").fit(TEXTS)


# --- the user's own texts ---------------------------------------------------------------------------------------


def test_a_table_and_a_folder_give_the_same_texts(tmp_path):
    (tmp_path / "mails.csv").write_text('text,label\n"Cheap, now",spam\nLunch?,ham\nWin!,spam\n')
    table = read_labelled(tmp_path / "mails.csv")
    for name, text in {"spam/a.txt": "Cheap, now", "spam/b.txt": "Win!", "ham/c.txt": "Lunch?"}.items():
        (tmp_path / "mails" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mails" / name).write_text(text)
    (tmp_path / "mails" / "ham" / "photo.png").write_bytes(b"1")
    folder = read_labelled(tmp_path / "mails")
    assert table.classes == folder.classes == ("ham", "spam") and table.target == "label"
    pairs = [sorted(zip(d.train.x, d.train.y.tolist(), strict=True)) for d in (table, folder)]
    assert pairs[0] == pairs[1] and folder.train.names == ("ham/c.txt", "spam/a.txt", "spam/b.txt")
    assert "1 files" in folder.report[0] and folder.report[-1] == "train: 3 texts of 2 classes"


def test_folders_of_parts_are_the_splits(tmp_path):
    for part in ("train", "test"):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            (tmp_path / part / label / "1.txt").write_text(f"{part} {label}")
    data = read_labelled(tmp_path)
    assert data.train.x.tolist() == ["train a", "train b"] and data.test.x.tolist() == ["test a", "test b"]
    (tmp_path / "test" / "c").mkdir()
    (tmp_path / "test" / "c" / "1.txt").write_text("more")
    with refuses("'c' of test"):
        read_labelled(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("one.csv", b"text,label\na,x\nb,x\n", ["one.csv", "'x'", "two classes"]),
        ("gap.csv", b"text,label\na,x\nb,\n", ["gap.csv", "row 2", "no label"]),
        ("names.csv", b"words,label\na,x\n", ["names.csv", "'text'", "words"]),
        ("none.csv", b"text,label\n", ["none.csv", "no row"]),
        ("latin.csv", "text,label\né,x\n".encode("latin-1"), ["latin.csv", "line 2", "UTF-8"]),
        ("zero.csv", b"text,label\na\0,x\n", ["zero.csv", "line 2", "binary"]),
        ("text.txt", b"no label here", ["text.txt", "no labels", "folder"]),
    ],
)
def test_wrong_tables_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with refuses(*words):
        read_labelled(tmp_path / name)


def test_wrong_folders_are_named(tmp_path):
    with refuses("nowhere", "does not exist"):
        read_labelled(tmp_path / "nowhere")
    with refuses("holds no folder"):
        read_labelled(tmp_path)
    (tmp_path / "empty").mkdir()
    with refuses("empty", "no text file"):
        read_labelled(tmp_path)


# --- sets and tables ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="set MAQUETTE_DATA to a folder that holds nltk_corpora")
def test_the_folds_of_the_reviews_are_those_of_their_numbers():
    data = maquette.data.load("movie_reviews")
    assert len(data.train) == 2000 and np.bincount(data.train.y).tolist() == [1000, 1000]
    seen = []
    for seed in range(10):
        part = TASK.adapt(data, {"fold": None, "seed": seed})
        assert len(part.train) == 1800 and np.bincount(part.test.y).tolist() == [100, 100]
        assert {name.split("cv")[1][0] for name in part.test.names} == {str(seed)}
        seen += part.test.names
    assert len(set(seen)) == 2000
    assert sum(len(text.split()) for text in data.train.x) == 1_492_681
    with refuses("inputs.fold=11", "1 to 10"):
        TASK.adapt(data, {"fold": 11, "seed": 0})


def test_a_fold_of_a_set_without_is_refused():
    data = maquette.data.load("opinions")
    assert {"train": len(data.train), "test": len(data.test)} == maquette.data.card("opinions").counts
    with refuses("inputs.fold=1", "no folds"):
        TASK.adapt(data, {"fold": 1, "seed": 0})


def test_a_fingerprint_is_of_the_letters_and_not_of_where_they_are():
    one, two = (Dataset("", Split(np.array(["a", text], object), np.zeros(2, np.int32))) for text in ("bc", "b"))
    same = Dataset("", Split(np.array(["a", "".join(["b", "c"])], object), np.zeros(2, np.int32)))
    assert one.fingerprint() == same.fingerprint() != two.fingerprint()


def test_the_most_wrong_texts_are_listed_worst_first():
    split = Split(np.array(["good", "bad", "so\n so", "fine"], object), np.array([1, 0, 1, 1], np.int32))
    rows = wrongest(split, np.array([[0.1, 0.9], [0.6, 0.4], [0.7, 0.3], [0.9, 0.1]]), ("blame", "praise"))
    assert [(row["text"], row["probability"], row["answer"]) for row in rows] == [
        ("text 4", 0.1, "blame"),
        ("text 3", 0.3, "blame"),
    ]
    assert rows[1]["begins"] == "so so"
