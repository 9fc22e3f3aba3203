"""`maquette search` as a user would type it: what it finds and keeps, and one line for whatever it cannot search."""

import json

import numpy as np
import pytest

from maquette.methods.retrieval.inverted_index import InvertedIndex
from maquette.verbs.search import search
from tests.test_bad_input import cut, nothing_half_written, refused

pytest_plugins = ["tests.commands"]

TEXTS = ["The dog chased the cat", "The cat was chased down by the dog", "Café closed, no dogs", "nothing of note"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder with docs.txt in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs.txt").write_text("\n\n".join(TEXTS) + "\n", encoding="utf-8")
    return tmp_path


def answers(told):
    assert told.status == 0 and told.err == "", told
    return [json.loads(line) for line in told.out.splitlines()]


def as_folder(folder):
    (folder / "docs" / "inner").mkdir(parents=True)
    for i, text in enumerate(TEXTS):
        path = folder / "docs" / ("inner" if i > 1 else "") / f"{i}.{'md' if i % 2 else 'txt'}"
        path.write_text(text, encoding="utf-8")
    (folder / "docs" / "picture.png").write_bytes(b"\xff")
    (folder / "docs" / ".hidden.txt").write_bytes(b"\xff")
    (folder / "docs" / ".git").mkdir()
    (folder / "docs" / ".git" / "packed.txt").write_bytes(b"\xff")
    return ["docs"], ["0.txt", "1.md", "inner/2.txt", "inner/3.md"]


def as_lines(folder):
    return ["docs.txt"], ["line 1", "line 3", "line 5", "line 7"]


def as_csv(folder):
    rows = "\n".join(f'{i};"{text}"' for i, text in enumerate(TEXTS))
    (folder / "docs.csv").write_text("\ufeffid;words\n" + rows, encoding="utf-8")
    return ["docs.csv", "--text", "words"], ["row 1", "row 2", "row 3", "row 4"]


def as_one_column(folder):
    (folder / "docs.tsv").write_text("words\n" + "\n".join(TEXTS).replace(",", ""), encoding="utf-8")
    return ["docs.tsv"], ["row 1", "row 2", "row 3", "row 4"]


def as_parquet(folder):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"id": [1, 2, 3, 4], "words": TEXTS}), folder / "docs.parquet")
    return ["docs.parquet", "--text", "words"], ["row 1", "row 2", "row 3", "row 4"]


@pytest.mark.parametrize("make", [as_folder, as_lines, as_csv, as_one_column, as_parquet])
def test_documents_of_every_form_are_found_by_their_names(make, command, place):
    words, names = make(place)
    found = answers(command("search", *words[:1], "dog cat", "CAFÉ zebra", *words[1:], "--json"))
    wanted = search("docs.txt", ["dog cat", "CAFÉ zebra"])
    assert [row["query"] for row in found] == ["dog cat", "CAFÉ zebra"]
    assert [[hit["document"] for hit in row["hits"]] for row in found] == [names[:2], names[2:3]]
    scores = [[hit["score"] for hit in row["hits"]] for row in wanted]
    assert [[hit["score"] for hit in row["hits"]] for row in found] == scores
    assert [row["unknown"] for row in found] == [[], ["zebra"]]
    assert {(row["documents"], row["left_out"]) for row in found} == {(4, int(make is as_folder))}
    assert found[0]["hits"][0]["text"] == TEXTS[0]


def test_a_table_for_a_person(command, place):
    told = command("search", "docs.txt", "dog cat zebra", "cat", "--top", "1", "--explain")
    assert told.status == 0 and told.err == ""
    lines = told.out.splitlines()
    assert lines[:2] == ["dog cat zebra: 1 of 4 documents", "in no document: zebra"]
    assert lines[2].split() == ["rank", "score", "document", "text"] and lines[3].endswith(TEXTS[0])
    assert "" in lines and "cat: 1 of 4 documents" in lines
    total = next(line.split()[-1] for line in lines if line.startswith("score "))
    assert total == lines[3].split()[1]


@pytest.mark.parametrize("model", ["bm25", "tf-idf"])
def test_explanations_sum_to_scores(model, command, place):
    (row,) = answers(command("search", "docs.txt", "the dog cat", "--model", model, "--explain", "--json"))
    assert len(row["hits"]) == 2
    for hit in row["hits"]:
        assert [part["term"] for part in hit["explain"]] == ["the", "dog", "cat"]
        assert sum(part["contribution"] for part in hit["explain"]) == pytest.approx(hit["score"], rel=1e-12)


def test_an_index_is_kept_used_and_made_anew_when_documents_change(command, place, monkeypatch):
    first = answers(command("search", "docs.txt", "dog", "--index", "kept/index.npz", "--json"))
    kept = (place / "kept" / "index.npz").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(InvertedIndex, "build", None)  # not built again, whatever the model
        assert answers(command("search", "docs.txt", "dog", "--index", "kept/index.npz", "--json")) == first
        assert command("search", "docs.txt", "dog", "--index", "kept/index.npz", "--model", "tf-idf").status == 0
    assert (place / "kept" / "index.npz").read_bytes() == kept
    with (place / "docs.txt").open("a") as stream:
        stream.write("a dog more\n")
    (row,) = answers(command("search", "docs.txt", "dog", "--index", "kept/index.npz", "--json"))
    assert row["documents"] == 5 and "line 8" in [hit["document"] for hit in row["hits"]]
    assert (place / "kept" / "index.npz").read_bytes() != kept
    nothing_half_written(place)


def test_a_query_nobody_answers_is_no_error(command, place):
    assert command("search", "docs.txt", "zebra") == (0, "zebra: 0 of 4 documents\nin no document: zebra\n", "")


def written(name, content):
    def make(folder):
        (folder / name).write_bytes(content)

    return make


def empty_folder(folder):
    (folder / "empty").mkdir()
    (folder / "empty" / "a.png").write_bytes(b"")


def bad_folder(folder):
    (folder / "some").mkdir()
    (folder / "some" / "a.txt").write_text("fine")
    (folder / "some" / "b.txt").write_bytes(b"fine\n\xe9\n")


def index_of(change):
    def make(folder):
        search("docs.txt", ["dog"], index="i.npz")
        change(folder / "i.npz")

    return make


def other_version(path):
    with np.load(path) as arrays:
        kept = dict(arrays)
    head = {**json.loads(kept["head"].tobytes()), "version": 99}
    np.savez(path, **{**kept, "head": np.frombuffer(json.dumps(head).encode(), np.uint8)})


def wrong_numbers(path):
    with np.load(path) as arrays:
        kept = dict(arrays)
    np.savez(path, **{**kept, "indices": kept["indices"] + 100})


def of_others(folder):
    (folder / "others.txt").write_text("one\n")
    search("others.txt", ["one"], index="i.npz")


def one_array(path):
    with path.open("wb") as stream:
        np.save(stream, np.ones(3))


def nothing(folder):
    pass


I = ["docs.txt", "dog", "--index", "i.npz"]  # noqa: E741
TABLE = written("t.csv", b"id,words\n1,dog\n")
WRONG = {
    "no file": (nothing, ["nowhere.txt", "dog"], "nowhere.txt", "does not exist"),
    "no query": (nothing, ["docs.txt"], "QUERY...", "maquette search --help"),
    "empty file": (written("e.txt", b""), ["e.txt", "dog"], "e.txt", "empty"),
    "blank file": (written("e.txt", b"\n \n...\n"), ["e.txt", "dog"], "e.txt", "no document holds a word"),
    "empty table": (written("e.csv", b""), ["e.csv", "dog"], "e.csv", "empty"),
    "header alone": (written("e.csv", b"words\n"), ["e.csv", "dog"], "e.csv", "no document holds a word"),
    "blank table": (written("e.csv", b"\n\n"), ["e.csv", "dog", "--text", "words"], "e.csv", "words"),
    "empty folder": (empty_folder, ["empty", "dog"], "empty", "no text file", ".txt"),
    "Latin-1": (written("e.txt", "a\ncafé\n".encode("latin-1")), ["e.txt", "dog"], "e.txt", "line 2", "UTF-8"),
    "Latin-1 in a folder": (bad_folder, ["some", "dog"], "b.txt", "line 2", "UTF-8"),
    "Latin-1 in a table": (written("e.csv", b"w\n\xe9\n"), ["e.csv", "dog"], "e.csv", "line 2", "UTF-8"),
    "UTF-16": (written("e.txt", "dog".encode("utf-16")), ["e.txt", "dog"], "e.txt", "UTF-16"),
    "binary": (written("e.txt", b"dog\0cat"), ["e.txt", "dog"], "e.txt", "binary"),
    "column": (TABLE, ["t.csv", "dog", "--text", "word"], "t.csv", "'word'", "'words'"),
    "no column": (TABLE, ["t.csv", "dog"], "t.csv", "--text", "id, words"),
    "column of no table": (nothing, ["docs.txt", "dog", "--text", "words"], "docs.txt", "'words'", "--text"),
    "short row": (written("t.csv", b"id,words\n1,a\n2\n"), ["t.csv", "a", "--text", "words"], "line 3", "(1)", "(2)"),
    "open quote": (written("t.csv", b'id,words\n1,"a\n'), ["t.csv", "a", "--text", "words"], "t.csv", "line 2"),
    "no Parquet": (written("t.parquet", b"words"), ["t.parquet", "dog"], "t.parquet"),
    "empty query": (nothing, ["docs.txt", "dog", " "], "' '", "no word"),
    "query of points": (nothing, ["docs.txt", "?!"], "'?!'", "no word"),
    "model": (nothing, ["docs.txt", "dog", "--model", "bm52"], "bm52", "'bm25'"),
    "top": (nothing, ["docs.txt", "dog", "--top", "0"], "--top", "maquette search --help"),
    "index of another version": (index_of(other_version), I, "i.npz", "version 99", "build it anew"),
    "truncated index": (index_of(cut), I, "i.npz", "damaged", "build it anew"),
    "index cut early": (index_of(lambda path: cut(path, 0.02)), I, "i.npz", "damaged"),
    "empty index": (index_of(lambda path: cut(path, 0)), I, "i.npz", "damaged"),
    "index of nonsense": (index_of(wrong_numbers), I, "i.npz", "damaged"),
    "no index": (index_of(lambda path: path.write_text("words")), I, "i.npz", "no index"),
    "another's array": (index_of(one_array), I, "i.npz", "no index"),
    "index of other documents": (of_others, I, "--index i.npz", "others.txt", "another file"),
    "index in a folder": (empty_folder, [*I[:3], "empty"], "--index empty", "is a folder"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_searched_is_named_in_one_line(kind, command, place):
    make, words, *named = WRONG[kind]
    make(place)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    refused(command("search", *words), *named)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_without_pyarrow_a_parquet_file_is_answered(command, place, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (place / "t.parquet").write_bytes(b"PAR1")
    refused(command("search", "t.parquet", "dog"), "t.parquet", "pip install")
