"""Write the pages of the documentation that follow from the code: the catalogue, the command line and the benchmarks.

`conf.py` calls `write` before Sphinx reads the folder. `python docs/generate.py README.md` renders the table of
results in the README anew.
"""

import ast
import json
import re
import shutil
import sys
from pathlib import Path
from textwrap import dedent

import typer

from maquette import catalog, cli, files
from maquette.verbs import reproduce

DOCS = Path(__file__).parent
MARKERS = ("<!-- results -->", "<!-- end of results -->")
TITLES = {
    "models": "Models",
    "methods": "Methods",
    "data": "Data sets",
    "tasks": "Tasks and metrics",
    "recipes": "Recipes",
}


def write(folder: Path) -> None:
    """Write command-line.md, benchmarks.md, and for each kind of page a folder with an index and a file per page."""
    files.write_text(folder / "command-line.md", command_line())
    files.write_text(folder / "benchmarks.md", benchmarks(DOCS.parent / "benchmarks" / "results.json"))
    for kind in catalog.MARKS:
        shutil.rmtree(folder / kind, ignore_errors=True)
        found = catalog.recipes() if kind == "recipes" else catalog.pages(kind)
        if not found:
            continue
        for name, page in found.items():
            files.write_text(folder / kind / f"{name}.md", page_text(name, page))
        files.write_text(folder / kind / "index.md", index_text(kind, found))


def index_text(kind: str, found: dict[str, catalog.Page]) -> str:
    """A table of one kind's pages, with their summaries."""
    lines = [f"# {TITLES[kind]}", "", "| name | what |", "| --- | --- |"]
    lines += [f"| [{name}]({name}.md) | {page.summary} |" for name, page in sorted(found.items())]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", ":glob:", "*", "```", ""])


def page_text(name: str, page: catalog.Page) -> str:
    """One page of the catalogue: its docstring, its mark as it stands in the file, and the commands for it."""
    source = page.file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    mark = next(node for node in tree.body if catalog.MARKS[page.kind] in _targets(node))
    blocks = [f"# {name}", markdown(ast.get_docstring(tree) or "")]
    if page.kind in ("models", "recipes"):
        blocks += ["## Recipe", fenced("python", ast.get_source_segment(source, mark) or "")]
        blocks += [fenced("console", f"$ maquette train {name}\n$ maquette copy {name}")]
    if page.kind == "data":
        blocks += ["## Card", fenced("python", ast.get_source_segment(source, mark) or "")]
    return "\n\n".join([*blocks, f"Import path: `{page.module}`", ""])


def _targets(node: ast.stmt) -> list[str]:
    return [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]


def markdown(docstring: str) -> str:
    """A docstring in Markdown: what is aligned stays as it is, an example becomes a block of code."""
    return "\n\n".join(_paragraph(text) for text in docstring.split("\n\n"))


def _paragraph(text: str) -> str:
    if text.startswith("Example:"):
        return fenced("python", dedent(text.removeprefix("Example:").strip("\n")))
    if re.search(r"\S {2,}\S", text) or text.startswith(" "):
        return fenced("text", text)
    return re.sub(r"^(Source|Weakness):", r"**\1:**", text)


def fenced(language: str, text: str) -> str:
    """A fenced block of code."""
    return f"```{language}\n{text}\n```"


def command_line() -> str:
    """Every command with its `--help`, as the program prints it."""
    group = typer.main.get_command(cli.app)
    program = group.make_context("maquette", [], resilient_parsing=True, terminal_width=100)
    blocks = ["# The command line", fenced("text", group.get_help(program).strip())]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        context = command.make_context(name, [], parent=program, resilient_parsing=True)
        blocks += [f"## maquette {name}", fenced("text", command.get_help(context).strip())]
    return "\n\n".join([*blocks, ""])


def benchmarks(path: Path) -> str:
    """The measurements of benchmarks/results.json: one table, rendered from the entries."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        f"| {e['benchmark'].replace('_', ' ')} | {e['case']} | {e['unit']} | {e['ours']:,g} | {e['peer']:,g} "
        f"| {e['peer_name']} | {e['ratio']:.2f} | {e['backend']} | {e.get('note', '')} |"
        for e in entries
    ]
    machines = ", ".join(sorted({f"{e['device']} (Maquette {e['version']})" for e in entries}))
    return "\n".join(
        [
            *("# Benchmarks", ""),
            "Written by the scripts in `benchmarks/`, which measure Maquette and its peers in turns. A ratio above 1 "
            "means that Maquette is ahead; it is the median of the ratios of the rounds.",
            *("", "| benchmark | case | unit | Maquette | peer | peer's name | ratio | backend | also |"),
            *("| --- | --- | --- | ---: | ---: | --- | ---: | --- | --- |", *rows),
            *("", f"Measured on: {machines}.", ""),
        ]
    )


def with_results(text: str, docs: Path = DOCS) -> str:
    """The README's text with the table of docs/results.json between its markers; unchanged if there is no such file."""
    entries = reproduce.results(docs)
    if not entries:
        return text
    head, rest = text.split(MARKERS[0])
    table = "\n".join(line for line in reproduce.page(entries).splitlines() if line.startswith("|"))
    return f"{head}{MARKERS[0]}\n\n{table}\n\n{MARKERS[1]}{rest.split(MARKERS[1])[1]}"


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    files.write_text(readme, with_results(readme.read_text(encoding="utf-8")))
