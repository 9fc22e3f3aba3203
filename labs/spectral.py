"""Spectra of graphs: a swiss roll laid flat, a club cut in two, and communities down to where none can be seen.

    python labs/spectral.py [--points 1000] [--nodes 2000] [--draws 5] [--out runs/spectral]

Prints what was measured beside what theory says, and writes spectral.png: the swiss roll and its maps above, the karate
club, its spectrum and a sweep of thresholds in the middle, and below how communities are recovered as they fade, to the
last node and in sparse graphs, with the limits at which either becomes impossible.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform

from maquette.methods.spectral.affinity import affinity
from maquette.methods.spectral.bethe_hessian import bethe_clustering
from maquette.methods.spectral.block_model import block_model
from maquette.methods.spectral.communities import modularity
from maquette.methods.spectral.connectivity import connectivity
from maquette.methods.spectral.embedding_quality import embedding_quality, procrustes
from maquette.methods.spectral.fiedler_cut import Cut, fiedler_cut
from maquette.methods.spectral.isomap import isomap
from maquette.methods.spectral.laplacian_eigenmaps import laplacian_eigenmaps
from maquette.methods.spectral.laplacian_spectrum import spectrum
from maquette.methods.spectral.locally_linear_embedding import locally_linear_embedding
from maquette.methods.spectral.multidimensional_scaling import scaling
from maquette.methods.spectral.spectral_clustering import spectral_clustering
from maquette.tasks.figure import BLUE, GREY, ORANGE, canvas

# Zachary's karate club: the members that each member met outside it, numbered from 0, those of lower number left out.
CLUB = (
    *("1 2 3 4 5 6 7 8 10 11 12 13 17 19 21 31", "2 3 7 13 17 19 21 30", "3 7 8 9 13 27 28 32", "7 12 13", "6 10"),
    *("6 10 16", "16", "", "30 32 33", "33", "", "", "", "33", "32 33", "32 33", "", "", "32 33", "33", "32 33", ""),
    *("32 33", "25 27 29 32 33", "25 27 31", "31", "29 33", "33", "31 33", "32 33", "32 33", "32 33", "33", ""),
)
EPOCHS = 300  # of the autoencoders
OFFICER = np.array([9, 14, 15, 18, 20, *range(22, 30), *range(30, 34)])  # who went with the officer, by his count


def swiss_roll(points: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) on a rolled-up sheet, and their places on the sheet (n, 2)."""
    random = np.random.default_rng(seed)
    turn = 1.5 * np.pi * (1 + 2 * random.random(points))
    height = 21 * random.random(points)
    length = (turn * np.sqrt(1 + turn**2) + np.arcsinh(turn)) / 2  # of the spiral r = turn
    return np.stack([turn * np.cos(turn), height, turn * np.sin(turn)], axis=1), np.stack([length, height], axis=1)


def codes(x: np.ndarray, page: str, **arguments: Any) -> np.ndarray:
    """The codes (n, 2) of an autoencoder of points (n, 3); which maps all of space, not these points alone."""
    from maquette import backend, catalog

    backend.choose("auto", page)
    import keras

    x = ((x - x.mean(axis=0)) / x.std()).astype("float32")
    model = catalog.model_class(page)(hidden_units=(128, 128), code_units=2, activation="relu", **arguments)
    steps = EPOCHS * -(-len(x) // 50)
    model.compile(optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)))
    model.fit(x, batch_size=50, epochs=EPOCHS, verbose=0)
    return np.asarray(model.transform(x))


def maps(points: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The roll, its sheet, and what each method makes of it; prints how faithful they are."""
    x, sheet = swiss_roll(points)
    made = {
        "scaling": lambda: scaling(squareform(pdist(x))).places,
        "Isomap": lambda: isomap(x, neighbours=10).places,
        "LLE, modified": lambda: locally_linear_embedding(x, neighbours=12, variant="modified"),
        "LLE": lambda: locally_linear_embedding(x, neighbours=12),
        "eigenmaps": lambda: laplacian_eigenmaps(affinity(x, neighbours=10)).vectors,
        "autoencoder": lambda: codes(x, "autoencoder"),
        "variational": lambda: codes(x, "vae", likelihood="gaussian", deviation=0.05),
    }
    found = {}
    print(f"6.31 to 6.34  {points:,} points of a swiss roll against the sheet that was rolled up")
    print("      map              trustworthiness  continuity  neighbours kept  procrustes  seconds")
    for name, method in made.items():
        begun = time.perf_counter()
        found[name] = method()
        seconds = time.perf_counter() - begun
        values = embedding_quality(sheet, found[name])
        text = "      ".join(f"{values[key]:9.3f}" for key in ("trustworthiness", "continuity", "preservation"))
        print(f"      {name:15}{text}   {procrustes(sheet, found[name]):10.3f}  {seconds:7.1f}")
    return x, sheet, found


def karate() -> tuple[sparse.csr_array, Cut]:
    """The karate club and its Fiedler cut; prints what the spectrum says."""
    edges = np.array([(i, int(j)) for i, row in enumerate(CLUB) for j in row.split()]).T
    half = sparse.csr_array((np.ones(edges.shape[1]), tuple(edges)), shape=(34, 34))
    graph = half + half.T
    found, whole = fiedler_cut(graph, "normalised"), connectivity(graph)
    second = found.connectivity
    apart = int((found.side != np.isin(np.arange(34), OFFICER)).sum())
    print("\n6.30, 6.35 and 6.36  the karate club: 34 members, 78 friendships")
    print(
        f"      zero eigenvalues {whole.components}, algebraic connectivity {whole.algebraic_connectivity:.4f}, ",
        end="",
    )
    print(f"spanning trees e^{whole.log_spanning_trees:.2f}")
    print(
        f"      best threshold: cut {found.cut:.0f}, normalised cut {found.normalised_cut:.4f} >= lambda {second:.4f}"
    )
    print(f"      Cheeger: {second / 2:.4f} <= conductance {found.conductance:.4f} <= {np.sqrt(2 * second):.4f}")
    print(f"      {apart} of 34 on another side than the one they took; modularity {modularity(graph, found.side):.4f}")
    for groups in (2, 3, 4):
        print(f"      {groups} groups: modularity {modularity(graph, spectral_clustering(graph, groups)):.4f}")
    return graph, found


def agreement(found: np.ndarray, truth: np.ndarray) -> float:
    """How far two groups agree with the true ones, 0 by chance and 1 for all nodes."""
    return float(abs(2 * (found == truth).mean() - 1)) if len(set(found)) == 2 else 0.0


def dense_blocks(nodes: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Two groups with chances a log(n) / n and log(n) / n: distances from the limit, shares of draws placed rightly."""
    unit = np.log(nodes) / nodes
    gaps = np.array([0.6, 0.8, 1.0, 1.2, 1.4142, 1.6, 1.8, 2.0, 2.2])
    exact = np.zeros(len(gaps))
    for i, gap in enumerate(gaps):
        for seed in range(draws):
            graph, truth = block_model([nodes // 2] * 2, (1 + gap) ** 2 * unit, unit, seed)
            exact[i] += agreement(spectral_clustering(graph, 2, seed=seed), truth) == 1
    print(f"\nexact recovery, {nodes:,} nodes, {draws} draws: possible for large n above sqrt(a) - sqrt(b) = 1.414")
    print("      " + "  ".join(f"{gap:.1f}: {share:.0%}" for gap, share in zip(gaps, exact / draws)))
    return gaps, exact / draws


def sparse_blocks(nodes: int, draws: int, degree: float = 6) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Two groups of a mean degree: distances from the Kesten-Stigum limit, and agreement of each method."""
    ratios = np.array([0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0])  # (a - b) / sqrt(2 (a + b))
    kinds = ("Bethe Hessian", "ng-jordan-weiss", "unnormalised")
    found: dict[str, Any] = {name: np.zeros(len(ratios)) for name in kinds}
    for i, ratio in enumerate(ratios):
        gap = ratio * np.sqrt(4 * degree)
        for seed in range(draws):
            sizes = [nodes // 2] * 2
            graph, truth = block_model(sizes, (degree + gap / 2) / nodes, (degree - gap / 2) / nodes, seed)
            part = connected_components(graph)[1]
            kept = part == np.bincount(part).argmax()  # a Laplacian would split off the smaller components first
            graph, truth = graph[kept][:, kept], truth[kept]
            found["Bethe Hessian"][i] += agreement(bethe_clustering(graph, 2, seed), truth)
            for name in kinds[1:]:
                found[name][i] += agreement(spectral_clustering(graph, 2, name, seed=seed), truth)
    print(
        f"\nsparse graphs, {nodes:,} nodes of mean degree {degree:g}; agreement, 0 by chance, in the largest component"
    )
    print(f"      {'(a - b) / sqrt(2 (a + b))':27}" + "  ".join(f"{ratio:.2f}" for ratio in ratios))
    for name, values in found.items():
        print(f"      {name:27}" + "  ".join(f"{value:.2f}" for value in values / draws))
    return ratios, {name: values / draws for name, values in found.items()}


def draw_club(axes: Any, graph: sparse.csr_array, cut: Cut) -> None:
    """Members at their second and third mode, by side; the cut edges stand out."""
    places = spectrum(graph, 3, "random-walk").vectors[:, 1:]
    i, j = sparse.triu(graph).coords
    for a, b in zip(i, j):
        across = cut.side[a] != cut.side[b]
        axes.plot(*places[[a, b]].T, color=ORANGE if across else GREY, linewidth=1.4 if across else 0.5, zorder=1)
    axes.scatter(*places.T, c=np.where(cut.side, BLUE, "#3d9970"), s=40, zorder=2)
    axes.set(xlabel="φ₁", ylabel="φ₂")


def draw_sweep(axes: Any, graph: sparse.csr_array, cut: Cut) -> None:
    """The normalised cut of every threshold of the Fiedler vector."""
    from maquette.methods.spectral.spectral_clustering import cut_values

    order = np.argsort(cut.vector)
    costs = [cut_values(graph, np.isin(np.arange(34), order[:k]))["normalised_cut"] for k in range(1, 34)]
    axes.plot(range(1, 34), costs, color=BLUE, marker="o", markersize=3)
    axes.axhline(cut.connectivity, color=GREY, linestyle="--", linewidth=1)
    axes.text(33, cut.connectivity + 0.02, "λ₁, a lower bound of every cut", ha="right", fontsize=8)
    axes.set(xlabel="members on one side, in the order of φ₁", ylabel="normalised cut")


def page(roll: Any, club: Any, dense: Any, thin: Any, out: Path) -> None:
    """All pictures on one page."""
    picture, axes = canvas(15, 11.5, nrows=3, ncols=4)
    picture.patch.set_alpha(1)
    x, sheet, found = roll
    shown: dict[str, np.ndarray] = {"The roll from the side": x[:, [0, 2]], **found}
    for one, (name, places) in zip(axes.flat[:7], shown.items()):  # all but the last
        one.scatter(*places.T, c=sheet[:, 0], s=5, cmap="viridis", linewidths=0)
        one.set(title=name, xticks=[], yticks=[])
    graph, cut = club
    draw_club(axes.flat[7], graph, cut)
    axes.flat[7].set_title("The karate club and its cut", fontsize=10)
    draw_sweep(axes.flat[8], graph, cut)
    axes.flat[8].set_title("Every threshold of φ₁", fontsize=10)
    values = connectivity(graph).spectrum
    axes.flat[9].plot(values, color=BLUE, marker="o", markersize=3)
    axes.flat[9].set(title="Eigenvalues of the club", xlabel="k", ylabel="λ of D - A")
    axes.flat[10].plot(*dense, color=BLUE, marker="o", markersize=4)
    axes.flat[10].axvline(np.sqrt(2), color=GREY, linestyle="--", linewidth=1)
    axes.flat[10].set(title="Every node right", xlabel="√a - √b", ylabel="share of graphs")
    for (name, line), colour in zip(thin[1].items(), (BLUE, ORANGE, GREY)):
        axes.flat[11].plot(thin[0], line, color=colour, marker="o", markersize=4, label=name)
    axes.flat[11].axvline(1, color=GREY, linestyle="--", linewidth=1)
    axes.flat[11].set(title="Sparse graphs", xlabel="(a - b) / √(2 (a + b))", ylabel="agreement")
    axes.flat[11].legend(frameon=False, fontsize=8)
    out.mkdir(parents=True, exist_ok=True)
    picture.savefig(out / "spectral.png", dpi=100)
    print(f"\n{out / 'spectral.png'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/spectral"))
    given = parser.parse_args()
    roll, club = maps(given.points), karate()
    dense = dense_blocks(given.nodes, given.draws)
    page(roll, club, dense, sparse_blocks(given.nodes, given.draws), given.out)


if __name__ == "__main__":
    main()
