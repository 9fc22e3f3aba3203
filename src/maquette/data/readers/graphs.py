"""Reads graphs: tables of edges and nodes, GraphML, NetworkX graphs and SciPy matrices.

A table of edges has the columns source and target, and may have weight; a table of nodes has id and may have label, the
name of the node's class or nothing, and split: train, validation, test or nothing. Every other column of numbers is a
feature; one of text is left out, which the graph's notes say. Without a table of nodes the edges say which there are.
Edges listed twice are merged: weights add up, and an edge without a weight counts once. Loops are kept.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.data.dataset import Columns, sorted_labels
from maquette.data.graph import PARTS, UNKNOWN, Graph
from maquette.data.graph_checks import check_distinct
from maquette.data.readers.tables import read_columns
from maquette.data.tables import is_number, to_text
from maquette.errors import InputError, near

NAMES = {"source": "source", "target": "target", "weight": "weight", "id": "id", "label": "label", "split": "split"}
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


def read_graph(path: str | Path, names: Mapping[str, str] | None = None, directed: bool = False) -> Graph:
    """Read a file or folder as a Graph.

    Args:
        path: a table of edges, a .graphml file, or a folder with a table named edges, such as edges.csv, and maybe one
            named nodes; or a folder of Planetoid files, ind.NAME.graph and the others.
        names: what the tables call the columns source, target, weight, id, label and split, where it is not that.
        directed: whether edges lead one way; a .graphml file says it itself.

    Raises:
        InputError: naming the file and what is wrong in it.
    """
    path = Path(path)
    names = {**NAMES, **(names or {})}
    if path.is_dir():
        if any(path.glob("ind.*.graph")):
            from maquette.data.readers.planetoid import read_planetoid

            return read_planetoid(path)
        return _from_files(_table_in(path, "edges"), _table_in(path, "nodes", needed=False), names, directed)
    if not path.is_file():
        raise InputError(f"{path} does not exist: give a table of edges, a .graphml file or a folder with edges.csv")
    if path.suffix.lower() == ".graphml":
        from maquette.data.readers.graphml import read_graphml

        return read_graphml(path, names)
    return _from_files(path, None, names, directed)


def _table_in(folder: Path, stem: str, needed: bool = True) -> Path | None:
    found = sorted(p for p in folder.iterdir() if p.stem == stem and p.suffix.lower() in TABLES)
    if len(found) > 1 or (needed and not found):
        fault = f"has {' and '.join(p.name for p in found)}" if found else f"has no table of {stem}"
        raise InputError(f"{folder} {fault}: give it one {stem}.csv")
    return found[0] if found else None


def _from_files(edges: Any, nodes: Path | None, names: Mapping[str, str], directed: bool) -> Graph:
    ends = read_columns(edges, text=(names["source"], names["target"]))
    known = nodes and read_columns(nodes, text=(names["id"], names["label"], names["split"]))
    return from_columns(ends, known, names, directed, edges.stem if not nodes else edges.parent.name, (edges, nodes))


def from_columns(
    edges: Any,
    nodes: Any = None,
    names: Mapping[str, str] | None = None,
    directed: bool = False,
    name: str = "graph",
    files: tuple[Any, Any] = ("edges", "nodes"),
) -> Graph:
    """A Graph of tables: dictionaries of columns, or DataFrames, where an index stands in for a missing column id.

    Args:
        edges, nodes: see the module; `nodes` may be None.
        names: what the tables call their columns.
        files: what error messages call the two tables.

    Raises:
        InputError: naming the table, and the column or row that is missing or wrong.
    """
    names = {**NAMES, **(names or {})}
    ends, known = _columns(edges, ""), None if nodes is None else _columns(nodes, names["id"])
    pairs = [to_text(_column(files[0], ends, names, key).tolist()) for key in ("source", "target")]
    for key, values in zip(("source", "target"), pairs, strict=True):
        _check_filled(files[0], names[key], values)
    numbers, left = _numbers(files[0], ends, (*(names[k] for k in ("source", "target")), names["weight"]))
    weights = ends.get(names["weight"])
    own: dict[str, Any] = {"edge_features": numbers, "directed": directed, "name": name}
    own |= {} if weights is None else {"weights": _weights(files[0], names["weight"], weights)}
    notes = [f"{files[0]}: column '{c}' holds text and is left out" for c in left]
    if known is None:
        ids = tuple(dict.fromkeys(np.stack(pairs).T.reshape(-1).tolist()))
    else:
        ids = tuple(to_text(_column(files[1], known, names, "id").tolist()).tolist())
        own |= _of_nodes(files[1], known, names, notes)
    number = _numbering(files[1], ids)
    own["edges"] = np.stack([_numbered(files, names[k], v, number) for k, v in zip(("source", "target"), pairs)])
    try:
        graph = Graph(nodes=len(ids), ids=ids, notes=tuple(notes), **own)
    except InputError as error:
        raise InputError(f"{files[1] if known else files[0]}: {error}") from error
    return graph.simple()


def _check_filled(file: Any, column: str, values: np.ndarray) -> None:
    if (values == "").any():
        row = int(np.argmax(values == "")) + 1
        raise InputError(f"{file}: row {row} has no {column}; fill it in or remove the row")


def _columns(table: Any, index: str) -> Columns:
    """A DataFrame, or a dictionary of columns, as the latter."""
    found = {str(key): np.asarray(table[key]) for key in (table.columns if hasattr(table, "columns") else table)}
    if index and index not in found and hasattr(table, "index"):
        found[index] = np.asarray(table.index)
    return found


def _column(file: Any, columns: Columns, names: Mapping[str, str], key: str) -> np.ndarray:
    if names[key] not in columns:
        remedy = near(names[key], columns)
        raise InputError(
            f"{file}: there is no column '{names[key]}' for the {key}: --set inputs.{key}_column=COLUMN, {remedy}"
        )
    return columns[names[key]]


def _numbers(file: Any, columns: Columns, taken: tuple[str, ...]) -> tuple[Any, list[str]]:
    """The other columns of numbers as one array (n, f), None without any, and the names of those of text."""
    others = {key: values for key, values in columns.items() if key not in taken}
    numeric = {key: values for key, values in others.items() if is_number(values)}
    for key, values in numeric.items():
        wrong = ~np.isfinite(values.astype(np.float64))
        if wrong.any():
            row, remedy = int(np.argmax(wrong)) + 1, "fill it in or remove the column"
            raise InputError(
                f"{file}: row {row}, column '{key}' holds no finite number ({wrong.sum()} in all); {remedy}"
            )
    stacked = np.stack([v.astype(np.float32) for v in numeric.values()], axis=1) if numeric else None
    return stacked, [key for key in others if key not in numeric]


def _weights(file: Any, name: str, values: np.ndarray) -> np.ndarray:
    if not is_number(values):
        raise InputError(f"{file}: column '{name}' holds text; write numbers, or --set inputs.weight_column=none")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(np.argmax(wrong)) + 1
        raise InputError(f"{file}: row {row} has the {name} {values[wrong][0]}; weights are 0 or more")
    return values.astype(np.float64)


def _of_nodes(file: Any, columns: Columns, names: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    """What a table of nodes says besides their ids; what it leaves out is added to the notes."""
    numbers, left = _numbers(file, columns, tuple(names[key] for key in ("id", "label", "split")))
    notes += [f"{file}: column '{column}' holds text and is left out" for column in left]
    own: dict[str, Any] = {"features": numbers}
    if names["label"] in columns:
        labels = to_text(columns[names["label"]].tolist())
        classes = sorted_labels(label for label in labels.tolist() if label)
        number = {"": UNKNOWN} | {label: i for i, label in enumerate(classes)}
        own |= {"labels": [number[label] for label in labels.tolist()], "classes": classes}
    if names["split"] in columns:
        own["split"] = _split(file, names["split"], to_text(columns[names["split"]].tolist()).tolist())
    return own


def _split(file: Any, name: str, parts: list[str]) -> list[int]:
    known = {part: i for i, part in enumerate(PARTS)} | {"": -1}
    for row, part in enumerate(parts, 1):
        if part not in known:
            raise InputError(
                f"{file}: row {row}, column '{name}' is {part!r}; write train, validation, test or nothing"
            )
    return [known[part] for part in parts]


def _numbering(file: Any, ids: tuple[str, ...]) -> dict[str, int]:
    try:
        check_distinct(ids)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    return {node: i for i, node in enumerate(ids)}


def _numbered(files: tuple[Any, Any], name: str, ends: np.ndarray, number: Mapping[str, int]) -> np.ndarray:
    found = np.array([number.get(node, -1) for node in ends.tolist()], np.int64)
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        remedy = f"add it to {files[1]} or remove the edge"
        raise InputError(f"{files[0]}: row {row + 1}, column '{name}': '{ends[row]}' is no node; {remedy}")
    return found


def from_scipy(matrix: Any, directed: bool | None = None, **parts: Any) -> Graph:
    """A Graph of a square SciPy sparse matrix or array, A_ij the weight from i to j; undirected if it is symmetric.

    `parts` are further arguments of Graph, such as features. Raises InputError for a matrix that is not square, or one
    that is not symmetric where the graph is to be undirected.
    """
    found = sparse.coo_matrix(matrix)
    if found.shape[0] != found.shape[1]:
        raise InputError(f"an adjacency matrix of shape {found.shape}: give a square one")
    symmetric = abs(found - found.T).max() == 0 if found.nnz else True
    if directed is False and not symmetric:
        raise InputError("the adjacency matrix is not symmetric: give directed=True")
    directed = not symmetric if directed is None else directed
    found.sum_duplicates()
    kept = np.ones(found.nnz, bool) if directed else found.row <= found.col
    weights = None if (found.data == 1).all() else found.data[kept]
    edges = np.stack([found.row, found.col])[:, kept]
    return Graph(edges, found.shape[0], weights=weights, directed=directed, **parts)


def from_networkx(graph: Any, names: Mapping[str, str] | None = None) -> Graph:
    """A Graph of a NetworkX one, which keeps its directions; attributes of nodes and edges are read as columns."""
    names = {**NAMES, **(names or {})}
    nodes, edges = list(graph.nodes(data=True)), list(graph.edges(data=True))
    ends = {names["source"]: to_text([a for a, _, _ in edges]), names["target"]: to_text([b for _, b, _ in edges])}
    known = {names["id"]: to_text([node for node, _ in nodes])}
    ends |= _attributes([row[-1] for row in edges])
    known |= _attributes([row[-1] for row in nodes])
    return from_columns(ends, known, names, graph.is_directed(), str(graph.name or "graph"), ("the edges", "the nodes"))


def _attributes(rows: list[dict[str, Any]]) -> Columns:
    """The attributes that nodes or edges have, as columns: NaN or '' where one lacks it."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {str(key): attribute([row.get(key) for row in rows]) for key in keys}


def attribute(values: list[Any]) -> np.ndarray:
    """Values, None where one is missing, as a column: float64 with NaN, or text with ''."""
    if all(value is None or isinstance(value, int | float | np.number) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array(["" if value is None else str(value) for value in values])


def to_networkx(graph: Graph) -> Any:
    """The NetworkX graph of the same ids, weights and labels; raises InputError where networkx is not installed."""
    try:
        import networkx
    except ImportError as error:
        raise InputError("a NetworkX graph needs networkx: pip install 'maquette[graph]'") from error
    found = networkx.DiGraph() if graph.directed else networkx.Graph()
    for node in range(graph.nodes):
        known = graph.labels is not None and graph.labels[node] != UNKNOWN
        label = {"label": graph.classes[graph.labels[node]]} if known and graph.classes else {}
        found.add_node(graph.id_of(node), **label)
    weights = np.ones(graph.edges.shape[1]) if graph.weights is None else graph.weights
    for (a, b), weight in zip(graph.edges.T, weights.tolist()):
        found.add_edge(graph.id_of(a), graph.id_of(b), weight=weight)
    return found
