"""Random changes of pictures: each against its formula, the draws against (seed, epoch, batch), and what stays."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from maquette import assembly, settings
from maquette.data import augmentation
from maquette.data.batches import Batches
from maquette.errors import InputError


def pictures(n=7, height=9, width=12, channels=3):
    return np.random.default_rng(5).integers(0, 256, (n, height, width, channels)).astype(np.uint8)


def test_moved_is_the_shifted_index():
    """result[r, c] = x[r - down, c - right], black outside, then mirrored; moves larger than the picture included."""
    x, random = pictures(40), np.random.default_rng(1)
    by, mirrored = random.integers(-14, 15, (40, 2)), random.random(40) < 0.5
    result = augmentation.moved(x, by, mirrored)
    for i, (down, right) in enumerate(by):
        for r in range(9):
            for c in range(12):
                column = 11 - c if mirrored[i] else c
                row, column = r - down, column - right
                inside = 0 <= row < 9 and 0 <= column < 12
                assert np.array_equal(result[i, r, c], x[i, row, column] if inside else [0, 0, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_patches_are_the_affine_map_of_scipy(channels):
    """Bilinear interpolation at centre + side R(angle) (p - middle), compared where no edge takes part."""
    x, random = pictures(6, 15, 21, channels), np.random.default_rng(2)
    x = np.stack([ndimage.gaussian_filter(one, (2, 2, 0)) for one in x])
    side, corner = random.uniform(0.5, 1, 6), random.uniform(0, 0.4, (6, 2))
    angle = random.uniform(-3, 3, 6)
    result = augmentation.patches(x, side, corner, angle)
    size = np.array([15, 21])
    for i in range(6):
        turn = np.array([[np.cos(angle[i]), np.sin(angle[i])], [-np.sin(angle[i]), np.cos(angle[i])]])
        matrix, centre = side[i] * turn, (corner[i] + side[i] / 2) * size
        offset = centre - 0.5 - matrix @ (size / 2 - 0.5)  # places at half integers -> indices
        for k in range(channels):
            wanted = ndimage.affine_transform(x[i, ..., k].astype(float), matrix, offset, order=1, cval=np.nan)
            inner = np.isfinite(wanted)
            assert inner.any() and np.abs(result[i, ..., k] - wanted)[inner].max() <= 1


def test_a_whole_patch_is_the_picture_and_a_quarter_turn_of_a_square_is_its_transpose():
    x = pictures(3, 8, 8)
    whole = np.ones(3), np.zeros((3, 2))
    assert np.array_equal(augmentation.patches(x, *whole, np.zeros(3)), x)
    turned = augmentation.patches(x, *whole, np.full(3, np.pi / 2))
    inner = (slice(None), slice(1, -1), slice(1, -1))
    assert np.abs(turned[inner].astype(int) - np.rot90(x, axes=(1, 2))[inner]).max() <= 1  # of the rounding


def test_erased_is_a_grey_square():
    x = pictures(5)
    centre = np.array([[4, 6], [0, 0], [8, 11], [0, 11], [3, 0]])
    result = augmentation.erased(x, 5, centre)
    rows, columns = np.indices((9, 12))
    for i, (row, column) in enumerate(centre):
        square = (np.abs(rows - row) <= 2) & (np.abs(columns - column) <= 2)
        assert (result[i][square] == 128).all() and np.array_equal(result[i][~square], x[i][~square])


def test_colour_scales_each_channel_by_one_factor():
    x = np.full((400, 2, 2, 3), 100, np.uint8)
    result = augmentation.augment(x, np.random.default_rng(0), {"colour": 0.3}).astype(float)
    assert (result == result[:, :1, :1]).all()
    gains = result[:, 0, 0] / 100
    assert 0.7 <= gains.min() < 0.72 and 1.28 < gains.max() <= 1.3
    assert abs(np.corrcoef(gains.T)[0, 1]) < 0.2  # the channels have factors of their own
    bright = augmentation.augment(np.full_like(x, 250), np.random.default_rng(0), {"colour": 0.3})
    assert bright.max() == 255 and bright.min() >= 175  # cut at white, not wrapped round to black


def test_flips_and_shifts_have_their_probabilities():
    x = np.zeros((4000, 7, 7, 1), np.uint8)
    x[:, 3, 2] = 255
    result = augmentation.augment(x, np.random.default_rng(0), {"flip": 1, "shift": 2})[..., 0]
    _, rows, columns = np.nonzero(result)
    counts = np.bincount(rows, minlength=7)[1:6]  # 3 - 2 to 3 + 2
    assert counts.sum() == 4000 and np.abs(counts / 4000 - 1 / 5).max() < 0.03
    # Column 2 goes to 0..4 and, mirrored, to 2..6, with 1/10 each.
    shares = np.bincount(columns, minlength=7) / 4000
    assert np.abs(shares - [0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1]).max() < 0.03


def batches(x, y, epoch=0, seed=3, size=4):
    change = augmentation.of_batch
    settings = {"flip": 1, "shift": 3, "colour": 0.2, "crop": 0.7}
    return Batches(x, y, size, seed, epoch, None, lambda *given: change(*given, seed=seed, settings=settings))


def test_a_batch_depends_on_seed_epoch_and_index_alone():
    x, y = pictures(10), np.arange(10)
    forward, backward = batches(x, y, 2), batches(x, y, 2)
    one = [forward[i] for i in range(3)]
    two = [backward[i] for i in (2, 1, 0)][::-1]
    for (left, labels), (right, others) in zip(one, two, strict=True):
        assert np.array_equal(left, right) and np.array_equal(labels, others)
    assert not np.array_equal(one[0][0], batches(x, y, 3)[0][0])
    assert not np.array_equal(one[0][0], batches(x, y, 2, seed=4)[0][0])


def test_labels_and_the_original_pictures_stay():
    x, y = pictures(10), np.arange(10)
    before, plain = x.copy(), Batches(x, y, 4, 3)
    for i in range(3):
        assert np.array_equal(batches(x, y)[i][1], plain[i][1])
    assert np.array_equal(x, before)


def test_only_training_batches_are_changed():
    given = {"inputs.augment.shift": 2, "validation": 0.2, "epochs": 1}
    recipe = settings.resolve("mlp", "digits", given)
    changed, plain = assembly.prepare(recipe), assembly.prepare(replace(recipe, inputs={"standardise": False}))
    assert not np.array_equal(changed.training()[0][0], plain.training()[0][0])
    assert np.array_equal(changed.training()[0][1], plain.training()[0][1])
    assert changed.training()[0][0].dtype == np.float32
    for part in ("train", "validation", "test"):  # as they are scored
        split = getattr(changed.dataset, part)
        left, right = changed.batches(split), plain.batches(split)
        assert all(np.array_equal(left[i][0], right[i][0]) for i in range(len(left)))
    assert np.array_equal(changed.encoder.transform(split.x), plain.encoder.transform(split.x))


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"flop": 1}, "inputs.augment.flop: .* did you mean 'flip'"),
        ({"shift": -1}, "inputs.augment.shift=-1: take a whole number from 0 to 1024"),
        ({"shift": 1.5}, "inputs.augment.shift=1.5: take a whole number"),
        ({"crop": 0}, "inputs.augment.crop=0: take a number from 0.05 to 1"),
        ({"rotate": "far"}, "inputs.augment.rotate=far: take a number from 0 to 180"),
        ({"flip": "yes"}, "inputs.augment.flip=yes: take true or false"),
    ],
)
def test_wrong_settings_are_refused_before_data_are_read(wrong, named, monkeypatch):
    recipe = settings.resolve("mlp", "digits", {f"inputs.augment.{key}": value for key, value in wrong.items()})
    monkeypatch.setattr(assembly, "read_data", None)
    with pytest.raises(InputError, match=named):
        assembly.prepare(recipe)


def test_other_tasks_have_no_such_option():
    with pytest.raises(InputError, match=r"tabular-classification has no such option"):
        settings.resolve("mlp", "wine", {"inputs.augment.flip": True})


def test_flips_and_shifts_cost_little():
    """128 colour pictures of 32 by 32: below 2 ms, the best of several on a machine that does other things too."""
    x = pictures(128, 32, 32)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        augmentation.of_batch(x, 0, 0, 0, {"flip": 1, "shift": 4})
        times.append(time.perf_counter() - start)
    assert min(times) < 2e-3, min(times)
