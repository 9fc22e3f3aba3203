"""Pairs of pictures: how folders are read and refused, what is measured of translations, and what is drawn of them."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import maquette.data
from maquette.data.dataset import Dataset, Split
from maquette.data.readers.translation import read_pairs
from maquette.data.tinted_shapes import COLOURS
from maquette.errors import InputError
from maquette.tasks import translation_figures
from maquette.tasks.image_translation import TASK
from maquette.tasks.translation_metrics import distances, firsts, measures

OPTIONS = {**TASK.options, "seed": 0}


def picture(path, value, size=(8, 8)):
    """A PNG of the colour or grey `value`; size is (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.broadcast_to(np.array(value, np.uint8), (*size, *np.shape(value)))
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)


# --- reading ------------------------------------------------------------------------------------------------------


def test_two_folders_of_unequal_numbers_are_no_pairs(tmp_path):
    for i in range(5):
        picture(tmp_path / "A" / f"horse{i}.png", (10 * i, 0, 0))
    for i in range(2):
        picture(tmp_path / "b" / "deep" / f"zebra{i}.png", (0, 0, 100 + i))
    data = read_pairs(tmp_path)
    assert data.train.x.shape == (5, 2, 8, 8, 3) and data.train.y.tolist() == [0] * 5
    assert data.train.x[:, 0, 0, 0, 0].tolist() == [0, 10, 20, 30, 40]
    assert data.train.x[:, 1, 0, 0, 2].tolist() == [100, 101, 100, 101, 100]
    assert data.train.names[3] == "A/horse3.png and b/deep/zebra1.png"
    assert data.report == ("train: 5 pictures of a and 2 of b, no pairs",)
    held = data.with_test(0.4)  # no zebra is on both sides
    assert not {*held.train.x[:, 1, 0, 0, 2].tolist()} & {*held.test.x[:, 1, 0, 0, 2].tolist()}


def test_equal_names_are_pairs_whatever_their_endings(tmp_path):
    for part in ("train", "test"):
        for i in (2, 10, 1):
            picture(tmp_path / part / "a" / f"{i}.png", i)
            picture(tmp_path / part / "b" / f"{i}.bmp", 100 + i)
    data = read_pairs(tmp_path)
    x = data.test.x[:, :, 0, 0, 0].astype(int)
    assert (x[:, 1] - x[:, 0]).tolist() == [100] * 3 and data.test.y.tolist() == [1] * 3 and x.shape == (3, 2)
    assert data.groups is None and data.report == ("train: 3 pairs", "test: 3 pairs")


def test_halves_are_cut_before_they_are_made_smaller(tmp_path):
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, 32:] = 255
    for part in ("train", "val"):
        picture(tmp_path / part / "1.png", (0, 0, 0), (32, 64))
        Image.fromarray(pixels).save(tmp_path / part / "1.png")
    data = read_pairs(tmp_path, size=8)
    assert data.train.x.shape == (1, 2, 8, 8, 3)
    assert data.train.x[0, 0].max() == 0 and data.train.x[0, 1].min() == 255
    assert read_pairs(tmp_path).validation.x.shape == (1, 2, 32, 32, 3)


def test_published_sets_have_their_form(tmp_path):
    for name, value in {"trainA": 1, "trainB": 2, "testA": 3, "testB": 4}.items():
        picture(tmp_path / name / f"{value}.png", value)
    data = read_pairs(tmp_path)
    assert data.train.x[0, :, 0, 0, 0].tolist() == [1, 2] and data.test.x[0, :, 0, 0, 0].tolist() == [3, 4]


def broken(tmp_path, kind):
    a, b = tmp_path / "a", tmp_path / "b"
    if kind == "is missing":
        return
    if kind == "single":
        picture(tmp_path / "1.png", (1, 2, 3))
        return
    picture(a / "1.png", (1, 2, 3))
    picture(a / "2.png", (1, 2, 3))
    if kind == "empty":
        b.mkdir()
    if kind == "grey":
        picture(b / "3.png", 7)
    if kind == "damaged":
        b.mkdir()
        (b / "3.png").write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("kind", "words"),
    {
        "empty": ("b: has no picture",),
        "alone": ("has a/ but no b/",),
        "grey": ("3.png is grey beside colour", "inputs.channels=3"),
        "single": ("1.png: 8 pixels wide and 8 high is no pair", "twice as wide"),
        "damaged": ("3.png: cannot be read",),
    }.items(),
)
def test_what_is_no_two_kinds_is_named(tmp_path, kind, words):
    broken(tmp_path, kind)
    with pytest.raises(InputError) as caught:
        read_pairs(tmp_path)
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)


def test_grey_and_colour_are_turned_into_each_other_where_that_is_asked_for(tmp_path):
    broken(tmp_path, "grey")
    assert read_pairs(tmp_path, channels=3).train.x[0, 1, 0, 0].tolist() == [7, 7, 7]
    assert read_pairs(tmp_path, channels=1).train.x.shape == (2, 2, 8, 8, 1)
    with pytest.raises(InputError, match="nowhere"):
        read_pairs(tmp_path / "nowhere")


# --- built-in sets --------------------------------------------------------------------------------------------------


def test_tinted_shapes_have_a_true_translation():
    data = maquette.data.load("tinted_shapes")
    shown = [(data.test.x[:, i, :, :, None] == COLOURS[i]).all(-1).argmax(-1) for i in (0, 1)]
    np.testing.assert_array_equal(*shown)
    np.testing.assert_array_equal(COLOURS[0][shown[0]], data.test.x[:, 0])
    assert set(np.unique(shown[0])) == {0, 1, 2}
    train = [(data.train.x[:, i, :, :, None] == COLOURS[i]).all(-1).argmax(-1) for i in (0, 1)]
    assert (train[0] != train[1]).any(axis=(1, 2)).all() and not data.train.y.any() and data.test.y.all()
    pairs = maquette.data.load("tinted_pairs")
    np.testing.assert_array_equal(pairs.train.x[:, 0], data.train.x[:, 0])
    np.testing.assert_array_equal(pairs.test.x, data.test.x)
    assert pairs.train.y.all()


@pytest.mark.parametrize("name", ["horse2zebra", "facades"])
def test_photographs_have_the_published_counts(name, original, monkeypatch, tmp_path):
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path))
    data = original(name)
    card = maquette.data.card(name)
    assert {"train": len(data.train), "test": len(data.test)} == card.counts
    assert data.train.x.shape[1:] == card.shape
    if name == "horse2zebra":
        assert len(firsts(data.test.x[:, 0])) == 120 and not data.test.y.any()
    else:  # maps are of few strong colours: much of them is near the blue of walls
        blue = data.test.x[:, :, :, :, 2].mean(axis=(0, 2, 3)) - data.test.x[:, :, :, :, 0].mean(axis=(0, 2, 3))
        assert blue[0] > 40 > abs(blue[1]) and data.test.y.all()


# --- the task -------------------------------------------------------------------------------------------------------


@pytest.fixture
def pairs(random):
    """Eight pairs 12 x 12: b is the negative of a."""
    a = random.integers(0, 256, (8, 12, 12, 3)).astype("uint8")
    split = Split(np.stack([a, 255 - a], axis=1), np.ones(8, np.int32), tuple(f"{i}.png" for i in range(8)))
    return Dataset("negatives", split, test=split)


def test_options_change_the_items(pairs):
    smaller = TASK.adapt(pairs, {**OPTIONS, "size": 6})
    assert smaller.train.x.shape == (8, 2, 6, 6, 3)
    np.testing.assert_allclose(smaller.train.x[:, 0].astype(int) + smaller.train.x[:, 1], 255, atol=1)
    swapped = TASK.adapt(pairs, {**OPTIONS, "swap": True})
    np.testing.assert_array_equal(swapped.test.x[:, 0], pairs.test.x[:, 1])
    broken = TASK.adapt(pairs, {**OPTIONS, "pairs": "break"})
    assert not broken.train.y.any() and broken.test.y.all()
    matches = (broken.train.x[:, None, 1] == pairs.train.x[None, :, 1]).all(axis=(2, 3, 4))
    assert (matches.sum(axis=0) == 1).all() and not matches.diagonal().any()
    assert not TASK.adapt(pairs, {**OPTIONS, "pairs": "none"}).test.y.any()
    with pytest.raises(InputError, match="test split of its own"):
        TASK.adapt(Dataset("alone", pairs.train), {**OPTIONS, "pairs": "break"})
    with pytest.raises(InputError, match="a/ and b/"):
        TASK.adapt(Dataset("single", Split(pairs.train.x[:, 0])), OPTIONS)


def test_random_changes_are_the_same_for_both_of_an_item(pairs):
    change = TASK.change({**OPTIONS, "augment": {"flip": True, "shift": 2}}, seed=0)
    changed = change(pairs.train.x, 0, 0)
    assert not np.array_equal(changed, pairs.train.x)
    total = changed[:, 0].astype(int) + changed[:, 1]
    assert set(np.unique(total)) <= {0, 255}  # 0 where black came in
    assert TASK.change(OPTIONS, 0) is None


def test_measures_of_known_translations(pairs, random):
    x = TASK.encoder({}).transform(pairs.test.x)
    perfect = np.stack([x[:, 1], x[:, 0], x[:, 0], x[:, 1]], axis=1)
    found = measures(pairs.test, perfect)
    assert found["remaining_error"].value == pytest.approx(0, abs=1e-6) and found["ssim_b"].value == pytest.approx(1)
    assert max(found["cycle_error_a"].value, found["cycle_error_b"].value) < 1e-6
    same = np.abs(x[:, 0] - x[:, 1]).mean()
    assert found["identity_error"].value == pytest.approx(same, rel=1e-5)
    idle = measures(pairs.test, x)
    assert idle["remaining_error"].value == pytest.approx(1) and idle["error_a"].value == pytest.approx(same, rel=1e-5)
    assert "cycle_error_a" not in idle
    shifted = measures(pairs.test, np.clip(perfect[:, :1] + 0.5 * (x[:, :1] - x[:, 1:]), 0, 1))
    assert shifted["remaining_error"].value == pytest.approx(0.5, rel=1e-5) and "error_a" not in shifted
    mse = np.square(0.5 * (x[:, 0] - x[:, 1])).mean(axis=(1, 2, 3))
    assert shifted["psnr_b"].value == pytest.approx((-10 * np.log10(mse)).mean(), rel=1e-4)
    unpaired = Split(pairs.test.x, np.zeros(8, np.int32))
    assert set(measures(unpaired, perfect)) == {"cycle_error_a", "cycle_error_b"}


def test_distances_are_between_heaps_and_count_every_picture_once(pairs):
    x = TASK.encoder({}).transform(pairs.test.x)
    train = Dataset("heaps", pairs.train, test=pairs.test)
    found, rows = distances(pairs.test, x[:, ::-1], train)
    assert found["kernel_distance_pca64_b"].value == rows[0]["translated"] == pytest.approx(rows[0]["real"], rel=1e-4)
    assert rows[1]["kind"] == "a" and rows[0]["as they are"] != pytest.approx(rows[0]["real"], rel=0.1)
    assert firsts(np.concatenate([pairs.test.x[:3, 0], pairs.test.x[:2, 0]])).tolist() == [0, 1, 2]


def test_galleries_show_input_translation_truth_and_way_back(pairs, monkeypatch):
    drawn = []
    monkeypatch.setattr(translation_figures, "pictures", lambda axes, x, columns: drawn.append((x, columns)))
    x = TASK.encoder({}).transform(pairs.test.x)
    outputs = np.stack([x[:, 1] / 2, x[:, 0] / 2, x[:, 0] / 3, x[:, 1] / 3], axis=1)
    figures = translation_figures.galleries(pairs.test, outputs)
    assert [figure.name for figure in figures] == ["translations-a-to-b", "translations-b-to-a"]
    rows = drawn[1][0].reshape(4, 8, 12, 12, 3)
    for row, expected in zip(rows, (x[:, 1], x[:, 0] / 2, x[:, 0], x[:, 1] / 3), strict=True):
        np.testing.assert_allclose(row, expected, atol=1e-6)
    many = np.concatenate([x[:, 0]] * 2)[:11]
    translation_figures.gallery(many, many / 2, None, None, "a-to-b", most=64)
    lines = drawn[2][0].reshape(4, 8, 12, 12, 3)  # eight and their translations, then the other three
    np.testing.assert_allclose(lines[3, :3], many[8:] / 2, atol=1e-6)
    assert lines[3, 3:].max() == 0 and "row by row" in figures[0].caption
    assert "1, 4" in translation_figures.epochs({1: many, 4: many / 2}, many).caption


def test_answers_in_either_direction(pairs):
    x = TASK.encoder({}).transform(pairs.test.x)
    outputs = np.stack([x[:, 0], 1 - x[:, 1], x[:, 0], x[:, 1]], axis=1)
    split = Split(np.stack([pairs.test.x[:, 0]] * 2, axis=1), None, pairs.test.names)
    there = TASK.answers(split, outputs, pairs)
    assert there[2]["input"] == "2.png" and max(there[2]["change"], there[2]["return_error"]) < 1e-6
    other = TASK.asked({"direction": "b-to-a"})
    assert other.direction == "b-to-a" and TASK.direction == "a-to-b"
    back = other.answers(split, outputs, pairs)
    assert back[0]["change"] == pytest.approx(0, abs=1e-6) and back[0]["return_error"] > 0.1
    with pytest.raises(InputError, match="a-to-b alone"):
        other.answers(split, outputs[:, :1], pairs)
    files = other.answer_pictures(split, outputs, [SimpleNamespace(is_dir=lambda: False)])
    np.testing.assert_array_equal(files["3.png"], pairs.test.x[3, 0])
    clash = Split(split.x[:2], None, ("x.png", "x.jpg"))
    with pytest.raises(InputError, match=r"x\.png"):
        TASK.answer_pictures(clash, outputs[:2], [SimpleNamespace(is_dir=lambda: False)])
