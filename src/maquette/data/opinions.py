"""Opinions: made-up remarks about meals, rooms and films, each of them praise or blame, from a seed."""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Opinions",
    task="text-classification",
    source="made on the spot: 500 remarks from six patterns",
    licence="none needed",
    counts={"train": 400, "test": 100},
    shape=(),
)

THINGS = ("soup", "bread", "room", "garden", "film", "song", "waiter", "view")
PLACES = ("harbour", "station", "market", "castle", "river")
WORDS = {
    "blame": ("cold", "dull", "dirty", "noisy", "awful", "bitter", "rude", "broken"),
    "praise": ("fresh", "bright", "lovely", "quiet", "friendly", "warm", "clean", "splendid"),
}


def read() -> Dataset:
    """Texts x of Python strings (n,), y the class; a tenth of the remarks hold a word of the other class as well."""
    random = np.random.default_rng(0)
    y = random.permutation(np.arange(500) % 2).astype(np.int32)
    x = np.array([_remark(random, ("blame", "praise")[label]) for label in y], object)
    train, test = Split(x[:400], y[:400]), Split(x[400:], y[400:])
    return Dataset("opinions", train, test=test, classes=("blame", "praise"), origin="generated")


def _remark(random: np.random.Generator, label: str) -> str:
    thing, other = random.choice(THINGS, 2, replace=False)
    one, two = random.choice(WORDS[label], 2, replace=False)
    place = random.choice(PLACES)
    if random.random() < 0.1:
        other_kind = "praise" if label == "blame" else "blame"
        odd = random.choice(WORDS[other_kind])
        return f"The {thing} by the {place} was {one}, and {two} as well, though the {other} was {odd}."
    patterns = (
        f"The {thing} at the {place} was {one} and the {other} {two}.",
        f"We found the {thing} {one}, and then the {other} by the {place} was {two}.",
        f"What a {one} {thing}! Even the {place} looked {two}.",
        f"A {one} {thing} and a {two} {other}.",
        f"I remember the {place} for its {one} {thing}; the {other} was {two}, too.",
    )
    return str(patterns[random.integers(len(patterns))])
