"""The checks themselves: each has to pass a sound page and to notice a page that breaks its rule."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import keras
import pytest

from maquette import assembly, catalog
from tests.contract import checks
from tests.contract.broken import pages, sound
from tests.contract.checks import CHECKS
from tests.contract.subject import Subject
from tests.golden import golden

SOUND = Path(sound.__file__).read_text(encoding="utf-8")
ANSWER = ("return ops.softmax(z)", "return ops.softmax(z) + self.noise.normal((ops.shape(x)[0], 1), training=False)")
BROKEN = [c for c in vars(pages).values() if isinstance(c, type) and "breaks" in vars(c)]


@dataclass(frozen=True)
class UnlistedPage(catalog.Page):
    """A page that is in no folder of the catalogue."""

    model: Any = field(default=None, hash=False)

    def load(self) -> ModuleType:
        module = ModuleType(self.model.__module__)
        module.RECIPE = replace(sound.RECIPE, name=self.name)
        setattr(module, self.model.__name__, self.model)
        return module


@pytest.fixture
def subject(monkeypatch, tmp_path):
    """subject(model class, text of its file) -> its page under test, known to the catalogue until the test ends."""
    ordinary, unlisted = catalog.pages, {}

    def make(model=sound.Sound, text=SOUND):
        file = tmp_path / "page.py"
        file.write_text(text, encoding="utf-8")
        name = model.__name__.lower()
        facts = {"name": name, "tasks": model.tasks, "task": sound.RECIPE.task, "data": sound.RECIPE.data}
        unlisted[name] = UnlistedPage(name, "models", file, "A page of the tests.", facts, model)
        return Subject(unlisted[name])

    monkeypatch.setattr(catalog, "pages", lambda kind: ordinary(kind) | (unlisted if kind == "models" else {}))
    catalog.recipes.cache_clear()
    yield make
    catalog.recipes.cache_clear()


def notices(check, page, words):
    """The contract fails in these words: of an assertion, or of what the page itself raises."""
    if check == "export" and keras.backend.backend() != "tensorflow":
        pytest.skip("exports are tested with TensorFlow")
    with pytest.raises(Exception, match=f"(?s){words}"):
        CHECKS[f"check_{check}"](page)


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "check_golden_numbers"])
def test_a_sound_page_passes(subject, check):
    CHECKS[check](subject())


@pytest.mark.parametrize(("model", "check"), [(c, check) for c in BROKEN for check in c.breaks])
def test_a_broken_page_is_noticed(subject, model, check):
    # Export reads the page's file in another process: there the file has to hold the broken class itself.
    text = SOUND.replace("class Sound", f"class {model.__name__}").replace(*ANSWER) if check == "export" else SOUND
    notices(check, subject(model, text), model.breaks[check])


def test_another_rule_has_other_golden_numbers(subject, monkeypatch):
    page, other = subject(), subject(pages.GoesUphill)
    stored = golden.measure(page)
    monkeypatch.setattr(golden, "read", lambda: {page.name: stored, other.name: stored})
    CHECKS["check_golden_numbers"](page)
    with pytest.raises(AssertionError, match="golden"):
        CHECKS["check_golden_numbers"](other)
    monkeypatch.setattr(golden, "read", dict)
    with pytest.raises(AssertionError, match=r"python -m tests\.golden\.write sound"):
        CHECKS["check_golden_numbers"](page)


def _refuse_empty_only(dataset):
    if not len(dataset.train):
        raise checks.InputError(f"{dataset.name}: the train split is empty")


@pytest.mark.parametrize(("guard", "words"), [(lambda dataset: None, "train"), (_refuse_empty_only, "accepted.*-1")])
def test_unchecked_data_are_noticed(subject, guard, words):
    with mock.patch.object(assembly, "_refuse_damaged", guard):
        notices("damaged_data", subject(), words)


SOURCE = {
    "no source": ("docstring", "Source: ", "After "),
    "no year": ("docstring", "(1986)", ""),
    "no example": ("docstring", ">>> ", ""),
    "no sentence": ("docstring", "A small classifier", "a small classifier"),
    "unexplained argument": ("docstring", "        width: hidden units.\n", ""),
    "example that fails": ("example_runs", "    3\n", "    4\n"),
    "long page": ("size", "\n\n\n@keras", "\n" * 250 + "@keras"),
    "long function": ("size", "        if training:\n", "        if training:\n" + "            pass\n" * 30),
    "private Keras": (
        "imports",
        "from keras import layers, ops",
        "from keras import layers, ops\nfrom keras.src import x",
    ),
    "private attribute": ("imports", "keras.saving", "keras.src.saving"),
    "engine": ("imports", "import keras\n", "import jax\nimport keras\n"),
    "another page": ("imports", "import keras\n", "import keras\nfrom maquette.models.neuron.mlp import MLP\n"),
    "train step": ("learning_rule", "def serve", "def train_step"),
    "Lambda": ("learning_rule", "layers.Dense(width", "layers.Lambda(width"),
    "matrix product": ("portable_operations", "self.drop(self.hidden(x)", "self.drop(x @ self.hidden(x)"),
    "NumPy draw": ("portable_operations", "ops.std(y_pred)", "np.random.normal()"),
    "dropout without a seed": ("portable_operations", "= Dropout(dropout", "= layers.Dropout(dropout"),
    "draw in a loop": ("no_draws_in_loops", "ops.std(y_pred)", "ops.scan(lambda c, i: self.noise.normal(()), 0, x)"),
}


@pytest.mark.parametrize("defect", SOURCE)
def test_a_defect_of_the_source_is_noticed(subject, defect):
    check, old, new = SOURCE[defect]
    assert old in SOUND
    model = sound.Sound
    if defect == "unexplained argument":
        model = type(
            "Unexplained", (model,), {"__doc__": model.__doc__.replace(old, ""), "__module__": model.__module__}
        )
    with pytest.raises(AssertionError):
        CHECKS[f"check_{check}"](subject(model, SOUND.replace(old, new)))


def test_every_check_has_a_page_that_breaks_it():
    broken = {f"check_{check}" for model in BROKEN for check in model.breaks}
    broken |= {f"check_{check}" for check, *_ in SOURCE.values()} | {"check_golden_numbers", "check_damaged_data"}
    assert set(CHECKS) == broken


def test_refusals_are_judged():
    def told():
        raise checks.InputError("one line that names epochs")

    checks.refused(told, "epochs")
    for action, word in ((told, "data"), (lambda: None, "epochs")):
        with pytest.raises(AssertionError):
            checks.refused(action, word)
