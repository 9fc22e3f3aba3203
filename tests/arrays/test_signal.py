"""Signals and systems: worked examples, SciPy, and the laws of linear shift-invariant systems."""

import numpy as np
import pytest
from scipy import ndimage, signal

from maquette.errors import InputError
from maquette.methods.signal.convolution import (
    convolution_matrix,
    convolve,
    convolve_functions,
    correlate,
    terms,
)
from maquette.methods.signal.impulses import decompose, recompose, unit_impulse, unit_step
from maquette.methods.signal.linear_systems import (
    Recursive,
    examine,
    frequency_response,
    impulse_response,
    step_response,
)
from maquette.methods.signal.sampling import (
    alias,
    mu_law,
    mu_law_inverse,
    quantise,
    reconstruct,
    sample,
    signal_to_noise,
)
from maquette.methods.signal.signals import PADDING
from maquette.methods.signal.system_identification import identify, shifted_copies

TOY = np.arange(1, 50).reshape(7, 7)
TOY_KERNEL = np.array([[-1, 1, -1], [-2, 3, 1], [2, -4, 0]])
TOY_ANSWER = [
    [-2, -8, -7, -6, -5, -4, 28],
    [5, -3, -4, -5, -6, -7, 28],
    [-2, -10, -11, -12, -13, -14, 28],
    [-9, -17, -18, -19, -20, -21, 28],
    [-16, -24, -25, -26, -27, -28, 28],
    [-23, -31, -32, -33, -34, -35, 28],
    [-29, 13, 13, 13, 13, 13, 27],
]


SHAPES = [((9,), (4,)), ((9,), (5,)), ((6, 8), (3, 2)), ((5, 4, 6), (2, 3, 1)), ((3,), (7,))]

# Convolution


def test_one_dimension_by_hand():
    assert convolve([1, 2], [3, 2]).tolist() == [3, 8, 4]  # y(0), y(1), y(2)
    assert convolve([1, 2, 2], [3, 2, 1]).tolist() == [3, 8, 11, 6, 2]
    for n, y in enumerate([3, 8, 11, 6, 2]):
        assert sum(a * b for a, b in terms([1, 2, 2], [3, 2, 1], n)) == y
    # Before the signals overlap the sum is empty.
    assert terms([1, 2], [3, 2], -1) == []


def test_two_dimensions_by_hand():
    # Rows are n2, columns n1: y(1, 0) = 13 and y(2, 0) = 10 of the worked example stand in the first row.
    y = convolve([[4, 5], [2, 3]], [[1, 2], [3, 4]])
    assert y.tolist() == [[4, 13, 10], [14, 38, 26], [6, 17, 12]]
    assert (y[0, 1], y[0, 2]) == (13, 10)


@pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap-add"])
def test_the_toy_picture(method):
    assert convolve(TOY, TOY_KERNEL, "same", method=method).tolist() == TOY_ANSWER


def test_the_seeded_block_answers_514_and_its_corner_183():
    picture = np.random.RandomState(0).randint(0, 100, (5, 5))
    y = convolve(picture, np.ones((3, 3), int), "same")
    assert picture[:3, :3].sum() == y[1, 1] == 514
    assert y[0, 0] == 44 + 47 + 9 + 83 == 183  # with zeros beyond the border
    moved = np.zeros((9, 9), int)
    moved[2:7, 3:8] = picture
    np.testing.assert_array_equal(convolve(moved, np.ones((3, 3), int), "same")[2:7, 3:8], y)


@pytest.mark.parametrize("size", ["full", "same", "valid"])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("method", ["direct", "fft", "overlap-add"])
def test_equals_scipy_for_every_size(random, size, shapes, method):
    x, h = (random.normal(size=shape) for shape in shapes)
    if any(k > n for k, n in zip(shapes[1], shapes[0], strict=True)) and size == "valid":
        with pytest.raises(InputError, match="no larger than x"):
            convolve(x, h, size, method=method)
        return
    np.testing.assert_allclose(convolve(x, h, size, method=method), signal.convolve(x, h, size), atol=1e-12)


@pytest.mark.parametrize(("border", "name"), [("constant", "fill"), ("wrap", "wrap"), ("reflect", "symm")])
@pytest.mark.parametrize("size", ["full", "same"])
def test_equals_scipy_for_every_border_it_has(random, border, name, size):
    x, h = random.normal(size=(6, 7)), random.normal(size=(3, 4))
    theirs = signal.convolve2d(x, h, size, name, fillvalue=0.7)
    np.testing.assert_allclose(convolve(x, h, size, border, 0.7), theirs, atol=1e-12)


@pytest.mark.parametrize("border", list(PADDING))
def test_every_border_is_the_one_of_ndimage(random, border):
    x, h = random.normal(size=(6, 7)), random.normal(size=(5, 3))
    theirs = ndimage.convolve(x, h, mode=border, cval=-0.4)
    np.testing.assert_allclose(convolve(x, h, "same", border, -0.4), theirs, atol=1e-12)


def test_algebra(random):
    x, g, h = (random.normal(size=n) for n in (20, 7, 5))
    np.testing.assert_allclose(convolve(x, h), convolve(h, x), atol=1e-12)
    np.testing.assert_allclose(convolve(convolve(x, g), h), convolve(x, convolve(g, h)), atol=1e-12)
    np.testing.assert_allclose(convolve(x, g[:5] + h), convolve(x, g[:5]) + convolve(x, h), atol=1e-12)
    assert convolve(x, h).sum() == pytest.approx(x.sum() * h.sum())
    assert len(convolve(x, h)) == 20 + 5 - 1


def test_the_convolution_theorem_and_parseval(random):
    x, h = random.normal(size=30), random.normal(size=11)
    transform = np.fft.fft(x, 40) * np.fft.fft(h, 40)
    y = convolve(x, h, method="direct")
    np.testing.assert_allclose(np.fft.fft(y), transform, atol=1e-10)
    assert np.sum(np.abs(y) ** 2) == pytest.approx(np.sum(np.abs(transform) ** 2) / 40)


def test_correlation_is_convolution_with_the_kernel_turned_and_conjugated(random):
    x, h = random.normal(size=(6, 7)) + 1j * random.normal(size=(6, 7)), random.normal(size=(3, 2)) * (1 + 2j)
    for size in ("full", "same", "valid"):
        np.testing.assert_allclose(correlate(x, h, size), signal.correlate(x, h, size), atol=1e-12)


def test_bytes_do_not_overflow_and_singles_stay_single():
    assert convolve(np.array([200, 200], np.uint8), np.array([2, 2], np.uint8)).tolist() == [400, 800, 400]
    big = 2**40 + 1
    assert convolve([big], [2**20]).tolist() == [big * 2**20]
    assert convolve(np.ones(4, np.float32), np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize("size", ["full", "same", "valid"])
def test_the_toeplitz_matrix_does_the_same(random, size):
    for shape, taps in (((7,), (3,)), ((4, 5), (2, 3))):
        x, h = random.normal(size=shape), random.normal(size=taps)
        found = np.dot(convolution_matrix(h, shape, size), x.ravel())
        np.testing.assert_allclose(found, convolve(x, h, size).ravel(), atol=1e-12)
    matrix = convolution_matrix([3.0, 2.0, 1.0], (5,))
    np.testing.assert_array_equal(matrix, shifted_copies(np.array([3.0, 2.0, 1.0]), (7,), (5,)))


def test_functions_of_time():
    t = np.linspace(-3, 3, 61)

    def box(s):
        return (np.abs(s) <= 0.5).astype(float)

    np.testing.assert_allclose(convolve_functions(box, box, t, -1, 1, 20_001), np.maximum(1 - np.abs(t), 0), atol=2e-4)

    def bell(s, spread):
        return np.exp(-(s**2) / (2 * spread**2)) / (spread * np.sqrt(2 * np.pi))

    y = convolve_functions(lambda s: bell(s, 0.6), lambda s: bell(s, 0.8), t, -8, 8)
    np.testing.assert_allclose(y, bell(t, 1.0), atol=1e-12)


# Impulses


def test_a_signal_is_its_impulses(random):
    for shape in ((9,), (4, 5), (2, 3, 4)):
        x = random.integers(-2, 3, shape)
        places, weights = decompose(x)
        assert len(weights) == np.count_nonzero(x)
        np.testing.assert_array_equal(recompose(places, weights, shape), x)
        impulses = sum(w * unit_impulse(shape, tuple(k)) for k, w in zip(places, weights, strict=True))
        np.testing.assert_array_equal(impulses, x)


def test_an_impulse_is_not_a_step():
    np.testing.assert_array_equal(np.cumsum(unit_impulse((6,), (2,))), unit_step((6,), (2,)))
    np.testing.assert_array_equal(unit_impulse((4, 4), (1, 2)).cumsum(0).cumsum(1), unit_step((4, 4), (1, 2)))
    with pytest.raises(InputError, match="outside the shape"):
        unit_impulse((3,), (3,))
    with pytest.raises(InputError, match="outside the shape"):
        recompose([[5]], [1.0], (3,))


# Systems

MEDIAN = (lambda x: ndimage.median_filter(x, 3, mode="constant"), False, True)
SYSTEMS = {
    "moving average": (lambda x: np.convolve(x, [1 / 3] * 3), True, True),
    "leaky integrator": (Recursive([1.0], [1.0, -0.9]), True, True),
    "circular": (lambda x: np.fft.ifft(np.fft.fft(x) * np.fft.fft([1, 2, 1], len(x))), True, True),
    "median": MEDIAN,
    "n x(n)": (lambda x: np.arange(len(x)) * x, True, False),
    "every second": (lambda x: x[::2], True, False),
    "rounding": (lambda x: np.round(x, 1), False, True),
    "square": (lambda x: x**2, False, True),
    "plus one": (lambda x: x + 1, False, True),
    "magnitude times sign of the start": (lambda x: np.abs(x) * np.sign(x[16]), False, False),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_tester_knows_each_system(name):
    system, linear, shift_invariant = SYSTEMS[name]
    found = examine(system)
    assert (found.linear, found.shift_invariant) == (linear, shift_invariant), str(found)
    assert ("fails" in str(found)) == (not (linear and shift_invariant))


def test_a_counter_example_is_one():
    x1, x2 = examine(SYSTEMS["square"][0]).counter_examples["superposition"].inputs
    assert not np.allclose((x1 + x2) ** 2, x1**2 + x2**2)
    # Scaling alone does not make a system linear.
    found = examine(MEDIAN[0]).counter_examples
    assert "scaling" not in found and "superposition" in found


def test_filters_of_pictures_are_examined_too():
    assert examine(lambda x: ndimage.gaussian_filter(x, 0.8, radius=2), (24, 32)).shift_invariant
    assert not examine(lambda x: x * np.arange(32), (24, 32)).shift_invariant
    assert examine(lambda x: x * np.arange(32), (24, 32)).linear


def test_responses(random):
    h = random.normal(size=6)

    def system(x):
        return convolve(x, h)

    np.testing.assert_allclose(impulse_response(system, 6), h)
    np.testing.assert_allclose(step_response(system, 6), np.cumsum(h))
    np.testing.assert_allclose(np.diff(step_response(system, 6), prepend=0), h)
    leaky = Recursive([1.0], [1.0, -0.5])
    np.testing.assert_allclose(impulse_response(leaky, 8), 0.5 ** np.arange(8))


def test_exponentials_are_eigenfunctions(random):
    h, omega, n = random.normal(size=5), 0.7, np.arange(40)
    wave = np.exp(1j * omega * n)
    y = convolve(wave, h, "valid")
    np.testing.assert_allclose(y, frequency_response(h, omega) * wave[4:], atol=1e-12)
    filtered = Recursive([1.0, 0.3], [1.0, -0.4])
    late = np.arange(60, 100)
    y = filtered(np.exp(1j * omega * np.arange(100)))[60:]
    np.testing.assert_allclose(y, filtered.frequency_response(omega) * np.exp(1j * omega * late), atol=1e-12)
    np.testing.assert_allclose(frequency_response(h, 2 * np.pi * np.arange(5) / 5), np.fft.fft(h), atol=1e-12)


def test_a_cascade_is_the_convolution_of_the_responses(random):
    first, second = Recursive([1.0, 2.0], [1.0, -0.5]), Recursive([3.0, -1.0], [1.0, 0.25])
    both, x = first.then(second), random.normal(size=50)
    np.testing.assert_allclose(both(x), second(first(x)), atol=1e-12)
    h1, h2 = impulse_response(first, 20), impulse_response(second, 20)
    np.testing.assert_allclose(impulse_response(both, 20), convolve(h1, h2)[:20], atol=1e-12)
    np.testing.assert_allclose(
        both.frequency_response(0.3), first.frequency_response(0.3) * second.frequency_response(0.3)
    )


@pytest.mark.parametrize(
    ("b", "a", "stable"),
    [
        ([1], [1], True),
        ([1], [1, -0.99], True),
        ([1], [1, -1], False),  # the running sum
        ([1, 0, 0, -1], [1, -1], True),  # the same over three samples: the pole is cancelled
        ([1], [1, 0, 1.1], False),
        ([0.0], [1, -2], True),
    ],
)
def test_stability_is_a_response_of_finite_sum(b, a, stable):
    system = Recursive(b, a)
    assert system.stable is stable
    tail = np.abs(impulse_response(system, 4000)[3900:])
    assert (tail.sum() < 1e-3) == stable


# Identification


@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_least_squares_recovers_the_response_from_noise(random, shape):
    h, x = random.normal(size=shape), random.normal(size=[40] * len(shape))
    for y in (convolve(x, h), convolve(x, h)[tuple(slice(40) for _ in shape)]):  # the whole answer, or its first part
        found = identify(x, y, shape)
        np.testing.assert_allclose(found, h, atol=1e-10)
    new = random.normal(size=[20] * len(shape))
    np.testing.assert_allclose(convolve(new, found), convolve(new, h), atol=1e-9)


def test_the_picture_of_a_star_is_the_response(random):
    h = random.random((3, 4))
    star = 5.0 * unit_impulse((12, 12), (4, 6))
    np.testing.assert_allclose(identify(star, convolve(star, h), (3, 4), "impulse"), h, atol=1e-12)
    jump = 2.0 * unit_step((30,), (7,))
    np.testing.assert_allclose(identify(jump, convolve(jump, [3, 2, 1])[:30], (3,), "step"), [3, 2, 1], atol=1e-12)


def test_noise_in_the_answer(random):
    x, h = random.normal(size=2000), np.array([3.0, 2.0, 1.0])
    y = convolve(x, h) + random.normal(0, 0.5, 2002)
    # Standard error 0.5 / sqrt(2000) = 0.011 per sample of h; 5 of these.
    np.testing.assert_allclose(identify(x, y, (3,)), h, atol=0.056)
    ridge = identify(x, y, (3,), ridge=1e6)
    assert np.linalg.norm(ridge) < 0.01 * np.linalg.norm(h)


def test_the_spectral_estimate(random):
    x, h = random.normal(size=50_000), np.array([1.0, 0.5, -0.25])
    y = convolve(x, h) + random.normal(0, 0.1, 50_002)
    np.testing.assert_allclose(identify(x, y, (3,), "spectral"), h, atol=0.02)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: identify(np.zeros(9), np.zeros(9), (3,)), "x excites 0 of 3"),
        (lambda: identify(np.ones(9), np.ones(8), (3,)), "y has the shape"),
        (lambda: identify(np.ones(9), np.ones(9), (3,), "guess"), "method 'guess'"),
        (lambda: identify(np.ones(9), np.ones(9), (3,), "impulse"), "needs exactly one"),
        (lambda: identify(np.arange(9), np.ones(9), (3,), "step"), "x is no step"),
        (lambda: identify(np.ones(9), np.ones(9), (3,), "spectral"), "'spectral' needs 512"),
        (lambda: identify(unit_impulse((9,), (8,)), np.ones(9), (3,), "impulse"), "y ends"),
        (lambda: convolve([], [1]), "x is empty"),
        (lambda: convolve([1.0, np.nan], [1]), "x holds NaN"),
        (lambda: convolve([1], [[1]]), "h 2"),
        (lambda: convolve([1], [1, 2], "valid"), "no larger than x"),
        (lambda: convolve([1], [1], border="mirrored"), "did you mean 'mirror'"),
        (lambda: convolve([1], [1], "samee"), "did you mean 'same'"),
        (lambda: convolve(["a"], [1]), "x has the type"),
        (lambda: convolve([[1], [1, 2]], [1]), "x has the type"),
        (lambda: examine(abs, (8,)), "at least 16"),
        (lambda: Recursive([1], [0, 1]), "a begins with 0"),
        (lambda: quantise([0.0], 0), "bits 0"),
        (lambda: quantise([0.0], 4, 1, 1), "high 1"),
        (lambda: mu_law([2.0]), "x reaches 2"),
        (lambda: signal_to_noise([1.0], [1.0, 2.0]), "y has the shape"),
    ],
)
def test_wrong_input_is_named_in_one_line(call, says):
    with pytest.raises(InputError) as error:
        call()
    assert says in str(error.value) and "\n" not in str(error.value)


# Sampling and quantisation


def test_quantisation_error_is_at_most_half_a_step(random):
    x = random.uniform(-1, 1, 10_000)
    for bits in (1, 3, 8):
        delta = 2 / 2**bits
        y = quantise(x, bits)
        assert np.abs(x - y).max() <= delta / 2 + 1e-12
        assert len(np.unique(y)) == 2**bits
        np.testing.assert_allclose(quantise(y, bits), y)  # a level is its own nearest
    tread = quantise(x, 3, kind="mid-tread")
    assert 0.0 in tread and tread.max() == 0.75 and tread.min() == -1.0
    assert np.abs(x - tread)[x < 0.875].max() <= 0.125 + 1e-12
    assert quantise([9.0, -9.0], 8).tolist() == [1 - 1 / 256, -1 + 1 / 256]


def test_six_decibels_per_bit():
    _, x = sample(lambda t: np.sin(2 * np.pi * 997 * t), 48_000, 1)
    ratio = {bits: signal_to_noise(x, quantise(x, bits)) for bits in (8, 12, 16)}
    for bits, found in ratio.items():
        # With few bits the error of a sine is not quite uniform: 0.13 dB are missing at 8 bits, 0.003 at 16.
        assert found == pytest.approx(6.02 * bits + 1.76, abs=2.5 * 2.0 ** (-bits / 2))
    assert (ratio[16] - ratio[12]) / 4 == pytest.approx(6.02, abs=0.01)


def test_the_error_of_uniform_noise_has_variance_delta_squared_over_12(random):
    x = random.uniform(-1, 1, 200_000)
    error = x - quantise(x, 6)
    # The relative standard error of a variance of uniform draws is sqrt(0.8 / n).
    assert np.var(error) == pytest.approx((2 / 64) ** 2 / 12, rel=5 * np.sqrt(0.8 / len(x)))


def test_mu_law_favours_faint_signals(random):
    x = random.uniform(-1, 1, 1000)
    np.testing.assert_allclose(mu_law_inverse(mu_law(x)), x, atol=1e-12)
    faint = 0.01 * x
    assert (
        signal_to_noise(faint, mu_law_inverse(quantise(mu_law(faint), 8)))
        > signal_to_noise(faint, quantise(faint, 8)) + 15
    )


@pytest.mark.parametrize(
    ("frequency", "rate", "apparent"), [(7000, 8000, 1000), (3000, 8000, 3000), (17, 10, 3), (5, 10, 5)]
)
def test_an_alias_gives_the_same_samples(frequency, rate, apparent):
    assert alias(frequency, rate) == apparent
    _, one = sample(lambda t: np.cos(2 * np.pi * frequency * t), rate, 1)
    _, other = sample(lambda t: np.cos(2 * np.pi * apparent * t), rate, 1)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_below_half_the_rate_the_signal_comes_back():
    def wave(t):  # of a bell that keeps the cut ends small
        return np.cos(2 * np.pi * 3 * (t - 5)) * np.exp(-((t - 5) ** 2))

    _, x = sample(wave, 10, 10)
    assert len(x) == 100
    t = np.linspace(3, 7, 333)
    np.testing.assert_allclose(reconstruct(x, 10, t), wave(t), atol=1e-6)
    # Sampled too slowly it comes back as something else.
    _, slow = sample(wave, 4, 10)
    assert np.abs(reconstruct(slow, 4, t) - wave(t)).max() > 0.5
