"""`maquette recommend`, `similar` and `predict` of a run on the user's own ratings, and one line for what is wrong."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import maquette
from tests.test_bad_input import refused

pytest_plugins = ["tests.commands"]
# Keras's own writer of model files, which hands its variables to NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="session")
def rated():
    """(user, item) -> rating of 12 users and 9 items, each user with seven of them."""
    random = np.random.default_rng(0)
    return {
        (f"u{u}", f"film {i}"): 1 + int((u + i) % 2 * 3 + random.integers(0, 2))
        for u in range(12)
        for i in random.permutation(9)[:7]
    }


@pytest.fixture(scope="session")
def recommender(tmp_path_factory, rated):
    folder = tmp_path_factory.mktemp("ratings")
    lines = ["who,film,stars", *(f"{user},{item},{rating}" for (user, item), rating in rated.items())]
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    settings = {"epochs": 2, "model.factors": 3, "test": 0.1}
    settings |= {"inputs.user": "who", "inputs.item": "film", "inputs.rating": "stars"}
    run = maquette.train(
        "matrix_factorization", str(folder / "ratings.csv"), settings, out=folder / "run", style="quiet"
    )
    assert {"test_rmse", "test_mae", "test_ndcg@10", "test_coverage"} <= set(run.result["metrics"])
    assert run.result["tables"]["beside means"][0]["rating"] == "the model"
    return run.folder


def test_what_is_recommended_was_not_rated_and_has_reasons_that_were(command, recommender, rated):
    told = command("recommend", recommender, "u3", "--json")
    assert told.status == 0 and told.err == ""
    found = json.loads(told.out)
    assert found["fallback"] == "" and found["user"] == "u3"
    ratings = [item["rating"] for item in found["items"]]
    assert ratings == sorted(ratings, reverse=True) and min(ratings) >= 1 and max(ratings) <= 5
    held_out = 7 - found["rated"]
    assert len(found["items"]) == 2 + held_out
    own = [rating for (user, _), rating in rated.items() if user == "u3"]
    for item in found["items"]:
        assert len(item["because"]) == 2
        for reason in item["because"]:
            assert rated["u3", reason["item"]] == reason["rating"] >= min(own) and -1 <= reason["similarity"] <= 1
    table = command("recommend", recommender, "u3", "--top", 1)
    assert table.status == 0 and found["items"][0]["item"] in table.out and "because" in table.out


def test_a_stranger_gets_the_items_rated_most_often(command, recommender):
    found = json.loads(command("recommend", recommender, "nobody", "--top", 9, "--json").out)
    assert "'nobody' has no training rating" in found["fallback"] and found["rated"] == 0
    similar = [json.loads(line) for line in command("similar", recommender, "film 0", "--json").out.splitlines()]
    counts = {row["item"]: row["ratings"] for row in similar}
    offered = [counts[item["item"]] for item in found["items"] if item["item"] in counts]
    assert len(found["items"]) == 9 and offered == sorted(offered, reverse=True)
    assert "has no training rating" in command("recommend", recommender, "nobody").out


def test_likeness_is_the_cosine_of_the_models_vectors(command, recommender):
    run = maquette.Run.open(recommender)
    vectors = np.array(run.model.item_vectors())[1:]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = dict(zip(run.encoder.items, vectors @ vectors[run.encoder.items.index("film 4")]))
    rows = maquette.similar(recommender, "film 4", top=20)
    assert [row["rank"] for row in rows] == list(range(1, 9)) and "film 4" not in {row["item"] for row in rows}
    assert [row["item"] for row in rows] == sorted((i for i in cosine if i != "film 4"), key=lambda i: -cosine[i])
    assert [row["similarity"] for row in rows] == pytest.approx([cosine[row["item"]] for row in rows], abs=1e-5)


def test_pairs_are_predicted_and_strangers_noted(command, recommender, tmp_path):
    (tmp_path / "pairs.csv").write_text("film,who\nfilm 1,u0\nfilm 1,nobody\nnothing,u0\n")
    assert command("predict", recommender, tmp_path / "pairs.csv", "--out", tmp_path / "out.csv").status == 0
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["note"] for row in rows] == ["", "unknown user", "unknown item"]
    assert all(1 <= float(row["rating"]) <= 5 for row in rows)


WRONG = {
    "an item": (["similar", "{run}", "film 44"], "film 44", "did you mean"),
    "a top of none": (["recommend", "{run}", "u1", "--top", "0"], "--top", "greater than or equal to 1"),
    "no run": (["recommend", "nowhere", "u1"], "nowhere", "maquette train"),
    "a split": (["train", "svdpp", "--data", "{data}", "--set", "inputs.split=times"], "inputs.split=times", "'time'"),
    "a fold": (["train", "svdpp", "--data", "tastes", "--set", "inputs.fold=2"], "inputs.fold=2", "no folds"),
    "data without ratings": (["train", "svdpp", "--data", "digits"], "svdpp", "recommendation", "digits"),
    "a column": (["train", "svdpp", "--data", "{data}"], "no column 'user'", "inputs.user=COLUMN"),
    "a rating off the scale": (
        ["train", "svdpp", "--data", "{high}", "--set", "inputs.high=5"],
        "row 2",
        "7 is outside",
    ),
    "a pair twice": (["train", "svdpp", "--data", "{twice}"], "row 3 rates item 'tea' by user 'ann' again after row 1"),
    "a user with no id": (["train", "svdpp", "--data", "{nameless}"], "row 2 has no user"),
    "a rule": (["train", "rating_rbm", "--data", "tastes", "--set", "model.prediction=mode"], "model.prediction=mode"),
    "levels": (["train", "rating_rbm", "--data", "tastes", "--set", "model.step=0.1"], "levels", "model.step"),
}


FILES = {
    "high": "ann,tea,5\nbob,tea,7\n",
    "twice": "ann,tea,5\nbob,tea,4\nann,tea,1\n",
    "nameless": "ann,tea,5\n,tea,1\n",
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case, command, recommender, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line, *named = WRONG[case]
    places = {"run": recommender, "data": Path(recommender).parent / "ratings.csv"}
    for name, rows in FILES.items():
        places[name] = tmp_path / f"{name}.csv"
        places[name].write_text("user,item,rating\n" + rows)
    words = [word.format(**places) for word in line]
    if case == "a split":
        words += [part for key in ("user=who", "item=film", "rating=stars") for part in ("--set", f"inputs.{key}")]
    refused(command(*words), *named)
