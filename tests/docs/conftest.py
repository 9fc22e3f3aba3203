"""Files of a user's own, as the documents' commands expect to find them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits, load_wine


@pytest.fixture
def own_files(tmp_path: Path) -> Path:
    """A folder with photos/CLASS/*.png, wines.csv and patients.csv; small, and real enough to be learnt from."""
    digits = load_digits()
    for digit in (3, 7):
        folder = tmp_path / "photos" / {3: "three", 7: "seven"}[digit]
        folder.mkdir(parents=True)
        for i, picture in enumerate(digits.images[digits.target == digit][:30]):
            Image.fromarray((picture * 15).astype(np.uint8)).resize((28, 28)).save(folder / f"{i:02}.png")
    wine = load_wine()
    _table(tmp_path / "wines.csv", wine.feature_names, wine.data, "grower", wine.target)
    diabetes = load_diabetes(scaled=False)
    _table(tmp_path / "patients.csv", diabetes.feature_names, diabetes.data, "progression", diabetes.target)
    return tmp_path


def _table(path: Path, names: list[str], rows: np.ndarray, target: str, y: np.ndarray) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(name.replace("/", "_") for name in names), target])
        writer.writerows([*row, answer] for row, answer in zip(rows, y, strict=True))
