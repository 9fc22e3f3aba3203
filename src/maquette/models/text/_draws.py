"""What the compiled loops of a text draw: which words are kept, and the noise words."""

from typing import Any

import numpy as np
from numba import njit

KEPT = 1024  # words that are kept at a time
F = np.float32
_fast: Any = {"fastmath": True, "nogil": True, "error_model": "numpy", "cache": True}


@njit(**_fast)
def advance(state: Any) -> Any:
    """The next state of a linear congruential generator, of which the upper bits are used; Knuth (1997), 3.3.4."""
    return state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@njit(**_fast)
def keep_words(tokens: Any, start: int, keep: Any, state: Any, kept: Any, lines: Any, margin: int) -> Any:
    """Fill `kept` from tokens[start:], each word with its probability to be kept, and `lines` with its line's number.

    There is a margin before the first word and after the last; its places are in lines of their own.

    Returns:
        Where to go on, the place after the last word, the generator's state.
    """
    place, line = margin, 0
    while start < len(tokens) and place < margin + KEPT:
        word = tokens[start]
        start += 1
        line += word == 0
        if word > 0:
            state = advance(state)
            if F(state >> np.uint64(40)) * F(2.0**-24) < keep[word - 1]:
                kept[place], lines[place] = word - 1, line
                place += 1
    kept[place:] = 0
    for i in range(len(lines)):
        lines[i] = lines[i] if margin <= i < place else -1 - i
    return start, place, state


@njit(**_fast)
def draw_noise(table: Any, state: Any, noise: Any) -> Any:
    """Draw the noise words of a group: (S,); returns the generator's state."""
    for s in range(len(noise)):
        state = advance(state)
        noise[s] = table[(state >> np.uint64(32)) & np.uint64(len(table) - 1)]
    return state
