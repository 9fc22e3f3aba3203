"""`maquette filter` as a user would type it: what it writes, and one line for whatever it cannot filter."""

import json

import numpy as np
import pytest

from maquette.methods.image.mean_filter import mean_filter
from maquette.methods.image.median_filter import median_filter
from maquette.methods.image.noise import add_noise
from maquette.verbs.filter import filters
from tests.test_bad_input import cut, refused

pytest_plugins = ["tests.commands"]

GREY = np.clip(np.add.outer(3 * np.arange(40), 2 * np.arange(50)), 0, 255).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)


def image():
    from PIL import Image

    return Image


def opened(path):
    with image().open(path) as picture:
        return np.asarray(picture)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder with photo.png in it."""
    monkeypatch.chdir(tmp_path)
    image().fromarray(COLOUR).save(tmp_path / "photo.png")
    return tmp_path


def test_one_filter_writes_one_picture_into_a_folder_of_its_own(command, place):
    told = command("filter", "photo.png", "-f", "noise:kind=salt-and-pepper,amount=0.2,seed=3+median-filter:size=5")
    assert told == (0, "filtered/photo-noise-median-filter.png\n", "")
    wanted = median_filter(add_noise(COLOUR, "salt-and-pepper", amount=0.2, seed=3), 5)
    np.testing.assert_array_equal(opened(place / "filtered/photo-noise-median-filter.png"), wanted)


def test_several_pictures_and_what_was_written_as_json(command, place):
    image().fromarray(GREY).save(place / "grey.png")
    told = command("filter", "photo.png", "grey.png", "--filter", "mean-filter", "--out", "smooth", "--json")
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert told.status == 0 and told.err == ""
    assert [row["picture"] for row in rows] == ["photo.png", "grey.png"]
    assert all(row["filters"] == ["mean-filter"] for row in rows)
    np.testing.assert_array_equal(opened(rows[0]["out"]), mean_filter(COLOUR))
    np.testing.assert_array_equal(opened(rows[1]["out"]), mean_filter(GREY))


def test_no_filter_means_a_page_of_all(command, place):
    assert command("filter", "photo.png", "--out", "all.html") == (0, "all.html\n", "")
    assert (place / "all.html").read_text().count("data:image/png;base64,") == 1 + len(filters())
    assert command("filter", "photo.png", "-f", "sobel", "-f", "canny") == (0, "filtered/photo.html\n", "")
    assert (place / "filtered/photo.html").read_text().count("data:image/png;base64,") == 3


# Kind of picture -> how it is saved, and what the identity filter has to give back.
ALPHA = np.dstack([COLOUR, np.full(GREY.shape, 255, np.uint8)])
KINDS = {
    "grey": ("a.png", lambda: image().fromarray(GREY), GREY),
    "colour": ("a.png", lambda: image().fromarray(COLOUR), COLOUR),
    "palette of greys": ("a.gif", lambda: image().fromarray(GREY // 16 * 16), np.stack([GREY // 16 * 16] * 3, -1)),
    "16 bits": ("a.png", lambda: image().fromarray(GREY.astype(np.uint16) * 257), GREY),
    "CMYK": ("a.tif", lambda: image().fromarray(COLOUR).convert("CMYK"), COLOUR),
    "opaque": ("a.png", lambda: image().fromarray(ALPHA), COLOUR),
    "transparent": (
        "a.png",
        lambda: image().fromarray((ALPHA * [1, 1, 1, 0]).astype(np.uint8)),
        np.full_like(COLOUR, 255),
    ),
    "one pixel": ("a.png", lambda: image().fromarray(GREY[:1, :1]), GREY[:1, :1]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_are_read_right(kind, command, place):
    name, make, wanted = KINDS[kind]
    make().save(place / name)
    told = command("filter", name, "-f", "mean-filter:size=1", "--out", "out.png")
    assert told.status == 0, told
    np.testing.assert_array_equal(opened(place / "out.png"), wanted)


def text_file(folder):
    (folder / "bad.png").write_text("no picture")


def truncated(folder):
    image().fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(folder / "bad.jpg")
    cut(folder / "bad.jpg")


def fractions(folder):
    image().fromarray(np.full((6, 6), 0.5, np.float32)).save(folder / "bad.tif")


def one_pixel(folder):
    image().fromarray(GREY[:1, :1]).save(folder / "bad.png")


def twins(folder):
    (folder / "other").mkdir()
    image().fromarray(GREY).save(folder / "other" / "photo.png")


def nothing(folder):
    pass


WRONG = {
    "text": (text_file, ["bad.png", "-f", "sobel"], "bad.png", "replace or remove"),
    "truncated": (truncated, ["bad.jpg", "-f", "sobel"], "bad.jpg", "replace or remove"),
    "fractions": (fractions, ["bad.tif", "-f", "sobel"], "bad.tif", "8 or 16 bits"),
    "one pixel": (one_pixel, ["bad.png", "-f", "median-filter"], "bad.png", "median-filter", "3x3", "1x1"),
    "one pixel, all filters": (one_pixel, ["bad.png"], "bad.png", "1x1", "smaller"),
    "no file": (nothing, ["bad.png"], "bad.png", "does not exist"),
    "a folder": (nothing, ["."], "is a folder", "give one picture"),
    "no picture given": (nothing, [], "PICTURE...", "maquette filter --help"),
    "filter": (nothing, ["photo.png", "-f", "medain-filter"], "medain-filter", "'median-filter'"),
    "argument": (nothing, ["photo.png", "-f", "median-filter:sise=3"], "sise", "'size'"),
    "value": (nothing, ["photo.png", "-f", "median-filter:size=4"], "size 4", "odd"),
    "no value": (nothing, ["photo.png", "-f", "median-filter:size"], "median-filter:size", "key=value"),
    "ending": (nothing, ["photo.png", "-f", "sobel", "--out", "a.jpg"], "a.jpg", ".png or .html"),
    "two results": (nothing, ["photo.png", "-f", "sobel", "-f", "canny", "--out", "a.png"], "a.png", ".html"),
    "itself": (nothing, ["photo.png", "-f", "sobel", "--out", "photo.png"], "photo.png", "another name"),
    "one file for two": (nothing, ["photo.png", "photo.png", "-f", "sobel", "--out", "a.png"], "a.png", "folder"),
    "one name for two": (twins, ["photo.png", "other/photo.png", "-f", "sobel"], "other/photo.png", "one at a time"),
    "no number": (nothing, ["photo.png", "-f", "gaussian-filter:sigma=wide"], "sigma", "'wide'"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_filtered_is_named_in_one_line(kind, command, place):
    make, words, *named = WRONG[kind]
    make(place)
    before = sorted(place.rglob("*"))
    refused(command("filter", *words), *named)
    assert sorted(place.rglob("*")) == before


ODD = ["None", "wide", "-1", "0", "0.5", "1e9", "inf", "nan", "True", "()", "(1,2)", "(1,2,3)", "[[1]]", "{}", "1j"]


@pytest.mark.parametrize("name", filters())
def test_an_odd_value_of_any_argument_is_taken_or_named(name, place):
    """No value makes a filter fail otherwise than by an InputError of one line."""
    from maquette.errors import InputError
    from maquette.verbs.filter import _arguments, parse

    for argument in _arguments(filters()[name]):
        for value in ODD if argument != "batch" else ():
            try:
                parse(f"{name}:{argument}={value}")[0](COLOUR)
            except InputError as error:
                assert "\n" not in str(error)
