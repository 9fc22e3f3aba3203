"""Data sets by name, their splits, and the way from an address to a checked file."""

import ast
import gzip
import hashlib
import http.server
import io
import os
import re
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import maquette.data
from maquette.data import mnist, source
from maquette.data.dataset import Dataset, File, Split, sorted_labels
from maquette.errors import InputError

FOLDER = Path(maquette.data.__file__).parent


def needs(name):
    """Skip unless the originals of the set are in $MAQUETTE_DATA."""
    folder = os.environ.get("MAQUETTE_DATA", "")
    if not (folder and (Path(folder) / name).is_dir()):
        pytest.skip(f"the originals of {name} are not there: set MAQUETTE_DATA to a folder that holds them")


def refuses(*words):
    """Expect an InputError of one line that holds all the words in this order."""
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(re.escape(word) for word in words))


def labelled(counts, **more):
    y = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    names = tuple(str(i) for i in range(len(y)))
    return Dataset("toy", Split(x, y, names), classes=tuple("abcdefgh"[: len(counts)]), **more)


# --- names --------------------------------------------------------------------------------------------------


def test_every_page_with_a_card_is_named_and_described_in_one_sentence():
    for name in maquette.data.names():
        text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text()))
        assert text.splitlines()[0].endswith("."), name
        card = maquette.data.card(name)
        assert card.title and card.task and card.licence and card.counts["train"] > 0
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in card.files)


def test_names_are_the_pages_only():
    assert {"mnist", "digits", "boston_housing", "california_housing", "xor"} <= set(maquette.data.names())
    assert not {"dataset", "source", "tables", "pictures", "__init__"} & set(maquette.data.names())


def test_an_unknown_name_gets_the_near_ones():
    with refuses("'mnits'", "mnist"):
        maquette.data.load("mnits")
    with refuses("'zzzz'", "digits"):
        maquette.data.card("zzzz")


def test_listing_imports_no_numpy():
    code = "import sys, maquette.data as d; d.names(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the built-in sets --------------------------------------------------------------------------------------


def test_mnist_has_the_published_counts():
    needs("mnist")
    data = maquette.data.load("mnist")
    train, test = (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    )
    assert np.bincount(data.train.y).tolist() == train
    assert np.bincount(data.test.y).tolist() == test
    assert data.train.x.shape == (60_000, 28, 28, 1) and data.train.x.dtype == np.uint8
    assert data.train.y.dtype == np.int32 and data.classes == tuple("0123456789")
    assert data.train.x.mean() == pytest.approx(33.3184, abs=1e-4)
    assert data.test.x.mean() == pytest.approx(33.7912, abs=1e-4)
    assert data.origin == str(Path(os.environ["MAQUETTE_DATA"]) / "mnist")


def test_digits_keep_every_level_and_split_by_class():
    from sklearn.datasets import load_digits

    data, again = maquette.data.load("digits"), maquette.data.load("digits")
    card = maquette.data.card("digits")
    assert {"train": len(data.train), "test": len(data.test)} == card.counts
    assert data.train.x.shape[1:] == card.shape and data.train.x.dtype == np.uint8
    both = np.concatenate([data.train.x, data.test.x])
    assert both.max() == 240 and set(np.unique(both % 15)) == {0}
    assert sorted(map(bytes, both // 15)) == sorted(map(bytes, load_digits().images.astype(np.uint8)))
    share = np.bincount(data.test.y) / np.bincount(np.concatenate([data.train.y, data.test.y]))
    assert np.all(np.abs(share - 0.2) < 0.006)
    assert np.array_equal(data.test.x, again.test.x)


def test_boston_has_its_published_target():
    needs("boston_housing")
    data = maquette.data.load("boston_housing")
    assert len(data.train) == 506 and len(data.features) == 13 and data.test is None
    assert all(values.dtype == np.float64 for values in data.train.x.values())
    assert data.train.x["CHAS"].sum() == 35 and data.target == "MEDV"
    assert data.train.y.dtype == np.float32
    assert data.train.y.mean() == pytest.approx(22.533, abs=1e-3)
    assert (data.train.y == 50).sum() == 16


def test_california_has_its_published_counts():
    needs("california_housing")
    data = maquette.data.load("california_housing")
    values, counts = np.unique(data.train.x["ocean_proximity"], return_counts=True)
    expected = {"<1H OCEAN": 9136, "INLAND": 6551, "ISLAND": 5, "NEAR BAY": 2290, "NEAR OCEAN": 2658}
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == expected
    assert np.isnan(data.train.x["total_bedrooms"]).sum() == 207
    assert len(data.train) == 20_640 and len(data.features) == 9 and data.train.y.max() == 500_001
    assert "cells missing in column total_bedrooms: 207" in data.report


def test_xor_is_the_truth_table():
    data = maquette.data.load("xor")
    one, other = (data.train.x[name].astype(int) for name in data.features)
    assert data.train.y.dtype == np.int32 and (one ^ other).tolist() == data.train.y.tolist()
    assert data.test is data.train and data.classes == ("0", "1")


# --- splits -------------------------------------------------------------------------------------------------


def test_a_split_is_disjoint_complete_and_stratified():
    data = labelled([50, 30, 20]).with_test(0.2, seed=3)
    assert np.bincount(data.test.y).tolist() == [10, 6, 4]
    assert sorted(data.train.names + data.test.names, key=int) == [str(i) for i in range(100)]
    assert np.array_equal(data.test.x[:, 0], [int(name) for name in data.test.names])
    assert "test: 20 of 100" in data.report[-1]


def test_a_split_depends_on_the_seed_alone():
    first, same, other = (labelled([40, 40]).with_validation(0.25, seed) for seed in (1, 1, 2))
    assert first.validation.names == same.validation.names != other.validation.names


def test_uneven_classes_still_give_the_exact_total():
    counts = [7, 7, 7, 3]
    data = labelled(counts).with_test(0.25)
    assert len(data.test) == 6 and (np.bincount(data.train.y, minlength=4) > 0).all()


def test_targets_and_unstratified_splits_give_the_exact_total():
    numbers = Dataset("toy", Split(np.zeros((10, 1)), np.arange(10, dtype=np.float32)))
    assert len(numbers.with_test(0.3).test) == 3
    assert len(labelled([5, 5]).split(0.4, "test", stratify=False).test) == 4


def test_fraction_zero_changes_nothing():
    data = labelled([2, 2])
    assert data.with_test(0) is data and maquette.data.load("xor").with_test(0.0).test is not None


def test_groups_stay_together():
    groups = np.repeat(np.arange(20), 5)
    y = np.repeat(np.arange(2), 50).astype(np.int32)
    data = Dataset("toy", Split(np.arange(100)[:, None], y), classes=("a", "b"), groups=groups)
    data = data.with_test(0.2, seed=1).with_validation(0.25, seed=1)
    parts = [set(groups[split.x[:, 0]]) for split in (data.train, data.validation, data.test)]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 20
    assert [len(part) for part in parts] == [12, 4, 4]
    assert np.array_equal(data.groups, groups[data.train.x[:, 0]])
    assert np.bincount(data.test.y).tolist() == [10, 10]


def test_columns_are_taken_row_by_row():
    split = Split({"a": np.arange(3.0), "b": np.array(["x", "", "z"])}, np.arange(3, dtype=np.float32))
    taken = split.take(np.array([2, 0]))
    assert len(split) == 3 and taken.x["a"].tolist() == [2, 0] and taken.x["b"].tolist() == ["z", "x"]
    assert split.take(np.array([True, False, True])).y.tolist() == [0, 2]


def test_wrong_splits_are_refused():
    with refuses("test fraction 1.0 of toy"):
        labelled([2, 2]).with_test(1.0)
    with refuses("xor already has a test split"):
        maquette.data.load("xor").with_test(0.5)
    with refuses("test fraction 0.01", "leaves test empty"):
        labelled([5, 5]).with_test(0.01)
    with refuses("part 'tets'", "validation, test"):
        labelled([5, 5]).split(0.5, "tets")
    with refuses("names has 1 items where x has 3"):
        Split(np.zeros(3), names=("a",))
    with refuses("column 'b' has 2 items where x has 1"):
        Split({"a": np.zeros(1), "b": np.zeros(2)})


def test_a_class_without_training_items_is_refused():
    y = np.array([0] * 9 + [1], np.int32)
    data = Dataset("toy", Split(np.zeros(10), y), classes=("cat", "dog"))
    seeds = [seed for seed in range(20) if not _keeps_all(data, seed)]
    assert seeds
    with refuses("leaves class 'dog' without training"):
        data.split(0.5, "test", seeds[0], stratify=False)
    assert set(data.with_test(0.5).train.y) == {0, 1}


def _keeps_all(data, seed):
    try:
        return data.split(0.5, "test", seed, stratify=False) is not None
    except InputError:
        return False


def test_labels_sort_as_numbers_where_all_are_numbers():
    assert sorted_labels(["10", "9", "9", "-1"]) == ("-1", "9", "10")
    assert sorted_labels(["10", "9", "b"]) == ("10", "9", "b")


# --- the format of MNIST ------------------------------------------------------------------------------------


def idx(path, *numbers, content=b""):
    path.write_bytes(gzip.compress(struct.pack(f">{len(numbers)}I", *numbers) + content))
    return path


def test_idx_files_are_read_in_order(tmp_path):
    images = mnist.read_images(idx(tmp_path / "i.gz", 2051, 2, 2, 3, content=bytes(range(12))))
    assert images.shape == (2, 2, 3, 1) and images[1, 0, 2, 0] == 8
    assert mnist.read_labels(idx(tmp_path / "l.gz", 2049, 2, content=b"\x07\x09")).tolist() == [7, 9]


def test_wrong_idx_files_are_named(tmp_path):
    with refuses("magic.gz", "2049", "2051"):
        mnist.read_images(idx(tmp_path / "magic.gz", 2049, 0, 0, 0))
    with refuses("short.gz", "truncated"):
        mnist.read_labels(idx(tmp_path / "short.gz", 2049, 3, content=b"\1"))
    with refuses("long.gz", "too long"):
        mnist.read_labels(idx(tmp_path / "long.gz", 2049, 0, content=b"\1"))
    with refuses("high.gz", "label 1 is 10"):
        mnist.read_labels(idx(tmp_path / "high.gz", 2049, 2, content=b"\0\x0a"))
    with refuses("head.gz", "cut short"):
        mnist.read_labels(idx(tmp_path / "head.gz", 2049))
    (tmp_path / "plain.gz").write_bytes(b"no gzip")
    with refuses("plain.gz", "gzip"):
        mnist.read_labels(tmp_path / "plain.gz")
    whole = idx(tmp_path / "cut.gz", 2049, 500, content=np.random.default_rng(0).bytes(500)).read_bytes()
    (tmp_path / "cut.gz").write_bytes(whole[:200])
    with refuses("cut.gz", "truncated"):
        mnist.read_labels(tmp_path / "cut.gz")


# --- finding and downloading --------------------------------------------------------------------------------

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; /cut breaks off once, /wrong serves other bytes, /plain ignores ranges."""

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(asked[6:-1]) if asked and self.path != "/plain" else 0
        if self.path == "/gone":
            return self.send_error(404)
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:] if self.path != "/wrong" else bytes(len(CONTENT) - start)
        self.wfile.write(body[:100_000] if self.path == "/cut" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAQUETTE_DATA", raising=False)
    return tmp_path / "cache" / "toy"


def test_a_download_is_checked_named_and_kept(server, cache):
    file = File("a.bin", SHA256, f"{server.url}/a.bin")
    paths = source.locate("toy", [file])
    assert paths["a.bin"] == cache / "a.bin" and paths["a.bin"].read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["a.bin"]
    assert server.url in source.describe(paths)
    source.locate("toy", [file])
    assert len(server.asked) == 1


def test_a_cut_download_goes_on(server, cache):
    source.locate("toy", [File("a.bin", SHA256, f"{server.url}/cut")])
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert (cache / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("path", ["a.bin", "plain"])
def test_a_part_from_before_is_used_or_replaced(server, cache, path):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(CONTENT[:5])
    source.locate("toy", [File("a.bin", SHA256, f"{server.url}/{path}")])
    assert server.asked == ["bytes=5-"] and (cache / "a.bin").read_bytes() == CONTENT


def test_a_whole_part_is_taken(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(CONTENT)
    source.locate("toy", [File("a.bin", SHA256, f"{server.url}/a.bin")])
    assert (cache / "a.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server, cache):
    with refuses("toy: a.bin", "/wrong", "sha256"):
        source.locate("toy", [File("a.bin", SHA256, f"{server.url}/wrong")])
    assert list(cache.iterdir()) == []


def test_no_network_names_both_remedies(cache, server):
    with refuses("toy: a.bin", "Not Found", "MAQUETTE_DATA", "toy/a.bin", str(cache / "a.bin")):
        source.locate("toy", [File("a.bin", SHA256, f"{server.url}/gone")])
    with refuses("toy: a.bin", "refused", "MAQUETTE_DATA", str(cache / "a.bin")):
        source.locate("toy", [File("a.bin", SHA256, "http://127.0.0.1:9/a.bin")])
    with refuses("toy: a.bin has no public address", "MAQUETTE_DATA"):
        source.locate("toy", [File("a.bin", SHA256)])


def test_the_users_folder_comes_first_and_is_checked(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("MAQUETTE_DATA", str(tmp_path / "mine"))
    for folder in (tmp_path / "mine" / "toy", cache):
        folder.mkdir(parents=True)
        (folder / "a.bin").write_bytes(CONTENT)
    file = File("a.bin", SHA256)
    paths = source.locate("toy", [file])
    assert paths["a.bin"].parent == tmp_path / "mine" / "toy" and "mine" in source.describe(paths)
    (tmp_path / "mine" / "toy" / "a.bin").write_bytes(b"other")
    with refuses(str(tmp_path / "mine" / "toy" / "a.bin"), "sha256", "replace"):
        source.locate("toy", [file])
    (tmp_path / "mine" / "toy" / "a.bin").unlink()
    assert source.locate("toy", [file])["a.bin"].parent == cache


def test_the_cache_follows_the_environment(monkeypatch):
    monkeypatch.delenv("MAQUETTE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert source.cache_folder() == Path("/elsewhere/maquette")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert source.cache_folder() == Path.home() / ".cache" / "maquette"


def test_a_full_disk_names_the_folder(server, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(source, "_write", full)
    with refuses(str(cache), "full", "MAQUETTE_CACHE"):
        source.locate("toy", [File("a.bin", SHA256, f"{server.url}/a.bin")])


# --- archives -----------------------------------------------------------------------------------------------


def make_zip(path, *names, mode=0):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, "text")
    return path


def make_tar(path, name, kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, link, 4 if kind == tarfile.REGTYPE else 0
        archive.addfile(member, io.BytesIO(b"text") if member.size else None)
    return path


def test_archives_are_unpacked_once(tmp_path):
    archives = make_zip(tmp_path / "a.zip", "x/y.txt"), make_tar(tmp_path / "a.tar.gz", "x/y.txt")
    for number, archive in enumerate(archives):
        folder = source.extract(archive, tmp_path / "out" / str(number))
        assert (folder / "x" / "y.txt").read_text() == "text"
        (folder / "x" / "y.txt").write_text("changed")
        assert (source.extract(archive, folder) / "x" / "y.txt").read_text() == "changed"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0", "1"]


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a/../../evil", "C:\\evil", "..\\evil"])
def test_members_that_escape_are_refused(tmp_path, name):
    for archive in (make_zip(tmp_path / "a.zip", name), make_tar(tmp_path / "a.tar.gz", name)):
        with refuses(archive.name, "evil", "outside"):
            source.extract(archive, tmp_path / "out")
        assert not (tmp_path / "out").exists() and not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_out_and_devices_are_refused(tmp_path, kind):
    archive = make_tar(tmp_path / "a.tar.gz", "evil", kind, "../../../etc/passwd")
    with refuses("a.tar.gz", "evil" if kind != tarfile.LNKTYPE else "passwd"):
        source.extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_in_a_zip_and_damaged_archives_are_refused(tmp_path):
    with refuses("link.zip", "is a link"):
        source.extract(make_zip(tmp_path / "link.zip", "l", mode=0o120777), tmp_path / "out")
    (tmp_path / "bad.tar").write_bytes(b"nothing" * 200)
    with refuses("bad.tar", "damaged"):
        source.extract(tmp_path / "bad.tar", tmp_path / "out")
    with refuses("none.zip", "does not exist"):
        source.extract(tmp_path / "none.zip", tmp_path / "out")
    assert not any(path.name.startswith(".out") for path in tmp_path.iterdir())
