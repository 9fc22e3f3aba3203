"""Texts as numbers, windows, counts of neighbours and their factors, files of vectors, questions to them."""

import gzip
import math
import os
import re
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from maquette.data.readers.text import map_text
from maquette.data.readers.word_vectors import load_vectors, save_vectors
from maquette.errors import InputError
from maquette.methods.word_vectors import text_numbers
from maquette.methods.word_vectors.cooccurrence import cooccurrence
from maquette.methods.word_vectors.evaluation import evaluate_analogies, evaluate_pairs
from maquette.methods.word_vectors.huffman import huffman_code
from maquette.methods.word_vectors.mutual_information import ppmi
from maquette.methods.word_vectors.projection import project, trustworthiness
from maquette.methods.word_vectors.questions import parse_question
from maquette.methods.word_vectors.singular_vectors import singular_vectors
from maquette.methods.word_vectors.text_numbers import Vocabulary, number_text
from maquette.methods.word_vectors.vectors import WordVectors
from maquette.methods.word_vectors.windows import Windows, thinned

TOY = "I like Machine Learning . \nI like TensorFlow . \nI prefer Python . "
ORDER = ("like", "i", "prefer", ".", "machine", "python", "learning", "tensorflow")


def refuses(*words):
    """Expect an InputError of one line that holds all the words in this order."""
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(re.escape(word) for word in words))


def text(words):
    return np.frombuffer(words if isinstance(words, bytes) else words.encode(), "uint8")


def toy_counts(**options):
    """The co-occurrence matrix of the three sentences, the full stop a word, in the order of `ORDER`."""
    tokenizer = text_numbers.Tokenizer(pattern=r"[\w]+|\.")
    tokens, vocabulary = number_text(text(TOY), tokenizer=tokenizer)
    places = [vocabulary.numbers[word] - 1 for word in ORDER]
    return cooccurrence(tokens, len(ORDER), 1, **options).toarray()[np.ix_(places, places)]


# --- texts ---------------------------------------------------------------------------------------------------


def test_words_are_numbered_by_frequency_then_alphabet_and_rare_ones_left_out():
    tokens, vocabulary = number_text(text("b a c\nb a\nc b rare"), min_count=2)
    assert vocabulary.words == ("b", "a", "c") and vocabulary.counts.tolist() == [3, 2, 2]
    assert tokens.tolist() == [1, 2, 3, 0, 1, 2, 0, 3, 1, 0]


def test_a_text_is_the_same_in_small_blocks(monkeypatch):
    lines = [f"word{i % 7} and é{i % 5} more" for i in range(60)]
    whole, vocabulary = number_text(text("\n".join(lines)))
    monkeypatch.setattr(text_numbers, "BLOCK", 64)
    parts, again = number_text(text("\n".join(lines)))
    assert np.array_equal(whole, parts) and vocabulary.words == again.words
    assert vocabulary.counts.tolist() == again.counts.tolist()


def test_frequent_words_are_kept_with_the_published_probability():
    vocabulary = Vocabulary(("a", "b"), np.array([990_000, 10_000]))
    f = np.array([0.99, 0.01])
    np.testing.assert_allclose(vocabulary.keep(1e-3), np.sqrt(1e-3 / f) + 1e-3 / f, rtol=1e-6)
    assert vocabulary.keep(0).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"\xff\xfea\0b\0", ["UTF-16", "UTF-8"]),
        (b"plain \x00 binary", ["byte 6", "zero", "binary"]),
        ("caf\xe9 au lait".encode("latin-1"), ["byte 3", "UTF-8"]),
        (b"", ["empty"]),
        (b" \n . \n", ["0 words"]),
        (b"one one one", ["1 word", "more text"]),
    ],
)
def test_what_is_no_text_is_refused(given, words):
    with refuses(*words):
        number_text(text(given))


def test_text_files_are_found_packed_or_in_folders(tmp_path):
    (tmp_path / "b.txt").write_text("second")
    with gzip.open(tmp_path / "a.txt.gz", "wb") as stream:
        stream.write(b"first")
    assert bytes(map_text(tmp_path)) == b"first\nsecond\n"
    assert bytes(map_text(tmp_path / "b.txt")) == b"second"
    (tmp_path / "a.txt.gz").write_bytes((tmp_path / "a.txt.gz").read_bytes()[:-6])
    with refuses("a.txt.gz", "damaged"):
        map_text(tmp_path)
    (tmp_path / "empty.txt").touch()
    with refuses("empty.txt", "empty"):
        map_text(tmp_path / "empty.txt")
    with refuses("nowhere", "does not exist"):
        map_text(tmp_path / "nowhere")


# --- windows -------------------------------------------------------------------------------------------------


def test_windows_hold_every_pair_within_reach_and_none_across_lines():
    random = np.random.default_rng(0)
    lines = [random.integers(1, 9, n) for n in (1, 5, 2, 8)]
    tokens = np.concatenate([np.append(line, 0) for line in lines]).astype("int32")
    reach = 3
    rows = Windows(tokens, Vocabulary(tuple("abcdefgh"), np.ones(8)), reach).rows()
    expected = sum(min(i + reach, len(line) - 1) - max(i - reach, 0) for line in lines for i in range(len(line)))
    assert (rows[:, 1:] > 0).sum() == expected
    pairs = sorted((row[0], other) for row in rows for other in row[1:] if other)
    slow = [(a, b) for line in lines for i, a in enumerate(line) for j, b in enumerate(line) if 0 < abs(i - j) <= reach]
    assert pairs == sorted(slow)
    assert not rows[tokens == 0].any()


def test_some_windows_are_those_of_all():
    tokens = np.array([1, 2, 3, 0, 3, 1, 0], "int32")
    windows = Windows(tokens, Vocabulary(("a", "b", "c"), np.ones(3)), 2)
    chosen = np.array([5, 0, 1])
    assert np.array_equal(windows[chosen].rows(), windows.rows()[chosen])
    assert np.array_equal(windows[2:6][1:3].rows(), windows.rows()[3:5])
    assert windows[chosen].shape == (3, 5) and np.asarray(windows).tolist() == tokens.tolist()


def test_thinning_keeps_words_and_reaches_as_often_as_it_should():
    rows = np.tile(np.array([[1, 2, 2, 2, 2, 2, 2]], "int32"), (20_000, 1))
    thin = thinned(rows, np.array([0.5, 0.25]), True, np.random.default_rng(0))
    kept = thin[:, 0] > 0
    assert abs(kept.mean() - 0.5) < 0.02 and not thin[~kept].any()
    near = (thin[kept, 1:] > 0).mean(axis=0)  # at distances 3 2 1 1 2 3, of which a reach of 1, 2 or 3 takes in
    np.testing.assert_allclose(near, 0.25 * np.array([1, 2, 3, 3, 2, 1]) / 3, atol=0.02)


# --- counts and their factors ----------------------------------------------------------------------------------


def test_the_cooccurrence_matrix_of_the_three_sentences():
    expected = """
        0 2 0 0 1 0 0 1
        2 0 1 0 0 0 0 0
        0 1 0 0 0 1 0 0
        0 0 0 0 0 1 1 1
        1 0 0 0 0 0 1 0
        0 0 1 1 0 0 0 0
        0 0 0 1 1 0 0 0
        1 0 0 1 0 0 0 0"""
    counts = toy_counts()
    assert counts.tolist() == [[int(x) for x in row.split()] for row in expected.strip().splitlines()]
    assert np.array_equal(counts, counts.T) and counts.sum() == 2 * (4 + 3 + 3)
    assert np.array_equal(toy_counts(side="left"), toy_counts(side="right").T)


def test_its_singular_values_and_the_error_of_a_low_rank():
    counts = toy_counts()
    found = singular_vectors(counts, dim=8, power=0)
    known = [2.75726, 2.67825, 1.89221, 1.61803, 1.19155, 0.94834, 0.61803, 0.56999]
    np.testing.assert_allclose(found.values, known, atol=1e-5)
    np.testing.assert_allclose(found.vectors * found.values @ found.contexts.T, counts, atol=1e-12)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(8), atol=1e-12)
    two = singular_vectors(counts, dim=2, power=0)
    left = counts - two.vectors * two.values @ two.contexts.T
    assert (left**2).sum() == pytest.approx((found.values[2:] ** 2).sum())
    assert two.energy == pytest.approx(0.616, abs=5e-4)


def test_large_tables_have_the_singular_vectors_of_small_ones():
    random = np.random.default_rng(0)
    table = random.random((600, 5)) @ random.random((5, 550))
    found, dense = singular_vectors(table, dim=4, power=1), np.linalg.svd(table)
    np.testing.assert_allclose(found.values, dense[1][:4], rtol=1e-8)
    np.testing.assert_allclose(np.abs(found.vectors), np.abs(dense[0][:, :4] * dense[1][:4]), atol=1e-6)


def test_weights_by_distance_and_parts_of_a_text(monkeypatch):
    tokens = np.array([1, 2, 3, 4, 0, 2, 1, 0, 4, 3, 2, 1, 1], "int32")
    for weight, of in {"harmonic": lambda d: 1 / d, "linear": lambda d: (4 - d) / 3, "uniform": lambda d: 1.0}.items():
        slow = np.zeros((4, 4))
        for i, a in enumerate(tokens):
            for d in range(1, 4):
                if i + d < len(tokens) and a and (tokens[i : i + d + 1] > 0).all():
                    slow[a - 1, tokens[i + d] - 1] += of(d)
        right = cooccurrence(tokens, 4, 3, weight, "right").toarray()
        np.testing.assert_allclose(right, slow)
        with monkeypatch.context() as patch:
            patch.setattr("maquette.methods.word_vectors.cooccurrence.PART", 3)
            np.testing.assert_allclose(cooccurrence(tokens, 4, 3, weight, memory=1).toarray(), slow + slow.T)


def test_mutual_information_of_independent_words_is_nothing():
    p, q = np.array([1.0, 2, 5]), np.array([3.0, 4, 1])
    assert ppmi(np.outer(p, q)).toarray() == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    counts = np.random.default_rng(0).integers(0, 5, (6, 6)).astype(float)
    share = counts / counts.sum()
    smooth = counts.sum(axis=0) ** 0.75
    with np.errstate(divide="ignore"):
        slow = np.log(share / np.outer(share.sum(axis=1), smooth / smooth.sum())) - math.log(2)
    np.testing.assert_allclose(ppmi(counts, shift=2, smoothing=0.75).toarray(), np.maximum(slow, 0), atol=1e-12)


def test_huffman_paths_are_prefix_free_and_as_short_as_they_can_be():
    counts = np.random.default_rng(1).integers(1, 100, 40)
    nodes, signs = huffman_code(counts.tolist())
    depth = (signs != 0).sum(axis=1)
    share = counts / counts.sum()
    entropy = -(share * np.log2(share)).sum()
    assert entropy <= share @ depth < entropy + 1 and (0.5**depth).sum() == 1
    codes = sorted("".join("L" if s > 0 else "R" for s in row if s) for row in signs)
    assert all(not b.startswith(a) for a, b in pairwise(codes))
    inner = {int(n) for row, s in zip(nodes, signs, strict=True) for n in row[s != 0]}
    assert inner == set(range(39))


# --- files ---------------------------------------------------------------------------------------------------

WORDS = ("the", "naïve", "ü")
MATRIX = np.array([[1.5, -2, 3e-8], [0.1, 1 / 3, 7], [1e20, 0, -1]], "float32")


@pytest.mark.parametrize("name", ["glove.txt", "word2vec.vec", "word2vec.bin", "glove.txt.gz", "word2vec.bin.gz"])
def test_vectors_come_back_to_the_bit(tmp_path, name):
    save_vectors(tmp_path / name, WORDS, MATRIX, header=".vec" in name)
    words, matrix = load_vectors(tmp_path / name)
    assert words == WORDS and matrix.tobytes() == MATRIX.tobytes()
    assert load_vectors(tmp_path / name, only=["ü"])[0] == ("ü",)


def test_the_first_word_of_a_file_without_header_is_not_lost_and_words_may_hold_blanks(tmp_path):
    (tmp_path / "v.txt").write_text("the 0.5 1\n. . . 0.25 -2\n")
    words, matrix = load_vectors(tmp_path / "v.txt")
    assert words == ("the", ". . .") and matrix.tolist() == [[0.5, 1], [0.25, -2]]


def test_the_binary_form_with_and_without_ends_of_lines(tmp_path):
    for end in (b"", b"\n"):
        body = b"".join(w + b" " + struct.pack("<2f", i, -i) + end for i, w in enumerate((b"a", b"bc"), 1))
        (tmp_path / "v.bin").write_bytes(b"2 2\n" + body)
        words, matrix = load_vectors(tmp_path / "v.bin")
        assert words == ("a", "bc") and matrix.tolist() == [[1, -1], [2, -2]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.txt", "a 1 2 3\nb 1 2", ["cut.txt", "line 2", "2 numbers", "3"]),
        ("long.txt", "a 1.0 2.0\nb 1.0 2.0 3.0\n", ["long.txt", "line 2", "3 numbers"]),
        ("cut.vec", "3 2\na 1 2\nb 3 4\n", ["cut.vec", "2 of 3"]),
        ("odd.txt", "a 1 2\nb x 2\n", ["odd.txt", "line 2", "number"]),
        ("nan.txt", "a 1 2\nb nan 2\n", ["nan.txt", "'b'"]),
        ("twice.txt", "a 1 2\na 3 4\n", ["twice.txt", "'a'", "twice"]),
        ("empty.txt", "", ["empty.txt", "no vector"]),
        ("cut.bin", b"2 4\nab " + struct.pack("<4f", 1, 2, 3, 4) + b"cd \0\0", ["cut.bin", "1 of 2", "cut off"]),
    ],
)
def test_wrong_files_of_vectors_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with refuses(*words):
        load_vectors(tmp_path / name)


def test_words_with_blanks_are_not_written(tmp_path):
    with refuses("'new york'", "underscores"):
        save_vectors(tmp_path / "v.txt", ("new york",), np.ones((1, 2)))


# --- questions -----------------------------------------------------------------------------------------------


def test_questions_as_people_write_them():
    assert parse_question("King - man + woman") == (("king", "woman"), ("man",))
    assert parse_question("man : king :: woman ?") == (("king", "woman"), ("man",))
    assert parse_question("new_york") == (("new_york",), ())


def planted():
    random = np.random.default_rng(0)
    base, sex, crown = random.normal(size=(3, 20))
    rows = {"man": base, "woman": base + sex, "king": base + crown, "queen": base + sex + crown}
    rows |= {f"other{i}": random.normal(size=20) for i in range(30)}
    return WordVectors(tuple(rows), np.array(list(rows.values()), "float32"))


def test_planted_analogies_come_out_and_the_words_asked_never_do():
    vectors = planted()
    questions = [("man", "king", "woman", "queen"), ("woman", "man", "queen", "king"), ("a", "b", "c", "d")]
    for method in ("3cosadd", "3cosmul"):
        assert evaluate_analogies(vectors, questions, method) == (2, 2, 3)
        found = vectors.analogy("man", "king", "woman", top=100, method=method)
        assert found[0][0] == "queen" and len(found) == len(vectors.words) - 3
        assert not {"man", "king", "woman"} & {word for word, _ in found}
    a, b, c = (vectors.unit[vectors.row(w)] for w in ("man", "king", "woman"))
    slow = {w: float(u @ (b - a + c)) for w, u in zip(vectors.words, vectors.unit, strict=True)}
    assert vectors.analogy("man", "king", "woman", 1)[0][1] == pytest.approx(slow["queen"], rel=1e-5)
    halves = [(x @ vectors.unit[vectors.row("queen")] + 1) / 2 for x in (a, b, c)]
    multiplied = vectors.analogy("man", "king", "woman", 1, "3cosmul")[0][1]
    assert multiplied == pytest.approx(halves[1] * halves[2] / (halves[0] + 0.001), rel=1e-4)


def test_a_word_without_a_vector_is_refused_with_the_near_ones():
    with refuses("'quene'", "queen"):
        planted().nearest(["quene"])
    assert planted().known(["king", "quene"]) == [True, False]


def test_rank_correlation_is_spearmans():
    vectors = planted()
    pairs = [("man", w, float(i)) for i, w in enumerate(("queen", "king", "woman", "other1"))]
    rho, known, total = evaluate_pairs(vectors, [*pairs, ("man", "absent", 1.0)])
    cosines = [vectors.similarity(a, b) for a, b, _ in pairs]
    ranks = np.argsort(np.argsort(cosines))
    assert (known, total) == (4, 5) and rho == pytest.approx(np.corrcoef(ranks, range(4))[0, 1])


def test_principal_axes_keep_a_parallelogram_and_neighbours():
    corners = np.array([[0, 0], [1, 0], [0, 2], [1, 2], [0.5, 7]]) @ np.random.default_rng(0).normal(size=(2, 9))
    places = project(corners)
    np.testing.assert_allclose(places[1] - places[0], places[3] - places[2], atol=1e-9)
    assert trustworthiness(corners, places, 1) == 1


def test_groups_stay_groups_by_t_sne_and_a_seed_fixes_the_places():
    random = np.random.default_rng(0)
    x = np.repeat(random.normal(0, 5, (3, 10)), 12, axis=0) + random.normal(size=(36, 10))
    places = project(x, "t-sne", perplexity=8)
    assert np.array_equal(places, project(x, "t-sne", perplexity=8)) and trustworthiness(x, places, 5) > 0.85
    distance = np.linalg.norm(places[:, np.newaxis] - places, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (distance.argmin(axis=1) // 12 == np.arange(36) // 12).all()


@pytest.mark.skipif(
    not (Path(os.environ.get("MAQUETTE_DATA", "")) / "glove").is_dir() or not os.environ.get("MAQUETTE_DATA"),
    reason="the vectors of GloVe are not there: set MAQUETTE_DATA to a folder that holds glove",
)
def test_king_less_man_and_woman_is_queen():
    vectors = WordVectors(*load_vectors(Path(os.environ["MAQUETTE_DATA"]) / "glove" / "glove.6B.50d.5k.txt.gz"))
    assert len(vectors.words) == 5050 and vectors.words[0] == "the"
    assert vectors.nearest(["king", "woman"], ["man"], 1)[0][0] == "queen"
    assert vectors.analogy("man", "king", "woman", 1, "3cosmul")[0][0] == "queen"
    assert "belgium" in dict(vectors.nearest(["france"], top=5))
