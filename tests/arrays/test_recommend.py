"""Ratings: reading and refusing files, splits, ids, and the metrics of errors and lists against counts by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import maquette.data
from maquette.data.dataset import Split
from maquette.data.ratings import RatingEncoder, Ratings
from maquette.data.readers.ratings import read_ratings
from maquette.errors import InputError
from maquette.tasks.recommendation import TASK
from maquette.tasks.recommendation_metrics import ScoredRatings, _cold, baselines, errors_of, of_lists, recommended

TEXT = "user,item,rating,time\nann,tea,5,3\nbob,tea,3,1\nann,7,1,2\ncy,7,4,9\n"
OPTIONS = {**TASK.options, "seed": 0}


def written(folder, text, name="ratings.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def ratings(users, items, y, **more):
    x = {"user": np.array(users), "item": np.array(items), "rating": np.array(y, "float32")}
    known = {"users": tuple(dict.fromkeys(users)), "items": tuple(dict.fromkeys(items))}
    return Ratings("toy", Split({**x, **more}, x["rating"]), **known)


# --- files ---------------------------------------------------------------------------------------------------


def test_ids_are_text_whatever_they_look_like(tmp_path):
    data = read_ratings(written(tmp_path, TEXT))
    assert data.users == ("ann", "bob", "cy") and data.items == ("tea", "7")
    assert data.train.x["item"].tolist() == ["tea", "tea", "7", "7"]
    assert data.train.y.tolist() == [5, 3, 1, 4] and data.train.y.dtype == np.float32
    assert data.train.x["time"].tolist() == [3, 1, 2, 9] and data.scale == (1, 5)
    assert data.report[0] == "4 ratings by 3 users of 2 items"


def test_other_names_dates_and_delimiters(tmp_path):
    text = "when;movieId;userId;stars\n2024-05-02;1;10;0.5\n2024-05-01 12:00:00;1;11;4\n"
    names = {"user": "userId", "item": "movieId", "rating": "stars", "time": "when"}
    data = read_ratings(written(tmp_path, text), names, 0.5, 5.0)
    assert data.users == ("10", "11") and data.scale == (0.5, 5)
    assert np.diff(data.train.x["time"]).tolist() == [-43200]


def test_parquet_ids_of_numbers_are_those_of_text(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = arrow.table({"user": [1, 2], "item": ["a", "b"], "rating": [1.0, 4.5]})
    parquet.write_table(table, tmp_path / "r.parquet")
    data = read_ratings(tmp_path / "r.parquet")
    assert data.users == ("1", "2") and data.train.y.tolist() == [1, 4.5] and "time" not in data.train.x


def test_without_ratings_every_row_is_one(tmp_path):
    data = read_ratings(written(tmp_path, "user,item\na,x\nb,x\n"), {"rating": ""})
    assert data.train.y.tolist() == [1, 1] and data.scale == (0, 1)


WRONG = {
    "no column of users": ("person,item,rating\na,x,1\n", {}, ("'user'", "inputs.user=COLUMN")),
    "no column of ratings": ("user,item,stars\na,x,1\n", {}, ("'rating'", "inputs.rating=COLUMN")),
    "no such time": (TEXT, {"names": {"time": "tiem"}}, ("'tiem'", "did you mean 'time'")),
    "no user in a row": ("user,item,rating\na,x,1\n,x,2\n", {}, ("row 2 has no user",)),
    "no rating in a row": ("user,item,rating\na,x,1\nb,x,\n", {}, ("row 2 has no rating",)),
    "NaN": ("user,item,rating\na,x,NaN\nb,x,2\n", {}, ("row 1 has no rating",)),
    "infinity": ("user,item,rating\na,x,inf\nb,x,2\n", {}, ("row 1", "infinity")),
    "text": ("user,item,rating\na,x,1\nb,x,good\n", {}, ("row 2", "'good' is not a number")),
    "above the scale": (TEXT, {"high": 4.0}, ("row 1", "5 is outside of the scale from 1 to 4")),
    "below the scale": (TEXT, {"low": 2.0}, ("row 3", "1 is outside of the scale from 2 to 5")),
    "a pair twice": ("user,item,rating\na,x,1\nb,x,2\na,x,3\n", {}, ("row 3", "'x'", "'a'", "after row 1")),
    "all alike": ("user,item,rating\na,x,3\nb,x,3\n", {}, ("every rating is 3", "inputs.low")),
    "time that is none": ("user,item,rating,time\na,x,1,noon\nb,x,2,late\n", {}, ("'time'", "2024-05-31")),
    "no row": ("user,item,rating\n", {}, ("no row",)),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_refused_by_name(case, tmp_path):
    text, how, words = WRONG[case]
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_ratings(path, **how)
    line = str(error.value)
    assert "\n" not in line and line.startswith(str(path))
    assert all(word in line for word in words), line


def test_pairs_to_predict_say_what_is_unknown(tmp_path):
    encoder = RatingEncoder("who", "what").fit(ratings(["a", "b"], ["x", "y"], [1, 2]).train.x)
    path = written(tmp_path, "who,what\na,y\nzoe,x\nb,new\nzoe,new\n")
    split = TASK.read_inputs([path], encoder, (2,))
    assert encoder.transform(split.x).tolist() == [[1, 2], [0, 1], [2, 0], [0, 0]]
    rows = TASK.answers(split, np.array([1.0, 2, 3, 4]), None)
    assert [row["note"] for row in rows] == ["", "unknown user", "unknown item", "no training rating of either"]
    assert rows[1]["input"] == f"{path}:2" and rows[1]["user"] == "zoe" and rows[1]["rating"] == 2
    with pytest.raises(InputError, match=r"inputs\.item"):
        TASK.read_inputs([written(tmp_path, "who,that\na,y\n", "other.csv")], encoder, (2,))


# --- ids -----------------------------------------------------------------------------------------------------


def test_an_encoder_comes_back_from_its_text():
    data = ratings(["a", "b", "a"], ["x", "x", "z"], [1, 2, 5])
    encoder = RatingEncoder("who", "what").fit(data.train.x)
    again = RatingEncoder.from_json(encoder.to_json())
    asked = {"user": np.array(["b", "nobody"]), "item": np.array(["z", "x"])}
    for one in (encoder, again):
        assert one.transform(asked).tolist() == [[2, 2], [0, 1]] and one.names == ("who", "what")
        items, values = one.history(1)
        assert items.tolist() == [1, 2] and values.tolist() == [1, 5]
        assert not len(one.history(0)[0])
    with pytest.raises(InputError, match="not a saved encoder"):
        RatingEncoder.from_json("{}")


# --- splits --------------------------------------------------------------------------------------------------


def timed(random, count=40):
    pairs = random.permutation(list(itertools.product(range(8), range(10))))[:count]
    users, items = ([f"{name}{i}" for i in column] for name, column in zip("ui", pairs.T))
    return ratings(users, items, random.integers(1, 6, count), time=random.permutation(count) * 1.0)


def test_by_time_everything_held_out_is_later(random):
    data = TASK.adapt(timed(random), {**OPTIONS, "split": "time"}).with_test(0.25).with_validation(0.2)
    ends = [(part.x["time"].min(), part.x["time"].max()) for part in (data.train, data.validation, data.test)]
    assert ends[0][1] < ends[1][0] and ends[1][1] < ends[2][0]
    assert [len(part) for part in (data.train, data.validation, data.test)] == [24, 6, 10]


def test_leave_one_out_takes_the_latest_of_everyone_with_two(random):
    data = timed(random)
    lonely = {u for u in data.users if (data.train.x["user"] == u).sum() == 1}
    left = TASK.adapt(data, {**OPTIONS, "split": "leave-one-out"}).with_test(0.2)
    assert sorted(left.test.x["user"].tolist()) == sorted(set(data.users) - lonely)
    for user, time in zip(left.test.x["user"], left.test.x["time"]):
        assert (left.train.x["time"][left.train.x["user"] == user] < time).all()
    assert len(left.train) + len(left.test) == 40


def test_the_published_folds_are_disjoint_and_complete(original):
    data = original("movielens_100k")
    found = [TASK.adapt(data, {**OPTIONS, "seed": seed}) for seed in range(6)]
    assert [len(fold.test) for fold in found] == [20_000] * 6 and found[0].test.y.sum() == found[5].test.y.sum()
    held = [set(zip(fold.test.x["user"].tolist(), fold.test.x["item"].tolist())) for fold in found[:5]]
    assert len(set.union(*held)) == 100_000
    chosen = TASK.adapt(data, {**OPTIONS, "fold": 2, "seed": 4})
    assert set(zip(chosen.test.x["user"].tolist(), chosen.test.x["item"].tolist())) == held[1]
    assert np.bincount(data.train.y.astype(int)).tolist() == [0, 6110, 11370, 27145, 34174, 21201]
    assert len(data.users) == 943 and len(set(data.items)) == 1682 and "Star Wars (1977)" in data.items


def test_wrong_splits_are_refused(random):
    data = timed(random)
    untimed = ratings(["a", "b"], ["x", "y"], [1, 2])
    for dataset, options, words in (
        (data, {"split": "tiem"}, "inputs.split=tiem.*time"),
        (data, {"fold": 3}, "inputs.fold=3.*no folds"),
        (data, {"top": 0}, "inputs.top=0"),
        (replace(data, folds=np.ones(40, int)), {"fold": 9}, "inputs.fold=9.*folds 1 to 1"),
        (untimed, {"split": "time"}, "toy has no time"),
        (maquette.data.load("xor"), {}, "xor holds no ratings"),
    ):
        with pytest.raises(InputError, match=words):
            TASK.adapt(dataset, {**OPTIONS, **options}).with_test(0.5)


# --- metrics -------------------------------------------------------------------------------------------------


def test_means_against_sums_by_hand():
    train = ratings(["a", "a", "b"], ["x", "y", "x"], [1, 5, 3]).train
    test = ratings(["a", "b", "new", "b"], ["x", "y", "x", "unseen"], [2, 4, 3, 1]).train
    guesses = {
        "mean of all": [3, 3, 3, 3],
        "mean of the user": [3, 3, 3, 3],
        "mean of the item": [2, 5, 2, 3],
        # What the items leave: a 1 - 2 and 5 - 5, mean -0.5; b 3 - 2.
        "item and user": [1.5, 6, 2, 4],
    }
    for row in baselines(train, test):
        gap = np.array([2, 4, 3, 1]) - guesses[row["rating"]]
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean(gap**2))) and row["mae"] == pytest.approx(
            np.abs(gap).mean()
        )
        assert row["rmse_low"] <= row["rmse"] <= row["rmse_high"]


def test_a_list_holds_what_was_not_rated_best_first():
    encoder = RatingEncoder().fit(ratings(["a", "a", "b"], ["x", "y", "z"], [1, 2, 3]).train.x)
    scores = np.array([[9, 0, 0, 3, 9], [9, 2, 5, 7, 9.0]])  # columns: an unknown item, x, y, z, one nobody rated
    found = recommended(lambda users: scores[users - 1], np.array([1, 2]), encoder, 2)
    assert found.tolist() == [[3, 0], [2, 1]]


def test_lists_against_counts_by_hand():
    lists, liked = np.array([[3, 1, 0], [2, 4, 5]]), [np.array([1, 9]), np.array([2, 4])]
    found = {name: measure.value for name, measure in of_lists(lists, liked, 10).items()}
    discount = 1 / np.log2([2, 3, 4])
    best = discount[:2].sum()
    assert found == pytest.approx(
        {
            **{"precision@3": (1 / 3 + 2 / 3) / 2, "recall@3": (1 / 2 + 1) / 2},
            **{"ndcg@3": (discount[1] / best + 1) / 2, "coverage": 0.5},
        }
    )


def test_the_error_of_the_unknown_is_told_apart():
    pairs = np.array([[1, 1], [1, 0], [0, 2], [0, 0], [2, 2]])
    rows = {row["known"]: (row["ratings"], row["rmse"]) for row in _cold(pairs, np.array([3.0, 1, 2, 5, 4]))}
    assert rows["user and item"] == (2, pytest.approx(np.sqrt(12.5)))
    assert rows["user alone"] == (1, 1) and rows["item alone"] == (1, 2) and rows["neither"] == (1, 5)


def test_the_figures_tell_what_was_counted():
    data = TASK.adapt(maquette.data.load("tastes"), OPTIONS).with_test(0.2)
    encoder = RatingEncoder().fit(data.train.x)
    outputs = np.full(len(data.test), 3.0)
    measures = errors_of(data.test.y - outputs)
    row = {"rating": "the model", **{f"rmse{end}": v for end, v in zip(("", "_low", "_high"), measures["rmse"])}}
    tables = {"beside means": [row, *baselines(data.train, data.test)]}
    counts = np.bincount(encoder.rated[:, 1])
    lists = np.repeat(np.argsort(-counts)[np.newaxis, :4], 3, axis=0)
    scored = ScoredRatings(data.test, outputs, measures, tables, None, lists, encoder)
    figures = {figure.name: figure for figure in TASK.figures(scored, data)}
    assert list(figures) == ["beside-means", "residuals", "error-by-count", "popularity"]
    assert "100 % is among the tenth" in figures["popularity"].caption
    assert all("<svg" in figure.svg for figure in figures.values())
