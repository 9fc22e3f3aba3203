"""Retrieval against scikit-learn, sums written out, and what the equations imply."""

import doctest
import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import average_precision_score, ndcg_score
from sklearn.metrics.pairwise import cosine_distances, cosine_similarity, euclidean_distances

from maquette import catalog
from maquette.errors import InputError
from maquette.methods.retrieval import bm25, counts, metrics, tf_idf, top_k
from maquette.methods.retrieval.counts import count_terms
from maquette.methods.retrieval.inverted_index import InvertedIndex
from maquette.methods.retrieval.one_hot import one_hot
from maquette.methods.retrieval.ranking import Ranking
from maquette.methods.retrieval.similarity import nearest, similarity
from maquette.methods.retrieval.tokenizer import Tokenizer, Vocabulary

DOC1, DOC2 = "The dog chased the cat", "The cat was chased down by the dog"
BOOK = ["The", "dog", "chased", "the", "cat", "down", "by", "was"]  # in the order in which the vectors are printed
# Everything that divides, joins or changes its length when its case does.
LETTERS = list("abzABZ019__  ..--'\t\n\x00\x1c\x7f")
LETTERS += ["é", "É", "e\u0301", "İ", "ß", "ẞ", "ǅ", "Ж", "中", "²", "\u2028"]
LETTERS += ["\xa0", "😀", "\ud800", "ÿ", "\u0130x"]
PAGES = [page for page in catalog.pages("methods").values() if page.file.parent.name == "retrieval"]


@pytest.fixture
def texts(random):
    """200 texts of words that Zipf's law distributes, with letters beyond ASCII and empty texts among them."""
    words = [f"w{i}" if i % 7 else f"É{i}ß" for i in range(60)] + ["a", "I", "The"]
    shares = 1 / np.arange(1, len(words) + 1)
    lengths = random.integers(0, 30, 200)
    return [", ".join(random.choice(words, n, p=shares / shares.sum())) for n in lengths]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page):
    found = doctest.testmod(page.load())
    assert found.attempted > 0 and found.failed == 0


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lower, fold, shortest", [(True, False, 1), (False, False, 1), (True, True, 2)])
def test_many_texts_at_once_give_the_words_of_each_alone(lower, fold, shortest, random):
    tokenizer = Tokenizer(lower, fold, shortest=shortest, stop_words=("a", "é"))
    texts = ["".join(random.choice(LETTERS, random.integers(0, 25))) for _ in range(2000)]
    vocabulary = Vocabulary(tokenizer)
    numbers, lengths = tokenizer.numbers(texts, vocabulary)
    wanted = [tokenizer(text) for text in texts]
    assert lengths.tolist() == [len(words) for words in wanted]
    assert [vocabulary.terms[i] for i in numbers] == [word for words in wanted for word in words]


def test_a_letter_is_one_letter_however_it_was_typed():
    assert Tokenizer()("cafe\u0301") == Tokenizer()("café") == ["café"]
    assert Tokenizer(fold_accents=True)("CAFE\u0301 café") == ["cafe", "cafe"]


OPTIONS = {
    "default": ({"shortest": 2}, {}, {}),
    "single letters": ({}, {}, {"token_pattern": r"(?u)\b\w+\b"}),
    "case": ({"shortest": 2, "lower": False}, {}, {"lowercase": False}),
    "accents": ({"shortest": 2, "fold_accents": True}, {}, {"strip_accents": "unicode"}),
    "stop words": ({"shortest": 2, "stop_words": ("w1", "the")}, {}, {"stop_words": ["w1", "the"]}),
    "n-grams": (
        {"shortest": 2, "stop_words": ("w1",), "ngrams": (1, 3)},
        {},
        {"stop_words": ["w1"], "ngram_range": (1, 3)},
    ),
    "pattern": ({"pattern": r"w\d|É"}, {}, {"token_pattern": r"w\d|É"}),
    "limits": ({"shortest": 2}, {"min_documents": 5, "max_share": 0.5}, {"min_df": 5, "max_df": 0.5}),
    "binary": ({"shortest": 2}, {"binary": True}, {"binary": True}),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_counts_are_those_of_scikit_learn(kind, texts):
    rules, limits, theirs = OPTIONS[kind]
    theirs = CountVectorizer(**theirs)
    wanted = theirs.fit_transform(texts)
    found = count_terms(texts, Tokenizer(**rules), **limits)
    assert list(found.terms) == theirs.get_feature_names_out().tolist()
    assert (found.matrix != wanted).nnz == 0
    other = [*texts[::-3], "nobody knows this"]
    assert (found.transform(other).matrix != theirs.transform(other)).nnz == 0


def test_the_two_documents_of_the_book():
    found = count_terms([DOC1, DOC2], Tokenizer(lower=False), BOOK)
    assert found.matrix.toarray().tolist() == [[1, 1, 1, 1, 1, 0, 0, 0], [1] * 8]
    assert found.word("The").tolist() == [1, 1] and found.word("was").tolist() == [0, 1]
    assert similarity(found.matrix)[0, 1] == pytest.approx(5 / math.sqrt(40), abs=1e-15)


def test_unit_vectors_are_orthonormal_and_pick_columns(random):
    terms = [f"w{i}" for i in range(7)]
    e = one_hot(terms, terms)
    np.testing.assert_array_equal((e @ e.T).toarray(), np.eye(7))
    w = random.normal(size=(3, 7))
    np.testing.assert_array_equal(w @ one_hot(["w4"], terms).toarray()[0], w[:, 4])


# --- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smooth, log, norm", list(product((True, False), (True, False), ("l1", "l2", None))))
def test_tf_idf_is_that_of_scikit_learn(smooth, log, norm, texts):
    wanted = TfidfVectorizer(smooth_idf=smooth, sublinear_tf=log, norm=norm).fit_transform(texts)
    found = count_terms(texts, Tokenizer(shortest=2))
    idf = "scikit-learn" if smooth else "scikit-learn-raw"
    weights = tf_idf.tf_idf(found.matrix, idf, "log" if log else "raw", norm)
    assert abs(weights - wanted).max() <= 1e-12


def test_a_stored_zero_is_no_occurrence():
    stored = sparse.csr_array((np.array([1.0, 0, 2, 3]), np.array([0, 1, 1, 0]), np.array([0, 2, 4])), shape=(2, 2))
    for weigh in (lambda x: tf_idf.tf_idf(x, tf="log"), lambda x: bm25.bm25(x, k1=0, variant="plus")):
        np.testing.assert_array_equal(weigh(stored).toarray(), weigh(stored.toarray()).toarray())
    assert len(stored.data) == 4


def test_what_is_said_of_the_forms_of_idf():
    m = 10
    held = np.arange(m + 1)
    of = {kind: tf_idf.inverse_document_frequency(held, m, kind) for kind in tf_idf.IDFS}
    assert of["book"][m] == 0 and of["book"][5] == pytest.approx(math.log(2))
    assert of["smoothed"][m - 1] == 0 and of["smoothed"][m] < 0 and of["smoothed"][0] == pytest.approx(math.log(m))
    assert all((np.diff(idf[1:]) <= 0).all() for idf in of.values())
    assert (of["probabilistic"][5:] == 0).all() and of["probabilistic"][2] == pytest.approx(math.log(4))
    assert all(np.isfinite(idf).all() for idf in of.values())


def test_weights_of_others_are_taken_and_grow_with_counts():
    weights = tf_idf.tf_idf([[1, 2, 0], [5, 0, 3]], idf=[1.0, 10.0, 0.0], norm=None)
    assert weights.toarray().tolist() == [[1, 20, 0], [5, 0, 0]]


def test_saturation_has_the_values_and_limits_of_the_book():
    n = np.array([0, 1, 2, 5, 10, 100])
    np.testing.assert_allclose(bm25.saturation(n, 1.2), [0, 1, 1.375, 1.7742, 1.9643, 2.1739], atol=5e-5)
    np.testing.assert_allclose(bm25.saturation(n, 2), [0, 1, 1.5, 15 / 7, 2.5, 3 * 100 / 102])
    for k1 in (0.0, 0.3, 1.2, 8.0):
        s = bm25.saturation(np.arange(50), k1)
        assert s[0] == 0 and s[1] == 1 and (np.diff(s) >= 0).all() and (np.diff(s, 2)[k1 == 0 :] <= 1e-15).all()
        assert bm25.saturation(1e12, k1) == pytest.approx(k1 + 1)
        slope = bm25.saturation(1e-9, k1) / 1e-9
        assert slope == pytest.approx((k1 + 1) / k1, rel=1e-6) if k1 else slope > 1e8
    assert bm25.saturation(n, np.inf).tolist() == n.tolist()


def brute(texts, query, k1, b, variant="okapi", delta=1.0, robertson=False):
    """BM25 of every document, word by word."""
    bags = [Counter(Tokenizer()(text)) for text in texts]
    sizes = [sum(bag.values()) for bag in bags]
    mean, m, scores = sum(sizes) / len(sizes), len(texts), []
    for bag, size in zip(bags, sizes, strict=True):
        score = 0.0
        for word in Tokenizer()(query):
            held = sum(word in other for other in bags)
            if not bag[word]:
                continue
            odds = (m - held + 0.5) / (held + 0.5)
            idf = math.log(odds) if robertson else math.log(1 + odds)
            length = 1 - b + b * size / mean
            tf = bag[word] * (k1 + 1) / (bag[word] + k1 * length)
            if variant == "plus":
                tf += delta
            if variant == "l":
                c = bag[word] / length + delta
                tf = (k1 + 1) * c / (k1 + c)
            score += idf * tf
        scores.append(score)
    return np.array(scores)


SETTINGS = [
    {"k1": 1.2, "b": 0.75},
    {"k1": 0.0, "b": 0.3},
    {"k1": 2.0, "b": 0.0},
    {"k1": 1.5, "b": 1.0, "variant": "plus", "delta": 0.7},
    {"k1": 1.5, "b": 0.5, "variant": "l", "delta": 0.3},
    {"k1": 1.2, "b": 0.75, "idf": "robertson"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_bm25_is_the_sum_written_out(settings, texts):
    ranking = Ranking(InvertedIndex.build(texts), **settings)
    spelled = {key: value for key, value in settings.items() if key != "idf"}
    for query in ("w1 w5 É7ß w1", "The w2", "É0ß w1 w2 w3 nobody"):
        wanted = brute(texts, query, **spelled, robertson="idf" in settings)
        for top in (1, 5, 500):
            documents, scores = ranking.search([query], top)[0]
            order = [d for d in np.lexsort((np.arange(len(texts)), -wanted.round(10))) if wanted[d] != 0][:top]
            assert len(documents) == len(order)
            np.testing.assert_allclose(scores, wanted[order], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(wanted[documents], scores, rtol=1e-12, atol=1e-12)


def test_without_length_bm25_is_the_book_s_saturation_times_idf(texts):
    matrix = count_terms(texts).matrix
    weights = bm25.bm25(matrix, k1=1.7, b=0)
    idf = bm25.bm25_idf(matrix.count_nonzero(axis=0), len(texts))
    np.testing.assert_allclose(weights.toarray(), bm25.saturation(matrix.toarray(), 1.7) * idf, rtol=1e-13)


def test_tf_idf_ranks_by_the_cosine_of_scikit_learn(texts):
    theirs = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b")
    documents = theirs.fit_transform(texts)
    ranking = Ranking(InvertedIndex.build(texts), "tf-idf")
    for query in ("w1 w5 É7ß w1", "w2", "É0ß w1 w2 w3"):
        wanted = (documents @ theirs.transform([query]).T).toarray()[:, 0]
        places, scores = ranking.search([query], len(texts))[0]
        assert len(places) == np.count_nonzero(wanted)
        np.testing.assert_allclose(scores, wanted[places], atol=1e-12)


@pytest.mark.parametrize(
    "model, settings", [*(("bm25", s) for s in SETTINGS), ("tf-idf", {}), ("tf-idf", {"tf": "log", "idf": "book"})]
)
def test_contributions_sum_to_the_score(model, settings, texts):
    ranking = Ranking(InvertedIndex.build(texts), model, **settings)
    query = "w1 É7ß w3 w1 nobody w2"
    for document, score in zip(*ranking.search([query], 20)[0], strict=True):
        rows = ranking.explain(query, int(document))
        assert sum(row["contribution"] for row in rows) == pytest.approx(score, rel=1e-12)
        bag = Counter(Tokenizer()(texts[document]))
        assert {row["term"]: row["tf"] for row in rows} == {w: bag[w] for w in set(Tokenizer()(query)) if bag[w]}


# --- search ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("low", [0, -3], ids=["positive", "some negative"])
def test_top_k_is_what_sorting_everything_gives(low, random, monkeypatch):
    """Whole numbers, so that sums are exact and many are equal; columns of 0.2 % to all rows."""
    looked, look_up = [], top_k.TopK._look_up
    monkeypatch.setattr(top_k.TopK, "_look_up", lambda *given: looked.append(1) or look_up(*given))
    for _ in range(60):
        rows = int(random.integers(1, 3000))
        held = random.random((rows, 8)) < np.geomspace(0.002, 1, 8)
        dense = held * random.integers(low or 1, 9, (rows, 8)) * [20, 9, 1, 1, 1, 1, 1, 1]
        columns = random.permutation(8)[: random.integers(1, 9)]
        values = random.integers(1, 4, len(columns)).astype(float)
        top, sums = int(random.integers(1, 40)), np.zeros(rows)
        found, scores = top_k.TopK(sparse.csc_array(dense.astype(float)))(columns, values, top, sums)
        some = np.flatnonzero((dense[:, columns] != 0).any(axis=1))
        wanted = dense[:, columns] @ values
        order = some[np.lexsort((some, -wanted[some]))][:top]
        assert found.tolist() == order.tolist() and scores.tolist() == wanted[order].tolist()
        assert not sums.any()
    assert len(looked) > 5 if low == 0 else not looked


def test_a_batch_of_queries_is_each_alone(texts):
    ranking = Ranking(InvertedIndex.build(texts))
    queries = ["w1 w2", "nobody", "É7ß", "The w9 w1"]
    for query, (documents, scores) in zip(queries, ranking.search(queries, 7), strict=True):
        alone = ranking.search([query], 7)[0]
        assert documents.tolist() == alone[0].tolist() and scores.tolist() == alone[1].tolist()
    assert len(ranking.search(["nobody"])[0][0]) == 0


def test_an_index_holds_the_counts_whatever_parts_it_was_read_in(texts, tmp_path, monkeypatch):
    whole = InvertedIndex.build(texts)
    wanted = count_terms(texts)
    for term in wanted.terms:
        documents, found = whole.postings(term)
        held = np.flatnonzero(wanted.word(term))
        assert documents.tolist() == held.tolist() and found.tolist() == wanted.word(term)[held].tolist()
    monkeypatch.setattr(counts, "CHARACTERS", 300)
    parts = InvertedIndex.build(iter(texts), about={"source": "é"})
    assert parts.terms == whole.terms and (parts.counts != whole.counts).nnz == 0
    parts.save(tmp_path / "index.npz")
    kept = InvertedIndex.load(tmp_path / "index.npz")
    assert (kept.counts != whole.counts).nnz == 0 and kept.counts.dtype == np.uint8
    assert (kept.terms, kept.tokenizer, kept.about) == (parts.terms, parts.tokenizer, parts.about)


def test_counts_above_a_byte_are_kept():
    index = InvertedIndex.build(["a " * 70_000, "a b " * 300])
    assert index.postings("a")[1].tolist() == [70_000, 300] and index.lengths.tolist() == [70_000, 600]


# --- similarity ------------------------------------------------------------------------------------------------------


def test_similarities_are_those_of_scikit_learn_sparse_or_dense(random):
    x, y = random.normal(size=(6, 9)), random.normal(size=(4, 9)) * (random.random((4, 9)) < 0.5)
    wanted = {
        "cosine": cosine_similarity(x, y),
        "dot": x @ y.T,
        "one-minus-cosine": cosine_distances(x, y),
        "squared-chord": 2 * cosine_distances(x, y),
        "euclidean": euclidean_distances(x, y),
    }
    for kind, values in wanted.items():
        for given in ((x, y), (sparse.csr_array(x), sparse.csc_array(y))):
            np.testing.assert_allclose(similarity(*given, kind), values, atol=1e-12)


def test_what_is_said_of_the_cosine(random):
    assert similarity([[2, 3]], [[4, 6]])[0, 0] == pytest.approx(1, abs=1e-15)
    tweet, article = [[1, 2]], [[50, 100]]
    assert similarity(tweet, article, "dot")[0, 0] == 250 and similarity(article, article, "dot")[0, 0] == 12_500
    x, y = random.normal(size=(5, 4)), random.normal(size=(3, 4))
    np.testing.assert_allclose(similarity(3 * x, 0.2 * y), similarity(x, y), atol=1e-14)
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y)]
    chords = ((unit[0][:, None] - unit[1][None]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(similarity(x, y, "squared-chord"), chords, atol=1e-14)
    np.testing.assert_allclose(similarity([[1.0, 2]], [[-1, -2]], "squared-chord"), 4)
    assert similarity([[0, 0]], [[1, 0]]).tolist() == [[0]]


def test_words_and_documents_are_compared_by_one_matrix():
    found = count_terms([DOC1, DOC2])
    words = similarity(found.matrix.T)
    place = {term: i for i, term in enumerate(found.terms)}
    assert words[place["dog"], place["cat"]] == pytest.approx(1)
    assert words[place["dog"], place["down"]] == pytest.approx(1 / math.sqrt(2))


@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_nearest_is_exact_in_parts(kind, random, monkeypatch):
    x, y = random.normal(size=(20, 5)), random.normal(size=(30, 5))
    table = similarity(x, y, kind)
    wanted = np.argsort(-table if kind == "cosine" else table, axis=1)[:, :4]
    monkeypatch.setattr("maquette.methods.retrieval.similarity._CELLS", 100)
    places, values = nearest(x, y, 4, kind)
    assert places.tolist() == wanted.tolist()
    np.testing.assert_allclose(values, np.take_along_axis(table, wanted, axis=1), atol=1e-12)


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_ndcg_and_average_precision_are_those_of_scikit_learn(random):
    for _ in range(30):
        grades = random.integers(0, 4, 12)
        grades[random.integers(12)] = 1
        scores = random.permutation(12).astype(float)  # no two equal: scikit-learn averages over ties
        ranked, k = grades[np.argsort(-scores)], int(random.integers(1, 14))
        assert metrics.ndcg(ranked, grades, k) == pytest.approx(ndcg_score([grades], [scores], k=k), rel=1e-12)
        exponential = metrics.ndcg(ranked, grades, k, "exponential")
        assert exponential == pytest.approx(ndcg_score([2.0**grades - 1], [scores], k=k), rel=1e-12)
        found = metrics.average_precision(ranked, np.count_nonzero(grades))
        assert found == pytest.approx(average_precision_score(grades > 0, scores), rel=1e-12)


def test_metrics_of_rankings_by_hand():
    rankings = [["a", "b", "c", "d"], ["x", "y"], []]
    relevant = [{"b": 2, "d": 1, "e": 3, "c": 0}, {"x"}, {"q"}]
    found = metrics.evaluate(rankings, relevant, k=2)
    assert found["precision@2"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert found["recall@2"] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert found["map"] == pytest.approx(((1 / 2 + 2 / 4) / 3 + 1 + 0) / 3)
    assert found["mrr"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    ideal = 3 + 2 / math.log2(3)
    assert found["ndcg@2"] == pytest.approx((2 / math.log2(3) / ideal + 1 + 0) / 3)


def test_the_best_ranking_has_every_metric_1_and_a_swap_downwards_costs():
    best = metrics.evaluate([list("abcd")], [{"a": 3, "b": 1}], k=2)
    assert set(best.values()) == {1.0}
    worse = metrics.evaluate([list("cabd")], [{"a": 3, "b": 1}], k=2)
    assert all(worse[name] < 1 for name in best)


# --- what is refused -------------------------------------------------------------------------------------------------

ONE = InvertedIndex.build(["a b"])
WRONG = {
    "pattern": (lambda: Tokenizer(pattern="("), "pattern '('"),
    "groups": (lambda: Tokenizer(pattern="(a)(b)"), "2 groups"),
    "n-grams": (lambda: Tokenizer(ngrams=(2, 1)), "ngrams"),
    "shortest": (lambda: Tokenizer(shortest=0), "shortest 0"),
    "one text": (lambda: count_terms("a text"), "list of texts"),
    "no text": (lambda: count_terms(["a", 3]), "document 2 is of the type int"),
    "no word": (lambda: count_terms(["", "..."]), "no document holds a word"),
    "nothing": (lambda: InvertedIndex.build([]), "no document holds a word"),
    "word twice": (lambda: count_terms(["a"], vocabulary=["a", "a"]), "every word once"),
    "share": (lambda: count_terms(["a"], max_share=2), "max_share 2"),
    "unknown word": (lambda: count_terms(["apple"]).word("aple"), "'apple'"),
    "one-hot": (lambda: one_hot(["c"], ["a"]), "'c' is not among"),
    "idf": (lambda: tf_idf.tf_idf([[1]], "bok"), "'book'"),
    "idf shape": (lambda: tf_idf.tf_idf([[1, 2]], [1.0]), "each of 2 terms"),
    "norm": (lambda: tf_idf.tf_idf([[1]], norm="l3"), "norm 'l3'"),
    "k1": (lambda: bm25.bm25([[1]], k1=-1), "k1 -1"),
    "b": (lambda: bm25.bm25([[1]], b=1.5), "b 1.5"),
    "counts": (lambda: bm25.bm25([[-1]]), "counts: give numbers of at least 0"),
    "counts that are none": (lambda: tf_idf.tf_idf([[np.nan]]), "counts: give numbers of at least 0"),
    "variant": (lambda: bm25.bm25([[1]], variant="+"), "variant '+'"),
    "model": (lambda: Ranking(ONE, "bm26"), "'bm25'"),
    "query": (lambda: Ranking(ONE).search(["a", "?!"]), "'?!' holds no word"),
    "top": (lambda: Ranking(ONE).search(["a"], 0), "top 0"),
    "columns": (lambda: similarity([[1, 2]], [[1]]), "2 columns and y has 1"),
    "zeros": (lambda: similarity([[1, 0], [0, 0]], zeros="refuse"), "row 2 holds zeros"),
    "kind": (lambda: similarity([[1]], kind="cosine-distance"), "cosine-distance"),
    "no answer": (lambda: metrics.evaluate([["a"]], [set()]), "query 1 has no relevant"),
    "returned twice": (lambda: metrics.evaluate([["a", "a"]], [{"a"}]), "query 1 returns a document twice"),
    "lists": (lambda: metrics.evaluate([["a"]], []), "1 rankings and 0 answers"),
    "grade": (lambda: metrics.evaluate([["a"]], [{"a": -1}]), "grade -1"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named_in_one_line(kind):
    call, said = WRONG[kind]
    with pytest.raises(InputError) as error:
        call()
    assert said in str(error.value) and "\n" not in str(error.value)
