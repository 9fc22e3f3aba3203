"""The table of a network's layers against counts made by hand; the trace of a run, which must not touch the run."""

import json
import math
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from maquette import assembly, catalog, settings
from maquette.core.model import Model
from maquette.errors import InputError
from maquette.models.vision.lenet5 import LeNet5
from maquette.models.vision.mnist_cnn import MnistCNN
from maquette.run import Run
from maquette.tasks.figure import label
from maquette.tasks.network import MOST_BOXES, layers_of, multiply_adds, network_figure, sizes, total
from maquette.verbs import trace as tracing
from tests.commands import command  # noqa: F401  a fixture
from tests.test_report import Page

BACKEND = keras.backend.backend()


def built(model: keras.Model, *shape: int) -> keras.Model:
    model.build((None, *shape))
    return model


def column(rows: list[dict], key: str) -> list:
    return [row[key] for row in rows]


def values(model: keras.Model) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in model.variables]


def test_the_digit_network_layer_by_layer():
    rows = layers_of(built(MnistCNN(), 28, 28, 1), (28, 28, 1))
    names = ["convolution_1", "pool", "convolution_2", "pool", "flatten", "hidden", "dropout", "logits"]
    assert column(rows, "layer") == names
    assert column(rows, "parameters") == [640, 0, 73_856, 0, 0, 6_423_552, 0, 10_250]
    assert column(rows, "multiply_adds") == [28 * 28 * 64 * 9, 0, 14 * 14 * 128 * 576, 0, 0, 6272 * 1024, 0, 10_240]
    assert rows[2]["output"] == [14, 14, 128] and rows[-1]["output"] == [10] and all(column(rows, "reached"))
    assert total(rows) == (451_584 + 14_450_688 + 6_422_528 + 10_240, [])


def test_lenet5_layer_by_layer():
    rows = layers_of(built(LeNet5(), 28, 28, 1), (28, 28, 1))
    weighted = {row["layer"]: (row["parameters"], row["multiply_adds"]) for row in rows if row["parameters"]}
    assert weighted["c1"] == (156, 28 * 28 * 6 * 25) and weighted["c3"] == (2416, 10 * 10 * 16 * 150)
    assert total(rows) == (117_600 + 240_000 + 400 * 120 + 120 * 84 + 840, [])
    old = layers_of(built(LeNet5(style="1998"), 28, 28, 1), (28, 28, 1))
    assert sum(column(old, "parameters")[:-1]) == 60_000, "C1 to F6, as in the paper"
    assert total(old)[1] == ["s2", "c3", "s4"], "what the page computes itself is not known"


@pytest.mark.parametrize("name", sorted(catalog.pages("models")))
def test_every_page_has_a_table_and_stays_as_it_is(name):
    pipeline = assembly.prepare(settings.tiny(catalog.recipe(name)))
    model = assembly.build(pipeline)
    before, attributes = values(model), {layer.name: set(vars(layer)) for layer in model._flatten_layers()}
    rows = layers_of(model, pipeline.shape)
    assert sum(column(rows, "parameters")) == model.count_params()
    shape = list(model(keras.KerasTensor((1, *pipeline.shape)), training=False).shape[1:])  # nothing is computed
    last = [row["output"] for row in rows if row["reached"]][-1]
    assert last == shape or math.prod(shape) in (math.prod(last), 1), "the last layer's output, reshaped or summed up"
    assert all(np.array_equal(a, b) for a, b in zip(before, values(model), strict=True))
    assert {layer.name: set(vars(layer)) for layer in model._flatten_layers()} == attributes
    assert layers_of(model, pipeline.shape) == rows
    svg, shown = network_figure(rows).svg, rows if len(rows) <= MOST_BOXES else rows[:9] + rows[-9:]
    assert all(f">{label(row['layer'], 22)}<" in svg for row in shown)
    assert all(f">{row['parameters']:,}<" in svg for row in shown if row["parameters"])


@keras.saving.register_keras_serializable("test")
class Noisy(Model):
    """Draws while it answers, shares a layer, and keeps one for itself."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(1)
        self.shared, self.apart = keras.layers.Dense(3, name="shared"), keras.layers.Dense(2, name="apart")
        self.normal = keras.layers.BatchNormalization(name="normal")

    def build(self, shape):
        self.apart.build((None, 7))
        self.scale = self.add_weight(shape=(3,), name="scale")
        super().build(shape)

    def call(self, x, training=False):
        x = self.normal(self.shared(self.shared(x)), training=True)
        return (x + keras.random.normal((3,), seed=self.seed)) * self.scale


def test_a_second_call_own_weights_and_what_is_not_called():
    model = built(Noisy(), 3)
    before = values(model)
    rows = layers_of(model, (3,))
    assert [(r["layer"], r["parameters"], r["multiply_adds"], r["reached"]) for r in rows] == [
        *(("shared", 12, 9, True), ("shared", 0, 9, True), ("normal", 12, 0, True)),
        *(("noisy", 3, None, True), ("apart", 16, 14, False)),
    ]
    assert all(np.array_equal(a, b) for a, b in zip(before, values(model), strict=True)), "no seed or mean has moved"


class Failing(Model):
    def call(self, x):
        raise KeyError("no such thing")


def test_a_model_that_fails_is_left_as_it_was():
    model = Failing()
    model.built = True
    with pytest.raises(KeyError):
        layers_of(model, (3,))
    assert "call" not in vars(model)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (keras.layers.Dense(5), (4, 3)),
        (keras.layers.Conv1D(4, 3, strides=2), (9, 2)),
        (keras.layers.Conv2D(4, (2, 3), groups=2), (5, 6, 2)),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (6, 5, 3)),
        (keras.layers.SeparableConv2D(4, 2), (5, 5, 3)),
        (keras.layers.Conv2DTranspose(3, 2, strides=2), (3, 4, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_multiply_adds_are_the_products_that_ones_add_up_to(layer, shape):
    """With inputs and kernels of ones each product is 1, so that without padding the outputs add up to their number."""
    layer.build((None, *shape))
    layer.set_weights([np.ones(w.shape) if len(w.shape) > 1 else np.zeros(w.shape) for w in layer.weights])
    x = np.ones((1, *shape), "float32")
    y = keras.ops.convert_to_numpy(layer(x))
    products = y.sum()
    if isinstance(layer, keras.layers.SeparableConv2D):  # the second convolution multiplies what the first has added
        places = y[0, ..., 0].size
        products = places * 3 * 4 + places * 3 * 4
    assert multiply_adds(layer, x.shape, y.shape) == products


def test_layers_of_unknown_cost():
    memory = keras.layers.LSTM(2)
    memory.build((None, 3, 2))
    assert multiply_adds(memory, (1, 3, 2), (1, 2)) is None
    assert multiply_adds(keras.layers.Dot(1), (1, 3), (1, 1)) is None
    assert multiply_adds(keras.layers.ReLU(), (1, 3), (1, 3)) == 0


def test_a_deep_network_is_drawn_in_short():
    row = {"kind": "Dense", "output": [2], "parameters": 6, "multiply_adds": 4, "reached": True}
    svg = network_figure([{"layer": f"layer_{i}", **row} for i in range(40)]).svg
    drawn = re.findall(r">layer_(\d+)<", svg)
    assert [int(i) for i in drawn] == [*range(12), *range(28, 40)] and ">16 layers more<" in svg and ">96<" in svg
    assert sizes([4, None, 1]).split() == ["4", "×", "?", "×", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    import maquette

    given = {"epochs": 1, "model.hidden_units": (6,), "batch_size": 50, "model.dropout": 0.5}
    folder = tmp_path_factory.mktemp("runs") / "mlp"
    return maquette.train("mlp", "digits", given, out=folder, style="quiet")


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "trace" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_report_has_the_network(run):
    found = Page(run.path("report.html"))
    found.assert_self_contained()
    rows = run.result["network"]
    assert sum(column(rows, "parameters")) == run.result["parameters"] == 64 * 6 + 6 + 6 * 10 + 10
    assert "network" in {attributes.get("id") for tag, attributes in found.tags if tag == "figure"}
    for words in ("hidden_1", "Dropout", "multiply adds", "390", f"{64 * 6 + 6 * 10}"):
        assert words in found.words


# TensorFlow's own protocol buffers, which are read below, use a way of Python that is going to end.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_trace_says_what_the_step_reaches_and_changes_nothing(run, monkeypatch):
    before = contents(run.folder)
    taken = []
    train = keras.Model.train_on_batch
    kind = catalog.model_class("mlp")
    monkeypatch.setattr(kind, "train_on_batch", lambda self, *a: taken.append(1) or train(self, *a), raising=False)
    folder = tracing.trace(run.folder, steps=3)
    assert folder == run.folder / "trace" and contents(run.folder) == before
    assert len(taken) == 1 + tracing.TIMED + 3, "one step compiles, five are timed, and no more than three are profiled"
    facts = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
    assert facts["multiply_adds_per_step"] == 50 * (64 * 6 + 6 * 10) and facts["not_counted"] == []
    step = facts["seconds_per_step"]
    assert facts["examples_per_second"] == pytest.approx(50 / step)
    assert facts["gflops"] == pytest.approx(6 * 50 * 444 / step / 1e9)
    assert facts["share"] == pytest.approx(facts["gflops"] / facts["matmul_gflops"])
    assert facts["peak_memory_bytes"] > 50e6 and facts["profiled_steps"] == 3 and facts["backend"] == BACKEND
    {"jax": in_jax, "tensorflow": in_tensorflow, "torch": in_torch}[BACKEND](folder)


def in_tensorflow(folder: Path) -> None:
    """The graph in the event file has operations of every layer."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.core.util import event_pb2
    from tensorflow.data import TFRecordDataset

    assert list(folder.glob("plugins/profile/*/*.xplane.pb"))
    (path,) = folder.glob("events.out.tfevents.*")
    names = []
    for record in TFRecordDataset(str(path)):
        for value in event_pb2.Event.FromString(record.numpy()).summary.value:
            graphs = config_pb2.RunMetadata.FromString(value.tensor.string_val[0]).function_graphs
            names += [node.name for graph in graphs for node in graph.pre_optimization_graph.node]
            functions = [f for graph in graphs for f in graph.pre_optimization_graph.library.function]
            names += [node.name for function in functions for node in function.node_def]
    for layer in ("flatten", "hidden_1", "dropout_1", "head"):
        assert any(re.search(rf"/{layer}(_\d+)?/", name) for name in names), layer


def in_jax(folder: Path) -> None:
    assert list(folder.glob("plugins/profile/*/*.xplane.pb"))
    text, graph = ((folder / name).read_text(encoding="utf-8") for name in ("step.hlo.txt", "step.dot"))
    assert "f32[64,6]" in text and "f32[6,10]" in text, "the kernels of both layers"
    nodes, edges = re.findall(r'^  "(.+?)" \[label', graph, re.M), re.findall(r'^  "(.+?)" -> "(.+?)";$', graph, re.M)
    assert len(nodes) == len(set(nodes)) > 10 and {name for edge in edges for name in edge} <= set(nodes)


def in_torch(folder: Path) -> None:
    (path,) = folder.glob("*.pt.trace.json")
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    products = [e for e in events if e.get("name") in ("aten::mm", "aten::addmm", "aten::matmul")]
    assert len(products) >= 3 * 2, "three steps of two layers"


def test_the_graph_of_a_program():
    hlo = """HloModule jit_step

%add (x: f32[]) -> f32[] {
  %x = f32[] parameter(0)
}

ENTRY %main (a: f32[2]) -> (f32[2], f32[]) {
  %a = f32[2]{0} parameter(0), metadata={op_name="a"}
  %b = f32[2]{0} add(%a, %a), metadata={op_name="jit(step)/dense/add" stack_frame_id=1}
  ROOT %tuple.1 = (f32[2]{0}, f32[]) tuple(%b, %a)
}
"""
    assert tracing.dot(hlo).splitlines()[2:-1] == [
        '  "%a" [label="parameter\\na"];',
        '  "%b" [label="add\\ndense/add"];',
        *['  "%a" -> "%b";'] * 2,
        '  "%tuple.1" [label="tuple"];',
        *('  "%b" -> "%tuple.1";', '  "%a" -> "%tuple.1";'),
    ]


def test_what_limits_a_step():
    assert tracing.limit(0.1, 0.2, 0.9).startswith("data")
    assert tracing.limit(0.1, 0.0, 0.75) == "arithmetic: the step reaches 75% of a large matrix product"
    assert tracing.limit(0.1, 0.0, 0.012).startswith("memory or overhead: the step reaches 1.2%")
    assert tracing.limit(0.1, 0.0, None).startswith("unknown")


def test_a_run_that_is_only_a_recipe_is_traced_by_command(run, tmp_path, command, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tracing, "matmul_gflops", lambda dtype: 50.0)
    only, out = Run(tmp_path / "only"), tmp_path / "out"
    only.save_recipe(settings.resolve("kmeans", None, {"model.clusters": 3}), BACKEND)
    told = command("trace", only.folder, "--out", out, "--steps", 1, "--json")
    facts = json.loads(told.out.splitlines()[-1])
    assert told.status == 0 and facts["folder"] == str(out)
    assert facts["not_counted"] == ["kmeans"]
    assert facts["gflops"] is None and facts["limit"].startswith(("unknown", "data"))
    assert [path.name for path in only.folder.iterdir()] == ["recipe.json"]
    again = command("trace", only.folder, "--out", out)
    assert again.status == 0 and re.search(r"^seconds_per_step +\d", again.out, re.M), "an earlier trace is replaced"


def test_folders_that_are_not_free_are_refused(run, tmp_path):
    for taken in (run.folder, run.path("report.html"), run.path("figures")):
        with pytest.raises(InputError, match="--out"):
            tracing.trace(run.folder, out=taken)
    with pytest.raises(InputError, match=r"no recipe\.json"):
        tracing.trace(tmp_path)
    with pytest.raises(InputError, match="--steps 0"):
        tracing.trace(run.folder, steps=0)
