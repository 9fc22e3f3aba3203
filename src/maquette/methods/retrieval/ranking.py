"""Ranking: the documents of an index that answer a query best, by BM25 or TF-IDF, and why.

    bm25      score(d, q) = sum over t in q of  m idf(t) w(n, B)          see `bm25`; m times t in the query
    tf-idf    score(d, q) = cosine of the TF-IDF vectors of d and q      see `tf_idf`

A document that holds no word of the query has no score and is never returned. `explain` says what each word of the
query adds; the contributions sum to the score.

Example:
    >>> from maquette.methods.retrieval.inverted_index import InvertedIndex
    >>> from maquette.methods.retrieval.ranking import Ranking
    >>> ranking = Ranking(InvertedIndex.build(["the dog", "the cat", "the cat chased the dog"]))
    >>> documents, scores = ranking.search(["chased cat"])[0]
    >>> documents.tolist(), scores.round(4).tolist()
    ([2, 1], [1.1399, 0.5442])
    >>> [(row["term"], round(row["contribution"], 4)) for row in ranking.explain("chased cat", 2)]
    [('chased', 0.7707), ('cat', 0.3693)]
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from maquette.errors import InputError
from maquette.methods.retrieval import bm25, tf_idf
from maquette.methods.retrieval.inverted_index import InvertedIndex
from maquette.methods.retrieval.top_k import TopK
from maquette.methods.signal.signals import choice


class BM25:
    """How BM25 weighs; its arguments are those of `bm25` after the counts."""

    def __init__(
        self,
        index: InvertedIndex,
        k1: float = 1.2,
        b: float = 0.75,
        idf: str = "lucene",
        variant: str = "okapi",
        delta: float | None = None,
    ):
        self.weights = bm25.bm25(index.counts, k1, b, idf, variant, delta)
        self.idf = bm25.bm25_idf(index.held, index.counts.shape[0], idf)
        self.factors = bm25.length_factors(index.lengths, b)
        self.given: dict[str, Any] = {"k1": k1, "variant": variant, "delta": delta}

    def query(self, times: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """What stands before the weights W."""
        return times.astype(float)

    def explain(self, n: float, times: np.ndarray, terms: np.ndarray, place: int, document: int) -> dict[str, float]:
        """The factors of one term's contribution, and their product."""
        norm, idf = float(self.factors[document]), float(self.idf[terms[place]])
        weight = float(bm25.term_weight(n, norm, **self.given))
        return {"idf": idf, "length_norm": norm, "weight": weight, "contribution": float(times[place]) * idf * weight}


class TfIdf:
    """How TF-IDF weighs: `idf` and `tf` are those of `tf_idf`; documents and queries are of length 1."""

    def __init__(self, index: InvertedIndex, idf: str = "scikit-learn", tf: str = "raw"):
        counts = index.counts
        self.idf = tf_idf.inverse_document_frequency(index.held, counts.shape[0], idf)
        weights = tf_idf.frequency(counts.data, tf) * np.repeat(
            self.idf, index.held
        )  # by columns, as they are searched
        norms = np.sqrt(np.bincount(counts.indices, weights**2, counts.shape[0]))
        self.norms, self.tf = np.where(norms > 0, norms, 1), tf
        weights /= self.norms[counts.indices]
        self.weights = sparse.csc_array((weights, counts.indices, counts.indptr), shape=counts.shape)

    def query(self, times: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """What stands before the weights W: the query's own vector."""
        values = tf_idf.frequency(times, self.tf) * self.idf[terms]
        return values / (np.linalg.norm(values) or 1.0)

    def explain(self, n: float, times: np.ndarray, terms: np.ndarray, place: int, document: int) -> dict[str, float]:
        """The factors of one term's contribution, and their product."""
        idf, norm = float(self.idf[terms[place]]), float(self.norms[document])
        weight = float(tf_idf.frequency(n, self.tf)) * idf / norm
        contribution = float(self.query(times, terms)[place]) * weight
        return {"idf": idf, "length_norm": norm, "weight": weight, "contribution": contribution}


MODELS: dict[str, Any] = {"bm25": BM25, "tf-idf": TfIdf}


class Ranking:
    """Searches an index by a model; `settings` are the model's own, such as k1=0.9."""

    def __init__(self, index: InvertedIndex, model: str = "bm25", **settings: Any):
        self.index = index
        self.model = MODELS[choice(model, "model", tuple(MODELS))](index, **settings)
        self._best = TopK(self.model.weights)

    def search(self, queries: Sequence[str], top: int = 10) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each query the documents' numbers, from 0, and their scores, the best first.

        Raises:
            InputError: for a query without a word, and `top` below 1.
        """
        for query in queries:
            if not self.index.tokenizer(query):
                raise InputError(f"the query {query!r} holds no word: give at least one")
        sums = np.zeros(self.index.counts.shape[0])
        return [self._best(t, self.model.query(times, t), top, sums) for t, times in self._terms(queries)]

    def explain(self, query: str, document: int) -> list[dict[str, Any]]:
        """Why a document, by its number, answers a query: a row per word that both hold, as the query orders them.

        A row has the term, in_query: how often there, tf: how often in the document, documents: how many hold it, idf,
        length_norm: B, or the length of the document's vector, weight: what idf and counts make of it (BM25: without
        the idf), and contribution. The contributions sum to the score.
        """
        terms, times = next(self._terms([query]))
        rows = {}
        for place, term in enumerate(terms):
            held, counts = self.index.postings(self.index.terms[term])
            at = np.searchsorted(held, document)
            if at < len(held) and held[at] == document:
                n = int(counts[at])
                facts = {"in_query": int(times[place]), "tf": n, "documents": int(self.index.held[term])}
                name = self.index.terms[term]
                rows[name] = {"term": name, **facts, **self.model.explain(n, times, terms, place, document)}
        return [rows[word] for word in dict.fromkeys(self.index.tokenizer(query)) if word in rows]

    def _terms(self, queries: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        found = self.index.vectors(queries)
        ends = zip(found.indptr[:-1], found.indptr[1:], strict=True)
        return ((found.indices[a:b], found.data[a:b]) for a, b in ends)


METHOD = Ranking
