"""Games: tables of pay-offs and their equilibria, saddle points, and players who follow their gradients.

    python labs/games.py [--rate 0.1] [--steps 200] [--out runs/games]

Prints what each player is sure of, pure and mixed equilibria, what the Hessian says of saddles, by how much a step of
each rule multiplies the distance from the equilibrium, and divergences beside the values of the games that they are;
writes games.png.
"""

import argparse
from pathlib import Path

import numpy as np

from maquette.methods.games.f_divergence import (
    FORMS,
    best_classifier,
    best_critic,
    classifier_value,
    critic_value,
    f_divergence,
)
from maquette.methods.games.gradient_play import RULES, gradient_play, spectral_radius
from maquette.methods.games.matrix_game import MatrixGame
from maquette.methods.games.normal_form import NormalForm
from maquette.methods.games.saddle_points import saddle_points
from maquette.methods.games.support_enumeration import support_enumeration
from maquette.tasks import game_figures
from maquette.tasks.figure import canvas

GAMES = {
    "maximin is no equilibrium": ([[6, 4], [10, -20], [-201, 8]], [[2, -41], [0.5, 2], [4, 8]]),
    "prisoner's dilemma": ([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]]),
    "battle of the sexes": ([[3, 0], [0, 2]], [[2, 0], [0, 3]]),
}
ZERO_SUM = {
    "with a saddle": [[8, -6, 4], [-10, 2, 12], [7, 6, 9]],
    "matching pennies": [[1, -1], [-1, 1]],
    "rock, paper, scissors": [[0, -1, 1], [1, 0, -1], [-1, 1, 0]],
}
FUNCTIONS = {
    "x^2 - y^2": lambda z: z[0] ** 2 - z[1] ** 2,
    "y^2 - x^2": lambda z: z[1] ** 2 - z[0] ** 2,
    "x y": lambda z: z[0] * z[1],
    "x^3 - y^2": lambda z: z[0] ** 3 - z[1] ** 2,
}
JACOBIANS = {"x y": np.array([[0.0, 1.0], [-1.0, 0.0]]), "x^2 - y^2": np.array([[2.0, 0.0], [0.0, 2.0]])}


def tables() -> None:
    """Rows 6.19 and 6.20."""
    for name, (a, b) in GAMES.items():
        game = NormalForm([a, b])
        print(f"6.19  {name}: maximin {[game.maximin(i).value for i in (0, 1)]}", end=", ")
        print(f"minimax {[game.minimax(i) for i in (0, 1)]}, pure equilibria {game.equilibria}")
        for p, q in support_enumeration(a, b):
            print(
                f"      {p.round(3).tolist()} against {q.round(3).tolist()}: {game.expected([p, q]).round(3).tolist()}"
            )
    for name, u in ZERO_SUM.items():
        game, solved = MatrixGame(u), MatrixGame(u).solution
        print(f"6.20  {name}: maximin {game.maximin.value:g}, value {solved.value + 0:.3f}, minimax", end=" ")
        print(f"{game.minimax.value:g}, saddles {game.saddles}, {solved.row.round(3)} against {solved.column.round(3)}")


def saddles() -> None:
    """Row 6.21: what the Hessian says."""
    for name, function in FUNCTIONS.items():
        for point in saddle_points(function, [[0.4, -0.3]]):
            eigenvalues = ", ".join(f"{value:.3g}" for value in point.eigenvalues.round(6) + 0)
            print(f"6.21  {name}: eigenvalues {eigenvalues}: {point.kind}, equilibrium {point.equilibrium}")


def play(rate: float, steps: int) -> dict[str, dict[str, np.ndarray]]:
    """Game -> rule -> path."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, jacobian in JACOBIANS.items():
        print(f"6.21  {name}, rate {rate}: rule, factor per step, distance after {steps} steps from (1, 1)")
        found[name] = {}
        for rule in RULES:
            path = gradient_play(lambda z, j=jacobian: np.einsum("ij,j->i", j, z), [1.0, 1.0], rate, steps, rule)
            found[name][rule] = path
            print(f"      {rule:14} {spectral_radius(jacobian, rate, rule):.6f}  {np.linalg.norm(path[-1]):.3g}")
    return found


def divergences() -> None:
    """Row 6.24."""
    p, q = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
    print("6.24  divergence, value of its game at the best critic")
    for name in FORMS:
        value = critic_value(p, q, best_critic(p, q, name), name)
        print(f"      {name:16} {f_divergence(p, q, name):.6f}  {value:.6f}")
    value, js = classifier_value(p, q, best_classifier(p, q)), f_divergence(p, q, "jensen-shannon")
    print(f"      classifier: V = {value:.6f} = 2 JS - log 4 = {2 * js - np.log(4):.6f}")


def draw(found: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Four panels."""
    picture, ((one, two), (three, four)) = canvas(10, 8, nrows=2, ncols=2)
    a, b = GAMES["battle of the sexes"]
    game_figures.payoffs(NormalForm([a, b]), ("opera", "fight"), ("opera", "fight"), one)
    jacobian = JACOBIANS["x y"]
    game_figures.paths(lambda z: np.einsum("ij,j->i", jacobian, z), found["x y"], axes=two)
    game_figures.distances(found["x y"], three)
    game_figures.slopes(four)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/games"))
    given = parser.parse_args()
    tables()
    saddles()
    drawn = play(given.rate, given.steps)
    divergences()
    draw(drawn, given.out / "games.png")
    print(given.out / "games.png")
