"""The pictures of a classification report."""

from typing import Any

import numpy as np

from maquette.data.dataset import Dataset
from maquette.tasks.figure import Figure, canvas, finish
from maquette.tasks.task import Scored


def draw(scored: Scored, dataset: Dataset) -> list[Figure]:
    """Confusion matrix and reliability diagram, and for pictures the gallery of the wrongest."""
    return []
