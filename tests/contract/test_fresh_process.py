"""What a new process finds in the files: the saved model answers alike, and a killed run ends on the same bits.

Nothing in memory can help here. One page stands for all, the one with the most state beside its weights.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maquette import catalog
from maquette.run import Run, load_model
from tests.contract.checks import kill, measured, new_run, run_to_the_end
from tests.contract.subject import Subject, same, served, values

ROOT = Path(__file__).parents[2]


def main(name: str, folder: Path) -> None:
    """The other process: answer with the saved model, take up the killed run, and write down both."""
    page = Subject(catalog.pages("models")[name])
    answer = served(load_model(folder / "model.keras", name), page.x)
    resumed = run_to_the_end(page, Run(folder / "killed"))
    state = {f"{i:04d}": value for i, value in enumerate(values(resumed).values())}
    np.savez(folder / "found.npz", answer=answer, **state)


@pytest.fixture(scope="module")
def page() -> Subject:
    subjects = [Subject(page) for page in catalog.pages("models").values()]
    return max(subjects, key=lambda one: len(one.build(initialize=False).non_trainable_variables))


def test_another_process_answers_and_resumes_alike(page, tmp_path):
    straight = run_to_the_end(page, new_run(page, tmp_path / "whole"))
    straight.save(tmp_path / "model.keras")
    kill(page, new_run(page, tmp_path / "killed"))
    code = f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}\n"
    code += (
        "from pathlib import Path; from tests.contract.test_fresh_process import main; main(*map(eval, sys.argv[1:]))"
    )
    words = [repr(page.name), f"Path({str(tmp_path)!r})"]
    done = subprocess.run([sys.executable, "-c", code, *words], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(tmp_path / "found.npz") as found:
        assert same(found["answer"], served(straight, page.x)), "the model answers differently in another process"
        for i, (path, value) in enumerate(values(straight).items()):
            assert same(found[f"{i:04d}"], value), f"{path} differs after a resume in another process"
    assert measured(Run(tmp_path / "whole")) == measured(Run(tmp_path / "killed"))
