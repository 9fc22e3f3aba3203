"""The figures of the reports: what they say is what was measured, at every size and for odd data."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from maquette.data.dataset import Dataset, Split
from maquette.tasks import classification_figures, clustering, density, image_classification, tabular_regression
from maquette.tasks.curves import learning_curves, thinned
from maquette.tasks.figure import INK, Figure, label, pictures, pictures_height
from maquette.tasks.task import Scored

SVG = "{http://www.w3.org/2000/svg}"


def texts(figure: Figure) -> list[str]:
    """The words and numbers in a drawing, which also has to be well-formed and take the page's colour."""
    root = ElementTree.fromstring(figure.svg)
    assert root.tag == f"{SVG}svg" and root.attrib["fill"] == "currentColor"
    assert root.attrib["role"] == "img" and root.attrib["aria-label"] == figure.title
    assert INK not in figure.svg and "<script" not in figure.svg and "<metadata" not in figure.svg
    assert len(figure.svg) < 300_000, f"{figure.name} has {len(figure.svg)} characters"
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(set(ids)) == len(ids) and all(one.startswith(f"{figure.name}-") for one in ids)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', figure.svg))
    assert used <= set(ids)
    return ["".join(element.itertext()).strip() for element in root.iter(f"{SVG}text")]


def images(figure: Figure) -> int:
    return sum(1 for _ in ElementTree.fromstring(figure.svg).iter(f"{SVG}image"))


def classified(truth, outputs, classes, x=None) -> tuple[Scored, Dataset]:
    x = {"a": np.zeros(len(truth))} if x is None else x
    split = Split(x, np.asarray(truth, "int32"))
    dataset = Dataset("made", split, classes=tuple(classes))
    return image_classification.TASK.score(None, split, np.asarray(outputs, "float64"), dataset), dataset


def random_answers(classes: int, items: int, pictures: tuple[int, ...] | None = None):
    random = np.random.default_rng(classes)
    truth = random.integers(0, classes, items)
    scores = random.normal(size=(items, classes))
    scores[np.arange(items), truth] += 2
    p = np.exp(scores)
    x = random.integers(0, 256, (items, *pictures)).astype("uint8") if pictures else None
    return classified(truth, p / p.sum(axis=1, keepdims=True), [f"k{i}" for i in range(classes)], x)


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


@pytest.mark.parametrize("classes", [2, 10, 30])
def test_confusion_matrix_shows_every_count(classes):
    scored, dataset = random_answers(classes, 40 * classes)
    figure = by_name(classification_figures.draw(scored, dataset))["confusion"]
    truth, answer = scored.split.y, scored.outputs.argmax(axis=1)
    counts = [int(((truth == i) & (answer == j)).sum()) for i in range(classes) for j in range(classes)]
    shown = texts(figure)
    for count in set(counts) - {0}:
        # Class names are k0, k1, …, so every bare number is a cell.
        assert shown.count(str(count)) == counts.count(count)
    assert shown.count("k1") == 2
    assert f"{sum(truth == answer)} of {len(truth)} items" in figure.caption


def test_many_classes_become_their_most_confused_pairs():
    classes = 100
    truth = np.repeat(np.arange(classes), 3)
    answer = truth.copy()
    answer[:3] = 7  # all of class 0
    answer[3] = 9  # one of class 1
    scored, dataset = classified(truth, np.eye(classes)[answer], [f"k{i}" for i in range(classes)])
    figure = by_name(classification_figures.draw(scored, dataset))["confusion"]
    shown = texts(figure)
    assert [t for t in shown if "→" in t] == ["k0 → k7", "k1 → k9"]
    assert [t for t in shown if t.isdigit()] == ["3", "1"]
    assert "4 of 300 items are wrong" in figure.caption


def test_no_mistake_among_many_classes_is_said():
    truth = np.arange(40)
    scored, dataset = classified(truth, np.eye(40), [f"k{i}" for i in range(40)])
    assert "no item was answered wrong" in texts(by_name(classification_figures.draw(scored, dataset))["confusion"])


def test_reliability_states_the_measured_calibration_error():
    scored, dataset = random_answers(5, 300)
    figure = by_name(classification_figures.draw(scored, dataset))["reliability"]
    texts(figure)
    confidence, right = scored.outputs.max(axis=1), scored.outputs.argmax(axis=1) == scored.split.y
    error = 0.0  # summed bin by bin, as the equation has it
    for b in range(15):
        inside = (confidence >= b / 15) & (confidence < (b + 1) / 15)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert f"{error:.4f}" in figure.caption


@pytest.mark.parametrize("channels", [1, 3])
def test_gallery_has_the_greatest_losses_first(channels):
    truth = [0, 1, 2, 0]
    outputs = [[0.1, 0.3, 0.6], [0.05, 0.9, 0.05], [0.01, 0.97, 0.02], [0.9, 0.06, 0.04]]
    x = np.arange(4 * 6 * 5 * channels, dtype="uint8").reshape(4, 6, 5, channels)
    scored, dataset = classified(truth, outputs, "abc", x)
    figures = by_name(classification_figures.draw(scored, dataset))
    assert texts(figures["wrongest"]) == ["c", "→ b 97 %", "a", "→ c 60 %"]
    assert images(figures["wrongest"]) == 2
    assert texts(figures["first-answers"]) == ["a", "→ c 60 %", "b", "✓ b 90 %", "c", "→ b 97 %", "a", "✓ a 90 %"]


def test_gallery_without_a_mistake_shows_the_least_sure():
    outputs = [[0.8, 0.2], [0.4, 0.6]]
    scored, dataset = classified([0, 1], outputs, "ab", np.zeros((2, 4, 4, 1), "uint8"))
    figure = by_name(classification_figures.draw(scored, dataset))["wrongest"]
    assert texts(figure) == ["b", "✓ b 60 %", "a", "✓ a 80 %"]
    assert "No picture was answered wrong" in figure.caption


def test_large_colour_pictures_stay_small_files():
    scored, dataset = random_answers(6, 60, (224, 224, 3))  # noise, which no PNG compresses
    for figure in classification_figures.draw(scored, dataset):
        texts(figure)


@pytest.mark.parametrize("classes", [("<script>", "a & b"), ("$x$", "$\\foo$"), ("数字", "\x01\x02"), ("x" * 300, "y")])
def test_names_of_classes_are_only_words(classes):
    x = np.zeros((3, 4, 4, 1), "uint8")
    scored, dataset = classified([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], classes, x)
    for figure in classification_figures.draw(scored, dataset):
        shown = texts(figure)
        if figure.name == "confusion":
            assert label(classes[0]).replace("\\$", "$") in shown


def test_one_item_and_a_class_without_items():
    scored, dataset = classified([2], [[0.2, 0.3, 0.5]], "abc", np.full((1, 3, 3, 1), 9, "uint8"))
    figures = by_name(classification_figures.draw(scored, dataset))
    assert len(figures) == 4
    assert "1" in texts(figures["confusion"])
    for figure in figures.values():
        texts(figure)


def regressed(truth, prediction) -> list[Figure]:
    split = Split({"a": np.zeros(len(truth))}, np.asarray(truth, "float32"))
    dataset = Dataset("made", split, target="price in $")
    scored = tabular_regression.TASK.score(None, split, np.asarray(prediction, "float64"), dataset)
    return tabular_regression.TASK.figures(scored, dataset)


@pytest.mark.parametrize("items", [1, 2, 500, 20_000])
def test_regression_figures_state_what_was_measured(items):
    random = np.random.default_rng(items)
    truth = random.normal(50, 10, items).astype("float32").astype("float64")
    prediction = truth + random.normal(1, 4, items)
    figures = by_name(regressed(truth, prediction))
    shown = texts(figures["predicted"])
    assert "actual price in $" in shown and "predicted price in $" in shown
    rmse = np.sqrt(np.mean((truth - prediction) ** 2))
    r2 = 1 - np.mean((truth - prediction) ** 2) / truth.var() if items > 1 else None
    assert f"RMSE {rmse:.4g}" + (f", R² {r2:.3f}" if items > 1 else "") in shown
    texts(figures["residuals"])
    assert f"Mean residual {np.mean(truth - prediction):.4g}" in figures["residuals"].caption
    assert (f"{items:,} items" if items > 1 else "1 item.") in figures["predicted"].caption


def test_exact_prediction_of_a_constant():
    for figure in regressed(np.full(5, 3.0), np.full(5, 3.0)):
        texts(figure)


def test_learning_curves_one_per_metric_with_its_last_value():
    history = [
        {"epoch": e, "accuracy": 1 - 0.5 / e, "loss": 2.0**-e, "val_loss": 1.5 * 2.0**-e, "seconds": 0.1 * e}
        for e in range(1, 9)
    ]
    figures = learning_curves(history)
    assert [figure.name for figure in figures] == ["curve-loss", "curve-accuracy"]
    loss = texts(figures[0])
    assert "training" in loss and "validation" in loss
    assert f"Training {2.0**-8:.4g} at the end" in figures[0].caption
    assert f"validation {1.5 * 2.0**-8:.4g} at the end" in figures[0].caption
    assert {"0.01", "0.1"} <= set(loss), "a loss over more than a decade has a logarithmic axis"
    assert "validation" not in texts(figures[1])


def test_learning_curves_of_negative_constant_and_single_values():
    for values in ([-3.0, -1.0, 4.0], [0.0, 0.0], [2.5]):
        (figure,) = learning_curves([{"epoch": i + 1, "loss": v, "seconds": i} for i, v in enumerate(values)])
        texts(figure)
    assert learning_curves([]) == []


def test_a_long_run_stays_small_and_keeps_its_peaks():
    values = np.exp(-np.arange(50_000) / 9000)
    values[31_415] = 77.0
    (figure,) = learning_curves([{"epoch": i + 1, "loss": float(v)} for i, v in enumerate(values)])
    texts(figure)
    assert len(figure.svg) < 40_000
    x, y = thinned(np.arange(50_000.0), values)
    assert len(x) <= 402 and 77.0 in y and x[0] == 0 and x[-1] == 49_999
    assert (np.diff(x) > 0).all() and np.array_equal(values[x.astype(int)], y)


def test_groups_name_the_class_that_prevails():
    x = np.zeros((6, 4, 4, 1), "uint8")
    split = Split(x, np.array([0, 0, 1, 1, 1, 1], "int32"))
    dataset = Dataset("made", split, classes=("cat", "dog"))
    groups = np.array([3, 3, 3, 8, 8, 8])
    scored = clustering.TASK.score(None, split, groups, dataset)
    figures = by_name(clustering.TASK.figures(scored, dataset))
    assert texts(figures["groups"]) == ["3: 3 items", "67 % cat", "8: 3 items", "100 % dog"]
    cells = [t for t in texts(figures["classes-in-groups"]) if t in {"1", "2"}]
    assert sorted(cells) == ["1", "2"]
    assert {"3", "8"} <= set(texts(figures["classes-in-groups"]))


def test_density_of_pictures_pairs_originals_with_reconstructions():
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (25, 5, 5, 1)).astype("uint8")
    split = Split(x, np.zeros(25, "int32"))
    scored = Scored(split, x / 255, {}, samples=random.random((60, 5, 5, 1)))
    figures = by_name(density.TASK.figures(scored, Dataset("made", split)))
    assert images(figures["samples"]) == 60
    assert images(figures["reconstructions"]) == 40  # two rows of ten originals and two of reconstructions
    found = re.findall(r"base64,\s*([^\"]+)", figures["reconstructions"].svg)
    assert found[:10] == found[10:20] and found[20:30] == found[30:40] and found[0] != found[1]


def test_density_of_points_states_the_modes():
    random = np.random.default_rng(0)
    y = np.arange(900) % 3
    x = (np.array([[0, 0], [9, 0], [0, 9]])[y] + random.normal(0, 0.1, (900, 2))).astype("float32")
    split = Split(x, y.astype("int32"))
    samples = x[y == 1] + 0.01
    scored = Scored(split, np.zeros(900), density.modes(samples, x, y), samples=samples)
    (figure,) = density.TASK.figures(scored, Dataset("made", split))
    assert "1 of 3 modes are reached" in figure.caption
    assert {"data", "generated"} <= set(texts(figure))


def test_pictures_fit_their_canvas():
    x = np.zeros((7, 10, 20, 3), "uint8")
    assert pictures_height(x, 4, 0, width=4.24) == pytest.approx(2 * (0.5 + 0.08))

    from maquette.tasks.figure import canvas, finish

    picture, axes = canvas(4.24, pictures_height(x, 4, 0, width=4.24))
    pictures(axes, x, 4)
    assert images(finish(picture, "p", "P", "Pictures.")) == 7
    assert axes.get_xlim() == pytest.approx((0, 4.24)) and axes.get_ylim() == pytest.approx((1.16, 0))
