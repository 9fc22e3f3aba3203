"""Write the golden numbers of pages: python -m tests.golden.write NAME..., or --all; then look at the difference."""

import os
import sys


def main(names: list[str]) -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    from maquette import catalog, files
    from tests.contract.subject import Subject
    from tests.golden import golden

    pages = catalog.pages("models")
    numbers = {name: stored for name, stored in golden.read().items() if name in pages}
    for name in pages if names == ["--all"] else names:
        numbers[name] = golden.measure(Subject(catalog.find(name, "models")))
        print(name, numbers[name])
    files.write_json(golden.FILE, dict(sorted(numbers.items())))


if __name__ == "__main__":
    main(sys.argv[1:])
