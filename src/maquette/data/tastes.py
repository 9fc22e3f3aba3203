"""Ratings, 1 to 5, of 40 items by 60 people, made from a seed: each likes one of two kinds of items, and says so.

A rating is 3 plus what the person and the item add, plus the product of taste and kind, plus noise of deviation 0.5,
rounded. Sixteen in forty pairs are rated, popular items more often, so that a few ratings are those of a cold item.

**Weakness:** made up, and easy; it shows that a model works, not how well.
"""

import numpy as np

from maquette.data.dataset import Card, Split
from maquette.data.ratings import Ratings

USERS, ITEMS = 60, 40

CARD = Card(
    title="Ratings of two kinds of items by two kinds of people",
    task="recommendation",
    source="made on the spot",
    licence="none needed",
    counts={"train": 960},
    shape=(2,),
)


def read() -> Ratings:
    """Return the Ratings: the columns user, item, rating and time of 960 rows, without folds."""
    random = np.random.default_rng(0)
    taste, kind = random.choice([-1, 1], USERS), random.choice([-1, 1], ITEMS)
    lenience, appeal = random.normal(0, 0.4, USERS), random.normal(0, 0.4, ITEMS)
    popularity = 1 / (5 + np.arange(ITEMS))
    drawn = np.log(popularity) + random.gumbel(size=(USERS, ITEMS))
    pairs = np.argwhere(drawn >= np.sort(drawn, axis=None)[-CARD.counts["train"]])
    user, item = random.permutation(pairs).T
    clean = 3 + lenience[user] + appeal[item] + taste[user] * kind[item]
    y = np.clip(np.rint(clean + random.normal(0, 0.5, len(clean))), 1, 5).astype(np.float32)
    users, items = (tuple(f"{name} {i + 1}" for i in range(n)) for name, n in (("user", USERS), ("item", ITEMS)))
    x = {"user": np.array(users)[user], "item": np.array(items)[item], "rating": y, "time": np.arange(len(y)) * 1.0}
    report = (f"{len(y)} ratings by {USERS} users of {ITEMS} items",)
    return Ratings("tastes", Split(x, y), target="rating", users=users, items=items, origin="generated", report=report)
