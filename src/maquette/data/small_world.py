"""Small world: simple sentences about countries, capitals, animals and colours, made from a seed."""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Small world",
    task="word-vectors",
    source="made on the spot: 3,000 sentences, each from one of six patterns",
    licence="none needed",
    counts={"train": 96_197},
    shape=(),
)

CAPITALS = {"france": "paris", "spain": "madrid", "italy": "rome", "japan": "tokyo", "egypt": "cairo", "peru": "lima"}
ANIMALS = {"dog": "barks", "cat": "purrs", "cow": "moos", "duck": "quacks", "bee": "hums"}
COLOURS = ("red", "green", "blue", "white", "black")
PLACES = ("house", "garden", "street", "field")


def read() -> Dataset:
    """The text as bytes: x uint8 (bytes,), a sentence a line."""
    random = np.random.default_rng(0)
    text = "".join(_sentence(random) for _ in range(3000)).encode()
    return Dataset(name="small_world", train=Split(np.frombuffer(text, "uint8")), origin="generated")


def _sentence(random: np.random.Generator) -> str:
    country, animal = random.choice(list(CAPITALS)), random.choice(list(ANIMALS))
    colour, place = random.choice(COLOURS), random.choice(PLACES)
    patterns = (
        f"{CAPITALS[country]} is the capital of {country}\n",
        f"the people of {country} live far from here\n",
        f"we saw the towers of {CAPITALS[country]} at night\n",
        f"the {animal} {ANIMALS[animal]} in the {place}\n",
        f"a {colour} {animal} sleeps near the {place}\n",
        f"the {place} is {colour} and old\n",
    )
    return str(patterns[random.integers(len(patterns))])
