"""Which backend trains each page fastest on this device: writes src/maquette/backends.json.

    python benchmarks/backends.py [PAGE ...] [--seconds 8]

Each page trains its own recipe, on its own data where they are at hand, else on its tiny data, for a few epochs cut to
the given time, in one process per backend. The first epoch, which compiles, does not count.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace


def rate(page: str, seconds: float) -> float:
    """Examples per second of training, on the backend in KERAS_BACKEND."""
    import numpy as np

    from maquette import assembly, catalog, settings
    from maquette.errors import InputError

    recipe = catalog.recipe(page)
    try:
        pipeline = assembly.prepare(recipe)
    except InputError:
        small = settings.tiny(recipe)
        pipeline = assembly.prepare(replace(recipe, data=small.data, inputs=small.inputs))
    train = pipeline.dataset.train
    size = recipe.batch_size or len(train)
    train = train.take(np.arange(min(len(train), 50 * size) // size * size))
    batches, model = pipeline.batches(train, shuffle=True), assembly.build(pipeline)
    times = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times) < 3:
        before = time.perf_counter()
        model.fit(batches, verbose=0)
        times.append(time.perf_counter() - before)
    return len(train) / float(np.median(times[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    from maquette import backend, catalog, files

    if given.worker:
        print(rate(given.pages[0], given.seconds))
        return
    table = json.loads(backend.TABLE.read_text(encoding="utf-8")) if backend.TABLE.exists() else {}
    for page in given.pages or catalog.pages("models"):
        found = {}
        for name in backend.installed():
            command = [sys.executable, __file__, page, "--worker", "--seconds", str(given.seconds)]
            environment = {**os.environ, "KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"}
            answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if answer.returncode:
                print(f"{page:20} {name:10} failed: {answer.stderr.strip().splitlines()[-1]}")
                continue
            found[name] = round(float(answer.stdout.split()[-1]), 1)
            print(f"{page:20} {name:10} {found[name]:12,.0f} examples/s", flush=True)
        table.setdefault(backend.device(), {})[page] = found
        files.write_json(backend.TABLE, table)


if __name__ == "__main__":
    main()
