"""Reads the sets of graphs of the TU Dortmund collection: a zip file, or folder, of text files NAME_A.txt and others.

    NAME_A                two numbers a line, an edge between two nodes, counted from 1 over all graphs
    NAME_graph_indicator  the graph of each node
    NAME_graph_labels     the class of each graph
    NAME_node_labels, NAME_edge_labels          kinds, which become features of 0 and 1
    NAME_node_attributes, NAME_edge_attributes  numbers, which become features

Source: Morris et al. (2020), "TUDataset: a collection of benchmark datasets for learning with graphs".
"""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.graph import Graph
from maquette.data.graph_set import GraphSetDataset, graph_set
from maquette.errors import InputError


def read_tu(path: str | Path) -> GraphSetDataset:
    """Read a .zip file or folder as a data set of undirected graphs.

    Raises:
        InputError: naming the file that is missing or damaged.
    """
    files = _files(Path(path))
    edges = _table(path, files, "A", np.int64).T - 1
    owner = _table(path, files, "graph_indicator", np.int64)[:, 0] - 1
    labels = _table(path, files, "graph_labels", np.int64)[:, 0]
    if edges.min(initial=0) < 0 or edges.max(initial=-1) >= len(owner):
        raise InputError(f"{path}: an edge joins node {edges.max() + 1}, and there are {len(owner)}: replace the file")
    if (np.diff(owner) < 0).any() or owner.max() >= len(labels):
        raise InputError(
            f"{path}: the nodes of a graph do not stand together, or a graph has no label: replace the file"
        )
    kinds, y = np.unique(labels, return_inverse=True)
    own: dict[str, Any] = {key: _features(path, files, key) for key in ("node", "edge")}
    name = Path(path).stem
    try:
        union = Graph(edges, len(owner), features=own["node"], edge_features=own["edge"], name=name).simple()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    union = replace(union, notes=())  # each edge is listed in both directions
    return graph_set(name, union, owner, y.reshape(-1), tuple(map(str, kinds)), str(path))


def _files(path: Path) -> dict[str, bytes]:
    """The content of each text file by the part of its name after the set's."""
    if path.is_dir():
        found = {file.name: file.read_bytes() for file in path.glob("*.txt")}
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                found = {Path(name).name: archive.read(name) for name in archive.namelist() if name.endswith(".txt")}
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{path} is no zip file ({error}): replace it") from error
    prefix = next((name[: -len("A.txt")] for name in found if name.endswith("_A.txt")), None)
    if prefix is None:
        raise InputError(f"{path} has no file that ends in _A.txt: give a set of the TU Dortmund collection")
    return {name.removeprefix(prefix).removesuffix(".txt"): content for name, content in found.items()}


def _table(path: Any, files: dict[str, bytes], part: str, kind: Any) -> np.ndarray:
    if part not in files:
        raise InputError(f"{path} has no file that ends in _{part}.txt: replace it")
    try:
        return np.loadtxt(io.BytesIO(files[part]), kind, delimiter=",", ndmin=2)
    except ValueError as error:
        raise InputError(f"{path}: the file that ends in _{part}.txt is damaged ({error}): replace it") from error


def _features(path: Any, files: dict[str, bytes], what: str) -> np.ndarray | None:
    """Kinds as columns of 0 and 1, and attributes; None without any."""
    found = []
    if f"{what}_labels" in files:
        for column in _table(path, files, f"{what}_labels", np.int64).T:
            found.append((column[:, None] == np.unique(column)).astype(np.float32))
    if f"{what}_attributes" in files:
        found.append(_table(path, files, f"{what}_attributes", np.float32))
    return np.concatenate(found, axis=1) if found else None
