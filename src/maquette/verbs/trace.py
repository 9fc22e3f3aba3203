"""Look inside a few training steps of a run: the graph, the profile of the backend, and what limits the pace."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from maquette import backend as backends
from maquette import files
from maquette.errors import InputError
from maquette.run import Run

if TYPE_CHECKING:
    import numpy as np

TIMED = 5  # steps without the profiler, at least: it slows them down
BACKWARD = 3  # a training step costs about three forward passes: one forward, two for both gradients

# A line such as "ROOT %sum.1 = f32[3]{0} add(%a, %b), ..., metadata={op_name="jit(step)/layer/add" ...}".
OPERATION = re.compile(r"\s+(?:ROOT )?(%[\w.-]+) = .*? ([a-z][\w-]*)\(([^)]*)\)")
ORIGIN = re.compile(r'op_name="([^"\\]*)"')
NEWLINE = r"\n"  # of a label, in Graphviz's language


def trace(folder: str | Path, steps: int = 2, out: str | Path | None = None) -> Path:
    """Profile a few training steps of a run's recipe, and measure what they could reach.

    The model is built anew as for the run's first step, on the run's data and backend. One step compiles and is not
    counted, at least five are timed, and then `steps` are profiled. The run itself is only read.

    The folder holds, by backend: on TensorFlow an event file with the graph of the step, and a profile; on JAX a
    profile, and the compiled step as text (`step.hlo.txt`) and as a graph (`step.dot`); on PyTorch a Chrome trace.
    On all of them `trace.json` with

        seconds_per_step        median of the timed steps: gradient and update, on data that are ready
        seconds_per_batch       median of what making one batch takes
        multiply_adds_per_step  those of the forward pass over one batch, see `maquette.tasks.network`
        gflops                  3 x 2 x multiply_adds_per_step / seconds_per_step / 1e9; null where none are known
        matmul_gflops           the same of a large square matrix product, measured just then
        share                   gflops / matmul_gflops
        limit                   one sentence on what holds the step back

    Args:
        folder: a run, finished or not.
        steps: how many steps to profile.
        out: a new or empty folder, or one of an earlier trace; by default trace/ in the run.

    Returns:
        The folder that was written.

    Raises:
        InputError: if the folder is no run, `out` holds something else, or the data cannot be read any more.
    """
    run = Run.open(folder)
    if steps < 1:
        raise InputError(f"--steps {steps}: take at least 1")
    target = _target(run, out)
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # PyTorch's profiler tells every start, unless set before its import
    backend = backends.choose(run.backend, run.recipe.page)
    step, facts = _prepared(run)
    with _replaced(target) as made:
        with _first_step(backend, made):
            step()
        facts |= _measured(step, facts)
        with _profile(backend, made):
            for _ in range(steps):
                step()
        files.write_json(made / "trace.json", {"backend": backend, **facts, "profiled_steps": steps})
    return target


def _target(run: Run, out: str | Path | None) -> Path:
    target = Path(out) if out is not None else run.path("trace")
    ours = (target / "trace.json").is_file() and not (target / "recipe.json").exists()
    if target.is_file() or (target.is_dir() and any(target.iterdir()) and not ours):
        raise InputError(f"{target} is not an empty folder: choose another one with --out")
    return target


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """A new folder that takes the place of `target` when the block ends, and is removed if it fails."""
    with files.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=files.PARTIAL, dir=target.parent) as temporary:
            made = Path(temporary) / "trace"
            made.mkdir()
            yield made
            if target.exists():
                shutil.rmtree(target)
            made.rename(target)


def _prepared(run: Run) -> tuple[Callable[[], Any], dict[str, Any]]:
    """The training step on the run's first batch, and what is known before it is taken."""
    from maquette import assembly
    from maquette.tasks import network

    pipeline = assembly.prepare(run.recipe)
    model = assembly.build(pipeline)
    batches = pipeline.training(0)  # with the random changes and weights of the recipe
    batch = batches[0]
    multiply_adds, unknown = network.total(network.layers_of(model, pipeline.shape))
    facts = {
        **{"recipe": run.recipe.name, "batch_size": len(batch[0]), "precision": run.recipe.precision},
        "multiply_adds_per_step": multiply_adds * len(batch[0]) or None,
        **{"not_counted": unknown, "parameters": model.count_params()},
        "seconds_per_batch": median(_seconds(lambda: batches[0], TIMED)),
        "matmul_gflops": matmul_gflops(model.compute_dtype),
    }
    return lambda: model.train_on_batch(*batch), facts


def _measured(step: Callable[[], Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Time, pace and memory of the compiled step."""
    seconds = median(_seconds(step, TIMED))
    work, best = facts["multiply_adds_per_step"], facts["matmul_gflops"]
    gflops = BACKWARD * 2 * work / seconds / 1e9 if work else None
    share = gflops / best if gflops else None
    return {
        **{"seconds_per_step": seconds, "examples_per_second": facts["batch_size"] / seconds},
        **{"peak_memory_bytes": peak_memory(), "gflops": gflops, "share": share},
        "limit": limit(seconds, facts["seconds_per_batch"], share),
    }


def _seconds(function: Callable[[], Any], times: int) -> list[float]:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return found


def limit(step: float, batch: float, share: float | None) -> str:
    """What holds training back, from the seconds of a step and of making a batch, and the step's share of a product."""
    if batch > step:
        return "data: making a batch takes longer than the step"
    if share is None:
        return "unknown: the multiply-adds of the model's own code are not counted"
    if share >= 0.5:
        return f"arithmetic: the step reaches {share:.0%} of a large matrix product"
    return f"memory or overhead: the step reaches {share:.1%} of a large matrix product; a larger batch_size may help"


def matmul_gflops(dtype: str) -> float:
    """2 n^3 / seconds / 1e9 of the product of two square matrices of n rows, the best of five."""
    import keras

    n = 8192 if backends.device() == "gpu" else 1024
    a = keras.ops.ones((n, n), dtype=dtype)

    def product() -> "np.ndarray":
        # Reading one number waits for the product, which the backend may only have started.
        return keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.matmul(a, a)[0, 0], "float32"))

    product()
    return 2 * n**3 / min(_seconds(product, 5)) / 1e9


def peak_memory() -> int | None:
    """The most bytes of main memory that this process has held so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@contextmanager
def _first_step(backend: str, folder: Path) -> Iterator[None]:
    """Around the step that compiles: write its graph, where the backend has one."""
    if backend == "jax":
        yield from _compiled_by_xla(folder)
    elif backend == "tensorflow":
        import tensorflow as tf

        # A graph is noted when its function is first called, so the recording begins before that.
        tf.summary.trace_on(graph=True, profiler=False)
        yield
        writer = tf.summary.create_file_writer(os.fspath(folder))
        with writer.as_default():
            tf.summary.trace_export(name="training_step", step=0)
        writer.close()
    else:
        yield


def _compiled_by_xla(folder: Path) -> Iterator[None]:
    import jax

    client = jax.devices()[0].client
    before = set(client.live_executables())
    yield
    new = [program for program in client.live_executables() if program not in before]
    texts = [module.to_string() for program in new for module in program.hlo_modules()]
    steps = [text for text in texts if text.startswith("HloModule jit_train_step")]
    for text in steps[:1]:
        files.write_text(folder / "step.hlo.txt", text)
        files.write_text(folder / "step.dot", dot(text))


def dot(hlo: str) -> str:
    """The main computation of a compiled program in Graphviz's language: a node per operation, an edge per operand.

    Args:
        hlo: the program as XLA writes it.
    """
    main = hlo[hlo.index("\nENTRY ") :].split("\n}", 1)[0]
    lines = ["digraph step {", '  node [shape=box, fontname="sans-serif"];']
    for line in main.splitlines():
        found = OPERATION.match(line)
        if found:
            name, kind, operands = found.groups()
            origin = ORIGIN.search(line)  # which line of the model's code it comes from, without the step's own name
            words = [kind, *([origin[1].split("/", 1)[-1]] if origin else [])]
            lines.append(f'  "{name}" [label="{NEWLINE.join(words)}"];')
            lines += [f'  "{operand}" -> "{name}";' for operand in re.findall(r"%[\w.-]+", operands)]
    return "\n".join([*lines, "}"]) + "\n"


@contextmanager
def _profile(backend: str, folder: Path) -> Iterator[None]:
    """Around the profiled steps: let the backend's own profiler write into the folder."""
    if backend == "jax":
        import jax

        with jax.profiler.trace(os.fspath(folder)):
            yield
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.profiler.experimental.Profile(os.fspath(folder)):
            yield
    else:
        from torch import profiler

        with profiler.profile(on_trace_ready=profiler.tensorboard_trace_handler(os.fspath(folder))):
            yield
