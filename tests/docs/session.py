"""Runs the steps of a document one after the other in one process: python session.py < steps.json, results to stdout.

A step is {"command": ["maquette", ...]} or {"python": text}; a result is {"status", "out", "err"}.
"""

import contextlib
import doctest
import io
import json
import sys
import traceback
from typing import Any


def command(arguments: list[str]) -> None:
    from maquette.cli import main

    sys.argv = arguments
    try:
        main()
    finally:
        if sys.modules.get("tensorflow", main) is None:  # kept away for the command's own process, not for the next
            del sys.modules["tensorflow"]


def python(text: str, names: dict[str, Any]) -> None:
    if not doctest.DocTestParser().get_examples(text):
        exec(compile(text, "document", "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(text, names, "document", None, 0)
    if doctest.DocTestRunner().run(test).failed:
        sys.exit(1)


def run(step: dict[str, Any]) -> dict[str, Any]:
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command(step["command"]) if "command" in step else python(step["python"], {"__name__": "document"})
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        except Exception:
            status = 1
            traceback.print_exc()
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    results = [run(step) for step in json.load(sys.stdin)]
    print(json.dumps(results))
