"""Linear shift-invariant systems: a tester that finds counter-examples, responses, and stability.

A system f turns a signal x into a signal y = f(x). It is

    linear             f(alpha x) = alpha f(x)                          scaling
                       f(alpha x1 + beta x2) = alpha f(x1) + beta f(x2) superposition
    shift-invariant    f(x(n - tau)) = y(n - tau)

and if it is both, its impulse response h = f(delta) says everything: y = x * h.

    step response       s(n) = f(u)(n) = sum_{k <= n} h(k),   h(n) = s(n) - s(n - 1)
    frequency response  H(omega) = sum_k h(k) exp(-i omega k),   f(exp(i omega n)) = H(omega) exp(i omega n)
    stable              sum_k |h(k)| < infinity: every pole of `Recursive` lies inside the unit circle

`examine` tries random signals: a counter-example is a proof, and none is strong evidence, no proof. A system has to
start at rest; a reach of more than an eighth of the signal, or real-valued tricks on complex input, go unseen.

Source: Oppenheim, Schafer (2010), "Discrete-time signal processing", sections 2.2 to 2.6 and 5.2.

Example:
    >>> import numpy as np
    >>> from maquette.methods.signal.linear_systems import examine
    >>> print(examine(lambda x: np.convolve(x, [1, 2, 1])))
    linear, shift-invariant
    >>> found = examine(lambda x: np.arange(len(x)) * x)
    >>> found.linear, found.shift_invariant
    (True, False)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maquette.errors import InputError
from maquette.methods.signal.impulses import unit_impulse, unit_step
from maquette.methods.signal.signals import count, number, numbers

System = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class CounterExample:
    """Signals on which a law fails.

    Attributes:
        law: which one.
        inputs: the signals x, or x1 and x2.
        says: the numbers alpha, beta or tau, and by how much both sides differ.
    """

    law: str
    inputs: tuple[np.ndarray, ...]
    says: str


@dataclass(frozen=True)
class Properties:
    """What `examine` found: no counter-example to a law means that it held in every trial."""

    counter_examples: Mapping[str, CounterExample] = field(default_factory=dict)

    @property
    def linear(self) -> bool:
        return not {"scaling", "superposition"} & set(self.counter_examples)

    @property
    def shift_invariant(self) -> bool:
        return "shift invariance" not in self.counter_examples

    def __str__(self) -> str:
        words = "linear" if self.linear else "not linear", "shift-invariant" if self.shift_invariant else ""
        found = "; ".join(f"{law} fails: {one.says}" for law, one in self.counter_examples.items())
        return f"{words[0]}, {words[1] or 'not shift-invariant'}" + (f" ({found})" if found else "")


def examine(
    system: System, shape: Sequence[int] = (64,), trials: int = 8, tolerance: float = 1e-8, seed: int = 0
) -> Properties:
    """Search for counter-examples to the laws of linear shift-invariant systems.

    Args:
        system: array of `shape` -> array; every axis is shifted, so that filters of pictures are tested as well.
        shape: of the random signals, at least 16 along every axis; zeros surround them.
        trials: random signals per law.
        tolerance: how far both sides may differ, relative to their largest sample.

    Raises:
        InputError: for a shape below 16 or a number that makes no sense.
    """
    sides = [count(n, "shape", 16) for n in shape]
    trials, tolerance = count(trials, "trials"), number(tolerance, "tolerance", 0)
    random = np.random.default_rng(seed)
    found: dict[str, CounterExample] = {}
    for _ in range(trials):
        x1, x2 = (_signal(random, sides) for _ in range(2))
        for law in (_scaling, _superposition, _shift):
            broken = law(system, x1, x2, random, tolerance)
            if broken:
                found.setdefault(broken.law, broken)
    return Properties(found)


def _signal(random: np.random.Generator, sides: Sequence[int]) -> np.ndarray:
    """Normal noise in the middle half along every axis, zeros around it."""
    x = np.zeros(sides)
    middle = tuple(slice(n // 4, n - n // 4) for n in sides)
    x[middle] = random.normal(size=x[middle].shape)
    return x


def _scaling(system: System, x1: Any, x2: Any, random: Any, tolerance: float) -> CounterExample | None:
    alpha = random.uniform(-3, 3)
    gap = _gap(_run(system, alpha * x1), alpha * _run(system, x1), tolerance)
    return CounterExample("scaling", (x1,), f"alpha = {alpha:.3g}, {gap}") if gap else None


def _superposition(system: System, x1: Any, x2: Any, random: Any, tolerance: float) -> CounterExample | None:
    alpha, beta = random.uniform(-3, 3, 2)
    wanted = alpha * _run(system, x1) + beta * _run(system, x2)
    gap = _gap(_run(system, alpha * x1 + beta * x2), wanted, tolerance)
    says = f"alpha = {alpha:.3g}, beta = {beta:.3g}, {gap}"
    return CounterExample("superposition", (x1, x2), says) if gap else None


def _shift(system: System, x1: Any, x2: Any, random: Any, tolerance: float) -> CounterExample | None:
    y, axis = _run(system, x1), int(random.integers(x1.ndim))
    tau = int(random.integers(1, x1.shape[axis] // 8 + 1))
    later = _run(system, np.roll(x1, tau, axis))  # zeros roll in
    if axis >= y.ndim or tau >= y.shape[axis]:
        return CounterExample("shift invariance", (x1,), f"the output of shape {y.shape} cannot be shifted by {tau}")
    inner = [slice(None)] * y.ndim, [slice(None)] * y.ndim
    inner[0][axis], inner[1][axis] = slice(tau, None), slice(None, y.shape[axis] - tau)
    gap = _gap(later[tuple(inner[0])], y[tuple(inner[1])], tolerance)
    return CounterExample("shift invariance", (x1,), f"tau = {tau} on axis {axis}, {gap}") if gap else None


def _run(system: System, x: np.ndarray) -> np.ndarray:
    return np.asarray(system(x.copy()), dtype=complex)


def _gap(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> str:
    """What to say about a difference, "" if there is none."""
    if found.shape != wanted.shape:
        return f"shapes {found.shape} and {wanted.shape}"
    difference = np.abs(found - wanted)
    worst = difference.max(initial=0.0)
    if worst <= tolerance * max(np.abs(wanted).max(initial=0.0), 1e-300):  # false for NaN
        return ""
    return f"difference {worst:.3g} at n = {tuple(map(int, np.unravel_index(difference.argmax(), difference.shape)))}"


def impulse_response(system: System, samples: int) -> np.ndarray:
    """h = f(delta), its first `samples` samples."""
    return np.asarray(system(unit_impulse((samples,))))[:samples]


def step_response(system: System, samples: int) -> np.ndarray:
    """s = f(u), its first `samples` samples."""
    return np.asarray(system(unit_step((samples,))))[:samples]


def frequency_response(h: Any, omega: Any) -> np.ndarray:
    """H(omega) of an impulse response h (taps,) that starts at n = 0; omega in radians per sample, any shape."""
    h, omega = numbers(h, "h", 1), numbers(omega, "omega")
    return np.asarray(np.tensordot(np.exp(-1j * omega[..., np.newaxis] * np.arange(len(h))), h, 1))


@dataclass(frozen=True)
class Recursive:
    """The system a_0 y(n) = sum_k b_k x(n - k) - sum_{k > 0} a_k y(n - k), at rest before n = 0.

    Attributes:
        b: weights of the input; alone they are a filter of finite response, h = b.
        a: weights of the output, a_0 not zero.
    """

    b: Sequence[float]
    a: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        numbers(self.b, "b", 1)
        if numbers(self.a, "a", 1)[0] == 0:
            raise InputError("a begins with 0: give the weight of y(n) first, such as a=(1, -0.5)")

    def __call__(self, x: Any) -> np.ndarray:
        """x (..., samples) -> y of the same shape."""
        from scipy.signal import lfilter

        return np.asarray(lfilter(self.b, self.a, numbers(x, "x")))

    def then(self, other: "Recursive") -> "Recursive":
        """Both in a row: their responses convolved, H = H1 H2."""
        return Recursive(np.convolve(self.b, other.b).tolist(), np.convolve(self.a, other.a).tolist())

    def frequency_response(self, omega: Any) -> np.ndarray:
        """H(omega) = sum_k b_k exp(-i omega k) / sum_k a_k exp(-i omega k)."""
        return frequency_response(self.b, omega) / frequency_response(self.a, omega)

    @property
    def stable(self) -> bool:
        """Whether a bounded input has a bounded output; a pole on a zero (to 1e-6) is cancelled."""
        zeros = list(np.roots(np.trim_zeros(self.b, "f")))
        for pole in np.roots(self.a):
            on = [i for i, zero in enumerate(zeros) if abs(zero - pole) < 1e-6]
            if on:
                zeros.pop(on[0])
            elif abs(pole) >= 1 and np.any(self.b):
                return False
        return True


METHOD = examine
