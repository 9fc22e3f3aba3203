"""Filters of pictures: SciPy and scikit-image for every border, closed forms, invariants, and wrong input."""

import inspect
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage, signal

from maquette import catalog
from maquette.errors import InputError
from maquette.methods.image.blur import blur, defocus_kernel, motion_kernel
from maquette.methods.image.canny import canny, edge_scores, linked
from maquette.methods.image.colour import WEIGHTS, reduce_bits, swap_channels, to_grey
from maquette.methods.image.gaussian_filter import difference_of_gaussians, gaussian_filter, gaussian_kernel, pyramid
from maquette.methods.image.gradients import SCHEMES, gradient, laplacian
from maquette.methods.image.linear_filter import KERNELS, linear_filter, separate
from maquette.methods.image.mean_filter import mean_filter
from maquette.methods.image.median_filter import adaptive_median_filter, median_filter
from maquette.methods.image.noise import add_noise, estimate_noise
from maquette.methods.image.pictures import in_range
from maquette.methods.image.quality import psnr, ssim
from maquette.methods.image.richardson_lucy import richardson_lucy
from maquette.methods.image.sharpening import high_frequencies, sharpen, sharpen_laplacian, sharpness
from maquette.methods.image.sobel import otsu, sobel, sobel_edges
from maquette.methods.image.wiener import deconvolve, transform_of, wiener
from maquette.methods.signal.linear_systems import examine
from maquette.methods.signal.signals import BORDERS, PADDING
from maquette.verbs.filter import filters

BORDER = pytest.mark.parametrize("border", list(PADDING))
FILTERS = {name: page.load().METHOD for name, page in filters().items()}
BORDERED = {name: f for name, f in FILTERS.items() if "border" in inspect.signature(f).parameters}


@pytest.fixture(scope="module")
def scene():
    """A smooth scene with edges, float64 (64, 64) in [0, 1]."""
    random = np.random.default_rng(7)
    smooth = ndimage.gaussian_filter(random.normal(size=(64, 64)), 4, mode="wrap")
    x = 0.5 + 0.15 * smooth / smooth.std()
    x[20:40, 12:30] += 0.25
    return np.clip(x, 0, 1)


@pytest.fixture(scope="module")
def skimage():
    return pytest.importorskip("skimage", reason="scikit-image, an oracle of these tests, is not installed")


# What holds for every filter: shapes, types, ranges, borders, wrong input


@pytest.mark.parametrize("name", FILTERS)
def test_channels_and_batches_are_filtered_one_by_one(name, scene):
    function = FILTERS[name]
    x = np.stack([scene, scene[::-1], scene.T], axis=-1)
    batch = np.stack([x, x[::-1] ** 2])
    whole = function(batch, batch=True)
    if "seed" in inspect.signature(function).parameters:
        return  # noise is drawn anew for every pixel
    for i in range(2):
        np.testing.assert_allclose(whole[i].squeeze(), function(batch[i]).squeeze(), atol=1e-12)
    if name != "colour":
        for c in range(3):
            np.testing.assert_allclose(whole[1, :, :, c], function(batch[1, :, :, c]), atol=1e-12)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int64", "float16", "float32", "float64", "bool"])
def test_the_type_is_kept_or_is_a_float_or_a_mask(name, dtype, scene):
    x = scene > 0.5 if dtype == "bool" else (scene * 200).astype(dtype)
    before = x.copy()
    y = FILTERS[name](x)
    differences = name in ("gradients", "sobel")
    assert y.dtype == (bool if name == "canny" else x.dtype) or (differences and y.dtype in (np.float32, np.float64))
    assert y.shape == x.shape and np.isfinite(y.astype(float)).all()
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", FILTERS)
def test_integers_are_rounded_and_clipped(name, scene):
    x = (scene * 255).astype("uint8")
    bytes_, real = FILTERS[name](x), FILTERS[name](x.astype(float))
    if bytes_.dtype == np.uint8 and name != "noise":
        clipped = np.clip(real, 0, 255)
        assert np.abs(bytes_ - clipped).max() <= 0.5 + 1e-9


def test_views_are_filtered_as_copies_are(scene):
    for view in (np.broadcast_to(np.float64(0.3), (40, 40)), np.broadcast_to(scene[0], (40, 64)), scene[::-1, ::2].T):
        for function in FILTERS.values():
            np.testing.assert_array_equal(function(view), function(view.copy()))


def test_rounding_and_clipping():
    assert in_range(np.array([-3.0, 0.4, 0.6, 254.5, 300.0]), np.dtype("uint8")).tolist() == [0, 0, 1, 254, 255]
    assert in_range(np.array([1e30, -1e30]), np.dtype("int64"))[0] > 2**62
    assert in_range(np.array([1e30]), np.dtype("uint64"))[0] > 2**63
    assert in_range(np.array([0.4, 0.5]), np.dtype("bool")).tolist() == [False, True]


@pytest.mark.parametrize("name", BORDERED)
def test_valid_is_the_inside_of_every_other_border(name, scene):
    function = BORDERED[name]
    inner = function(scene, border="valid")
    rim = (64 - inner.shape[0]) // 2
    assert inner.shape == (64 - 2 * rim, 64 - 2 * rim) and 1 <= rim < 20
    for border in PADDING:
        found = function(scene, border=border)[rim:-rim, rim:-rim]
        if name == "canny":  # whether a line is kept depends on what it touches further out
            assert np.mean(found != inner) < 0.02
        else:
            np.testing.assert_allclose(found, inner, atol=1e-12)


@pytest.mark.parametrize("name", BORDERED)
@pytest.mark.parametrize("border", BORDERS)
def test_a_constant_picture_stays_or_has_no_edges(name, border):
    y = BORDERED[name](np.full((40, 40), 0.7), border=border, value=0.7)
    wanted = 0.0 if name in ("gradients", "sobel", "canny") else 0.7
    np.testing.assert_allclose(y, wanted, atol=1e-12)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (np.zeros((0, 4)), "picture is empty"),
        (np.zeros(4), "picture has the shape (4,)"),
        (np.zeros((2, 4, 4, 1)), "batch=True"),
        (np.full((40, 40), np.nan), "picture holds NaN"),
        (np.zeros((40, 40), complex), "picture is complex"),
        (np.full((40, 40), "a"), "picture has the type"),
        (None, "picture has the type"),
    ],
)
def test_wrong_pictures_are_refused_in_one_line(name, picture, says):
    with pytest.raises(InputError) as error:
        FILTERS[name](picture)
    assert says in str(error.value) and "\n" not in str(error.value)


ONE = np.ones((9, 9))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mean_filter(ONE, 4), "size 4: give an odd"),
        (lambda: mean_filter(ONE, 3.0), "size 3.0: give an odd"),
        (lambda: mean_filter(ONE, 11), "size: the window of 11x11 pixels exceeds the picture of 9x9"),
        (lambda: median_filter(ONE, (3, 11)), "window of 3x11"),
        (lambda: median_filter(ONE, border="mirorr"), "did you mean 'mirror'"),
        (lambda: mean_filter(ONE, border="constant", value=np.nan), "value nan"),
        (lambda: mean_filter(ONE, batch=True), "with batch=True give"),
        (lambda: gaussian_filter(ONE, -1), "sigma -1"),
        (lambda: gaussian_filter(ONE, (1, 2, 3)), "sigma (1, 2, 3)"),
        (lambda: gaussian_filter(ONE, 3.0), "sigma 3.0: the window of 25x25"),
        (lambda: linear_filter(ONE, np.ones((2, 3))), "kernel has the shape (2, 3)"),
        (lambda: linear_filter(ONE, "sharpn"), "did you mean 'sharpen'"),
        (lambda: sharpen(ONE, -1), "amount -1"),
        (lambda: gradient(ONE, "sobell"), "did you mean 'sobel'"),
        (lambda: gradient(ONE[:2]), "exceeds the picture of 2x9"),
        (lambda: canny(ONE, 0.5, 0.3, 0.2), "low 0.3"),
        (lambda: canny(ONE, 0.5, 0.3, 1.2), "high 1.2"),
        (lambda: wiener(ONE, noise=-1), "noise -1"),
        (lambda: deconvolve(ONE, np.ones((3, 3)) / 9, noise_to_signal=-1), "noise_to_signal -1"),
        (lambda: deconvolve(ONE, np.ones((3, 3)) / 9, 0, "wrap"), "give a ratio above 0"),
        (lambda: deconvolve(ONE, "mean", border="constant"), "border 'constant'"),
        (lambda: richardson_lucy(-ONE, "mean"), "picture has values below 0"),
        (lambda: richardson_lucy(ONE, "laplacian"), "kernel has negative weights"),
        (lambda: add_noise(ONE, "salt"), "kind 'salt'"),
        (lambda: add_noise(ONE, sigma=-1), "sigma -1"),
        (lambda: add_noise(ONE, "salt-and-pepper", amount=1.5), "amount 1.5"),
        (lambda: add_noise(-ONE, "poisson"), "picture has values below 0"),
        (lambda: psnr(ONE, ONE[:4]), "reference has the shape (4, 9)"),
        (lambda: to_grey(np.ones((4, 4, 2))), "picture has 2 channels"),
        (lambda: reduce_bits(ONE, 0), "bits 0"),
        (lambda: motion_kernel(0.5), "length 0.5"),
        (lambda: edge_scores(ONE, 0 * ONE), "with 0 edge pixels"),
    ],
)
def test_wrong_arguments_are_named_in_one_line(call, says):
    with pytest.raises(InputError) as error:
        call()
    assert says in str(error.value) and "\n" not in str(error.value)


# Linear filters


@BORDER
@pytest.mark.parametrize("kernel", [*KERNELS, (5, 3), (23, 21)])
def test_linear_filters_equal_scipy(kernel, border, scene, random):
    h = np.array(KERNELS[kernel], float) if isinstance(kernel, str) else random.normal(size=kernel)
    theirs = ndimage.convolve(scene, h, mode=border, cval=0.3)
    np.testing.assert_allclose(linear_filter(scene, h, border, 0.3), theirs, atol=1e-10)


def test_the_toy_picture():
    x, h = np.arange(1, 50).reshape(7, 7), [[-1, 1, -1], [-2, 3, 1], [2, -4, 0]]
    y = linear_filter(x, h, "constant")
    np.testing.assert_array_equal(y, signal.convolve2d(x, h, mode="same"))
    assert y[0].tolist() == [-2, -8, -7, -6, -5, -4, 28] and y[-1].tolist() == [-29, 13, 13, 13, 13, 13, 27]


def test_identity_and_translation_are_exact(scene):
    x = (scene * 255).astype("uint8")
    np.testing.assert_array_equal(linear_filter(x, "identity"), x)
    np.testing.assert_array_equal(linear_filter(scene, "identity"), scene)
    right = np.zeros((3, 3))
    right[1, 2] = 1
    np.testing.assert_array_equal(linear_filter(scene, right, "wrap"), np.roll(scene, 1, axis=1))
    # Sharpening is twice the identity less a blur.
    h = 2 * np.array(KERNELS["identity"]) - np.array(KERNELS["binomial"])
    twice = 2 * scene - linear_filter(scene, "binomial")
    np.testing.assert_allclose(linear_filter(scene, h), twice, atol=1e-12)


def test_sums_of_the_kernels():
    for name, total in {"identity": 1, "mean": 1, "binomial": 1, "sharpen": 1, "emboss": 1, "laplacian": 0}.items():
        assert np.sum(KERNELS[name]) == pytest.approx(total, abs=1e-12)
    assert all(np.sum(kernel) == 0 for kernel, _ in SCHEMES.values())


def test_separable_kernels_are_found(random):
    h = np.outer(random.normal(size=5), random.normal(size=3))
    np.testing.assert_allclose(np.outer(*separate(h)), h, atol=1e-14)
    for name in ("mean", "binomial", "identity"):
        assert separate(KERNELS[name]) is not None
    assert separate(KERNELS["laplacian"]) is None and separate(np.zeros((3, 3))) is None
    assert separate(h + 1e-6 * random.normal(size=h.shape)) is None


def test_linear_filters_commute_with_the_turn_to_grey(random):
    x = random.random((12, 13, 3))
    a = to_grey(gaussian_filter(x, 0.8))
    np.testing.assert_allclose(a, gaussian_filter(to_grey(x), 0.8), atol=1e-12)
    assert np.abs(to_grey(median_filter(x)) - median_filter(to_grey(x))).max() > 1e-3
    grey = np.repeat(x[..., :1], 3, axis=2)
    np.testing.assert_allclose(mean_filter(grey)[..., 2], mean_filter(grey[..., 0]))


@BORDER
@pytest.mark.parametrize("size", [3, 7, (3, 5)])
def test_mean_and_median_equal_scipy(border, size, scene):
    np.testing.assert_allclose(
        mean_filter(scene, size, border, 0.2), ndimage.uniform_filter(scene, size, mode=border, cval=0.2), atol=1e-10
    )
    x = (scene * 255).astype("uint8")
    theirs = ndimage.median_filter(x, size, mode=border, cval=9)
    np.testing.assert_array_equal(median_filter(x, size, border, 9), theirs)


@BORDER
@pytest.mark.parametrize("sigma", [0.7, 2.0, (0.5, 1.5), (0, 1)])
def test_gaussian_equals_scipy(border, sigma, scene):
    theirs = ndimage.gaussian_filter(scene, sigma, mode=border, cval=0.2)
    np.testing.assert_allclose(gaussian_filter(scene, sigma, 4.0, border, 0.2), theirs, atol=1e-12)


def test_the_mean_divides_the_variance_by_the_window(random):
    noise = random.normal(0, 10, (400, 400))
    for size in (3, 5):
        y = mean_filter(noise, size, border="valid")[::size, ::size]  # windows that do not overlap are independent
        assert y.var() == pytest.approx(100 / size**2, rel=5 * np.sqrt(2 / y.size))


def test_the_gaussian_kernel(scene):
    h = gaussian_kernel(1.3)
    assert len(h) == 11 and h.sum() == pytest.approx(1)
    np.testing.assert_allclose(h, h[::-1])
    assert gaussian_kernel(0).tolist() == [1.0]
    np.testing.assert_allclose(linear_filter(scene, np.outer(h, h)), gaussian_filter(scene, 1.3), atol=1e-12)
    # Two in a row are one: the discrete bell is close to a semigroup, and closer the wider it is.
    both = gaussian_filter(gaussian_filter(scene, 1.5, border="wrap"), 2.0, border="wrap")
    np.testing.assert_allclose(both, gaussian_filter(scene, 2.5, border="wrap"), atol=2e-4)


def test_no_new_extremum_in_one_dimension(random):
    x = random.normal(size=(1, 400))
    counts = [400]
    for sigma in (0.5, 1, 2, 4, 8):
        y = ndimage.gaussian_filter1d(x[0], sigma) if sigma == 0 else gaussian_filter(x, (0, sigma))[0]
        counts.append(int(np.sum(np.diff(np.sign(np.diff(y))) != 0)))
    assert counts == sorted(counts, reverse=True) and counts[-1] < 40


def test_the_unnormalised_even_kernel_scales_and_shifts():
    """What the normalised, odd kernel avoids: exp(-r^2 / 10) on 20 x 20 sums to 31.4 and moves by a pixel."""
    i = np.arange(20) - 10
    h = np.exp(-(i[:, None] ** 2 + i**2) / 10)
    assert h.sum() == pytest.approx(31.4153, abs=1e-4)
    assert 1 + 0.025 * (1 - h.sum()) == pytest.approx(0.2396, abs=1e-4)
    star = np.zeros((50, 50))
    star[25, 25] = 1
    moved = signal.convolve2d(star, h, mode="same")
    assert np.unravel_index(moved.argmax(), moved.shape) == (26, 26)
    ours = gaussian_filter(star, np.sqrt(5))
    assert np.unravel_index(ours.argmax(), ours.shape) == (25, 25) and ours.sum() == pytest.approx(1)


def test_difference_of_gaussians_and_pyramid(scene, skimage):
    from skimage.filters import difference_of_gaussians as theirs

    ours = difference_of_gaussians(scene, 1.0, 1.6, "nearest")
    np.testing.assert_allclose(ours, theirs(scene, 1.0, 1.6, mode="nearest"), atol=1e-10)
    levels = pyramid(scene, 9)
    assert [level.shape for level in levels] == [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert levels[2].mean() == pytest.approx(scene.mean(), abs=0.02)


# Median


def test_the_median_keeps_edges_and_drops_what_is_alone():
    step = np.repeat([[10] * 6 + [200] * 6], 8, axis=0).astype("uint8")
    np.testing.assert_array_equal(median_filter(step, 3), step)
    wild = step.copy()
    wild[4, 3], wild[2, 9] = 255, 0
    np.testing.assert_array_equal(median_filter(wild, 3), step)


def test_the_median_commutes_with_rising_maps_and_settles(scene):
    x = (scene * 255).astype("uint8")
    table = np.cumsum(np.random.default_rng(1).integers(0, 90, 256)).astype(np.int64)
    np.testing.assert_array_equal(median_filter(table[x], 3), table[median_filter(x, 3)])
    root = x
    for _ in range(300):
        root, before = median_filter(root, 3), root
        if (root == before).all():
            break
    np.testing.assert_array_equal(median_filter(root, 3), root)


def test_the_median_is_shift_invariant_but_not_linear():
    found = examine(lambda x: median_filter(x, 3, "constant"), (16, 24))
    assert found.shift_invariant and not found.linear and "superposition" in found.counter_examples
    assert examine(lambda x: mean_filter(x, 3, "constant"), (24, 24)).linear


def test_the_adaptive_median_changes_few_clean_pixels(scene):
    x = (scene * 200 + 20).astype("uint8")
    noisy = add_noise(x, "salt-and-pepper", amount=0.4, seed=3)
    clean = noisy == x
    adaptive, plain = adaptive_median_filter(noisy), median_filter(noisy, 3)
    assert psnr(adaptive, x) > psnr(plain, x) + 6
    assert np.mean(adaptive[clean] != x[clean]) < 0.4 * np.mean(plain[clean] != x[clean])


# Sharpening


@pytest.mark.parametrize("amount", [0.0, 0.5, 2.0])
def test_sharpening_equals_scikit_image(amount, scene, skimage):
    from skimage.filters import unsharp_mask

    theirs = unsharp_mask(scene, radius=1.5, amount=amount, preserve_range=True)
    np.testing.assert_allclose(sharpen(scene, amount, 1.5), theirs, atol=1e-10)


def test_overshoot_grows_with_the_amount_and_the_threshold_spares(scene):
    edge = np.repeat([[10.0] * 10 + [20.0] * 10], 20, axis=0)
    over = [sharpen(edge, amount, 1.0).max() - 20 for amount in (0, 0.5, 1, 2)]
    np.testing.assert_allclose(over, over[2] * np.array([0, 0.5, 1, 2]), atol=1e-10)
    assert over[2] > 2
    np.testing.assert_array_equal(sharpen(scene, 1.0, 1.5, threshold=1.0), scene)
    np.testing.assert_allclose(high_frequencies(scene), scene - gaussian_filter(scene, 1.5), atol=1e-12)
    assert sharpness(sharpen(scene)) > sharpness(scene) > sharpness(gaussian_filter(scene))
    theirs = scene - 0.5 * ndimage.laplace(scene)
    np.testing.assert_allclose(sharpen_laplacian(scene, 0.5), theirs, atol=1e-12)


# Gradients and edges


def plane(across, up):
    """A plane of these slopes to the right and upwards."""
    return across * np.arange(12.0) - up * np.arange(10.0)[:, np.newaxis]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_plane_has_its_slopes(scheme):
    x = plane(3.0, 2.0)
    along, up, strength, turn = (
        gradient(x, scheme, part, border="valid") for part in ("x", "y", "magnitude", "direction")
    )
    np.testing.assert_allclose(strength, np.sqrt(13), atol=1e-12)
    if scheme != "roberts":  # whose axes are the diagonals
        np.testing.assert_allclose(along, 3, atol=1e-12)
        np.testing.assert_allclose(up, 2, atol=1e-12)
        np.testing.assert_allclose(turn, np.arctan2(2, 3), atol=1e-12)


def test_the_raw_kernels_are_so_many_times_the_derivative():
    for scheme, times in {"forward": 1, "backward": 1, "central": 2, "prewitt": 6, "sobel": 8, "scharr": 32}.items():
        found = gradient(plane(3.0, 2.0), scheme, "x", normalise=False, border="valid")
        np.testing.assert_allclose(found, 3 * times, atol=1e-12)


def test_the_kernel_0_1_minus_1_is_the_backward_difference():
    row = np.tile(np.arange(8.0) ** 2, (3, 1))
    backward, forward = (linear_filter(row, [h], "valid")[1] for h in ([0, 1, -1], [1, -1, 0]))
    n = np.arange(1, 7)
    np.testing.assert_allclose(backward, n**2 - (n - 1) ** 2)
    np.testing.assert_allclose(forward, (n + 1) ** 2 - n**2)
    np.testing.assert_allclose(gradient(row, "backward", "x", border="valid")[0], backward)


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("backward", 1), ("central", 2)])
def test_the_order_of_the_error(scheme, order):
    errors = []
    for h in (0.1, 0.05, 0.025):
        t = np.arange(0, 2, h)
        found = gradient(np.tile(np.sin(t), (3, 1)), scheme, "x", border="valid")[0] / h
        errors.append(np.abs(found - np.cos(t[1:-1])).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), order, atol=0.1)


@BORDER
def test_sobel_equals_scipy(border, scene):
    across = ndimage.sobel(scene, axis=1, mode=border)
    down = ndimage.sobel(scene, axis=0, mode=border)
    given = {"normalise": False, "border": border}
    np.testing.assert_allclose(sobel(scene, "x", **given), across, atol=1e-12)
    np.testing.assert_allclose(sobel(scene, "y", **given), -down, atol=1e-12)
    np.testing.assert_allclose(sobel(scene, **given), np.hypot(across, down), atol=1e-12)


@pytest.mark.parametrize("scheme", ["sobel", "prewitt", "scharr", "roberts"])
def test_magnitudes_equal_scikit_image(scheme, scene, skimage):
    from skimage import filters as oracle

    theirs = getattr(oracle, scheme)(scene)[1:-1, 1:-1]
    # It divides every magnitude by sqrt(2), and takes a difference over two pixels for one over one pixel.
    times = 1.0 if scheme == "roberts" else 2**0.5 / 2
    np.testing.assert_allclose(gradient(scene, scheme, border="valid"), theirs * times, atol=1e-12)


def test_the_magnitude_turns_with_the_picture(scene):
    np.testing.assert_allclose(sobel(np.rot90(scene)), np.rot90(sobel(scene)), atol=1e-12)
    i, j = np.mgrid[-20:21, -20:21]
    strength = sobel(np.exp(-(i**2 + j**2) / 100.0), border="valid")
    ring = [strength[19 + round(7 * np.sin(a)), 19 + round(7 * np.cos(a))] for a in (0, np.pi / 2, np.pi)]
    assert np.ptp(ring) < 1e-12
    assert strength[19 + 5, 19 + 5] == pytest.approx(ring[0], rel=0.03)  # at the same radius within 1 %


def test_laplacians(scene, skimage):
    from skimage.filters import laplace

    np.testing.assert_allclose(laplacian(scene), -laplace(scene), atol=1e-12)
    np.testing.assert_allclose(laplacian(plane(3.0, 2.0), border="valid"), 0, atol=1e-12)
    theirs = ndimage.laplace(ndimage.gaussian_filter(scene, 1.0))
    np.testing.assert_allclose(laplacian(scene, 1.0), theirs, atol=1e-12)


def test_otsu(scene, skimage):
    from skimage.filters import threshold_otsu

    x = np.concatenate([scene.ravel(), 3 + scene.ravel() ** 2])
    assert otsu(x) == pytest.approx(threshold_otsu(x), abs=1e-12)
    edges = sobel_edges(np.stack([scene, scene], -1))
    np.testing.assert_array_equal(edges[..., 0], sobel(scene) > otsu(sobel(scene)))
    assert not sobel_edges(np.ones((5, 5))).any()


def box(side=64):
    """A bright box, and the pixels just outside and inside its outline."""
    x = np.zeros((side, side))
    x[20:44, 16:48] = 1.0
    truth = ndimage.binary_dilation(x > 0) ^ ndimage.binary_erosion(x > 0)
    return x, truth


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("falling", [False, True])
def test_canny_draws_a_step_one_pixel_wide(turned, falling):
    step = np.repeat([[0.0] * 15 + [1.0] * 15], 30, axis=0)
    step = 1 - step if falling else step
    edges = canny(step.T if turned else step)
    edges = edges.T if turned else edges
    assert (edges[1:-1].sum(axis=1) == 1).all()
    assert set(edges[1:-1].nonzero()[1]) <= {14, 15}


def test_canny_thresholds_link_lines(random):
    x = ndimage.gaussian_filter(random.random((60, 60)), 2)
    edges = [canny(x, 1.0, low, 0.5) for low in (0.1, 0.2, 0.3, 0.5)]
    for more, fewer in pairwise(edges):
        assert (more | fewer == more).all() and more.sum() > fewer.sum()
    weak, strong = np.zeros((1, 3, 7, 1), bool), np.zeros((1, 3, 7, 1), bool)
    weak[0, 0, :3], weak[0, 1, 3], weak[0, 0, 5:] = True, True, True
    strong[0, 1, 3] = True
    assert linked(weak, strong)[0, :, :, 0].sum() == 4  # the diagonal neighbours, not what lies apart


@pytest.mark.parametrize("border", ["reflect", "nearest", "mirror", "wrap"])
@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_canny_equals_scikit_image(border, sigma, scene, skimage):
    from skimage.feature import canny as oracle

    smooth = ndimage.gaussian_filter(scene, sigma, mode=border)
    top = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)).max()
    theirs = oracle(scene, sigma, 0.1 * top, 0.2 * top, mode=border)
    np.testing.assert_array_equal(canny(scene, sigma, 0.1, 0.2, border), theirs)


def test_canny_beats_sobel_on_a_noisy_box(random):
    x, truth = box()
    noisy = x + random.normal(0, 0.2, x.shape)
    fine, rough = edge_scores(canny(noisy, 2.0, 0.2, 0.5), truth), edge_scores(sobel_edges(noisy), truth)
    assert fine["f"] > 0.9 and fine["f"] > rough["f"]
    assert edge_scores(truth, truth) == {"precision": 1.0, "recall": 1.0, "f": 1.0, "figure_of_merit": 1.0}
    assert edge_scores(0 * truth, truth)["f"] == 0
    one, other = np.zeros((5, 9)), np.zeros((5, 9))
    one[:, 2], other[:, 5] = 1, 1
    assert edge_scores(one, other)["figure_of_merit"] == pytest.approx(1 / 2)  # three pixels off: 1 / (1 + 9 / 9)


# Noise and quality


def test_gaussian_noise_has_its_mean_and_spread():
    x = np.full((300, 300), 100.0)
    noise = add_noise(x, sigma=10, seed=1) - x
    assert noise.mean() == pytest.approx(0, abs=5 * 10 / 300)
    assert noise.var() == pytest.approx(100, rel=5 * np.sqrt(2 / noise.size))
    assert estimate_noise(add_noise(x, sigma=10, seed=1)) == pytest.approx(10, rel=0.03)
    np.testing.assert_array_equal(add_noise(x, seed=4), add_noise(x, seed=4))
    assert (add_noise(x, seed=4) != add_noise(x, seed=5)).mean() > 0.99


@pytest.mark.parametrize(("most", "share"), [(20, 0.0952), (40, 0.0488)])
def test_salt_and_pepper_of_whole_numbers_is_two_in_n_plus_one(most, share):
    # Integers 0 ... most, pepper on 0 and salt on most: 2 / 21 = 9.52 %, not 10; 2 / 41 = 4.88 %, not 5.
    amount = 2 / (most + 1)
    assert amount == pytest.approx(share, abs=5e-5)
    slack = 5 * np.sqrt(amount / 2 * (1 - amount / 2) / 1e6)
    drawn = np.random.RandomState(0).randint(0, most + 1, 1_000_000)
    y = add_noise(np.full((1000, 1000), 128, "uint8"), "salt-and-pepper", amount=amount, seed=0)
    for value, level in ((0, 0), (most, 255)):
        assert np.mean(drawn == value) == pytest.approx(amount / 2, abs=slack)
        assert np.mean(y == level) == pytest.approx(amount / 2, abs=slack)


def test_poisson_and_speckle():
    x = np.full((300, 300), 0.25)
    light = add_noise(x, "poisson", photons=100, seed=2)
    assert light.mean() == pytest.approx(0.25, abs=5 * 0.05 / 300)
    assert light.var() == pytest.approx(0.25 / 100, rel=0.05)
    assert add_noise(x, "speckle", sigma=0.2, seed=2).std() == pytest.approx(0.05, rel=0.03)
    assert np.ptp(add_noise(0 * x, "speckle")) == 0


def test_each_noise_has_its_filter(scene):
    x = (scene * 200 + 20).astype("uint8")
    spots, grain = add_noise(x, "salt-and-pepper"), add_noise(x, sigma=15)
    filters_ = {"mean": mean_filter, "median": median_filter, "gaussian": lambda p: gaussian_filter(p, 1.0)}
    on_spots = {name: psnr(f(spots), x) for name, f in filters_.items()}
    on_grain = {name: psnr(f(grain), x) for name, f in filters_.items()}
    assert max(on_spots, key=on_spots.get) == "median" and on_spots["median"] > psnr(spots, x) + 10
    assert on_grain["gaussian"] > on_grain["median"] and on_grain["mean"] > psnr(grain, x) + 3


def test_quality_equals_scikit_image(scene, random, skimage):
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    x, y = (np.stack([scene, scene**2, scene.T], -1) * 255 for _ in range(2))
    x, y = x.astype("uint8"), add_noise(y.astype("uint8"), sigma=20)
    assert psnr(y, x) == pytest.approx(peak_signal_noise_ratio(x, y), abs=1e-10)
    given = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    assert ssim(y, x) == pytest.approx(structural_similarity(x, y, **given), abs=1e-10)
    assert ssim(x, x) == pytest.approx(1) and psnr(x, x) == np.inf
    assert psnr(scene + 0.1, scene) == pytest.approx(20)


# Colour


def test_colour(random, skimage):
    from PIL import Image
    from skimage.color import rgb2gray

    x = random.integers(0, 256, (8, 9, 3)).astype("uint8")
    assert np.abs(to_grey(x).astype(int) - np.asarray(Image.fromarray(x).convert("L"))).max() <= 1
    np.testing.assert_allclose(to_grey(x / 255, "rec709"), rgb2gray(x), atol=2e-4)  # it has 0.2125 for 0.2126
    np.testing.assert_array_equal(to_grey(swap_channels(x), order="bgr"), to_grey(x))
    assert all(sum(w) == pytest.approx(1) for w in WEIGHTS.values())
    assert sorted(np.unique(reduce_bits(np.arange(256, dtype="uint8")[None], 2)).tolist()) == [0, 85, 170, 255]
    np.testing.assert_array_equal(reduce_bits(x, 8), x)


# Blur and its undoing


def test_blur_kernels():
    for kernel in (motion_kernel(9, 30), motion_kernel(4), defocus_kernel(3.7)):
        assert kernel.sum() == pytest.approx(1) and kernel.min() >= 0
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(motion_kernel(5, 90), motion_kernel(5).T, atol=1e-12)
    np.testing.assert_allclose(motion_kernel(5, 0)[2], 0.2, atol=1e-12)
    rising = motion_kernel(9, 45)
    assert rising[0, -1] + rising[1, -2] > 10 * (rising[0, 0] + rising[1, 1])  # upwards to the right
    assert (defocus_kernel(5.5) > 0).sum() == pytest.approx(np.pi * 5.5**2, rel=0.25)
    assert motion_kernel(1).tolist() == [[1.0]]


@BORDER
def test_local_wiener_equals_scipy(border, scene, random):
    noisy = scene + random.normal(0, 0.1, scene.shape)
    if border == "constant":
        np.testing.assert_allclose(wiener(noisy, 5, 0.1, border), signal.wiener(noisy, 5, 0.01), atol=1e-10)
        return
    wide = np.pad(noisy, 2, mode=PADDING[border])  # SciPy has zeros beyond the border alone
    theirs = signal.wiener(wide, 5, 0.01)[2:-2, 2:-2]
    np.testing.assert_allclose(wiener(noisy, 5, 0.1, border), theirs, atol=1e-10)


def test_the_noise_that_wiener_estimates(scene):
    noisy = add_noise(np.stack([scene, scene.T], -1), sigma=0.03)
    ours = wiener(noisy)
    for c in range(2):
        np.testing.assert_allclose(ours[..., c], wiener(noisy[..., c], noise=estimate_noise(noisy[..., c])), atol=1e-12)
    clean = np.stack([scene, scene.T], -1)
    assert psnr(ours, clean) > max(psnr(mean_filter(noisy, 5), clean), psnr(noisy, clean) + 2)


def test_wiener_without_noise_is_the_identity_and_the_inverse(scene):
    np.testing.assert_allclose(wiener(scene, 5, 0.0), scene, atol=1e-12)
    kernel = motion_kernel(7, 20)
    blurred = linear_filter(scene, kernel, "wrap")
    inverse = np.fft.ifft2(np.fft.fft2(blurred) / transform_of(kernel, scene.shape)).real
    restored = deconvolve(blurred, kernel, 0, "wrap")
    np.testing.assert_allclose(restored, inverse, atol=1e-8)
    np.testing.assert_allclose(restored, scene, atol=1e-8)


def test_with_known_spectra_wiener_has_the_least_error(random):
    # A Gaussian process of known spectrum, blurred, plus white noise: no other filter here may do better.
    side, kernel, spread = 128, defocus_kernel(2.0), 0.1
    shape = transform_of(np.outer(gaussian_kernel(2.0), gaussian_kernel(2.0)), (side, side)).real
    shape *= 1 / np.sqrt(np.mean(shape**2))
    x = np.fft.ifft2(np.fft.fft2(random.normal(size=(side, side))) * shape).real
    seen = linear_filter(x, kernel, "wrap") + random.normal(0, spread, x.shape)
    ratio = spread**2 / np.maximum(shape**2, 1e-12)

    def error(y):
        return np.mean((y - x) ** 2)

    best = error(deconvolve(seen, kernel, ratio, "wrap"))
    assert best < 0.5 * min(error(mean_filter(seen, s, "wrap")) for s in (1, 3, 5, 7))
    assert all(best < error(deconvolve(seen, kernel, k, "wrap")) for k in (1e-3, 1e-2, 0.1, 1))
    for times in (0.3, 3):
        assert best < error(deconvolve(seen, kernel, times * ratio, "wrap"))
    # The error that the theory gives: the mean of S_f S_n / (|H|^2 S_f + S_n) over the frequencies.
    power = np.abs(transform_of(kernel, x.shape)) ** 2 * shape**2
    assert best == pytest.approx(np.mean(shape**2 * spread**2 / (power + spread**2)), rel=0.15)


def test_deconvolution_equals_scikit_image(scene, skimage):
    from skimage.restoration import richardson_lucy as oracle_rl
    from skimage.restoration import wiener as oracle

    kernel = defocus_kernel(2.5)
    seen = linear_filter(scene, kernel, "wrap")
    theirs = oracle(seen, kernel, 0.01, reg=np.pad([[1.0]], 2), clip=False)
    np.testing.assert_allclose(deconvolve(seen, kernel, 0.01, "wrap"), theirs, atol=1e-6)
    theirs = oracle_rl(seen, kernel, num_iter=10, clip=False)
    np.testing.assert_allclose(richardson_lucy(seen, kernel, 10, "constant"), theirs, atol=1e-6)


@pytest.mark.parametrize("border", ["reflect", "mirror", "wrap"])
def test_a_kernel_that_is_its_own_mirror_image_is_undone_to_the_border(border, scene):
    for kernel in (motion_kernel(5), np.outer(gaussian_kernel(0.6), gaussian_kernel(0.6))):
        seen = linear_filter(scene, kernel, border)
        np.testing.assert_allclose(deconvolve(seen, kernel, 1e-14, border), scene, atol=1e-6)


@pytest.mark.parametrize("given", [{"length": 9, "angle": 25}, {"length": 15, "angle": 60}, {"length": 9}])
def test_shaken_pictures_are_restored(given, scene):
    kernel, blurred = motion_kernel(**given), blur(scene, **given)
    seen = np.maximum(add_noise(blurred, sigma=0.005), 0)
    assert psnr(richardson_lucy(seen, kernel, 30), scene) > psnr(seen, scene) + 3
    for sigma in (0, 0.005, 0.05):
        seen = add_noise(blurred, sigma=sigma)
        found = psnr(deconvolve(seen, kernel), scene)
        # The estimate follows the noise: no one ratio does as well at both ends.
        assert found > psnr(seen, scene)
        assert found > min(psnr(deconvolve(seen, kernel, ratio), scene) for ratio in (1e-4, 0.1)) + 3


def test_richardson_lucy_keeps_light_and_gains_likelihood(scene):
    kernel = defocus_kernel(2.0)
    seen = add_noise(linear_filter(scene, kernel, "wrap"), "poisson", photons=200)
    likelihood = []
    for steps in (0, 1, 5, 20):
        y = richardson_lucy(seen, kernel, steps, "wrap")
        assert y.min() >= 0 and y.sum() == pytest.approx(seen.sum(), rel=1e-6)
        mean = linear_filter(y, kernel, "wrap")
        likelihood.append(np.sum(seen * np.log(mean) - mean))
    assert likelihood == sorted(likelihood) and likelihood[-1] > likelihood[0]


# The verb


@pytest.fixture
def photograph(tmp_path):
    from PIL import Image

    i, j = np.mgrid[:48, :60]
    x = np.stack([3 * i, 255 - 4 * j, 20 + ((i // 8 + j // 8) % 2) * 180], -1).clip(0, 255).astype("uint8")
    Image.fromarray(x).save(tmp_path / "photo.png")
    return tmp_path / "photo.png", x


def test_one_filter_writes_one_picture(photograph, tmp_path):
    from PIL import Image

    from maquette.verbs.filter import filter_picture

    path, x = photograph
    out = filter_picture(
        ["noise:kind=salt-and-pepper,amount=0.2,seed=3+median-filter:size=5"], path, tmp_path / "a.png"
    )
    wanted = median_filter(add_noise(x, "salt-and-pepper", amount=0.2, seed=3), 5)
    np.testing.assert_array_equal(np.asarray(Image.open(out)), wanted)
    filter_picture(["canny"], path, tmp_path / "b.png")
    wanted = 255 * canny(x).any(axis=-1)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), wanted)


def test_all_filters_beside_the_picture(photograph, tmp_path):
    from maquette.verbs.filter import filter_picture

    out = filter_picture([], photograph[0], tmp_path / "all.html")
    text = out.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 1 + len(filters())
    assert all(name.replace("_", "-") in text for name in filters())
    assert {"mean_filter", "median_filter", "sobel", "canny"} <= set(filters())
    assert set(filters()) <= set(catalog.pages("methods")) and "quality" not in filters()


@pytest.mark.parametrize(
    ("names", "out", "says"),
    [
        (["medain-filter"], "a.png", "did you mean 'median-filter'"),
        (["quality"], "a.png", "there is no filter called 'quality'"),
        (["median-filter:sise=3"], "a.png", "did you mean 'size'"),
        (["median-filter:size"], "a.png", "key=value"),
        (["median-filter:size=4"], "a.png", "size 4: give an odd"),
        (["median-filter:size=big"], "a.png", "size 'big'"),
        (["sobel", "canny"], "a.png", "end it in .html"),
        (["sobel"], "a.jpg", "end it in .png or .html"),
    ],
)
def test_wrong_names_and_values_are_named(photograph, tmp_path, names, out, says):
    from maquette.verbs.filter import filter_picture

    with pytest.raises(InputError) as error:
        filter_picture(names, photograph[0], tmp_path / out)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / out).exists()


def test_a_file_that_is_no_picture_is_named(tmp_path):
    from maquette.verbs.filter import filter_picture

    (tmp_path / "a.png").write_text("no picture")
    for path in (tmp_path / "a.png", tmp_path / "b.png", tmp_path):
        with pytest.raises(InputError, match=path.name):
            filter_picture(["sobel"], path, tmp_path / "out.png")
