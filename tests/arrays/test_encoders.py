"""The encoder of tables and the scale of pictures, against scikit-learn and closed forms."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import maquette.data
from maquette.data.pictures import PictureScaler
from maquette.data.tables import TableEncoder
from maquette.errors import InputError


def refuses(*words):
    """Expect an InputError of one line that holds all the words in this order."""
    return pytest.raises(InputError, match="(?s)^(?!.*\n).*" + ".*".join(re.escape(word) for word in words))


@pytest.fixture
def columns():
    generator = np.random.default_rng(0)
    gaps = generator.normal(5, 2, 40)
    gaps[[3, 17]] = np.nan
    return {
        "size": generator.normal(100, 30, 40),
        "gaps": gaps,
        "same": np.full(40, 0.1),
        "town": np.array(["Bern", "Rome", "Oslo", ""])[generator.integers(4, size=40)],
    }


# --- tables -------------------------------------------------------------------------------------------------


def test_features_are_named_and_standardised(columns):
    encoder = TableEncoder().fit(columns)
    x = encoder.transform(columns)
    assert encoder.feature_names == (
        *("size", "gaps", "gaps missing", "same"),
        *("town missing", "town=Bern", "town=Oslo", "town=Rome"),
    )
    assert x.shape == (40, 8) and x.dtype == np.float32
    np.testing.assert_allclose(x[:, :2].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(x[:, :2].std(0), 1, rtol=1e-6)
    assert np.flatnonzero(x[:, 2]).tolist() == [3, 17] and not x[:, 3].any()
    assert (x[:, 4:].sum(1) == 1).all() and encoder.unknown == {"town": 0}


def test_scikit_learn_agrees(columns):
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = np.stack([columns["size"], columns["gaps"], columns["same"]], axis=1)
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit_transform(numbers)
    onehot = OneHotEncoder(sparse_output=False).fit_transform(columns["town"][:, None])
    x = TableEncoder().fit(columns).transform(columns)
    np.testing.assert_allclose(x[:, [0, 1, 3]], scaled, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x[:, 4:], onehot)


def test_rows_held_out_do_not_change_the_encoder():
    needs_file = Path(os.environ.get("MAQUETTE_DATA", "")) / "california_housing" / "housing.csv"
    if not needs_file.is_file():
        pytest.skip("the originals of california_housing are not there: set MAQUETTE_DATA")
    data = maquette.data.load("california_housing").with_test(0.2, 0)
    fitted = TableEncoder().fit(data.train.x).to_json()
    for values in data.test.x.values():
        values[:] = values[::-1] * 1000 if values.dtype.kind == "f" else "elsewhere"
    assert TableEncoder().fit(data.train.x).to_json() == fitted


def test_an_encoder_reads_back_exactly(columns):
    encoder = TableEncoder().fit(columns)
    again = TableEncoder.from_json(encoder.to_json())
    assert again.columns == encoder.columns and again.to_json() == encoder.to_json()
    np.testing.assert_array_equal(again.transform(columns), encoder.transform(columns))
    with refuses("not a saved table encoder"):
        TableEncoder.from_json('[{"kind": "other"}]')
    with refuses("not a saved table encoder"):
        TableEncoder.from_json("{")


def test_an_unknown_text_gives_zeros_and_is_counted(columns):
    encoder = TableEncoder().fit(columns)
    rows = {name: values[:2] for name, values in columns.items()} | {"town": np.array(["Paris", "Rome"])}
    x = encoder.transform(rows)
    assert x[0, 4:].tolist() == [0, 0, 0, 0] and x[1, 4:].tolist() == [0, 0, 0, 1]
    assert encoder.unknown == {"town": 1} and encoder.text_columns == ("town",)


def test_a_gap_that_training_never_had_is_the_median_and_no_error():
    encoder = TableEncoder().fit({"a": np.array([1.0, 2, 6]), "b": np.array(["x", "x", "y"])})
    x = encoder.transform({"a": np.array([np.nan]), "b": np.array([""])})
    np.testing.assert_allclose(x, [[(2 - 3) / np.std([1, 2, 6]), 0, 0]], rtol=1e-6)
    assert encoder.unknown == {"b": 0}


def test_a_request_may_bring_lists_with_none_and_numbers_as_text():
    encoder = TableEncoder().fit({"a": np.array([1.0, 2, 6]), "b": np.array(["1", "1", "x"])})
    expected = encoder.transform({"a": np.array([np.nan, 6]), "b": np.array(["1", ""])})
    np.testing.assert_array_equal(encoder.transform({"a": [None, "6"], "b": [1, None]}), expected)
    np.testing.assert_array_equal(
        encoder.transform({"a": np.array([np.nan, 6]), "b": np.array([1.0, np.nan])}), expected
    )
    assert encoder.transform({"a": np.zeros(0), "b": np.zeros(0, "<U1")}).shape == (0, 3)


def test_what_cannot_be_fitted_is_named():
    many = np.array([str(i) for i in range(101)] * 2)
    with refuses("'code'", "101 different texts"):
        TableEncoder().fit({"code": many})
    assert TableEncoder().fit({"code": many[many != "0"]}).transform({"code": many}).shape == (202, 100)
    with refuses("'label'", "every row"):
        TableEncoder().fit({"label": np.array(["a", "b", "c"])})
    with refuses("'void'", "no value"):
        TableEncoder().fit({"void": np.full(3, np.nan)})
    with refuses("'blank'", "no value"):
        TableEncoder().fit({"blank": np.array(["", ""])})
    with refuses("'huge'", "too large"):
        TableEncoder().fit({"huge": np.array([1e308, -1e308, 1e308])})
    with refuses("'open'", "row 2", "infinity"):
        TableEncoder().fit({"open": np.array([1.0, np.inf])})
    with refuses("no row"):
        TableEncoder().fit({})


def test_what_cannot_be_transformed_is_named(columns):
    with refuses("not fitted"):
        TableEncoder().transform(columns)
    encoder = TableEncoder().fit(columns)
    with refuses("'size' is missing", "'sise'"):
        encoder.transform({"sise" if name == "size" else name: values for name, values in columns.items()})
    with refuses("'size'", "row 2", "'big'"):
        encoder.transform(columns | {"size": np.array(["1", "big"] * 20)})
    with refuses("differ in length"):
        encoder.transform(columns | {"size": np.zeros(3)})


# --- pictures -----------------------------------------------------------------------------------------------


def test_channels_are_standardised_over_many_chunks():
    x = np.random.default_rng(0).integers(0, 256, (600, 4, 5, 3)).astype(np.uint8)
    x[..., 2] = 77
    scaler = PictureScaler().fit(x)
    np.testing.assert_allclose(scaler.mean, x.mean((0, 1, 2)) / 255, rtol=1e-12)
    np.testing.assert_allclose(scaler.std[:2], x.std((0, 1, 2))[:2] / 255, rtol=1e-12)
    assert scaler.std[2] == 1
    result = scaler.transform(x)
    assert result.dtype == np.float32 and result.shape == x.shape
    np.testing.assert_allclose(result.mean((0, 1, 2), dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(result.std((0, 1, 2), dtype=np.float64)[:2], 1, rtol=1e-6)


def test_without_standardising_bytes_become_fractions():
    x = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    scaler = PictureScaler(standardise=False).fit(x)
    np.testing.assert_array_max_ulp(scaler.transform(x), x.astype(np.float32) / 255)


def test_mnist_has_the_well_known_mean_and_deviation():
    if not (Path(os.environ.get("MAQUETTE_DATA", "")) / "mnist").is_dir():
        pytest.skip("the originals of mnist are not there: set MAQUETTE_DATA")
    scaler = PictureScaler().fit(maquette.data.load("mnist").train.x)
    np.testing.assert_allclose([scaler.mean[0], scaler.std[0]], [0.1307, 0.3081], atol=5e-5)


@pytest.mark.parametrize("standardise", [True, False])
def test_a_scale_reads_back_exactly(standardise):
    x = np.random.default_rng(1).integers(0, 256, (7, 3, 3, 3)).astype(np.uint8)
    scaler = PictureScaler(standardise).fit(x)
    again = PictureScaler.from_json(scaler.to_json())
    assert again.to_json() == scaler.to_json() and again.standardise is standardise
    np.testing.assert_array_equal(again.transform(x), scaler.transform(x))
    assert json.loads(PictureScaler().to_json())["fitted"] is None


def test_wrong_pictures_are_refused():
    x = np.zeros((2, 3, 3, 1), np.uint8)
    with refuses("float64 (2, 3, 3, 1)", "uint8"):
        PictureScaler().fit(x.astype(float))
    with refuses("uint8 (3, 3, 1)"):
        PictureScaler().fit(x[0])
    with refuses("at least one"):
        PictureScaler().fit(x[:0])
    with refuses("not fitted"):
        PictureScaler().transform(x)
    with refuses("3 channels", "trained on 1"):
        PictureScaler().fit(x).transform(np.zeros((1, 3, 3, 3), np.uint8))
    with refuses("not the saved scale"):
        PictureScaler.from_json("[]")
