"""Reads GraphML, the graphs that NetworkX, igraph, Gephi and yEd write, without any of them."""

import xml.etree.ElementTree as xml
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maquette.data.graph import Graph
from maquette.data.readers.graphs import attribute, from_columns
from maquette.data.tables import parse_number
from maquette.errors import InputError

NUMBERS = ("int", "long", "float", "double", "boolean")
TRUTH = {"true": "1", "false": "0"}


def read_graphml(path: str | Path, names: Mapping[str, str]) -> Graph:
    """Read a .graphml file as a Graph; `names` as in `maquette.data.readers.graphs`.

    Raises:
        InputError: naming the file, if it is no GraphML, holds several graphs, declares entities of its own, mixes
            edges of both kinds, or has an attribute that is not of its declared kind.
    """
    root = _root(Path(path))
    graphs = [node for node in root if _tag(node) == "graph"]
    if len(graphs) != 1:
        raise InputError(f"{path} holds {len(graphs)} graphs: give a file with one")
    graph = graphs[0]
    directed = graph.get("edgedefault", "undirected") == "directed"
    edges = [node for node in graph if _tag(node) == "edge"]
    if any(edge.get("directed", str(directed)).lower() != str(directed).lower() for edge in edges):
        raise InputError(f"{path} mixes edges with and without direction: write them all alike")
    keys = {key.get("id"): (key.get("attr.name"), key.get("attr.type")) for key in root if _tag(key) == "key"}
    nodes = [node for node in graph if _tag(node) == "node"]
    known = {names["id"]: np.array([node.get("id", "") for node in nodes])}
    ends = {names[key]: np.array([edge.get(key, "") for edge in edges], np.str_) for key in ("source", "target")}
    ends |= _attributes(path, edges, keys)
    known |= _attributes(path, nodes, keys)
    return from_columns(ends, known, names, directed, Path(path).stem, (path, path))


def _root(path: Path) -> Any:
    content = path.read_bytes()
    if b"<!ENTITY" in content:
        raise InputError(f"{path} declares entities of its own, which are not read: write the file without them")
    try:
        root = xml.fromstring(content)
    except xml.ParseError as error:
        raise InputError(f"{path} is no XML file ({error}): write it again") from error
    if _tag(root) != "graphml":
        raise InputError(f"{path} begins with <{_tag(root)}>, not <graphml>: give a GraphML file")
    return root


def _tag(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _attributes(path: Any, rows: Iterable[Any], keys: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    found = [
        {keys.get(data.get("key"), (data.get("key"), ""))[0]: _value(path, data, keys) for data in row if data.text}
        for row in rows
    ]
    columns = dict.fromkeys(key for row in found for key in row)
    return {str(key): attribute([row.get(key) for row in found]) for key in columns}


def _value(path: Any, data: Any, keys: Mapping[Any, Any]) -> Any:
    name, kind = keys.get(data.get("key"), (data.get("key"), "string"))
    text = data.text.strip()
    if kind not in NUMBERS:
        return text
    number = parse_number(TRUTH.get(text.lower(), text))
    if number is None:
        raise InputError(f"{path}: attribute '{name}' is declared as {kind} and holds {text!r}: correct it")
    return number
