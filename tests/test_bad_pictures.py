"""Folders of pictures with something odd in them: each is read for what it is, or refused in one line with a remedy."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maquette
from maquette.data.readers.images import read_folder, read_pictures
from maquette.errors import InputError

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3


def encoded(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def colour(red, green, blue):
    return Image.fromarray(np.stack([np.full((8, 8), level, np.uint8) for level in (red, green, blue)], -1))


JPEG = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)), "JPEG")
CLEAR = Image.fromarray(np.dstack([RAMP, RAMP, RAMP, np.where(RAMP < 90, 0, 255)]).astype(np.uint8), "RGBA")
DEEP = Image.fromarray(RAMP.astype(np.uint16) * 257)

# Name -> file name, content, what the line says beside the file's name.
REFUSED = {
    "a text": ("a.jpg", b"these are words", "replace or remove it"),
    "nothing": ("a.png", b"", "replace or remove it"),
    "a page": ("a.jpg", b"<!DOCTYPE html><html>not found</html>", "replace or remove it"),
    "a cut JPEG": ("a.jpg", JPEG[: len(JPEG) // 2], "truncated"),
    "a cut PNG": ("a.png", encoded(Image.fromarray(RAMP), "PNG")[:50], "replace or remove it"),
    "a damaged PNG": ("a.png", encoded(Image.fromarray(RAMP), "PNG")[:-30] + b"x" * 30, "replace or remove it"),
    "fractions": ("a.tif", encoded(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), "8 or 16 bits"),
    "more than 16 bits": ("a.tif", encoded(Image.fromarray(RAMP.astype(np.int32) * 10_000), "TIFF"), "8 or 16 bits"),
}


@pytest.fixture
def folder(tmp_path):
    """Two classes of three grey pictures each."""
    for name in ("left", "right"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(RAMP + i).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path / "data"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_no_sound_picture_is_named_with_a_remedy(kind, folder):
    name, content, told = REFUSED[kind]
    (folder / "left" / name).write_bytes(content)
    for read in (lambda: read_folder(folder), lambda: read_pictures(folder / "left" / name, 8, 8, 1)):
        with pytest.raises(InputError) as error:
            read()
        text = str(error.value)
        assert str(folder / "left" / name) in text and told in text and "\n" not in text


# Name -> file name, content, its pixels as colour (8, 8, 3), and how far they may be off for lossy files.
READ = {
    "CMYK": ("a.jpg", encoded(colour(255, 0, 0).convert("CMYK"), "JPEG", quality=95), colour(255, 0, 0), 8),
    "16 bits": ("a.png", encoded(DEEP, "PNG"), RAMP, 0),
    "transparent": ("a.png", encoded(CLEAR, "PNG"), np.where(RAMP < 90, 255, RAMP), 0),
    "a palette": ("a.gif", encoded(colour(0, 0, 255).convert("P"), "GIF"), colour(0, 0, 255), 0),
    "black and white": ("a.png", encoded(Image.fromarray(RAMP > 90), "PNG"), np.where(RAMP > 90, 255, 0), 0),
    "grey": ("a.png", encoded(Image.fromarray(RAMP), "PNG"), RAMP, 0),
    "one pixel": ("a.png", encoded(colour(9, 8, 7).resize((1, 1)), "PNG"), colour(9, 8, 7), 0),
    "on its side": ("a.jpg", None, np.rot90(RAMP, -1), 8),
    "an ending in capitals": ("A.PNG", encoded(Image.fromarray(RAMP), "PNG"), RAMP, 0),
}


def on_its_side():
    marks = Image.Exif()
    marks[274] = 6  # the camera was turned: 90 degrees clockwise bring it upright
    return encoded(Image.fromarray(RAMP), "JPEG", quality=100, exif=marks)


@pytest.mark.parametrize("kind", READ)
def test_every_other_kind_of_picture_is_read_for_what_it_shows(kind, folder):
    name, content, wanted, slack = READ[kind]
    path = folder / "right" / name
    path.write_bytes(content or on_its_side())
    wanted = np.asarray(wanted).astype(int)
    wanted = wanted if wanted.ndim == 3 else np.repeat(wanted[..., None], 3, -1)
    names, x = read_pictures(path, 8, 8, 3)
    assert names == (str(path),) and np.abs(x[0].astype(int) - wanted).max() <= slack
    data = read_folder(folder, size=8, channels=3)
    place = data.train.names.index(f"right/{name}")
    assert len(data.train) == 7 and np.array_equal(data.train.x[place], x[0]) and data.train.y[place] == 1


def empty_class(folder):
    (folder / "middle").mkdir()
    return "middle", "the class has no picture; add some or remove the folder"


def class_of_texts(folder):
    (folder / "middle").mkdir()
    (folder / "middle" / "a.txt").write_text("words")
    return "middle", "the class has no picture"


def one_class(folder):
    shutil.rmtree(folder / "right")
    return "single class, 'left'", "at least two classes"


def loose_files(folder):
    for file in list(folder.rglob("*.png")):
        file.rename(folder / f"{file.parent.name}-{file.name}")
    for name in ("left", "right"):
        (folder / name).rmdir()
    return "has no folder inside", "put the pictures of each class into its own"


def other_classes_to_test(folder):
    for part in ("train", "test"):
        shutil.copytree(folder, folder.parent / "both" / part)
    shutil.rmtree(folder)
    (folder.parent / "both").rename(folder)
    (folder / "test" / "right").rename(folder / "test" / "up")
    return "class 'right' is in only one of train/ and test/", "give both the same classes"


@pytest.mark.parametrize("spoil", [empty_class, class_of_texts, one_class, loose_files, other_classes_to_test])
def test_folders_that_do_not_fit_are_refused_by_the_command(spoil, folder, command, tmp_path):
    named = spoil(folder)
    told = command("train", "mlp", "--data", folder, "--set", "epochs=1", "--quiet", "--out", tmp_path / "run")
    assert told.status == 2 and len(told.err.splitlines()) == 1, told
    assert all(text in told.err for text in named) and not (tmp_path / "run").exists()


def test_files_beside_the_pictures_are_counted_not_read(folder):
    (folder / "left" / "notes.txt").write_text("words")
    (folder / "left" / ".hidden.png").write_text("words")
    (folder / "readme.md").write_text("words")
    report = read_folder(folder).report
    assert any(".txt, no picture, not read: 1" in line for line in report)
    assert any("files outside a class, not read: 1" in line for line in report)
    assert any(line.startswith("train: 6 pictures") for line in report)


def test_pictures_to_predict_are_brought_to_the_form_of_the_training_ones(folder, tmp_path):
    """Of another size, depth and number of channels; a folder of other classes gives answers of the known ones."""
    run = maquette.train("mlp", str(folder), {"epochs": 1, "test": 0.34}, out=tmp_path / "run", style="quiet")
    other = tmp_path / "other" / "up"
    other.mkdir(parents=True)
    colour(200, 10, 10).resize((20, 30)).save(other / "a.png")
    DEEP.save(other / "b.png")
    Image.fromarray(RAMP).save(other / "c.png")
    rows = maquette.predict(run.folder, [tmp_path / "other"])
    assert [Path(row["input"]).name for row in rows] == ["a.png", "b.png", "c.png"]
    assert {row["class"] for row in rows} <= {"left", "right"}
    assert rows[1]["probability"] == rows[2]["probability"]  # the same picture in 16 and in 8 bits


def test_classes_other_than_those_of_training_are_refused_by_evaluate(folder, command, tmp_path):
    run = maquette.train("mlp", str(folder), {"epochs": 1, "test": 0.34}, out=tmp_path / "run", style="quiet")
    (folder / "right").rename(folder / "up")
    told = command("evaluate", run.folder, "--data", folder)
    assert told.status == 2 and len(told.err.splitlines()) == 1 and "up" in told.err, told
