"""Pictures of graphs: nodes and edges, and what a network sees of the nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.data.dataset import Dataset
from maquette.data.graph import Graph
from maquette.tasks.figure import GREY, WIDTH, Figure, canvas, finish, label
from maquette.tasks.task import Scored

MOST_DRAWN = 400  # nodes; of a larger graph the surroundings of one node are drawn
MOST_POINTS = 1000
ROUNDS = 60


def draw(model: Any, encoder: Any, scored: Scored, dataset: Dataset) -> list[Figure]:
    """The scored nodes as points, placed by what the last layer sees, and the graph with the classes answered."""
    if not len(scored.outputs) or not hasattr(model, "features"):
        return []
    places = np.linspace(0, len(scored.split) - 1, min(MOST_POINTS, len(scored.split))).astype(int)
    split = scored.split.take(places)
    seen = np.asarray(model.features(encoder.transform(split.x)), np.float64)
    return [embedding(seen, np.asarray(split.y), dataset.classes), drawing(split.x.graph)]


def embedding(seen: np.ndarray, y: np.ndarray, classes: Sequence[str], tsne: bool = False, seed: int = 0) -> Figure:
    """Items as points in the plane, coloured by class.

    Args:
        seen: (n, units), what is known of each item.
        y: (n,), their classes.
        tsne: places them by t-SNE, which keeps neighbours together; else by the two directions of greatest variance.
        seed: of t-SNE.

    Source: van der Maaten, Hinton (2008), "Visualizing data using t-SNE", section 3.
    """
    place = plane(seen, tsne, seed)
    picture, axes = canvas(WIDTH, 4.2)
    for number, colour in enumerate(colours(len(classes))):
        own = y == number
        if own.any():
            axes.scatter(*place[own].T, s=9, color=colour, alpha=0.7, linewidths=0, label=label(classes[number]))
    axes.set_axis_off()
    picture.legend(loc="outside lower center", ncols=3, fontsize=8, markerscale=1.6)
    way = "t-SNE" if tsne else "the two directions of greatest variance"
    return finish(picture, "embedding", "What the last layer sees", f"{len(seen)} nodes, placed by {way}.")


def plane(seen: np.ndarray, tsne: bool = False, seed: int = 0) -> np.ndarray:
    """Places (n, 2) of items; see `embedding`."""
    if tsne and len(seen) > 3:
        from sklearn.manifold import TSNE

        own: dict[str, Any] = {"perplexity": min(30, (len(seen) - 1) / 3), "random_state": seed}
        return np.asarray(TSNE(init="pca" if seen.shape[1] > 1 else "random", **own).fit_transform(seen))
    centred = seen - seen.mean(axis=0)
    return np.asarray(centred @ _directions(centred))


def _directions(centred: np.ndarray) -> np.ndarray:
    """The two main directions (units, 2) of rows."""
    values, vectors = np.linalg.eigh(centred.T @ centred)
    found = vectors[:, np.argsort(-values)[:2]]
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def colours(count: int) -> list[Any]:
    """As many colours as there are classes."""
    from matplotlib import colormaps

    return [colormaps["tab20"]((2 * i + i // 10) % 20) for i in range(count)]


def drawing(graph: Graph, values: np.ndarray | None = None, seed: int = 0) -> Figure:
    """The graph as points and lines.

    Args:
        graph: of a large one, the surroundings of the node with most edges are drawn.
        values: (nodes,), whole numbers that colour the nodes; their labels by default.
        seed: of the places where nodes start.
    """
    values = graph.labels if values is None else np.asarray(values)
    chosen = surroundings(graph)
    part = graph.subgraph(chosen)
    place = layout(part, seed)
    picture, axes = canvas(WIDTH, 4.2)
    lines = place[part.edges.T]
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(list(lines), colors=GREY, linewidths=0.5, alpha=0.6))
    shades = colours(int(values.max(initial=0)) + 1) if values is not None else []
    dots = [GREY if values is None or values[i] < 0 else shades[values[i]] for i in chosen]
    axes.scatter(*place.T, s=max(6, 60 - len(chosen) / 5), c=dots, zorder=2)
    if len(chosen) <= 40:
        for node, (x, y) in enumerate(place):
            axes.text(x, y + 0.04, label(part.id_of(node)), ha="center", fontsize=7)
    axes.set_axis_off()
    shown = "" if len(chosen) == graph.nodes else f" The {len(chosen)} nodes around one of them are drawn."
    words = f"{graph.nodes} nodes and {graph.edges.shape[1]} edges.{shown}"
    return finish(picture, "graph", "The graph", words)


def surroundings(graph: Graph, most: int = MOST_DRAWN) -> np.ndarray:
    """All nodes, or of a large graph the `most` that are nearest to the one with most edges: (k,)."""
    if graph.nodes <= most:
        return np.arange(graph.nodes)
    hops = graph.distances(int(graph.degrees().argmax()))
    return np.sort(np.argsort(hops, kind="stable")[:most])


def layout(graph: Graph, seed: int = 0) -> np.ndarray:
    """Places (nodes, 2) within [-1, 1]: nodes repel each other, edges pull their ends together.

    A force of k^2 / distance between all nodes and distance^2 / k along edges, k = sqrt(4 / nodes); steps get shorter.

    Source: Fruchterman, Reingold (1991), "Graph drawing by force-directed placement".
    """
    n = graph.nodes
    place = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    joined = sparse.csr_matrix(graph.undirected().adjacency().toarray() > 0).toarray()
    k = np.sqrt(4 / max(n, 1))
    for step in np.linspace(0.2, 0.005, ROUNDS):
        apart = place[:, None] - place
        distance = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
        force = k * k / distance**2 - joined * distance / k
        move = (apart * force[..., None]).sum(axis=1) - 0.3 * k * place * n**0.5
        length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
        place += move / length * np.minimum(length, step)
    return place / max(np.abs(place).max(initial=0), 1e-9)
