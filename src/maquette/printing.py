"""What the command line prints: tables for a person, JSON lines for a program."""

import ast
import json
from typing import Any

from maquette.errors import InputError, Stopped


def style(json_lines: bool, quiet: bool = False) -> Any:
    """How progress is shown."""
    return "json" if json_lines else "quiet" if quiet else "auto"


def table(rows: list[dict[str, Any]], json_lines: bool) -> None:
    """Rows of equal keys, as JSON lines or in aligned columns."""
    from maquette.files import flat, plain

    if json_lines:
        for row in rows:
            print(json.dumps(plain(row), ensure_ascii=False))
        return
    texts = [{key: _cell(value) for key, value in flat(row).items()} for row in rows]
    keys = list(texts[0]) if texts else []
    widths = {key: max(len(key), *(len(text[key]) for text in texts)) for key in keys}
    for line in ({key: key for key in keys}, *texts) if texts else ():
        print("  ".join(line[key].ljust(widths[key]) for key in keys).rstrip())


def _cell(value: Any) -> str:
    if value is None or value != value:  # NaN is no value either
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def metrics_table(metrics: dict[str, dict[str, Any]], json_lines: bool) -> None:
    """Metrics with their 95 % intervals."""
    table([{"metric": key, **m} for key, m in metrics.items()], json_lines)


def finished(run: Any, as_json: bool) -> None:
    """The end of a training: metrics, what was expected, where the run is."""
    result = run.result
    metrics_table(result["metrics"], as_json)
    if as_json:
        print(json.dumps({"event": "done", "run": str(run.folder), "seconds": result["seconds"]}))
        return
    for row in result["expect"]:
        print(f"{row['metric']}: {'met' if row['met'] else 'NOT met'}, expected {row['expected']} ({row['source']})")
    print(f"run     {run.folder}\nreport  {run.path('report.html')}")


def compared(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a comparison, its first metrics and cost, in words."""

    def text(m: dict[str, Any]) -> str:
        ends = f" ({m['low']:.4g} to {m['high']:.4g})" if m["low"] is not None else ""
        return f"{m['value']:.4g}{ends}" if m["value"] is not None else "-"

    named = list(row["metrics"].items())[:3]
    cost = {key: row[key] for key in ("seconds", "parameters", "seeds")}
    return {"model": row["model"], **{key: text(m) for key, m in named}, **cost}


def error_line(error: Exception) -> tuple[str, int]:
    """What is said of an error in one line, and the exit status."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, InputError):
        return text, 2
    if isinstance(error, Stopped):
        return f"stopped; {text}", 130
    if hasattr(error, "format_message"):  # a wrong command or option, in Typer's words
        command = getattr(getattr(error, "ctx", None), "command_path", "maquette")
        return f"{' '.join(error.format_message().split()).rstrip('.')}; see `{command} --help`", 2
    return f"{type(error).__name__}: {text} (--debug shows where)", 1


def traced(facts: dict[str, Any], folder: Any) -> None:
    """What a trace measured, and where it lies."""
    for key, value in facts.items():
        print(f"{key:22}  {', '.join(value) or '-' if isinstance(value, list) else _cell(value)}")
    print(f"{'folder':22}  {folder}")


def described(page: Any) -> None:
    """What a page of the catalogue says, and what its mark holds."""
    print(f"{page.name}  ({page.kind}, {page.module})\n")
    print(ast.get_docstring(ast.parse(page.file.read_text(encoding="utf-8"))))
    if page.facts:
        print("\n" + "\n".join(f"{key}: {value}" for key, value in page.facts.items()))


def first_minute(found: dict[str, Any]) -> None:
    """What the quickstart reached."""
    for name, key in (("LeNet-5", "model"), ("softmax regression", "baseline")):
        m = found[key]
        print(f"{name:20} test accuracy {m['value']:.2%}, 95 % interval {m['low']:.2%} to {m['high']:.2%}")
    print(f"Open the report: {found['report']}")
