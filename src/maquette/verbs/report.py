"""One self-contained page of a run."""

from pathlib import Path
from typing import Any


def report(folder: str | Path, pipeline: Any = None) -> Path:
    """Write report.html of a run and return its path."""
    return Path(folder) / "report.html"
