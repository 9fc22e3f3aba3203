"""The steps of an export that need a backend, run in a process of their own with KERAS_BACKEND set.

python -m maquette.verbs._export_worker STEPS RUN FORMAT ARTEFACT EXCHANGE

answer   x, the model's own answers to it: EXCHANGE/expected.npz
convert  the model written in FORMAT below the folder ARTEFACT, read again, its answers to x: EXCHANGE/actual.npz

STEPS is one of them, or both with a comma between. What the artefact's description needs besides is left in
EXCHANGE/facts.json, the line of an error in EXCHANGE/error.json.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from maquette import backend as backends
from maquette import catalog, files
from maquette.data.pictures import PictureScaler
from maquette.errors import InputError
from maquette.run import Run

BATCHES = (1, 5)
Answers = Callable[[np.ndarray], np.ndarray]


def served(run: Run) -> Any:
    """The function to export, as a Keras model: x (batch, *shape) -> model.serve(x), in float32.

    Weights trained in mixed precision are float32 as well, and few runtimes compute in bfloat16 or float16.
    """
    import keras

    from maquette import assembly

    model = run.model
    if model.compute_dtype != model.variable_dtype:
        policy = keras.saving.serialize_keras_object(keras.DTypePolicy(model.variable_dtype))
        plain = type(model).from_config({**model.get_config(), "dtype": policy})
        plain.build((None, *run.pipeline["shape"]))
        plain.set_weights([keras.ops.convert_to_numpy(weight) for weight in model.weights])
        model = plain
    return assembly.Served(model)


def items(run: Run) -> tuple[np.ndarray, str]:
    """Encoded items to compare on, as many as the largest batch, and where they come from.

    They are test items of the run's own data where these are at hand, else noise: random pictures, or draws
    from N(0, 1), which is how encoded tables are scaled.
    """
    from maquette import assembly
    from maquette.verbs import doctor

    count, recipe = max(BATCHES), run.recipe
    builtin = recipe.data.replace("-", "_")
    # Nothing is downloaded for the sake of a comparison.
    if builtin not in catalog.pages("data") or doctor.data_set(builtin)["state"] == "found":
        try:
            dataset = assembly.read_data(recipe)
            name = "train" if dataset.test is None else "test"
            split = getattr(dataset, name)
            x = run.encoder.transform(split.take(np.arange(count) % len(split)).x)
            return x, f"{count} items of the {name} split of {dataset.name}"
        except InputError:
            pass  # the data have moved or changed since, which is no reason not to export
    random, shape = np.random.default_rng(0), (count, *run.pipeline["shape"])
    if isinstance(run.encoder, PictureScaler):
        return run.encoder.transform(random.integers(0, 256, shape, "uint8")), "random pictures, seed 0"
    return random.normal(size=shape).astype("float32"), "normal noise, seed 0"


def answer(run: Run, exchange: Path) -> None:
    """Write x and the model's answers to it in batches of each size; raises InputError if they are random."""
    from keras import ops

    model, (x, origin) = served(run), items(run)

    def answers(size: int) -> np.ndarray:
        y = model(x[:size], training=False)
        if isinstance(y, (dict, list, tuple)):
            raise InputError(f"{run.recipe.page} answers with several arrays; only models with one can be exported")
        return np.asarray(ops.convert_to_numpy(y))

    expected = {f"batch_{size}": answers(size) for size in BATCHES}
    if not np.allclose(answers(len(x)), expected[f"batch_{len(x)}"], rtol=1e-4, atol=1e-4, equal_nan=True):
        raise InputError(f"{run.recipe.page} draws noise when it answers, so that no file can repeat its answers")
    np.savez(exchange / "expected.npz", x=x, **expected)  # type: ignore[arg-type]
    note(exchange, inputs=origin, says=summary(run.model), model_backend=os.environ["KERAS_BACKEND"])


def summary(model: Any) -> str:
    """The first line that the page says about its answers."""
    own = type(model)
    text = own.serve.__doc__ if "serve" in vars(own) and own.serve.__doc__ else own.__doc__
    return (text or "").strip().split("\n")[0]


def convert(run: Run, form: str, artefact: Path, exchange: Path) -> None:
    """Write the model as `form`, read it again and write its answers."""
    with np.load(exchange / "expected.npz", allow_pickle=False) as stored:
        x = stored["x"]
    model = served(run)
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        use_plain_extremes()
    answers, package = WRITERS[form](model, x, artefact)
    actual = {f"batch_{size}": answers(x[:size]) for size in BATCHES}
    np.savez(exchange / "actual.npz", **actual)  # type: ignore[arg-type]
    version = getattr(import_module(package), "__version__", "")
    note(exchange, runtime=f"{package} {version}".strip(), export_backend=os.environ["KERAS_BACKEND"])


def write_saved_model(model: Any, x: np.ndarray, folder: Path) -> tuple[Answers, str]:
    """Write saved_model/ with the signature `serve`: input -> output."""
    import keras
    import tensorflow as tf

    path, archive = str(folder / "saved_model"), keras.export.ExportArchive()
    archive.track(model)
    spec = keras.InputSpec(shape=(None, *x.shape[1:]), dtype=x.dtype.name, name="input")
    archive.add_endpoint("serve", lambda input: {"output": model(input, training=False)}, input_signature=[spec])
    archive.write_out(path, verbose=False)
    signature = tf.saved_model.load(path).signatures["serve"]
    return lambda batch: signature(input=tf.constant(batch))["output"].numpy(), "tensorflow"


def write_litert(model: Any, x: np.ndarray, folder: Path) -> tuple[Answers, str]:
    """Write model.tflite with one signature, input -> output, of LiteRT's own operations only."""
    import tensorflow as tf

    path = folder / "model.tflite"
    with tempfile.TemporaryDirectory() as temporary:
        write_saved_model(model, x, Path(temporary))
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(temporary) / "saved_model"))
        with lacking("LiteRT", r"'tf\.(\w+)' op is neither"):
            path.write_bytes(converter.convert())
    try:
        from ai_edge_litert.interpreter import Interpreter

        package = "ai_edge_litert"
    except ImportError:
        Interpreter, package = tf.lite.Interpreter, "tensorflow"
    runner = Interpreter(str(path)).get_signature_runner()
    return lambda batch: runner(input=batch)["output"], package


def write_onnx(model: Any, x: np.ndarray, folder: Path) -> tuple[Answers, str]:
    """Write model.onnx: input (batch, …) -> output (batch, …)."""
    import onnx
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    path = str(folder / "model.onnx")
    spec = [tf.TensorSpec((None, *x.shape[1:]), x.dtype.name, name="input")]
    function = tf.function(lambda input: {"output": model(input, training=False)}, input_signature=spec)
    graph, _ = tf2onnx.convert.from_function(function, input_signature=spec)
    for value in (*graph.graph.input, *graph.graph.output):
        first = value.type.tensor_type.shape.dim[0]
        if not first.dim_value:  # the converter numbers unknown sizes anew each time
            first.dim_param = "batch"
    with lacking("ONNX", r"No Op registered for (\w+)"):
        onnx.checker.check_model(graph)
    onnx.save(graph, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(["output"], {"input": batch})[0]), "onnxruntime"


def write_openvino(model: Any, x: np.ndarray, folder: Path) -> tuple[Answers, str]:
    """Write model.xml and model.bin, in single precision: input (batch, …) -> output (batch, …)."""
    import keras
    import openvino

    path, core = str(folder / "model.xml"), openvino.Core()
    spec = keras.InputSpec(shape=(None, *x.shape[1:]), dtype=x.dtype.name, name="input")
    with tempfile.TemporaryDirectory() as temporary:
        traced = str(Path(temporary) / "model.xml")
        with lacking("OpenVINO", r"No conversion rule found for operations: ([\w:, ]+)"):
            model.export(traced, format="openvino", verbose=False, input_signature=[spec])
        graph = core.read_model(traced)
        graph.reshape([-1, *x.shape[1:]])  # the trace leaves every size open
        graph.input(0).get_tensor().set_names({"input"})
        graph.output(0).get_tensor().set_names({"output"})
        openvino.save_model(graph, path, compress_to_fp16=False)
    # On processors that have bfloat16 OpenVINO would compute in it unasked.
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda batch: np.array(compiled(batch)["output"]), "openvino"


@contextmanager
def lacking(form: str, pattern: str) -> Iterator[None]:
    """Turn the complaint of a converter about operations that its format lacks into an InputError with their names."""
    try:
        yield
    except Exception as error:  # the converters' own classes of errors have no public name
        names = ", ".join(sorted(set(re.findall(pattern, str(error)))))
        if names:
            raise InputError(f"{form} has no {names}, which the model uses: take another --format") from error
        raise


def use_plain_extremes() -> None:
    """Let `ops.argmin` and `ops.argmax` be TensorFlow's own in this process.

    Keras guards them, against zeros with a sign, by operations on bits that neither ONNX nor LiteRT has.
    """
    import tensorflow as tf
    from keras import ops

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        def extreme(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
            place = function(tf.reshape(x, [-1]) if axis is None else x, axis=axis or 0, output_type="int32")
            if not keepdims:
                return place
            return tf.reshape(place, [1] * len(x.shape)) if axis is None else tf.expand_dims(place, axis)

        return extreme

    ops.argmin, ops.argmax = plain(tf.argmin), plain(tf.argmax)


WRITERS: dict[str, Callable[[Any, np.ndarray, Path], tuple[Answers, str]]] = {
    **{"onnx": write_onnx, "saved_model": write_saved_model},
    **{"litert": write_litert, "openvino": write_openvino},
}


def note(exchange: Path, **facts: str) -> None:
    """Add to facts.json."""
    path = exchange / "facts.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    files.write_json(path, {**known, **facts})


def main(steps: str, folder: str, form: str, artefact: str, exchange: str) -> int:
    """Take the steps; returns the exit status."""
    try:
        run = Run.open(folder)
        backends.choose(os.environ["KERAS_BACKEND"], run.recipe.page)
        if "answer" in steps.split(","):
            answer(run, Path(exchange))
        if "convert" in steps.split(","):
            convert(run, form, Path(artefact), Path(exchange))
    except Exception as error:
        text = [line.strip() for line in str(error).splitlines() if line.strip()]
        line = text[0][:300] if text else type(error).__name__
        files.write_json(Path(exchange) / "error.json", {"wrong_input": isinstance(error, InputError), "line": line})
        if not isinstance(error, InputError):
            raise
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
