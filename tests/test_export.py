"""Exported models answer as the run does, also where Maquette and Keras are not, and a wrong file is never kept."""

import csv
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maquette import assembly, settings
from maquette.errors import InputError
from maquette.run import Run
from maquette.verbs import _export_worker, doctor, export, predict, train

# Keras hands its variables to NumPy, when it saves a model on JAX, in a way that NumPy is giving up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

BACKEND = os.environ.get("KERAS_BACKEND", "jax")

# Page and settings of each kind of answer: probabilities, numbers, reconstructions, groups.
SMALL = {
    "mlp-wine": ("mlp", "wine", {"model.hidden_units": (8,)}),
    "mlp-diabetes": ("mlp", "diabetes", {"model.hidden_units": (8,)}),
    "linear_regression": ("linear_regression", "diabetes", {}),
    "softmax_regression": ("softmax_regression", "digits", {}),
    "lenet5-1998": ("lenet5", "digits", {"inputs.size": 28, "model.style": "1998"}),
    "lenet5-modern": ("lenet5", "digits", {"inputs.size": 28, "model.style": "modern"}),
    "mnist_cnn": ("mnist_cnn", "digits", {"model.filters": (4, 8), "model.hidden_units": 16}),
    "bernoulli_rbm": ("bernoulli_rbm", "digits", {"model.hidden_units": 6, "model.chains": 8}),
    "kmeans": ("kmeans", "digits", {"model.clusters": 5}),
}

# What a format cannot hold: (case, format) -> the operation that it lacks.
LACKING = {("lenet5-1998", "openvino"): "aten::ravel"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """trained(name, data, values) -> the folder of a run of one epoch, made once."""
    made = {}

    def run(name, data, values):
        key = (name, str(data), str(values))
        if key not in made:
            folder = tmp_path_factory.mktemp("runs") / "run"
            recipe = settings.resolve(name, str(data), {"epochs": 1, **values})
            made[key] = train.run_recipe(recipe, BACKEND, folder, report=False).folder
        return made[key]

    return run


@pytest.fixture(scope="module")
def pictures(trained):
    return trained(*SMALL["softmax_regression"])


@pytest.fixture
def written_by(tmp_path_factory):
    """written_by(folder, form) -> a copy that counts as trained on the format's backend: one process less to start."""

    def copy(folder, form):
        run = Run(Path(shutil.copytree(folder, tmp_path_factory.mktemp("copies") / "run")))
        run.save_recipe(run.recipe, export.FORMATS[form].backend)
        return run.folder

    return copy


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV of 60 rows with a column of numbers, one with gaps, one of text, and a target far from zero."""
    random, path = np.random.default_rng(3), tmp_path_factory.mktemp("table") / "houses.csv"
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["area", "age", "kind", "price"])
        for i in range(60):
            area, age, kind = random.uniform(30, 200), random.integers(0, 90), ("flat", "house", "")[i % 3]
            rows.writerow([f"{area:.2f}", "" if i % 7 == 0 else age, kind, f"{5000 + 900 * area - 40 * age:.1f}"])
    return path


def needs(form):
    lacking = [name for name in (export.FORMATS[form].backend, *export.FORMATS[form].packages) if not find_spec(name)]
    if lacking:
        pytest.skip(f"{form} needs {', '.join(lacking)}")


def described(artefact):
    return json.loads((artefact.parent / "model.json").read_text(encoding="utf-8"))


# Knows nothing but model.json and the artefact: (folder, raw files) -> the outputs as JSON.
ALONE = """
import csv, json, pathlib, sys
import numpy as np, onnxruntime
folder, raw = pathlib.Path(sys.argv[1]), sys.argv[2:]
told = json.loads((folder / "model.json").read_text())
how = told["preprocessing"]

def picture(path):
    from PIL import Image
    image = Image.open(path).convert("L" if how["channels"] == 1 else "RGB")
    image = image.resize((how["width"], how["height"]), Image.Resampling.BILINEAR)
    value = np.asarray(image, "float32").reshape(how["height"], how["width"], how["channels"]) / 255
    return (value - np.float32(how["mean"])) / np.float32(how["std"])

def row(cells):
    values = []
    for column in how["columns"]:
        cell = cells[column["name"]]
        if column["kind"] == "text":
            values += [float(cell == category) for category in column["categories"]]
            continue
        x = float(cell) if cell else column["median"]
        values += [(x - column["mean"]) / column["std"]] + [float(not cell)] * column["gaps"]
    return np.array(values)

if how["kind"] == "picture":
    x = [picture(path) for path in raw]
else:
    x = [row(cells) for path in raw for cells in csv.DictReader(open(path, newline=""))]
x = np.stack(x).astype(told["input"]["dtype"])
session = onnxruntime.InferenceSession(folder / told["file"])
(y,) = session.run([told["output"]["name"]], {told["input"]["name"]: x})
scale = told["output"].get("scale")
y = y * scale["deviation"] + scale["mean"] if scale else y
assert not {"maquette", "keras", "tensorflow", "jax", "torch"} & set(sys.modules)
print(json.dumps(y.tolist()))
"""


def alone(artefact, *raw):
    command = [sys.executable, "-I", "-W", "ignore", "-c", ALONE, str(artefact.parent), *map(str, raw)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout))


def test_a_picture_is_classified_without_maquette(pictures, tmp_path):
    needs("onnx")
    artefact = export.export(pictures, "onnx", tmp_path / "out")
    random, files = np.random.default_rng(1), [tmp_path / f"{i}.png" for i in range(3)]
    for file, size in zip(files, ((8, 8, 3), (21, 13, 3), (40, 40, 3)), strict=True):
        Image.fromarray(random.integers(0, 256, size, "uint8")).save(file)
    probabilities, told = alone(artefact, *files), described(artefact)["output"]
    for p, answer in zip(probabilities, predict.predict(pictures, files), strict=True):
        assert told["classes"][p.argmax()] == answer["class"]
        assert p.max() == pytest.approx(answer["probability"], abs=1e-4)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_row_is_predicted_without_maquette_in_the_unit_of_the_target(trained, table, written_by):
    needs("onnx")
    run = trained("mlp", table, {"inputs.target": "price", "task": "tabular-regression", "model.hidden_units": (4,)})
    copy = written_by(run, "onnx")
    artefact = export.export(copy)
    assert artefact == copy / "export" / "onnx" / "model.onnx"
    assert described(artefact)["parity"]["inputs"] == "5 items of the test split of houses"
    expected = [answer["price"] for answer in predict.predict(run, [table])]
    assert len(expected) == 60
    assert alone(artefact, table)[:, 0] == pytest.approx(expected, rel=1e-5)


def test_a_saved_model_says_what_it_predicts(trained, written_by):
    needs("saved_model")
    run = written_by(trained(*SMALL["linear_regression"]), "saved_model")
    artefact = export.export(run, "saved_model")
    told = described(artefact)
    assert (artefact / "saved_model.pb").is_file()
    assert max(told["parity"]["max_abs_difference"].values()) < export.TOLERANCE
    assert told["output"]["target"] == "progression"
    assert told["output"]["scale"] == Run.open(run).pipeline["target_scale"]


def test_a_lite_model_reconstructs_like_the_machine(trained, written_by):
    needs("litert")
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    folder = trained(*SMALL["bernoulli_rbm"])
    artefact = export.export(written_by(folder, "litert"), "litert")
    machine = Run.open(folder).model
    weights, b, c = (np.asarray(w, "float64") for w in (machine.W, machine.b, machine.c))
    x = np.random.default_rng(0).uniform(size=(3, 8, 8, 1)).astype("float32")
    hidden = 1 / (1 + np.exp(-(x.reshape(3, -1) @ weights + c)))
    wanted = (1 / (1 + np.exp(-(hidden @ weights.T + b)))).reshape(x.shape)
    answer = interpreter.Interpreter(str(artefact)).get_signature_runner()(input=x)["output"]
    assert answer == pytest.approx(wanted, abs=1e-5)
    assert described(artefact)["output"]["meaning"] == "reconstruction of the input"


# OpenVINO forks when it is imported, which a process that runs JAX must not do.
OPENVINO = """
import json, sys
import numpy as np, openvino
compiled = openvino.Core().compile_model(sys.argv[1], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
x = np.random.default_rng(0).normal(size=(7, 8, 8, 1)).astype("float32")
print(json.dumps(compiled({"input": x})["output"].tolist()))
"""


def test_openvino_answers_any_batch(pictures, written_by, tmp_path):
    needs("openvino")
    artefact = export.export(written_by(pictures, "openvino"), "openvino", tmp_path / "out")
    command, environment = [sys.executable, "-W", "ignore", "-c", OPENVINO, str(artefact)], {**os.environ, "CI": "true"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    x = np.random.default_rng(0).normal(size=(7, 8, 8, 1)).astype("float32")
    kernel, bias = (np.asarray(w, "float64") for w in Run.open(pictures).model.get_weights())
    z = np.exp(x.reshape(7, -1) @ kernel + bias)
    assert np.array(json.loads(done.stdout)) == pytest.approx(z / z.sum(axis=1, keepdims=True), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", list(export.FORMATS))
@pytest.mark.parametrize("name", list(SMALL))
def test_every_kind_of_model_keeps_its_answers(name, form, trained, tmp_path):
    needs(form)
    if (name, form) in LACKING:
        with pytest.raises(InputError, match=f"has no {LACKING[name, form]}, which the model uses"):
            export.export(trained(*SMALL[name]), form, tmp_path / "out")
        return
    artefact = export.export(trained(*SMALL[name]), form, tmp_path / "out")
    told = described(artefact)
    assert artefact.exists() and told["input"]["shape"][0] is None and told["output"]["shape"][0] is None
    assert set(told["parity"]["max_abs_difference"]) == {"1", "5"}
    assert max(told["parity"]["max_abs_difference"].values()) < export.TOLERANCE


def tampered(patch):
    """The worker with `patch` run before it: source that sees its module as `worker`."""
    return ("-c", f"import sys\nimport maquette.verbs._export_worker as worker\n{patch}\nworker.main(*sys.argv[1:])")


def test_a_run_in_mixed_precision_is_exported_in_float32(trained):
    import keras

    folder = trained("mlp", "digits", {"model.hidden_units": (32,), "precision": "mixed_bfloat16"})
    run = Run.open(folder)
    assert run.model.compute_dtype == "bfloat16"
    full, (x, _) = _export_worker.served(run), _export_worker.items(run)
    policies = {layer.compute_dtype for layer in full._flatten_layers() if layer.weights}
    assert policies == {"float32"}
    exact, rounded = (keras.ops.convert_to_numpy(model(x)) for model in (full, assembly.Served(run.model)))
    np.testing.assert_allclose(rounded, exact, atol=0.05)
    assert not np.array_equal(rounded, exact)


def test_a_wrong_exporter_is_caught_and_leaves_nothing(pictures, written_by, tmp_path, monkeypatch):
    needs("onnx")
    patch = """
right = worker.WRITERS["onnx"]
worker.WRITERS["onnx"] = lambda model, x, folder: right(lambda x, training: model(x) + 0.001, x, folder)
"""
    monkeypatch.setattr(export, "WORKER", tampered(patch))
    with pytest.raises(
        export.ExportError, match=r"as onnx differs from the model by 0\.001 on a batch of 1, more than"
    ):
        export.export(written_by(pictures, "onnx"), "onnx", tmp_path / "here" / "out")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_model_that_draws_noise_is_refused(pictures, tmp_path, monkeypatch):
    needs("onnx")
    patch = """
def noisy(run):
    import keras
    return lambda x, training: keras.random.uniform((len(x), 2))
worker.served = noisy
"""
    monkeypatch.setattr(export, "WORKER", tampered(patch + "sys.exit(worker.main(*sys.argv[1:]))"))
    with pytest.raises(InputError, match="softmax_regression draws noise when it answers"):
        export.export(pictures, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_leaves_nothing_and_one_line(pictures, tmp_path, monkeypatch):
    needs("saved_model")
    code = "import sys; print('first', file=sys.stderr); sys.exit('no memory')"
    monkeypatch.setattr(export, "WORKER", ("-c", code))
    with pytest.raises(export.ExportError) as caught:
        export.export(pictures, "saved_model", tmp_path / "out")
    assert str(caught.value).endswith("as saved_model: the process ended with status 1: no memory")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_named_in_one_line(pictures, tmp_path, monkeypatch):
    def line(**arguments):
        with pytest.raises(InputError) as caught:
            export.export(**{"folder": pictures, **arguments})
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert line(format="onx").endswith("did you mean 'onnx'?")
    assert "is no run folder" in line(folder=tmp_path)
    (tmp_path / "recipe.json").write_text("{}")
    assert "maquette resume" in line(folder=tmp_path)
    if find_spec("tensorflow"):
        assert "is not an empty folder" in line(format="saved_model", out=tmp_path)
    monkeypatch.setattr(export, "find_spec", lambda name: None if name in ("tf2onnx", "openvino") else object())
    assert line().endswith("needs tf2onnx: pip install 'maquette[export]'")
    assert line(format="openvino").endswith("needs openvino: pip install openvino")
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    assert line().endswith("pip install 'maquette[tensorflow]' 'maquette[export]'")


def test_the_comparison_allows_the_stated_difference_and_no_more():
    y = np.array([[0.0, 3.0]], "float32")
    near = {"batch_1": y + np.float32([[0.9e-4, 3.9e-4]])}
    assert export.compare({"batch_1": y}, near, "it") == {"batch_1": pytest.approx(3.9e-4, rel=1e-3)}
    wrong = [y + np.float32([[1.1e-4, 0]]), y + np.float32([[0, 4.1e-4]]), y * np.nan, y[0], y.repeat(2, axis=0)]
    for answer in wrong:
        with pytest.raises(export.ExportError):
            export.compare({"batch_1": y}, {"batch_1": answer}, "it")
    groups = np.array([20000, 1], "int32")
    assert export.compare({"batch_1": groups}, {"batch_1": groups.astype("int64")}, "it") == {"batch_1": 0}
    with pytest.raises(export.ExportError):
        export.compare({"batch_1": groups}, {"batch_1": groups + np.int32([1, 0])}, "it")


def test_noise_stands_in_for_data_that_would_have_to_be_downloaded(pictures, monkeypatch):
    run = Run.open(pictures)
    x, origin = _export_worker.items(run)
    dataset_items = np.unique(np.rint((x * run.encoder.std + run.encoder.mean) * 255) % 15)
    assert origin == "5 items of the test split of digits" and dataset_items.tolist() == [0]
    monkeypatch.setattr(doctor, "data_set", lambda name: {"state": "download"})
    x, origin = _export_worker.items(run)
    grey = (x * run.encoder.std + run.encoder.mean) * 255
    assert origin == "random pictures, seed 0" and x.shape == (5, 8, 8, 1) and x.dtype == np.float32
    assert grey == pytest.approx(np.rint(grey), abs=1e-3) and 0 <= grey.min() < 20 and 235 < grey.max() <= 255.001


def test_noise_stands_in_for_a_table_that_has_gone(trained, table):
    run = trained("mlp", table, {"inputs.target": "price", "task": "tabular-regression", "model.hidden_units": (4,)})
    moved = Path(table).rename(table.with_suffix(".away"))
    try:
        x, origin = _export_worker.items(Run.open(run))
    finally:
        moved.rename(table)
    assert origin == "normal noise, seed 0" and x.shape == (5, *Run.open(run).pipeline["shape"])


def test_an_earlier_export_is_replaced_and_survives_a_failure(pictures, tmp_path):
    target = tmp_path / "export"
    target.mkdir()
    (target / "model.json").write_text("old")
    with pytest.raises(KeyError), export._appearing(target) as folder:
        (folder / "model.json").write_text("half")
        raise KeyError
    assert (target / "model.json").read_text() == "old"
    with export._appearing(target) as folder:
        (folder / "model.json").write_text("new")
    assert (target / "model.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
