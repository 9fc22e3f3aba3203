"""Settings that have to be made before Keras is imported, and a check that the backend is the one asked for."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Tests build the same small models again and again: XLA compiles each program once and keeps it for the next run.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
if os.environ["KERAS_BACKEND"] == "torch":
    import torch  # noqa: F401  TensorFlow, imported later by Keras, crashes unless torch came first

pytest.register_assert_rewrite("tests.contract.checks", "tests.contract.source_checks", "tests.contract.subject")

IGNORED = (
    # A page that learns without gradients has no trainable weight, and Keras warns of that at every step.
    "ignore:The model does not have any trainable weights:UserWarning",
    # Keras reads its JAX variables in a way that NumPy 2 deprecates.
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
)


def pytest_configure(config: pytest.Config) -> None:
    for line in IGNORED:
        config.addinivalue_line("filterwarnings", line)


@pytest.fixture(scope="session", autouse=True)
def asked_backend() -> None:
    """Fail at once if Keras computes on another backend than KERAS_BACKEND names."""
    import keras

    assert keras.backend.backend() == os.environ["KERAS_BACKEND"], "a file of settings has overruled KERAS_BACKEND"


@pytest.fixture
def random() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture
def original():
    """original(name) -> the built-in set, or a skip where its original files are absent."""

    import maquette.data

    def load(name):
        folder = os.environ.get("MAQUETTE_DATA")
        if not folder or not (Path(folder) / name).is_dir():
            pytest.skip(f"the originals of {name} are not there: set MAQUETTE_DATA")
        return maquette.data.load(name)

    return load


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give all checks of one page to one worker, which then reads and encodes its data once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            page = test.partition("[")[2].rstrip("]").partition("-")[0]
            return f"{file}::{page}" if file.endswith("test_models.py") else nodeid

    return ByPage(config, log)
