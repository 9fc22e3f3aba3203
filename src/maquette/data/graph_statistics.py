"""What can be counted in a graph, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse

if TYPE_CHECKING:
    from maquette.data.graph import Graph


def statistics(graph: Graph) -> dict[str, Any]:
    """Counts by name: nodes, edges, loops, duplicates, isolated nodes, components, degrees in hops, and the rest.

    A degree here is the number of edges at a node, whatever they weigh; in a directed graph, out of it.
    """
    m, n = graph.edges.shape[1], graph.nodes
    hops = np.bincount(graph.arcs()[0], minlength=n)
    sizes = np.bincount(graph.components()) if n else np.zeros(0, int)
    found: dict[str, Any] = {"nodes": n, "edges": m, "directed": graph.directed}
    found |= {"loops": int((graph.edges[0] == graph.edges[1]).sum()), "duplicates": graph.duplicates()}
    found |= {
        "isolated": len(graph.isolated()),
        "components": len(sizes),
        "largest_component": int(sizes.max(initial=0)),
    }
    found |= {"mean_degree": float(hops.mean()) if n else 0.0, "greatest_degree": int(hops.max(initial=0))}
    if graph.weights is not None and m:
        found |= {"least_weight": float(graph.weights.min()), "greatest_weight": float(graph.weights.max())}
    return found | _of_features(graph.features) | _of_labels(graph)


def _of_features(features: Any) -> dict[str, Any]:
    if features is None:
        return {}
    full = features.nnz if sparse.issparse(features) else np.count_nonzero(features)
    return {"features": features.shape[1], "share_not_zero": float(full / max(np.prod(features.shape), 1))}


def _of_labels(graph: Graph) -> dict[str, Any]:
    if graph.labels is None:
        return {}
    names = graph.classes or tuple(map(str, range(graph.labels.max(initial=-1) + 1)))
    counts = {name: int((graph.labels == i).sum()) for i, name in enumerate(names)}
    return {"classes": counts, "unlabelled": int((graph.labels < 0).sum())}


def words(graph: Graph) -> str:
    """The statistics, a line each, and the graph's notes."""
    found = statistics(graph)
    kind = "directed" if found.pop("directed") else "undirected"
    lines = [f"{graph.name}: {kind} graph of {found.pop('nodes')} nodes and {found.pop('edges')} edges"]
    for key, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name}: {count}" for name, count in value.items())
        lines.append(f"{key.replace('_', ' ')}: {f'{value:.4g}' if isinstance(value, float) else value}")
    return "\n".join([*lines, *graph.notes])
