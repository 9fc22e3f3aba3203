"""benchmarks/results.json: one entry per benchmark, case and peer."""

import json
from pathlib import Path

PATH = Path(__file__).with_name("results.json")


def forget(benchmark: str, case: str) -> None:
    """Take out what was measured of a case: a peer that is no longer the fastest leaves no entry behind."""
    from maquette import files

    entries = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []
    files.write_json(PATH, [entry for entry in entries if (entry["benchmark"], entry["case"]) != (benchmark, case)])


def record(
    benchmark: str,
    case: str,
    unit: str,
    ours: float,
    peer: float,
    peer_name: str,
    ratio: float,
    page: str | None,
    note: str = "",
) -> None:
    """Write or replace an entry; a ratio above 1 means that we are ahead. What runs on no backend has no page.

    `note` says what else was measured, such as how good the result is.
    """
    from maquette import __version__, backend, files
    from maquette.verbs.train import device_name

    entry = {
        **{"benchmark": benchmark, "case": case, "unit": unit, "ours": round(float(ours), 1)},
        **{"peer": round(float(peer), 1), "peer_name": peer_name, "ratio": round(float(ratio), 3)},
        **{"backend": backend.fastest(page) if page else "numpy", "device": device_name(), "version": __version__},
        **({"note": note} if note else {}),
    }
    entries = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []
    key = ("benchmark", "case", "peer_name")
    kept = [old for old in entries if [old[k] for k in key] != [entry[k] for k in key]]
    files.write_json(PATH, sorted([*kept, entry], key=lambda e: [e[k] for k in key]))
