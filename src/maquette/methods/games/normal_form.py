"""Games of any number of players in normal form: what each can be sure of, best responses, and pure equilibria.

    L_i(s_1, ..., s_n)   the pay-off of player i; payoffs[i] is an array with an axis per player
    maximin of i         max over s_i of min over the others' s_-i of L_i      what i can guarantee
    minimax of i         min over s_-i of max over s_i of L_i                  what the others can hold i down to
    equilibrium          a combination in which every player's strategy is a best response to the others'
    dominated            s_i is, if another strategy of i pays strictly more against every s_-i

Minimax is never below maximin. What is paid when all play their maximin strategies may differ from both, and there need
be no pure equilibrium, or several. Strictly dominated strategies are in none.

Source: Nash (1951), "Non-cooperative games", Annals of Mathematics 54; Maschler, Solan, Zamir (2013), "Game theory",
chapter 4.

Example:
    >>> from maquette.methods.games.normal_form import NormalForm
    >>> prisoners = NormalForm([[[-1, -3], [0, -2]], [[-1, 0], [-3, -2]]])
    >>> prisoners.equilibria, prisoners.undominated
    ([(1, 1)], [[1], [1]])
    >>> prisoners.maximin(0), prisoners.minimax(0)
    (Choice(strategy=1, value=-2.0), -2.0)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.games.matrix_game import Choice
from maquette.methods.signal.signals import numbers


class NormalForm:
    """The game with payoffs (players, strategies of the first, strategies of the second, ...).

    Raises:
        InputError: unless there are as many axes of strategies as players.
    """

    def __init__(self, payoffs: Any) -> None:
        self.payoffs = numbers(payoffs, "payoffs").astype(float)
        players = len(self.payoffs) if self.payoffs.ndim else 0
        if players < 2 or self.payoffs.ndim != players + 1:
            shape = self.payoffs.shape
            raise InputError(f"payoffs has the shape {shape}: give (n, strategies of player 1, ..., of player n)")

    @property
    def players(self) -> int:
        return len(self.payoffs)

    def _own_first(self, player: int) -> np.ndarray:
        """The player's pay-offs as a matrix (own strategies, combinations of the others')."""
        own = np.moveaxis(self.payoffs[player], player, 0)
        return own.reshape(len(own), -1)

    def maximin(self, player: int) -> Choice:
        """The pure strategy whose worst pay-off is best, the first of several, and that pay-off."""
        least = self._own_first(player).min(axis=1)
        return Choice(int(least.argmax()), float(least.max()))

    def minimax(self, player: int) -> float:
        """The most that the player is left with by the others' worst combination of pure strategies."""
        return float(self._own_first(player).max(axis=0).min())

    def best_responses(self, player: int) -> np.ndarray:
        """Where the player's strategy is a best response to the others': booleans with an axis per player."""
        u = self.payoffs[player]
        return u == u.max(axis=player, keepdims=True)

    @property
    def equilibria(self) -> list[tuple[int, ...]]:
        """Every pure equilibrium: a strategy per player."""
        found = np.logical_and.reduce([self.best_responses(player) for player in range(self.players)])
        return [tuple(int(s) for s in place) for place in np.argwhere(found)]

    @property
    def undominated(self) -> list[list[int]]:
        """The strategies of each player that are left when strictly dominated ones are struck out again and again."""
        left = [list(range(size)) for size in self.payoffs.shape[1:]]
        for _ in range(sum(self.payoffs.shape[1:])):
            rest = NormalForm(self.payoffs[np.ix_(range(self.players), *left)])
            for player, own in enumerate(left):
                u = rest._own_first(player)
                more = np.all(u[:, np.newaxis] > u, axis=2)  # [a, b]: a pays more than b everywhere
                left[player] = [own[b] for b in np.flatnonzero(~more.any(axis=0))]
        return left

    def expected(self, strategies: Sequence[Any]) -> np.ndarray:
        """The mean pay-off of every player (players,) when each draws from its own distribution (strategies,)."""
        found = self.payoffs
        for mixed in reversed(list(strategies)):
            found = np.einsum("...s,s->...", found, numbers(mixed, "strategies", 1))
        return found

    def regrets(self, strategies: Sequence[Any]) -> np.ndarray:
        """What each player would gain by its best deviation (players,); all are 0 in an equilibrium, and only there."""
        now, most = self.expected(strategies), []
        for player, mixed in enumerate(strategies):
            pure = np.eye(len(mixed))
            swapped = [[*strategies[:player], one, *strategies[player + 1 :]] for one in pure]
            most.append(max(self.expected(other)[player] for other in swapped))
        return np.array(most) - now


METHOD = NormalForm
