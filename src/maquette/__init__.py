"""Every classic deep-learning system as a small, readable, working model on Keras 3.

Importing the package imports no backend; each public name is loaded when it is first used.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that defines it.
_PUBLIC = {
    "train": "verbs.train",
    "resume": "verbs.train",
    "evaluate": "verbs.evaluate",
    "predict": "verbs.predict",
    "features": "verbs.features",
    "generate": "verbs.generate",
    "score": "verbs.generate",
    "compare": "verbs.compare",
    "reproduce": "verbs.reproduce",
    "report": "verbs.report",
    "export": "verbs.export",
    "recommend": "verbs.recommend",
    "similar": "verbs.recommend",
    "words": "verbs.words",
    "Run": "run",
    "Recipe": "core.recipe",
    "Expect": "core.recipe",
    "InputError": "errors",
}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'maquette' has no attribute {name!r}")
    return getattr(importlib.import_module(f"maquette.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
