"""The doctor finds what is wrong, and nothing where nothing is."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from maquette import backend as backends
from maquette import catalog, data
from maquette.data.dataset import Card, File
from maquette.verbs import doctor

BACKEND = os.environ.get("KERAS_BACKEND", "jax")


@pytest.fixture
def report(monkeypatch, tmp_path):
    """A report on this machine without the backends' processes, one of which counts as working."""
    works = {"installed": True, "version": "1.0", "works": True, "import_seconds": 1.0, "seconds": 0.001}
    works |= {"gflops": 33.6, "devices": ["cpu:0"]}
    absent = {"installed": False, "remedy": "pip install it"}
    monkeypatch.setattr(doctor, "backend", lambda name: dict(works if name == BACKEND else absent))
    monkeypatch.setenv("KERAS_BACKEND", BACKEND)
    monkeypatch.delenv("MAQUETTE_DATA", raising=False)
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_memory", lambda: 8.0)
    return doctor.doctor


def test_a_backend_multiplies_in_its_own_process():
    measured = doctor.backend(BACKEND)
    assert measured["works"], measured
    assert measured["gflops"] == pytest.approx(2 * 256**3 / measured["seconds"] / 1e9)
    assert measured["devices"] and measured["version"][0].isdigit()


def test_a_backend_that_hangs_or_breaks_or_is_wrong_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "_PROBE", "import time; time.sleep(60)")
    assert doctor.backend(BACKEND, seconds=0.2)["error"] == "no answer within 0.2 s"
    monkeypatch.setattr(doctor, "_PROBE", "print('a'); raise ImportError('libcuda.so is missing')")
    assert doctor.backend(BACKEND)["error"] == "ImportError: libcuda.so is missing"
    monkeypatch.setattr(doctor, "_PROBE", "print('{\"right\": false}')")
    assert doctor.backend(BACKEND)["error"] == "the product of two matrices is wrong"
    monkeypatch.setattr(backends, "installed", list)
    assert doctor.backend("torch") == {"installed": False, "remedy": "pip install 'maquette[torch]'"}


def test_a_sound_installation_is_well(report):
    found = report()
    assert found["problems"] == []
    text = doctor.lines(found)
    assert text[-1].split(maxsplit=1) == ["result", "all is well"]
    assert all("\n" not in line for line in text)
    named = "\n".join(text)
    assert all(f" {name}: " in named for name in catalog.pages("data"))
    assert f"{BACKEND} for {len(catalog.pages('models'))} models" in named and "34 GFLOP/s" in named
    json.dumps(found)


def test_each_fault_is_named_with_its_remedy(report, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    monkeypatch.setenv("MAQUETTE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(doctor, "_memory", lambda: 0.25)
    monkeypatch.setattr(doctor, "LITTLE", 10**9)
    found = report()
    assert [fault.split(":")[0] for fault in found["problems"]] == [
        "KERAS_BACKEND=theano is not installed",
        f"MAQUETTE_DATA={tmp_path / 'nowhere'} is no folder",
        f"{found['runs']['free_gb']:.2f} GB are free on the disk of {tmp_path / 'runs'}",
        "0.25 GB of memory are free",
    ]
    broken = {"installed": True, "version": "9", "works": False, "error": "a line"}
    nothing = {"installed": False, "remedy": "pip"}
    sound = {**found, "choice": {"KERAS_BACKEND": "", "auto": {}}, "backends": {"jax": broken, "torch": nothing}}
    assert "jax 9 does not work: a line; install it anew or remove it" in doctor.problems(sound)
    without = doctor.problems({**sound, "backends": {"jax": nothing}})
    assert without[0].startswith("no backend is installed: pip install")
    assert doctor.lines({**found, "problems": without})[-1].startswith("result     no backend is installed")


def test_data_are_found_broken_missing_or_to_be_downloaded(monkeypatch, tmp_path):
    content = b"seventeen numbers"
    right, address = hashlib.sha256(content).hexdigest(), "https://example.org/numbers.csv"
    card = Card("Numbers", "tabular-regression", "nobody", "none", {}, (1,), (File("numbers.csv", right, address),))
    monkeypatch.setattr(data, "card", lambda name: card)
    monkeypatch.setenv("MAQUETTE_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "cache"))
    assert doctor.data_set("numbers") == {"state": "download", "where": "numbers.csv"}
    cached, own = (tmp_path / place / "numbers" / "numbers.csv" for place in ("cache", "mine"))
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    assert doctor.data_set("numbers") == {"state": "found", "where": str(cached.parent)}
    own.parent.mkdir(parents=True)
    own.write_bytes(b"seventeen other")
    assert doctor.data_set("numbers") == {"state": "broken", "where": str(own)}
    own.write_bytes(content)
    assert doctor.data_set("numbers") == {"state": "found", "where": str(own.parent)}
    card.files[0].__dict__["url"] = ""
    own.unlink()
    cached.unlink()
    assert doctor.data_set("numbers") == {"state": "missing", "where": "numbers.csv"}


def test_a_damaged_original_is_a_problem(report):
    found = report()
    found["data"]["sets"]["mnist"] = {"state": "broken", "where": "/there/train.gz"}
    assert doctor.problems(found) == [
        "/there/train.gz of mnist is not the original file: replace it, or remove it to download it"
    ]


def test_a_container_limits_cores_and_memory(tmp_path):
    information = tmp_path / "meminfo"
    information.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    assert doctor._allowed_cores(tmp_path) is None
    assert doctor._memory(tmp_path, information) == pytest.approx(8.192)
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("3000000000\n")
    (tmp_path / "memory.current").write_text("1000000000\n")
    assert doctor._allowed_cores(tmp_path) == 1.5
    assert doctor._memory(tmp_path, information) == 2.0
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor._allowed_cores(tmp_path) is None
    assert doctor._memory(tmp_path, information) == pytest.approx(8.192)


def test_extras_tell_what_they_lack_on_this_system():
    required = [
        "numpy>=2",
        "pytest>=8; extra == 'test'",
        "no-such-package>=1; extra == 'test'",
        "never-there; sys_platform == 'plan9' and extra == 'export'",
    ]
    assert doctor.extras(required) == {
        "test": {"missing": ["no-such-package"], "remedy": "pip install 'maquette[test]'"},
        "export": {"missing": [], "remedy": "pip install 'maquette[export]'"},
    }


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    assert doctor.runs(tmp_path / "a" / "b")["fault"] == ""
    assert list(tmp_path.iterdir()) == []

    def refuse(**kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert doctor.runs(tmp_path / "a")["fault"] == "Permission denied"


def test_importing_the_doctor_imports_no_backend():
    code = (
        "import sys, maquette.verbs.doctor, maquette.verbs.export\n"
        "sys.exit(', '.join({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
