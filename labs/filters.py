"""Signals and filters at work on a photograph: what each does, what it costs, and what brings a blurred picture back.

    python labs/filters.py [--out runs/filters]

The photograph is one that scikit-learn brings along. Prints what was measured and writes filters.png: sampling and
identification above, every filter beside the original, and the restoration of a shaken, noisy picture below.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from maquette.methods.image.blur import motion_kernel
from maquette.methods.image.canny import canny
from maquette.methods.image.colour import to_grey
from maquette.methods.image.gaussian_filter import gaussian_filter
from maquette.methods.image.gradients import gradient
from maquette.methods.image.linear_filter import linear_filter
from maquette.methods.image.mean_filter import mean_filter
from maquette.methods.image.median_filter import adaptive_median_filter, median_filter
from maquette.methods.image.noise import add_noise
from maquette.methods.image.quality import psnr, ssim
from maquette.methods.image.richardson_lucy import richardson_lucy
from maquette.methods.image.sharpening import sharpen, sharpness
from maquette.methods.image.sobel import sobel
from maquette.methods.image.wiener import deconvolve, wiener
from maquette.methods.signal.convolution import convolution_matrix, convolve, terms
from maquette.methods.signal.impulses import decompose, recompose
from maquette.methods.signal.linear_systems import examine
from maquette.methods.signal.sampling import alias, quantise, reconstruct, sample, signal_to_noise
from maquette.methods.signal.system_identification import identify

SYSTEMS = {
    "mean filter": lambda x: mean_filter(x, border="constant"),
    "median filter": lambda x: median_filter(x, border="constant"),
    "Sobel, along x": lambda x: sobel(x, "x", border="constant"),
    "gradient magnitude": lambda x: sobel(x, border="constant"),
    "column number times x": lambda x: np.arange(x.shape[1]) * x,
    "every second pixel": lambda x: x[::2, ::2],
    "4 bits per pixel": lambda x: quantise(x, 4, -4, 4),
}
CLEANERS = {
    "none": lambda x: x,
    "mean 3 x 3": mean_filter,
    "median 3 x 3": median_filter,
    "adaptive median": adaptive_median_filter,
    "Gaussian, sigma 1": lambda x: gaussian_filter(x, 1),
    "Wiener 5 x 5": wiener,
}
NOISES = {"Gaussian, sigma 20": {"sigma": 20}, "salt and pepper, 10 %": {"kind": "salt-and-pepper", "amount": 0.1}}
SHAKE = motion_kernel(13, 25)
DETAIL = np.s_[52:262, 60:375]  # of the photograph, large enough on the page to see single pixels


def photograph() -> np.ndarray:
    """uint8 (height, width, 3)."""
    from sklearn.datasets import load_sample_image

    return np.asarray(load_sample_image("china.jpg"))


def systems(grey: np.ndarray) -> None:
    """Convolution by hand, the weighted impulses of a picture, and which systems are linear and shift-invariant."""
    products = " + ".join(f"{x}·{h}" for x, h in terms([1, 2, 2], [3, 2, 1], 2))
    print(f"[1 2 2] * [3 2 1] = {convolve([1, 2, 2], [3, 2, 1])}, where y(2) = {products}")
    x, h = np.array([[4, 5], [2, 3]]), np.array([[1, 2], [3, 4]])
    y = convolve(x, h)
    same = (convolution_matrix(h, x.shape).dot(x.ravel()) == y.ravel()).all()
    print(f"{x.tolist()} * {h.tolist()} = {y.tolist()}; by its block Toeplitz matrix the same: {bool(same)}")
    places, weights = decompose(grey)
    same = (recompose(places, weights, grey.shape) == grey).all()
    print(f"the picture as {len(weights)} weighted impulses; their sum is the picture: {bool(same)}\n")
    print("system                  linear  shift-invariant")
    for name, system in SYSTEMS.items():
        found = examine(system, (32, 32))
        print(f"{name:24}{'yes' if found.linear else 'no':8}{'yes' if found.shift_invariant else 'no'}")


def digitised() -> tuple[list[int], list[float]]:
    """Quantise a sine; prints the slope and returns bits and decibels."""
    bits = list(range(2, 13))
    _, x = sample(lambda t: np.sin(2 * np.pi * 997 * t), 48_000, 1)
    decibels = [signal_to_noise(x, quantise(x, b)) for b in bits]
    print(f"\n{np.polyfit(bits, decibels, 1)[0]:.2f} dB of signal to noise per bit; 6.02 by theory")
    return bits, decibels


def shaken_camera(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure a camera's blur from a scene and its noisy picture; prints the errors and returns truth and found."""
    scene, other = grey[100:180, 100:180].astype(float), grey[200:300, 300:400].astype(float)
    seen = convolve(scene, SHAKE) + np.random.default_rng(0).normal(0, 1, np.add(scene.shape, SHAKE.shape) - 1)
    found = identify(scene, seen, SHAKE.shape)
    gap, wanted = convolve(other, found) - convolve(other, SHAKE), convolve(other, SHAKE)
    print(
        f"a blur of {SHAKE.size} weights from one noisy picture: error {np.linalg.norm(found - SHAKE):.3f} of ", end=""
    )
    print(
        f"{np.linalg.norm(SHAKE):.3f}; it predicts another picture to {np.sqrt(np.mean(gap**2)):.2f} grey levels",
        end="",
    )
    print(f" of {wanted.std():.0f}")
    return SHAKE, found


def cleaned(colour: np.ndarray) -> None:
    """A table of filters against noises."""
    print("\nPSNR in dB and SSIM       " + "".join(f"{name:26}" for name in NOISES))
    noisy = [add_noise(colour, seed=0, **given) for given in NOISES.values()]
    for name, clean in CLEANERS.items():
        results = [clean(x) for x in noisy]
        print(f"{name:26}" + "".join(f"{psnr(y, colour):5.1f}  {ssim(y, colour):.3f}{'':14}" for y in results))


def restored(colour: np.ndarray) -> dict[str, np.ndarray]:
    """Shake the camera, and take it back in several ways; prints a table and returns the pictures."""
    shaken = add_noise(linear_filter(colour, SHAKE), sigma=2, seed=0)
    pictures = {
        "shaken, noise of 2 levels": shaken,
        "mean filter, 3 x 3": mean_filter(shaken),
        "inverse filter": deconvolve(shaken, SHAKE, 1e-6),
        "Richardson-Lucy, 20 steps": richardson_lucy(shaken, SHAKE, 20),
        "Wiener deconvolution": deconvolve(shaken, SHAKE),
    }
    print("\nshaken picture              PSNR    SSIM")
    for name, y in pictures.items():
        print(f"{name:26}{psnr(y, colour):6.1f}  {ssim(y, colour):6.3f}")
    return pictures


def edges(colour: np.ndarray, grey: np.ndarray) -> None:
    """What the linear filters and the edge detectors answer to exactly."""
    from scipy import ndimage

    kernel = np.random.default_rng(0).normal(size=(3, 3))
    gap = np.abs(linear_filter(grey.astype(float), kernel) - ndimage.convolve(grey.astype(float), kernel)).max()
    print(f"\na random 3 x 3 kernel: differs from SciPy by {gap:.1e} at most")
    first = to_grey(sobel(colour / 255.0, "x"))
    gap = np.abs(first - sobel(to_grey(colour / 255.0), "x")).max()
    print(f"Sobel of each channel, then grey, or grey, then Sobel: differ by {gap:.1e} at most")
    print(f"identity filter changes {(linear_filter(colour, 'identity') != colour).sum()} values")
    more = sharpness(sharpen(grey)) / sharpness(grey)
    print(f"unsharp masking raises the mean squared gradient {more:.1f} times, the mean level by ", end="")
    print(f"{sharpen(grey.astype(float)).mean() - grey.mean():.3f}")
    for low in (0.05, 0.1, 0.2):
        print(f"Canny, thresholds {low:.2f} and 0.20: {canny(grey, low=low).mean():.2%} of the pixels are edges")


def filtered(colour: np.ndarray, grey: np.ndarray) -> dict[str, np.ndarray]:
    """Every filter on the photograph, to be drawn."""
    spotted = add_noise(colour, "salt-and-pepper", amount=0.1)
    grainy = add_noise(colour, sigma=20)
    slope = np.clip(0.5 + gradient(grey, "central", "x") / 60, 0, 1)
    return {
        "original": colour,
        "Gaussian noise": grainy,
        "mean 3 x 3 of it": mean_filter(grainy),
        "local Wiener of it": wiener(grainy),
        "salt and pepper": spotted,
        "median 3 x 3 of it": median_filter(spotted),
        "Gaussian, sigma 3": gaussian_filter(colour, 3),
        "unsharp masking": sharpen(colour, 1.5),
        "grey levels": grey,
        "central difference along x": slope,
        "Sobel magnitude": np.minimum(sobel(grey) / 60, 1),
        "Canny": canny(grey),
    }


def draw_sampling(axes: Any) -> None:
    t = np.linspace(0, 1, 600)
    at, x = sample(lambda s: np.sin(2 * np.pi * 7 * s), 8, 1.001)
    apparent = alias(7, 8)
    axes.plot(t, np.sin(2 * np.pi * 7 * t), color="#b0b6bf", label="7 Hz")
    axes.plot(t, -np.sin(2 * np.pi * apparent * t), color="#d9622b", label=f"{apparent:g} Hz, what it seems")
    axes.plot(at, x, "o", color="#1a1c20", markersize=5, label="8 samples per second")
    axes.set(title="Sampled too slowly, a tone changes", xlabel="seconds", ylim=(-1.2, 1.9))
    axes.legend(frameon=False, loc="upper right", ncols=1, fontsize=9)


def draw_reconstruction(axes: Any) -> None:
    t = np.linspace(3, 5, 600)

    def tone(s: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * 3 * s)

    at, x = sample(tone, 8, 8)
    back = reconstruct(x, 8, t)
    axes.plot(t, tone(t), color="#b0b6bf", linewidth=5, label="3 Hz")
    axes.plot(t, back, color="#3f7fd6", label="from its samples")
    axes.plot(at[24:41], x[24:41], "o", color="#1a1c20", markersize=5)
    print(f"3 Hz at 8 samples per second comes back to {np.abs(back - tone(t)).max():.3f} at most")
    axes.set(title="Fast enough, it comes back", xlabel="seconds", ylim=(-1.2, 1.9))
    axes.legend(frameon=False, loc="upper right", fontsize=9)


def draw_bits(axes: Any, bits: list[int], decibels: list[float]) -> None:
    axes.plot(bits, 6.02 * np.array(bits) + 1.76, color="#b0b6bf", linewidth=5, label="6.02 bits + 1.76 dB")
    axes.plot(bits, decibels, "o", color="#3f7fd6", label="measured")
    axes.set(title="Each bit is worth 6 dB", xlabel="bits", ylabel="signal to noise, dB")
    axes.legend(frameon=False, fontsize=9)


def draw_kernels(axes: Any, truth: np.ndarray, found: np.ndarray) -> None:
    both = np.hstack([truth, np.full((len(truth), 2), np.nan), found])
    axes.imshow(both, cmap="Blues", vmin=0, vmax=truth.max())
    axes.set(title="The camera's blur: true, and measured")
    axes.set_axis_off()


def draw(path: Path, top: list[Any], middle: dict[str, np.ndarray], bottom: dict[str, np.ndarray]) -> None:
    """The page: a row of diagrams, three rows of filters, a row of restorations."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(16, 20), layout="constrained")
    page.get_layout_engine().set(h_pad=0.08, w_pad=0.06)
    parts = page.subfigures(3, 1, height_ratios=(3.2, 8.9, 7.6))
    for axes, paint in zip(parts[0].subplots(1, 4), top):
        paint(axes)
        axes.spines[["top", "right"]].set_visible(False)
    for axes, (name, y) in zip(parts[1].subplots(3, 4).flat, middle.items()):
        show(axes, name, y)
    for axes, (name, y) in zip(parts[2].subplots(2, 3).flat, bottom.items()):
        show(axes, name, y)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.savefig(path, dpi=90)


def show(axes: Any, name: str, y: np.ndarray) -> None:
    axes.imshow(y if name == "original" else y[DETAIL], cmap="gray")
    axes.set_title(name, fontsize=11)
    axes.set_axis_off()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/filters"))
    path = parser.parse_args().out / "filters.png"
    colour = photograph()
    grey = to_grey(colour)
    systems(grey)
    levels = digitised()
    kernels = shaken_camera(grey)
    cleaned(colour)
    edges(colour, grey)
    pictures = restored(colour)
    captions = {f"{name}: {psnr(y, colour):.1f} dB, SSIM {ssim(y, colour):.2f}": y for name, y in pictures.items()}
    diagrams = [draw_sampling, draw_reconstruction, lambda axes: draw_bits(axes, *levels)]
    diagrams.append(lambda axes: draw_kernels(axes, *kernels))
    draw(path, diagrams, filtered(colour, grey), {"the scene": colour} | captions)
    print(f"\n{path}")


if __name__ == "__main__":
    main()
