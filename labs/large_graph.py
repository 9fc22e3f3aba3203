"""A graph of ten million edges on one machine: read, walked on, embedded and classified; time and memory by size.

    python labs/large_graph.py [--edges 100000,1000000,10000000] [--steps 200] [--folder FOLDER]

Writes graphs of ten edges a node as tables, edges.csv and nodes.csv with 8 features and a class. Nodes are in eight
groups, of which a node's features say little; four of five edges stay within the group. Three processes of their own
then read each: one the tables alone, one to train node2vec for an epoch on four walks of 20 nodes from each node, one
to take some steps of GraphSAGE on a tenth of the nodes, with 10 and 5 sampled neighbours. Prints seconds of each part,
the largest memory of the process, and how well what was learned tells the groups of nodes that were not trained on,
beside the eighth that guesses reach. What is linear in the edges grows tenfold from line to line.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

GROUPS, FEATURES, LINES, ASKED = 8, 8, 200_000, 5_000


def write_graph(folder: Path, edges: int) -> None:
    """Tables of a graph of so many edges."""
    random, nodes = np.random.default_rng(0), edges // 10
    group = random.integers(0, GROUPS, nodes)
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], np.arange(GROUPS + 1))
    with (folder / "edges.csv").open("w", encoding="ascii") as stream:
        stream.write("source,target\n")
        for start in range(0, edges, LINES):
            source, within = random.integers(0, nodes, (2, min(LINES, edges - start)))
            own = group[source]
            near = order[first[own] + within % (first[own + 1] - first[own])]
            target = np.where(random.random(len(source)) < 0.8, near, within)
            stream.write("".join(f"n{a},n{b}\n" for a, b in zip(source.tolist(), target.tolist(), strict=True)))
    with (folder / "nodes.csv").open("w", encoding="ascii") as stream:
        stream.write(",".join(["id", "label", *(f"f{i}" for i in range(FEATURES))]) + "\n")
        for start in range(0, nodes, LINES):
            own = group[start : start + LINES]
            x = random.normal(size=(len(own), FEATURES)) + np.eye(GROUPS, FEATURES)[own]
            rows = zip(range(start, start + len(own)), own.tolist(), x.round(3).tolist(), strict=True)
            stream.write("".join(f"n{i},g{g},{','.join(map(str, row))}\n" for i, g, row in rows))


def load(folder: Path, steps: int) -> dict[str, Any]:
    """Read the tables."""
    from maquette.data.readers.graphs import read_graph

    begun = time.perf_counter()
    graph = read_graph(folder)
    return {"edges": graph.edges.shape[1], "nodes": graph.nodes, "read": time.perf_counter() - begun}


def node2vec(folder: Path, steps: int) -> dict[str, Any]:
    """Walk, train for an epoch, and probe the vectors of some nodes."""
    from maquette import assembly, backend, settings
    from maquette.methods.walks.linear_probe import linear_probe

    backend.choose("auto", "node2vec")
    given = {"inputs.walks": 4, "inputs.length": 20, "inputs.window": 5, "model.dim": 32, "optimizer.sgd": 0.05}
    begun = time.perf_counter()
    pipeline = assembly.prepare(settings.resolve("node2vec", str(folder), given))
    ready = time.perf_counter()
    model = assembly.build(pipeline)
    model.fit(pipeline.training(), epochs=1, shuffle=False, verbose=0)
    done = time.perf_counter()
    graph = pipeline.dataset.graph  # type: ignore[attr-defined]
    some = np.random.default_rng(1).permutation(graph.nodes)[: 2 * ASKED]
    fit, test = some[: len(some) // 2], some[len(some) // 2 :]
    right = float((linear_probe(model.vectors(), graph.labels, fit, test) == graph.labels[test]).mean())
    return {"read and walk": ready - begun, "an epoch": done - ready, "right": right}


def graphsage(folder: Path, steps: int) -> dict[str, Any]:
    """Take steps on sampled neighbours, and answer for some nodes."""
    from maquette import assembly, backend, settings

    backend.choose("auto", "graphsage")
    given = {"test": 0.9, "batch_size": 512, "inputs.component": "all", "model.hidden_units": (32, 32)}
    begun = time.perf_counter()
    pipeline = assembly.prepare(settings.resolve("graphsage", str(folder), given))
    model = assembly.build(pipeline)
    batches = pipeline.training()
    model.train_on_batch(*batches[0])
    ready = time.perf_counter()
    for step in range(steps):
        model.train_on_batch(*batches[step % len(batches)])
    done = time.perf_counter()
    test = pipeline.dataset.test.take(np.arange(min(ASKED, len(pipeline.dataset.test))))
    outputs = pipeline.outputs(model, test)
    own = {"read and compile": ready - begun, f"{steps} steps": done - ready}
    return {**own, "all nodes": time.perf_counter() - done, "right": float((outputs.argmax(axis=1) == test.y).mean())}


STAGES = {"load": load, "node2vec": node2vec, "graphsage": graphsage}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", default="100000,1000000,10000000", help="how many, with commas")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where tables are written and left; a temporary one by default")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        found = STAGES[given.stage](given.folder, given.steps)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**found, "MiB": memory}))
        return
    for edges in map(int, given.edges.split(",")):
        with tempfile.TemporaryDirectory() as place:
            folder = (given.folder or Path(place)) / f"edges-{edges}"
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "nodes.csv").exists():
                write_graph(folder, edges)
            for stage in STAGES:
                own = ["--stage", stage, "--folder", str(folder), "--steps", str(given.steps)]
                told = subprocess.run([sys.executable, __file__, *own], check=True, capture_output=True, text=True)
                values = json.loads(told.stdout.splitlines()[-1])
                words = ", ".join(f"{key} {value:,.4g}" for key, value in values.items() if key != "MiB")
                print(f"{edges:>11,} edges  {stage:10} {words}, {values['MiB']:,.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
