"""The user's own files: pictures in folders, and tables in CSV and Parquet."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from maquette.data.readers.images import read_folder, read_pictures
from maquette.data.readers.tables import read_columns, read_table
from maquette.errors import InputError

CLASSIFY, REGRESS = "tabular-classification", "tabular-regression"


def refuses(*words):
    """Expect an InputError of one line that holds all the words in this order."""
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(re.escape(word) for word in words))


def paint(path, pixels=None, mode=None, **options):
    """Save uint8 pixels as a picture and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 6), 9, np.uint8) if pixels is None else np.asarray(pixels)
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def pixel(path, channels=3, height=4, width=6):
    return read_pictures([path], height, width, channels)[1][0, 0, 0].tolist()


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    for label in ("dog", "cat"):
        for number in range(3):
            paint(root / label / f"{number}.png", np.full((4, 6), 10 * number, np.uint8))
    return root


# --- folders of pictures ------------------------------------------------------------------------------------


def test_a_folder_per_class(pets):
    data = read_folder(pets)
    assert data.name == "pets" and data.classes == ("cat", "dog") and data.origin == str(pets)
    assert data.train.x.shape == (6, 4, 6, 1) and data.train.x.dtype == np.uint8
    assert data.train.y.tolist() == [0, 0, 0, 1, 1, 1] and data.train.y.dtype == np.int32
    assert data.train.names[:2] == ("cat/0.png", "cat/1.png")
    assert data.train.x[:, 0, 0, 0].tolist() == [0, 10, 20] * 2
    assert data.report == ("train: 6 pictures (cat 3, dog 3)",)
    assert data.test is None and data.validation is None


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_folders_of_splits(tmp_path, validation):
    for part, count in (("train", 3), ("test", 2), (validation, 1)):
        for label in ("9", "10"):
            for number in range(count):
                paint(tmp_path / part / label / f"{number}.jpg")
    paint(tmp_path / "notes" / "a.png")
    (tmp_path / "labels.csv").write_text("x")
    data = read_folder(tmp_path)
    assert [len(split) for split in (data.train, data.test, data.validation)] == [6, 4, 2]
    assert data.classes == ("9", "10") and data.test.names[0] == "test/9/0.jpg"
    assert data.report[:2] == ("beside the splits, not read: notes/", "beside the splits, not read: 1 files")


def test_train_and_validation_without_test_are_splits(tmp_path):
    for part in ("train", "val"):
        for label in "ab":
            paint(tmp_path / part / label / "0.png")
    data = read_folder(tmp_path)
    assert data.classes == ("a", "b") and data.test is None and len(data.validation) == 2


def test_sizes_that_differ_give_the_median(pets):
    paint(pets / "dog" / "big.png", np.zeros((40, 60), np.uint8))
    data = read_folder(pets)
    assert data.train.x.shape[1:] == (4, 6, 1)
    assert any("2 different sizes" in line and "4 by 6" in line for line in data.report)
    assert read_folder(pets, size=(8, 5)).train.x.shape[1:] == (8, 5, 1)
    assert read_folder(pets, size=8, channels=3).train.x.shape[1:] == (8, 8, 3)


def test_colour_anywhere_gives_three_channels(pets):
    paint(pets / "dog" / "colour.png", np.full((4, 6, 3), (1, 2, 3), np.uint8))
    data = read_folder(pets)
    assert data.train.x.shape[-1] == 3 and data.train.x[-1, 0, 0].tolist() == [1, 2, 3]
    assert read_folder(pets, channels=1).train.x.shape[-1] == 1


def test_what_is_not_read_is_counted(pets):
    (pets / "dog" / "notes.txt").write_text("x")
    (pets / "cat" / "more.txt").write_text("x")
    (pets / "cat" / ".hidden.png").write_text("x")
    (pets / ".thumbnails").mkdir()
    (pets / "labels.csv").write_text("x")
    frames = [Image.fromarray(np.full((4, 6), value, np.uint8)) for value in (7, 200)]
    frames[0].save(pets / "dog" / "moving.gif", save_all=True, append_images=frames[1:])
    data = read_folder(pets)
    assert len(data.train) == 7 and data.train.x[-1, 0, 0, 0] == 7
    assert "pets/: .txt, no picture, not read: 2" in data.report
    assert "pets/: files outside a class, not read: 1" in data.report
    assert "files with several frames, the first one read: 1" in data.report


def test_wrong_folders_are_named(pets, tmp_path):
    with refuses("nowhere", "does not exist"):
        read_folder(tmp_path / "nowhere")
    with refuses("0.png", "is a file"):
        read_folder(pets / "cat" / "0.png")
    with refuses("cat", "no folder inside"):
        read_folder(pets / "cat")
    with refuses("size (0, 3)"):
        read_folder(pets, size=(0, 3))
    with refuses("channels 2", "1 for grey"):
        read_folder(pets, channels=2)
    (pets / "bird").mkdir()
    with refuses("bird", "no picture"):
        read_folder(pets)
    paint(tmp_path / "one" / "only" / "a.png")
    with refuses("one", "single class", "'only'"):
        read_folder(tmp_path / "one")


def test_classes_that_differ_between_splits_are_named(tmp_path):
    for name in ("train/a", "train/b", "test/a", "test/c"):
        paint(tmp_path / name / "0.png")
    with refuses("class 'b'", "train/ and test/"):
        read_folder(tmp_path)
    paint(tmp_path / "val" / "a" / "0.png")
    paint(tmp_path / "validation" / "a" / "0.png")
    with refuses("both val/ and validation/"):
        read_folder(tmp_path)


def test_a_picture_that_cannot_be_read_is_named(pets):
    (pets / "dog" / "bad.png").write_bytes(b"not a picture")
    with refuses("bad.png", "cannot be read"):
        read_folder(pets)
    whole = paint(pets / "dog" / "bad.png", np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    whole.write_bytes(whole.read_bytes()[:2000])
    with refuses("bad.png", "cannot be read"):
        read_folder(pets)


# --- single pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tiff", "tif", "pgm"])
def test_every_format_is_read(tmp_path, suffix):
    path = paint(tmp_path / f"a.{suffix}", np.full((4, 6), 120, np.uint8))
    assert abs(pixel(path, 1)[0] - 120) <= 2


def test_the_cameras_mark_turns_the_picture(pets):
    pixels = np.zeros((4, 6), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[274] = 6
    for label in ("cat", "dog"):
        for number in range(3):
            paint(pets / label / f"{number}.png", pixels, exif=exif)
    x = read_folder(pets).train.x
    assert x.shape[1:] == (6, 4, 1) and x[0, 0, 3, 0] == 255


def test_transparency_lies_on_white(tmp_path):
    clear = np.zeros((4, 6, 4), np.uint8)
    half = np.full((4, 6, 4), (255, 0, 0, 51), np.uint8)
    assert pixel(paint(tmp_path / "clear.png", clear)) == [255, 255, 255]
    assert pixel(paint(tmp_path / "half.png", half)) == [255, 204, 204]
    grey = paint(tmp_path / "grey.png", np.full((4, 6, 2), (0, 51), np.uint8))
    assert pixel(grey, 1) == [204]
    palette = Image.new("P", (6, 4), 0)
    palette.putpalette([200, 0, 0, 0, 0, 200])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert pixel(tmp_path / "palette.png") == [255, 255, 255]


def test_palettes_are_looked_up_and_may_be_grey(tmp_path):
    for name, colours in (("grey", [50, 50, 50, 90, 90, 90]), ("colour", [50, 50, 50, 200, 0, 0])):
        for label in ("a", "b"):
            picture = Image.new("P", (6, 4), 0)
            picture.putpalette(colours)
            picture.putpixel((0, 0), 1)
            (tmp_path / name / label).mkdir(parents=True)
            picture.save(tmp_path / name / label / "0.png")
    grey, colour = read_folder(tmp_path / "grey"), read_folder(tmp_path / "colour")
    assert grey.train.x.shape[-1] == 1 and grey.train.x[0, 0, :2, 0].tolist() == [90, 50]
    assert colour.train.x[0, 0, 0].tolist() == [200, 0, 0]


def test_sixteen_bits_and_print_colours_become_bytes(tmp_path):
    wide = np.full((4, 6), 65_535 // 5, np.uint16)
    for suffix in ("png", "tiff", "pgm"):
        path = paint(tmp_path / f"wide.{suffix}", wide)
        assert pixel(path, 1) == [51] and pixel(path, 3) == [51, 51, 51]
    printed = paint(tmp_path / "print.tiff", np.full((4, 6, 3), (255, 0, 0), np.uint8), "CMYK")
    assert pixel(printed) == [255, 0, 0]
    bits = paint(tmp_path / "bits.png", np.full((4, 6), 255, np.uint8), "1")
    assert pixel(bits, 1) == [255]
    with refuses("float.tiff", "fractions"):
        pixel(paint(tmp_path / "float.tiff", np.zeros((4, 6), np.float32)))
    with refuses("deep.tiff", "more than 16 bits"):
        pixel(paint(tmp_path / "deep.tiff", np.full((4, 6), 70_000, np.int32)))


def test_pictures_to_predict_are_expanded_and_sorted(pets):
    names, x = read_pictures([pets / "dog" / "2.png", pets], 2, 3, 3)
    assert names[0] == str(pets / "dog" / "2.png") and names[1:] == tuple(sorted(names[1:]))
    assert x.shape == (7, 2, 3, 3) and x.dtype == np.uint8 and x[0, 0, 0].tolist() == [20, 20, 20]
    assert read_pictures(str(pets / "cat"), 4, 6, 1)[1].shape == (3, 4, 6, 1)
    with refuses("none.png", "does not exist"):
        read_pictures([pets / "none.png"], 2, 3, 1)
    (pets / "empty").mkdir()
    with refuses("empty", "no picture"):
        read_pictures([pets / "empty"], 2, 3, 1)


def test_other_files_beside_pictures_to_predict_are_counted(pets, caplog):
    for name in ("notes.txt", "b.csv", ".hidden"):
        (pets / "cat" / name).write_text("none")
    count = len(list((pets / "cat").glob("*.png")))
    caplog.clear()
    assert len(read_pictures(pets / "cat", 2, 3, 3)[0]) == count
    assert [record.getMessage() for record in caplog.records] == [
        f"{pets / 'cat'}: not read, since no pictures: 2 files"
    ]


# --- tables -------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


TEXT = 'a,b,"c, d",y\n1,x,NA,2\n-2.5e3,"y ""z""",4,10\n, null ,5,2\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_of_numbers_and_text(table, delimiter, mark):
    columns = read_columns(table(mark + TEXT.replace("c, d", "c. d").replace(",", delimiter)))
    assert list(columns) == ["a", "b", "c. d", "y"]
    np.testing.assert_array_equal(columns["a"], [1, -2500, np.nan])
    assert columns["b"].tolist() == ["x", 'y "z"', ""]
    np.testing.assert_array_equal(columns["c. d"], [np.nan, 4, 5])
    assert columns["a"].dtype == np.float64 and columns["b"].dtype.kind == "U"


def test_quoted_delimiters_line_ends_and_last_lines(table):
    columns = read_columns(table(TEXT.replace("\n", "\r\n") + "\r\n\r\n"))
    assert "c, d" in columns and len(columns["a"]) == 3
    assert read_columns(table("a\n1\n\n3\n"))["a"].tolist()[::2] == [1, 3]
    assert read_columns(table("a;b, c\n1;x\n"))["b, c"].tolist() == ["x"]
    assert read_columns(table("a,b\n1_000,01\n"), text=("b",))["b"].tolist() == ["01"]
    assert read_columns(table("a,b\n1_000,2\n"))["a"].tolist() == ["1_000"]


def test_classes_are_sorted_and_counted(table):
    data = read_table(table(TEXT), "y", CLASSIFY)
    assert data.classes == ("2", "10") and data.train.y.tolist() == [0, 1, 0]
    assert data.train.y.dtype == np.int32 and data.target == "y" and data.features == ("a", "b", "c, d")
    assert data.name == "t" and data.origin.endswith("t.csv")
    assert data.train.names == ("row 1", "row 2", "row 3")
    assert data.report == (
        *("3 rows, 2 columns of numbers, 1 of text", "rows of class 2: 2", "rows of class 10: 1"),
        *(f"cells missing in column {name}: 1" for name in ("a", "b", "c, d")),
    )
    words = read_table(table(TEXT.replace(",2\n", ",no\n")), "y", CLASSIFY)
    assert words.classes == ("10", "no")


def test_numbers_to_predict(table):
    data = read_table(table(TEXT), "y", REGRESS)
    assert data.train.y.tolist() == [2, 10, 2] and data.train.y.dtype == np.float32 and data.classes == ()


def test_files_that_are_no_table_are_named(table, tmp_path):
    with refuses("none.csv", "does not exist"):
        read_columns(tmp_path / "none.csv")
    with refuses(tmp_path.name, "is a folder"):
        read_columns(tmp_path)
    for content in ("", "\n \n"):
        with refuses("t.csv", "is empty"):
            read_columns(table(content))
    with refuses("t.csv", "header but no row"):
        read_columns(table("a,b\n"))
    with refuses("t.csv", "binary"):
        read_columns(table(b"PK\3\4\0\0"))
    with refuses("t.csv", "line 3 is not UTF-8"):
        read_columns(table(b"a,b\n1,2\n\xe9,3\n"))
    with refuses("t.csv", "UTF-16"):
        read_columns(table("a,b\n1,2\n".encode("utf-16")))


def test_lines_and_headers_that_are_wrong_are_named(table):
    with refuses("t.csv", "line 3", "(3)", "(2)"):
        read_columns(table("a,b\n1,2\n1,2,3\n"))
    with refuses("t.csv", "line 3", "(0)"):
        read_columns(table("a,b\n1,2\n\n1,2\n"))
    with refuses("t.csv", "line 2"):
        read_columns(table('a,b\n1,"2"3\n'))
    with refuses("t.csv", "line 2"):
        read_columns(table('a,b\n1,"2\n'))
    with refuses("t.csv", "'a' is there twice"):
        read_columns(table("a,b,a\n1,2,3\n"))
    with refuses("t.csv", "column 1 has no name"):
        read_columns(table(",b\n1,2\n"))


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_infinity_is_refused(table, cell):
    with refuses("t.csv", "row 2", "'b'", "infinity"):
        read_columns(table(f"a,b\n1,2\n1,{cell}\n"))
    with refuses("t.csv", "'b'", "row 2", "finite"):
        read_table(table(f"a,b\n1,2\n1,{cell}\n"), "b", REGRESS)


def test_targets_that_are_wrong_are_named(table):
    with refuses("t.csv", "no column 'pricee'", "'price'"):
        read_table(table("a,price\n1,2\n"), "pricee", REGRESS)
    with refuses("t.csv", "'y'", "missing in row 2"):
        read_table(table("a,y\n1,2\n1,\n"), "y", REGRESS)
    with refuses("t.csv", "'y'", "missing in row 1"):
        read_table(table("a,y\n1,NA\n1,x\n"), "y", CLASSIFY)
    with refuses("t.csv", "'y'", "row 2 is 'high'"):
        read_table(table("a,y\n1,2\n1,high\n"), "y", REGRESS)
    with refuses("t.csv", "'y'", "single class, '2'"):
        read_table(table("a,y\n1,2\n1,2\n"), "y", CLASSIFY)
    with refuses("t.csv", "'y' is the only column"):
        read_table(table("y\n1\n2\n"), "y", CLASSIFY)
    with refuses("task 'tabular-regresion'", "'tabular-regression'"):
        read_table(table("a,y\n1,2\n"), "y", "tabular-regresion")


def test_numbers_taken_for_classes_are_refused(table):
    prices = "a,y\n" + "".join(f"1,{i / 8}\n" for i in range(60)) * 3
    with refuses("t.csv", "60 different numbers", "tabular-regression"):
        read_table(table(prices), "y", CLASSIFY)
    unique = "a,y\n" + "".join(f"1,{i}\n" for i in range(60))
    with refuses("t.csv", "60 different numbers", "tabular-regression"):
        read_table(table(unique), "y", CLASSIFY)
    codes = "a,y\n" + "".join(f"1,{i}\n" for i in range(60)) * 3
    assert len(read_table(table(codes), "y", CLASSIFY).classes) == 60


# --- Parquet ------------------------------------------------------------------------------------------------


def parquet(path, **columns):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), path)
    return path


def test_parquet_gives_what_the_same_csv_gives(tmp_path, table):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = parquet(
        tmp_path / "t.parquet",
        whole=[1, None, 3],
        half=[0.5, 1.0, None],
        flag=[True, False, None],
        text=pyarrow.array(["x", None, "x"]).dictionary_encode(),
        empty=pyarrow.nulls(3),
        y=[2.0, 10.0, 2.0],
    )
    same = table("whole,half,flag,text,empty,y\n1,.5,1,x,,2\n,1,0,,,10\n3,,,x,,2\n")
    for name, values in read_columns(same).items():
        np.testing.assert_array_equal(read_columns(path)[name], values)
    mine, other = read_table(path, "y", CLASSIFY), read_table(same, "y", CLASSIFY)
    assert mine.classes == other.classes == ("2", "10") and mine.report == other.report
    assert read_table(path, "y", REGRESS).train.y.tolist() == [2, 10, 2]


def test_wrong_parquet_files_are_named(tmp_path, monkeypatch):
    with refuses("t.parquet", "'b'", "list"):
        read_columns(parquet(tmp_path / "t.parquet", b=[[1], [2]]))
    with refuses("t.parquet", "row 2", "'b'", "infinity"):
        read_columns(parquet(tmp_path / "t.parquet", b=[1.0, np.inf]))
    with refuses("t.parquet", "header but no row"):
        read_columns(parquet(tmp_path / "t.parquet", b=np.zeros(0)))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing PAR1")
    with refuses("bad.parquet", "not a readable Parquet"):
        read_columns(tmp_path / "bad.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refuses("t.parquet", "pip install 'maquette[tables]'"):
        read_columns(tmp_path / "t.parquet")
