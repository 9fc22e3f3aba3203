"""Games: closed forms, duality of linear programs, exhaustive small cases, and exact spectral radii."""

import numpy as np
import pytest

from maquette.errors import InputError
from maquette.methods.games.f_divergence import (
    FORMS,
    best_classifier,
    best_critic,
    classifier_value,
    critic_value,
    f_divergence,
)
from maquette.methods.games.gradient_play import RULES, gradient_play, spectral_radius, update_map
from maquette.methods.games.matrix_game import MatrixGame
from maquette.methods.games.normal_form import NormalForm
from maquette.methods.games.saddle_points import gradient, hessian, saddle_points
from maquette.methods.games.support_enumeration import support_enumeration
from maquette.tasks import game_figures
from maquette.tasks.figure import finish

CIRCLE = np.array([[0.0, 1.0], [-1.0, 0.0]])  # of U = x y
BOWL = np.array([[2.0, 0.0], [0.0, 2.0]])  # of U = x^2 - y^2


# --- matrix games ----------------------------------------------------------------------------------------------


def test_a_saddle_is_where_maximin_meets_minimax():
    game = MatrixGame([[8, -6, 4], [-10, 2, 12], [7, 6, 9]])
    assert game.maximin == (2, 6) and game.minimax == (1, 6) and game.saddles == [(2, 1)]
    assert game.solution.value == pytest.approx(6) and game.solution.gap == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(game.solution.row, [0, 0, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("payoffs", "value", "mixed"),
    [
        ([[1, -1], [-1, 1]], 0, [1 / 2, 1 / 2]),
        ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], 0, [1 / 3, 1 / 3, 1 / 3]),
        ([[3, -1], [-2, 1]], 1 / 7, [3 / 7, 4 / 7]),  # (ad - bc) / (a + d - b - c)
    ],
)
def test_mixed_strategies_of_known_games(payoffs, value, mixed):
    game = MatrixGame(payoffs)
    assert not game.saddles and game.maximin.value < value < game.minimax.value
    assert game.solution.value == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(game.solution.row, mixed, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 4), (3, 5), (6, 6), (8, 2)])
@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_both_programs_have_one_value(shape, scale, random):
    game = MatrixGame(random.normal(size=shape) * scale)
    found = game.solution
    assert found.gap == pytest.approx(0, abs=1e-7 * scale)  # no player gains by leaving: weak duality is tight
    assert game.maximin.value - 1e-9 * scale <= found.value <= game.minimax.value + 1e-9 * scale
    moved = MatrixGame(3 * game.payoffs + 5 * scale).solution
    assert moved.value == pytest.approx(3 * found.value + 5 * scale, abs=1e-6 * scale)


def test_a_two_by_two_grid_of_strategies_confirms_the_value(random):
    game = MatrixGame(random.normal(size=(2, 2)))
    p = np.linspace(0, 1, 2001)
    sure = (np.outer(p, game.payoffs[0]) + np.outer(1 - p, game.payoffs[1])).min(axis=1)
    assert game.solution.value == pytest.approx(sure.max(), abs=2e-3)


# --- more players ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([[6, 4], [10, -20], [-201, 8]], [[2, -41], [0.5, 2], [4, 8]]),
        ([[6, 4], [-20, 8], [10, -201]], [[2, -41], [0.5, 8], [4, 2]]),
    ],
)
def test_maximin_and_minimax_of_two_players(a, b):
    game = NormalForm([a, b])
    assert game.maximin(0) == (0, 4) and game.maximin(1) == (0, 0.5)
    assert game.minimax(0) == 8 and game.minimax(1) == 2
    assert game.payoffs[:, 0, 0].tolist() == [6, 2]  # what both get when both are careful


def test_pure_equilibria_of_known_games():
    assert NormalForm([[[-1, -3], [0, -2]], [[-1, 0], [-3, -2]]]).equilibria == [(1, 1)]
    assert NormalForm([[[3, 0], [0, 2]], [[2, 0], [0, 3]]]).equilibria == [(0, 0), (1, 1)]
    assert NormalForm([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]).equilibria == []


def test_three_players_by_trying_everything(random):
    game = NormalForm(random.integers(0, 4, (3, 2, 3, 2)))
    stable = []
    for place in np.ndindex(2, 3, 2):
        gains = []
        for player in range(3):
            for other in range(game.payoffs.shape[player + 1]):
                swapped = [*place[:player], other, *place[player + 1 :]]
                gains.append(game.payoffs[(player, *swapped)] - game.payoffs[(player, *place)])
        if max(gains) <= 0:
            stable.append(place)
        pure = [np.eye(size)[s] for size, s in zip((2, 3, 2), place, strict=True)]
        np.testing.assert_allclose(game.expected(pure), game.payoffs[(slice(None), *place)])
        assert (game.regrets(pure).max() <= 0) == (place in game.equilibria)
    assert game.equilibria == stable
    for player in range(3):
        assert game.minimax(player) >= game.maximin(player).value


def test_dominated_strategies_go_one_after_the_other():
    # The third column is beaten only by mixing; the second row goes first, then the first column.
    a, b = [[3, 1], [2, 0], [0, 5]], [[1, 2], [9, 0], [1, 2]]
    assert NormalForm([a, b]).undominated == [[2], [1]]


@pytest.mark.parametrize("seed", range(4))
def test_equilibria_by_supports_leave_nobody_a_gain(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 4, 3))
    found, game = support_enumeration(a, b), NormalForm([a, b])
    assert len(found) % 2 == 1  # Wilson's theorem for games that are not degenerate
    for p, q in found:
        assert game.regrets([p, q]).max() < 1e-9
    pure = [(int(p.argmax()), int(q.argmax())) for p, q in found if max(p) == 1 == max(q)]
    assert pure == game.equilibria


def test_battle_of_the_sexes_and_chicken():
    mixed = support_enumeration([[3, 0], [0, 2]], [[2, 0], [0, 3]])[-1]
    np.testing.assert_allclose(np.concatenate(mixed), [0.6, 0.4, 0.4, 0.6])
    mixed = support_enumeration([[0, 7], [2, 6]], [[0, 2], [7, 6]])[-1]
    np.testing.assert_allclose(np.concatenate(mixed), [1 / 3, 2 / 3, 1 / 3, 2 / 3])


def test_in_zero_sum_games_supports_and_programs_agree(random):
    u = random.normal(size=(4, 4))
    (p, q), *more = support_enumeration(u, -u)
    assert not more
    np.testing.assert_allclose(p, MatrixGame(u).solution.row, atol=1e-8)
    np.testing.assert_allclose(q, MatrixGame(u).solution.column, atol=1e-8)


# --- saddles and gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "kind", "equilibrium", "minimax"),
    [
        (lambda z: z[0] ** 2 - z[1] ** 2, "saddle", True, True),
        (lambda z: z[1] ** 2 - z[0] ** 2, "saddle", False, False),
        (lambda z: z[0] ** 2 + z[1] ** 2, "minimum", False, False),
        (lambda z: -(z[0] ** 2) - z[1] ** 2, "maximum", False, False),
        (lambda z: z[0] ** 3 - z[1] ** 2, "degenerate", False, False),
        (lambda z: -(z[0] ** 2) + 4 * z[0] * z[1] - z[1] ** 2, "saddle", False, True),  # 6 x^2 once y = 2 x answers
    ],
)
def test_what_the_hessian_says(function, kind, equilibrium, minimax):
    (point,) = saddle_points(function, [[0.4, -0.3]])
    assert (point.kind, point.equilibrium, point.minimax) == (kind, equilibrium, minimax)
    np.testing.assert_allclose(point.place, 0, atol=1e-3 if kind == "degenerate" else 1e-6)


def test_every_stationary_point_is_found_once_and_derivatives_are_exact_enough():
    def waves(z):
        return np.cos(z[0]) + np.sin(z[1]) * z[2]

    z = np.array([0.3, -1.2, 2.0])
    exact = [-np.sin(0.3), np.cos(-1.2) * 2, np.sin(-1.2)]
    np.testing.assert_allclose(gradient(waves, z), exact, atol=1e-9)
    second = np.zeros((3, 3))
    second[0, 0], second[1, 1], second[1, 2], second[2, 1] = -np.cos(0.3), -np.sin(-1.2) * 2, *2 * [np.cos(-1.2)]
    np.testing.assert_allclose(hessian(waves, z), second, atol=1e-6)
    found = saddle_points(lambda z: (z[0] ** 2 - 1) ** 2 - z[1] ** 2, [[a, 0.1] for a in (-1.2, -0.9, 0.1, 0.8, 1.3)])
    kinds = {round(float(point.place[0])): (point.kind, point.equilibrium) for point in found}
    assert len(found) == 3 and kinds == {-1: ("saddle", True), 0: ("maximum", False), 1: ("saddle", True)}


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_the_factor_per_step_has_a_closed_form(rate):
    assert spectral_radius(CIRCLE, rate) == pytest.approx(np.sqrt(1 + rate**2))
    assert spectral_radius(CIRCLE, rate, "alternating") == pytest.approx(1)
    assert spectral_radius(CIRCLE, rate, "extragradient") == pytest.approx(np.sqrt(1 - rate**2 + rate**4))
    roots = np.roots([1, -1 - 2j * rate, 1j * rate])  # of the optimistic recurrence for the eigenvalue i
    assert spectral_radius(CIRCLE, rate, "optimistic") == pytest.approx(np.abs(roots).max())
    assert spectral_radius(BOWL, rate) == pytest.approx(1 - 2 * rate)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("jacobian", [CIRCLE, BOWL])
def test_a_path_is_its_map_applied_again_and_again(rule, jacobian):
    path = gradient_play(lambda z: jacobian @ z, [1.0, -0.5], 0.1, 30, rule)
    state = np.array([1.0, -0.5])
    state = np.tile(state, 2) if rule == "optimistic" else state
    power = np.linalg.matrix_power(update_map(jacobian, 0.1, rule), 30)
    np.testing.assert_allclose(path[-1], (power @ state)[:2], rtol=1e-10, atol=1e-14)


def test_the_book_of_numbers_on_both_games():
    start = [1.0, 1.0]
    ends = {rule: np.linalg.norm(gradient_play(lambda z: CIRCLE @ z, start, 0.1, 200, rule)[-1]) for rule in RULES}
    assert ends["simultaneous"] == pytest.approx(np.sqrt(2) * 1.01**100) and 3.82 < ends["simultaneous"] < 3.83
    assert 1.3 < ends["alternating"] < 1.5 and ends["extragradient"] < 0.6 and ends["optimistic"] < 0.6
    end = gradient_play(lambda z: BOWL @ z, start, 0.1, 200)[-1]
    assert end == pytest.approx(0.8**200, rel=1e-9)
    # Nobody leaves the equilibrium once there, and three coordinates are shared out as told.
    np.testing.assert_array_equal(gradient_play(lambda z: CIRCLE @ z, [0, 0], 0.1, 5, "alternating"), np.zeros((6, 2)))
    seen = []
    gradient_play(lambda z: seen.append(z.copy()) or np.ones(3), [0, 0, 0], 1, 1, "alternating", first=2)
    assert [one.tolist() for one in seen] == [[0, 0, 0], [-1, -1, 0]]


# --- divergences -------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(random):
    return random.dirichlet(np.ones(6), 2)


def test_the_value_against_the_best_classifier(pair):
    p, q = pair
    best = best_classifier(p, q)
    js = f_divergence(p, q, "jensen-shannon")
    assert classifier_value(p, q, best) == pytest.approx(2 * js - np.log(4))
    assert classifier_value(p, p, best_classifier(p, p)) == pytest.approx(-np.log(4)) and np.ptp(
        best_classifier(p, p)
    ) == pytest.approx(0)
    for other in (best * 0.9, best**2, np.full(6, 0.5)):
        assert classifier_value(p, q, other) < classifier_value(p, q, best)
    middle = (p + q) / 2
    assert js == pytest.approx((f_divergence(p, middle) + f_divergence(q, middle)) / 2)


@pytest.mark.parametrize("name", FORMS)
def test_a_divergence_is_the_value_of_its_game(name, pair, random):
    p, q = pair
    best = best_critic(p, q, name)
    found = f_divergence(p, q, name)
    assert found > 0 and f_divergence(p, p, name) == pytest.approx(0)
    assert critic_value(p, q, best, name) == pytest.approx(found)
    for _ in range(5):
        other = np.minimum(best, best * random.uniform(0.8, 1.0, 6))  # stays in the domain of every conjugate
        assert critic_value(p, q, other, name) <= found + 1e-12


def test_divergences_by_their_formulas(pair):
    p, q = pair
    assert f_divergence(p, q, "kl") == pytest.approx(np.sum(p * np.log(p / q))) == f_divergence(q, p, "reverse-kl")
    assert f_divergence(p, q, "pearson") == pytest.approx(np.sum((p - q) ** 2 / q))
    assert f_divergence(p, q, "total-variation") == pytest.approx(np.abs(p - q).sum() / 2)
    assert f_divergence(p, q, "hellinger") == pytest.approx(2 - 2 * np.sum(np.sqrt(p * q)))


def test_without_common_ground():
    p, q = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])
    assert f_divergence(p, q, "jensen-shannon") == pytest.approx(np.log(2))
    assert classifier_value(p, q, best_classifier(p, q)) == 0
    assert f_divergence(p, q, "kl") == f_divergence(p, q, "reverse-kl") == f_divergence(p, q, "pearson") == np.inf
    assert f_divergence(p, q, "total-variation") == 1 and f_divergence(p, q, "hellinger") == 2


# --- wrong input and pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: MatrixGame([1, 2]), "payoffs"),
        (lambda: MatrixGame([[1, np.nan]]), "payoffs holds NaN"),
        (lambda: NormalForm([[[1, 2]], [[1, 2]], [[1, 2]]]), "payoffs has the shape (3, 1, 2)"),
        (lambda: support_enumeration([[1, 2]], [[1], [2]]), "column (2, 1)"),
        (lambda: saddle_points(lambda z: 0.0, [[1.0]]), "minimisers 1"),
        (lambda: gradient_play(lambda z: z, [1.0], 0, 1), "rate 0"),
        (lambda: gradient_play(lambda z: z, [1.0], 1, 1, "alternate"), "alternating"),
        (lambda: update_map([[1, 2]], 0.1), "jacobian"),
        (lambda: f_divergence([0.5, 0.5], [0.6, 0.6]), "q is no distribution"),
        (lambda: f_divergence([1.0], [1.0], "js"), "js"),
    ],
)
def test_wrong_input_is_named(action, words):
    with pytest.raises(InputError) as caught:
        action()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_pictures_mark_best_responses_and_equilibria():
    game = NormalForm([[[3, 0], [0, 2]], [[2, 0], [0, 3]]])
    drawn = game_figures.payoffs(game, ("opera", "fight"), ("opera", "fight"))
    axes = drawn.axes[0]
    assert axes.images[0].get_array().tolist() == [[True, False], [False, True]]
    assert len(axes.lines) == 4 and [t.get_text() for t in axes.texts[:2]] == ["3", "2"]
    field = {rule: gradient_play(lambda z: CIRCLE @ z, [1.0, 0.0], 0.1, 50, rule) for rule in RULES}
    axes = game_figures.paths(lambda z: CIRCLE @ z, field).axes[0]
    np.testing.assert_array_equal(axes.lines[2].get_xydata(), field["alternating"])
    for picture in (drawn, axes.figure, game_figures.distances(field), game_figures.slopes()):
        assert finish(picture, "game", "Game", "A game.").svg.startswith("<svg")
