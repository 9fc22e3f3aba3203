"""Look at the machine, the installation and the data, and say what has to be mended."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import maquette
from maquette import backend as backends
from maquette import catalog

SIDE = 256  # of the square matrices that a backend multiplies
SECONDS = 120  # after which a backend counts as hanging
LITTLE = 1.0  # GB of disk or memory
THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
CGROUP = Path("/sys/fs/cgroup")

# Run in a process of its own with a backend and a side on the command line -> one line of JSON.
_PROBE = """
import json, sys, time
import maquette.backend
maquette.backend.choose(sys.argv[1], "")
start = time.perf_counter()
import keras, numpy as np
from keras import ops
ready, side = time.perf_counter() - start, int(sys.argv[2])
a = np.random.default_rng(0).normal(size=(side, side)).astype("float32")
x = ops.convert_to_tensor(a)
right = np.allclose(ops.convert_to_numpy(ops.matmul(x, x)), a @ a, rtol=0, atol=0.02 * side**0.5)
times = []
for _ in range(20):
    start = time.perf_counter()
    ops.convert_to_numpy(ops.matmul(x, x))
    times.append(time.perf_counter() - start)
best = min(times)
if sys.argv[1] == "torch":
    import torch
    devices = [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
else:
    devices = [str(device) for device in keras.distribution.list_devices()]
speed = {"import_seconds": ready, "seconds": best, "gflops": 2 * side**3 / best / 1e9}
print(json.dumps({**speed, "right": bool(right), "devices": devices}))
"""


def doctor() -> dict[str, Any]:
    """Examine everything that training needs; nothing is downloaded, and nothing but a temporary file written.

    Returns:
        {"versions", "machine", "backends", "threads", "extras", "data", "runs", "choice", "problems"}; each entry of
        `problems` is one line that says what is wrong and what mends it, and each is reason enough to exit with
        status 1. A missing extra or a data set that has to be downloaded is none.
    """
    report: dict[str, Any] = {
        "versions": versions(),
        "machine": machine(),
        "backends": {name: backend(name) for name in backends.BACKENDS},
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "extras": extras(),
        "data": data(),
        "runs": runs(Path("runs")),
        "choice": choice(),
    }
    return {**report, "problems": problems(report)}


def versions() -> dict[str, str]:
    """Of Maquette, Python, the system and the packages that every installation has."""
    names = ("keras", "numpy", "scipy", "scikit-learn", "pillow")
    found = {name: _version(name) for name in names}
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return {"maquette": maquette.__version__, "python": platform.python_version(), "system": system, **found}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def machine() -> dict[str, Any]:
    """Cores and memory that this process may use: what its container allows, where it runs in one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"cores": min(cores, _allowed_cores() or cores), "memory_gb": _memory(), "device": backends.device()}


def _allowed_cores(root: Path = CGROUP) -> float | None:
    """The processors that a container grants, or None without a limit."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return float(quota) / float(period)
    except (OSError, ValueError):  # outside a container, or "max"
        return None


def _memory(root: Path = CGROUP, information: Path = Path("/proc/meminfo")) -> float | None:
    """Memory in GB that is free for this process: of the machine, or less where its container allows less."""
    free = []
    if information.exists():
        free.append(1024 * float(information.read_text().split("MemAvailable:")[1].split()[0]))
    with suppress(OSError, ValueError):  # outside a container, or "max"
        free.append(float((root / "memory.max").read_text()) - float((root / "memory.current").read_text()))
    return min(free) / 1e9 if free else None


def backend(name: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Whether a backend is installed, and what it does in a process of its own.

    Returns:
        {"installed": False, "remedy"}; or {"installed", "version", "works"} with {"import_seconds", "seconds",
        "gflops", "devices"} of a product of two 256 x 256 matrices, or with {"error"}.
    """
    if name not in backends.installed():
        return {"installed": False, "remedy": f"pip install 'maquette[{name}]'"}
    found = {"installed": True, "version": _version(name) or _version(f"{name}-cpu")}
    path = os.pathsep.join([str(catalog.ROOT.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", _PROBE, name, str(SIDE)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {**found, "works": False, "error": f"no answer within {seconds:g} s"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"the process ended with status {done.returncode}"]
        return {**found, "works": False, "error": last[0]}
    measured = json.loads(done.stdout.strip().splitlines()[-1])
    if not measured.pop("right"):
        return {**found, "works": False, "error": "the product of two matrices is wrong", **measured}
    return {**found, "works": True, **measured}


def extras(required: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Extra -> {"missing", "remedy"}: the packages it lacks on this system and the command that brings them.

    Args:
        required: requirements as in an installed package's metadata; Maquette's own if None, which are unknown,
            and the answer empty, where it runs from a source folder.
    """
    from packaging.requirements import Requirement

    if required is None:
        required = (metadata.requires("maquette") or ()) if _version("maquette") else ()
    found: dict[str, dict[str, Any]] = {}
    for requirement in map(Requirement, required):
        marker = requirement.marker
        for extra in re.findall(r"""extra == ['"]([\w-]+)['"]""", str(marker)):
            entry = found.setdefault(extra, {"missing": [], "remedy": f"pip install 'maquette[{extra}]'"})
            if marker and marker.evaluate({"extra": extra}) and not _version(requirement.name):
                entry["missing"].append(requirement.name)
    return found


def data() -> dict[str, Any]:
    """{"MAQUETTE_DATA", "cache", "sets": {name: what `data_set` says}}."""
    from maquette.data.source import cache_folder

    sets = {name: data_set(name) for name in sorted(catalog.pages("data"))}
    return {"MAQUETTE_DATA": os.environ.get("MAQUETTE_DATA", ""), "cache": str(cache_folder()), "sets": sets}


def data_set(name: str) -> dict[str, str]:
    """Whether a built-in set can be read, without reading or downloading it.

    Returns:
        {"state", "where"} with the state "found", "download" (it will be fetched when first used), "missing" (it is
        not here and has no public address) or "broken" (a file has another checksum).
    """
    from maquette import data as sets
    from maquette.data.source import cache_folder, checksum

    files = sets.card(name).files
    folder = os.environ.get("MAQUETTE_DATA")
    roots = [*([Path(folder).expanduser()] if folder else []), cache_folder()]
    places, absent = [], []
    for file in files:
        path = next((root / name / file.name for root in roots if (root / name / file.name).is_file()), None)
        if path is None:
            absent.append(file)
        elif file.sha256 and checksum(path) != file.sha256:
            return {"state": "broken", "where": str(path)}
        else:
            places.append(str(path.parent))
    if absent:
        state = "download" if all(file.url for file in absent) else "missing"
        return {"state": state, "where": ", ".join(file.name for file in absent)}
    return {"state": "found", "where": ", ".join(dict.fromkeys(places)) or "comes with the program"}


def runs(folder: Path) -> dict[str, Any]:
    """Whether runs can be written into a folder, which need not exist yet, and the free space on its disk in GB."""
    place = folder.absolute()
    while not place.is_dir():
        place = place.parent
    fault = ""
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        fault = error.strerror or str(error)
    return {"folder": str(folder.absolute()), "fault": fault, "free_gb": shutil.disk_usage(place).free / 1e9}


def choice() -> dict[str, Any]:
    """KERAS_BACKEND, and for how many model pages `--backend auto` takes each backend."""
    asked = os.environ.get("KERAS_BACKEND", "")
    pages = catalog.pages("models") if backends.installed() else {}
    return {"KERAS_BACKEND": asked, "auto": dict(Counter(asked or backends.fastest(page) for page in pages))}


def problems(report: dict[str, Any]) -> list[str]:
    """One line for each thing in the report that has to be mended."""
    found, places, folder = [], report["data"], report["runs"]
    installed = {name: entry for name, entry in report["backends"].items() if entry["installed"]}
    if not installed:
        found.append("no backend is installed: pip install 'maquette[tensorflow]' or 'maquette[jax]'")
    for name, entry in installed.items():
        if not entry["works"]:
            found.append(f"{name} {entry['version']} does not work: {entry['error']}; install it anew or remove it")
    asked = report["choice"]["KERAS_BACKEND"]
    if asked and asked not in installed:
        found.append(f"KERAS_BACKEND={asked} is not installed: unset it, or take {' or '.join(installed) or 'another'}")
    if places["MAQUETTE_DATA"] and not Path(places["MAQUETTE_DATA"]).expanduser().is_dir():
        found.append(f"MAQUETTE_DATA={places['MAQUETTE_DATA']} is no folder: correct or unset it")
    for name, entry in places["sets"].items():
        if entry["state"] == "broken":
            found.append(
                f"{entry['where']} of {name} is not the original file: replace it, or remove it to download it"
            )
    free, memory = folder["free_gb"], report["machine"]["memory_gb"]
    if folder["fault"]:
        found.append(f"runs cannot be written to {folder['folder']} ({folder['fault']}): work elsewhere, or give --out")
    if free < LITTLE:
        found.append(f"{free:.2f} GB are free on the disk of {folder['folder']}: make room for runs")
    if memory is not None and memory < LITTLE:
        found.append(f"{memory:.2f} GB of memory are free: close other programs, or take a smaller batch_size")
    return found


def lines(report: dict[str, Any]) -> list[str]:
    """The report in words, one fact a line; the last line says that all is well, or what has to be mended."""
    versions, machine, runs = report["versions"], report["machine"], report["runs"]
    head = ("maquette", "python", "system")
    memory = "" if machine["memory_gb"] is None else f", {machine['memory_gb']:.1f} GB of memory free"
    gpu = "an NVIDIA GPU" if machine["device"] == "gpu" else "no GPU"
    threads = ", ".join(f"{name}={value}" for name, value in report["threads"].items())
    auto = ", ".join(f"{name} for {count} models" for name, count in sorted(report["choice"]["auto"].items()))
    asked = report["choice"]["KERAS_BACKEND"]
    return [
        _line("versions", ", ".join(f"{name} {versions[name]}" for name in head)),
        _line("packages", ", ".join(f"{name} {version}" for name, version in versions.items() if name not in head)),
        _line("machine", f"{machine['cores']:g} cores{memory}, {gpu}"),
        _line("threads", threads or "nothing set, each backend takes all cores"),
        *(_line(name, _backend(entry)) for name, entry in report["backends"].items()),
        _line("auto", f"{auto or 'none'} ({f'KERAS_BACKEND={asked}' if asked else 'KERAS_BACKEND is not set'})"),
        *(_line("extra", f"{name}: {_extra(entry)}") for name, entry in sorted(report["extras"].items())),
        *_data(report["data"]),
        _line("runs", f"{runs['folder']}: {runs['fault'] or 'can be written'}, {runs['free_gb']:.1f} GB free"),
        _line("result", "; ".join(report["problems"]) or "all is well"),
    ]


def _line(label: str, text: str) -> str:
    return f"{label:<11}{text}"


def _backend(entry: dict[str, Any]) -> str:
    if not entry["installed"]:
        return f"not installed: {entry['remedy']}"
    if not entry["works"]:
        return f"{entry['version']} does not work: {entry['error']}"
    speed = f"{1000 * entry['seconds']:.2f} ms, {entry['gflops']:.0f} GFLOP/s"
    rest = f"imported in {entry['import_seconds']:.1f} s, sees {', '.join(entry['devices'])}"
    return f"{entry['version']}, {SIDE} x {SIDE} product in {speed}, {rest}"


def _extra(entry: dict[str, Any]) -> str:
    return f"lacks {', '.join(entry['missing'])}: {entry['remedy']}" if entry["missing"] else "complete"


def _data(report: dict[str, Any]) -> list[str]:
    words = {
        **{"found": "found", "download": "will be downloaded when first used"},
        **{"missing": "not here and without a public address", "broken": "not the original file"},
    }
    folder = report["MAQUETTE_DATA"] or "not set"
    head = _line("data", f"MAQUETTE_DATA: {folder}; cache: {report['cache']}")
    sets = (f"{name}: {words[entry['state']]}, {entry['where']}" for name, entry in report["sets"].items())
    return [head, *(_line("data", text) for text in sets)]
