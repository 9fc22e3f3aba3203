"""Write an installed page into the user's own folder, ready to run and change."""

from pathlib import Path

from maquette import catalog, files
from maquette.errors import InputError


def copy(name: str, folder: str | Path = ".") -> Path:
    """Copy the page of a model, or of a recipe's model, into `folder`; `maquette train FILE` then trains it.

    Its classes are registered under a name of their own, so that the copy and the original do not mix.

    Raises:
        InputError: for an unknown name, or if the file is there already.
    """
    page = catalog.recipes().get(name) or catalog.find(name, "models", "recipes", "data", "tasks")
    target = Path(folder) / page.file.name
    if target.exists():
        raise InputError(f"{target} exists: remove it first, or copy into another folder with --out")
    text = page.file.read_text(encoding="utf-8")
    files.write_text(
        target, text.replace('register_keras_serializable("maquette")', 'register_keras_serializable("own")')
    )
    return target
