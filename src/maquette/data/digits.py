"""Handwritten digits in grey, 8 by 8 pixels, that come with scikit-learn and need no network.

The original pixels count the ink in 4 by 4 squares and run from 0 to 16. They are stored times 15, so that
they lie from 0 to 240 in a byte and no level is lost. The test split is a stratified fifth, fixed by seed 0.

**Source:** E. Alpaydin, C. Kaynak, *Optical recognition of handwritten digits*, UCI repository, 1998.

**Weakness:** the test items come from the writers of the training items, so scores are optimistic.
"""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Digits of 8 by 8 pixels (levels 0 to 16, stored times 15: 0 to 240)",
    task="image-classification",
    source="E. Alpaydin, C. Kaynak, UCI repository, 1998; the copy in scikit-learn",
    licence="CC BY 4.0 (UCI repository)",
    counts={"train": 1438, "test": 359},
    shape=(8, 8, 1),
)


def read() -> Dataset:
    """Return the Dataset: x uint8 (n, 8, 8, 1) in steps of 15 up to 240, y int32 (n,), a fixed test split.

    Raises nothing of its own: the data are part of scikit-learn.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = (digits.images * 15).astype(np.uint8)[..., None]
    everything = Split(x, digits.target.astype(np.int32))
    dataset = Dataset(
        "digits",
        everything,
        classes=tuple("0123456789"),
        origin="scikit-learn",
        report=(f"{len(everything)} pictures",),
    )
    return dataset.with_test(0.2, seed=0)
