"""Which backend a run computes on, and what is installed.

`auto` takes, of the installed backends, the one that measured fastest for the page on this kind of device, by the
table in backends.json which `benchmarks/backends.py` writes. KERAS_BACKEND is honoured where --backend is not given.
"""

import importlib
import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from maquette.errors import InputError

BACKENDS = ("tensorflow", "jax", "torch")
TABLE = Path(__file__).with_name("backends.json")


def installed() -> list[str]:
    """The backends that can be imported, without importing them."""
    return [name for name in BACKENDS if find_spec(name) is not None]


def fastest(page: str) -> str:
    """The installed backend that the table ranks first for a page on this device; raises InputError if none is."""
    here = installed()
    if not here:
        raise InputError("no backend is installed: pip install 'maquette[tensorflow]' or 'maquette[jax]'")
    table = json.loads(TABLE.read_text(encoding="utf-8")).get(device(), {}) if TABLE.exists() else {}
    # A page that was not measured goes where the last one measured on its shelf ran best.
    like = [known for known in table if _shelf(known) == _shelf(page)]
    rates = table.get(page) or (table[like[-1]] if like else {})
    order = sorted(rates, key=rates.__getitem__, reverse=True) or ["jax"]
    return next((name for name in (*order, *BACKENDS) if name in here), here[0])


def _shelf(page: str) -> str:
    """The folder of `models` that a page is in; "" for a page of the user's own."""
    found = sorted((Path(__file__).parent / "models").glob(f"*/{Path(page).stem}.py"))
    return found[0].parent.name if found else ""


def device() -> str:
    """ "gpu" where an NVIDIA driver is present, else "cpu"; asks no backend."""
    return "gpu" if Path("/proc/driver/nvidia/version").exists() else "cpu"


def choose(asked: str, page: str) -> str:
    """Set KERAS_BACKEND before Keras is imported, and return it.

    Args:
        asked: a backend's name, or "auto": KERAS_BACKEND, else what Keras already runs on, else the fastest.
        page: the model page that is going to run.

    Raises:
        InputError: for an unknown or absent backend, or if Keras already runs on another one.
    """
    wanted = asked if asked != "auto" else os.environ.get("KERAS_BACKEND") or _running() or fastest(page)
    if wanted not in BACKENDS:
        option = f"--backend {asked}" if asked != "auto" else f"the environment variable KERAS_BACKEND={wanted}"
        raise InputError(f"{option}: take auto, {', '.join(BACKENDS)}")
    if wanted not in installed():
        raise InputError(f"the backend {wanted} is not installed: pip install 'maquette[{wanted}]'")
    if _running() not in ("", wanted):
        raise InputError(f"Keras already runs on {_running()}: start a new process for {wanted}")
    os.environ["KERAS_BACKEND"] = wanted
    quiet(wanted)
    return wanted


def _running() -> str:
    """The backend of a Keras that is imported already, else ""."""
    keras = sys.modules.get("keras")
    return str(keras.backend.backend()) if keras else ""


def quiet(backend: str) -> None:
    """Settings that have to be made before a backend is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # Without this two equal runs on TensorFlow end in other weights, and no resume could be exact; it costs nothing
    # that could be measured.
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    # PyTorch's CPU threads spin while they wait, which starves everything else on a small machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if backend == "torch":
        import torch  # noqa: F401  TensorFlow, imported later by Keras, crashes unless torch came first
    if _ours and backend == "tensorflow":
        _import_silently("tensorflow")
    elif _ours:
        # Keras imports TensorFlow, where it is installed, to save a model of any backend: seconds for nothing.
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]


def _import_silently(module: str) -> None:
    """Import a module whose native code writes banners to the terminal before its log level is read."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as banners:
        os.dup2(banners.fileno(), 2)
        try:
            importlib.import_module(module)
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


_ours = False


def own_process() -> None:
    """Say that the process is Maquette's own, as the command line's is, and not a user's program."""
    global _ours
    _ours = True
