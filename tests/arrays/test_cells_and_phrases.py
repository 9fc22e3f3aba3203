"""Counts that are spilled to disk, cells as samples, and phrases against gensim's."""

import re
import resource
from pathlib import Path

import numpy as np
import pytest

from maquette.errors import InputError
from maquette.methods.word_vectors import cooccurrence as counting
from maquette.methods.word_vectors import phrases
from maquette.methods.word_vectors.cells import Cells
from maquette.methods.word_vectors.cooccurrence import cooccurrence
from maquette.methods.word_vectors.phrases import join_phrases, number_phrases
from maquette.methods.word_vectors.spill import spill, spill_columns
from maquette.methods.word_vectors.text_numbers import Vocabulary, number_text


def text(words):
    return np.frombuffer(words.encode(), "uint8")


def tokens_of(size, words, seed=0):
    """Words by Zipf's law, with ends of lines."""
    return (np.random.default_rng(seed).zipf(1.3, size) % (words + 1)).astype("int32")


@pytest.mark.parametrize("side", ["both", "left", "right"])
def test_counts_that_went_through_files_are_those_of_memory(side, monkeypatch):
    tokens, runs = tokens_of(20_000, 300), []
    whole = cooccurrence(tokens, 300, 4, "harmonic", side)
    ordinary = counting._merged
    monkeypatch.setattr(counting, "_merged", lambda found, held: runs.append(len(found)) or ordinary(found, held))
    for memory in (1, 100_000, 10_000_000):
        spilled = cooccurrence(tokens, 300, 4, "harmonic", side, memory)
        assert (spilled.indptr == whole.indptr).all() and (spilled.indices == whole.indices).all()
        np.testing.assert_allclose(spilled.data, whole.data, rtol=1e-12)
    assert len(runs) == 2 and runs[0] > 10  # the last of the three sizes needs no file


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux limits the memory of data")
def test_a_matrix_of_several_runs_takes_no_more_memory_than_it_may():
    """Within 100 MB of data more than the process has, a matrix is counted of which a run alone has as much."""
    tokens = np.random.default_rng(0).integers(1, 20_001, 1_000_000).astype("int32")
    used = int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + (100 << 20), before[1]))
    try:
        counts = cooccurrence(tokens, 20_000, 5, memory=20 << 20)
        with pytest.raises(MemoryError):
            cooccurrence(tokens, 20_000, 5)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
    assert counts.nnz * 12 > 100 << 20
    assert counts.data.sum() == 2 * sum(len(tokens) - d for d in range(1, 6))


def test_spilled_arrays_hold_all_parts_and_may_be_empty():
    parts = [(np.arange(n), np.full(n, 0.5)) for n in (3, 0, 2)]
    numbers, halves = spill_columns(parts, np.int32, np.float32)
    assert numbers.tolist() == [0, 1, 2, 0, 1] and numbers.dtype == np.int32 and halves.tolist() == [0.5] * 5
    numbers[1] = 7  # may be written to
    assert spill([numbers, numbers], np.int64).sum() == 2 * (0 + 7 + 2 + 0 + 1)
    assert len(spill([], np.int32)) == 0


def test_cells_are_the_entries_of_the_matrix():
    counts = cooccurrence(tokens_of(500, 12), 12, 2, "harmonic")
    cells = Cells(counts, Vocabulary(tuple("abcdefghijkl"), np.ones(12)))
    table = np.zeros((12, 12))
    table[tuple(cells.rows().T - 1)] = counts.data
    np.testing.assert_array_equal(table, counts.toarray())
    chosen = np.array([9, 0, 30])
    np.testing.assert_array_equal(cells[chosen].rows(), cells.rows()[chosen])
    np.testing.assert_array_equal(cells[5:40][3:6].rows(), cells.rows()[8:11])
    rows, fold = cells.rows(), cells.fold()
    for pair, number in zip(rows, fold, strict=True):
        same = (fold == number).nonzero()[0]
        assert sorted(map(tuple, rows[same])) == sorted({tuple(pair), tuple(pair[::-1])})


# --- phrases -------------------------------------------------------------------------------------------------


def chained(lines, seed=0):
    """Lines of a Markov chain over seven words, so that some pairs are far more frequent than others."""
    random = np.random.default_rng(seed)
    chain = random.dirichlet(np.ones(7) * 0.3, 7)
    found = []
    for length in random.integers(1, 13, lines):
        line = [int(random.integers(7))]
        for _ in range(length):
            line.append(int(random.choice(7, p=chain[line[-1]])))
        found.append(["abcdefg"[i] for i in line])
    return found


def spelled(tokens, vocabulary):
    """The lines of a text as lists of words."""
    words = ["\n" if number == 0 else vocabulary.words[number - 1] for number in tokens]
    return [line.split() for line in " ".join(words).split("\n")][:-1]


def score(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    """The score in gensim's words; its own has another factor for N."""
    return (bigram_count - min_count) / worda_count / wordb_count * corpus_word_count


@pytest.mark.parametrize("block", [7, 1 << 20])
def test_three_passes_join_what_gensim_joins(block, monkeypatch):
    found = pytest.importorskip("gensim.models.phrases")
    monkeypatch.setattr(phrases, "BLOCK", block)

    lines = chained(200)
    tokens, vocabulary = number_text(text("\n".join(" ".join(line) for line in lines)))
    for _ in range(3):
        tokens, vocabulary = join_phrases(tokens, vocabulary, delta=5, threshold=2.0)
        peer = found.Phrases(lines, min_count=5, threshold=2.0, scoring=score)
        lines = [peer[line] for line in lines]
        assert spelled(tokens, vocabulary) == lines
        assert dict(zip(vocabulary.words, vocabulary.counts, strict=True)) == {
            word: sum(line.count(word) for line in lines) for word in vocabulary.words
        }
    assert max(word.count("_") for word in vocabulary.words) > 1  # phrases of phrases


def test_a_pair_is_joined_above_the_threshold_alone():
    tokens, vocabulary = number_text(text("new york is new\nnew york was old\nold new york"))
    score = (3 - 1) / (4 * 3) * 11  # n(new york) = 3, n(new) = 4, n(york) = 3, delta = 1, N = 11
    assert "new_york" in join_phrases(tokens, vocabulary, 1, score - 1e-6)[1].words
    assert "new_york" not in join_phrases(tokens, vocabulary, 1, score)[1].words


def test_thresholds_fall_from_pass_to_pass_and_rare_words_go_last():
    lines = "\n".join(["in new york city now"] * 6 + ["new york is far"] * 4 + ["city of york"] * 3 + ["rare one"])
    joined = number_phrases(text(lines), 2, min_count=2, threshold=2.0)[1].words
    once = number_phrases(text(lines), 1, min_count=2, threshold=2.0)[1].words
    assert not any(word.count("_") > 1 for word in once) and any(word.count("_") > 1 for word in joined)
    assert "rare" not in joined and "one" not in joined
    assert number_phrases(text(lines), 0, min_count=2)[1].words == number_text(text(lines), 2)[1].words


def test_a_phrase_that_is_a_word_already_is_the_same_word():
    tokens, vocabulary = join_phrases(*number_text(text("new york x\nnew york y\nnew_york z")), delta=1, threshold=0.5)
    assert dict(zip(vocabulary.words, vocabulary.counts, strict=True)) == {"new_york": 3, "x": 1, "y": 1, "z": 1}
    assert (tokens == 1).sum() == 3


@pytest.mark.parametrize(("options", "said"), [({"delta": -1}, "delta"), ({"threshold": np.nan}, "threshold")])
def test_wrong_numbers_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        join_phrases(*number_text(text("a b a b")), **options)
    with pytest.raises(InputError, match="passes"):
        number_phrases(text("a b a b"), -1)
