"""Checks that read a page's file: its docstring, its size, and constructions that break on some backend."""

import ast
import doctest
import io
import re
from collections.abc import Iterator
from typing import Any

import keras
import pytest

from maquette import settings
from tests.contract.subject import Subject

PAGE_LINES, FUNCTION_LINES = 250, 30
STANDARD = ("typing", "collections", "itertools", "math")
OURS = ("maquette.core", "maquette.layers", "maquette.errors", "maquette.methods")
LOOPS = ("scan", "while_loop", "fori_loop", "map", "vectorized_map", "associative_scan")


def _tree(page: Subject) -> ast.Module:
    return ast.parse(page.page.file.read_text(encoding="utf-8"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _dotted(node: ast.AST) -> str:
    """The written name of an expression: `keras.ops.scan`; "" where it is none."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def check_docstring(page: Subject) -> None:
    """One sentence first, the source with a year, an example; every argument of the constructor explained."""
    text = ast.get_docstring(_tree(page)) or ""
    paragraphs = text.split("\n\n")
    assert re.fullmatch(r"[A-Z].*\.", paragraphs[0], re.S), "the docstring begins with no sentence of its own"
    sources = [p for p in paragraphs if p.startswith("Source:")]
    assert sources and re.search(r"\b(1[5-9]|20)\d\d\b", sources[0]), "no paragraph 'Source:' with author and year"
    examples = [p for p in paragraphs if p.startswith("Example:")]
    assert examples and ">>>" in examples[0], "no paragraph 'Example:' with lines that run"
    described = page.model_class.__doc__ or ""
    silent = [a for a in settings.arguments(page.name) if not re.search(rf"^\s+{a}: \S", described, re.M)]
    assert not silent, f"the docstring of the class does not explain {', '.join(silent)}"


def check_example_runs(page: Subject) -> None:
    """The example of the docstring prints what it says."""
    if keras.backend.backend() == "jax":
        pytest.skip("JAX compiles every line of an example by itself; the examples run on the other backends")
    text, report = ast.get_docstring(_tree(page)) or "", io.StringIO()
    example = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page.page.file), 0)
    result = doctest.DocTestRunner().run(example, out=report.write)
    assert result.attempted, "the docstring has no example"
    assert not result.failed, report.getvalue()


def check_size(page: Subject) -> None:
    """A page is read in one go: at most 250 lines, and functions of at most 30."""
    lines = len(page.page.file.read_text(encoding="utf-8").splitlines())
    assert lines <= PAGE_LINES, f"{lines} lines are more than {PAGE_LINES}"
    long = {f.name: f.end_lineno - f.lineno + 1 for f in _functions(_tree(page)) if f.end_lineno}
    long = {name: length for name, length in long.items() if length > FUNCTION_LINES}
    assert not long, f"functions of more than {FUNCTION_LINES} lines: {long}"


def check_imports(page: Subject) -> None:
    """Keras, NumPy, the core, and a page only if the docstring declares it as the parent."""
    tree = _tree(page)
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    parents = re.findall(r"^Parent: *(\w+)", ast.get_docstring(tree) or "", re.M)
    foreign = [name for name in names if not _allowed(name, parents)]
    assert not foreign, f"a page does not import {', '.join(foreign)}"
    private = [
        _dotted(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _dotted(n).startswith("keras.src")
    ]
    assert not private and not any(name.startswith("keras.src") for name in names), "keras.src is private to Keras"


def _allowed(name: str, parents: list[str]) -> bool:
    if name.startswith("maquette.models."):
        last = name.rpartition(".")[2]
        return last in parents or last.startswith("_")
    return name.split(".")[0] in ("keras", "numpy", *STANDARD) or any(
        name == own or name.startswith(f"{own}.") for own in OURS
    )


def check_learning_rule(page: Subject) -> None:
    """The whole rule is `compute_loss`, marked as such, so that Keras's own training loop runs it."""
    rule = page.model_class.compute_loss
    assert getattr(rule, "is_learning_rule", False), "compute_loss is not marked with @learning_rule"
    tree = _tree(page)
    own = [f.name for f in _functions(tree) if f.name in ("train_step", "test_step", "train_function")]
    assert not own, f"{own[0]} ties the page to one backend"
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _dotted(node.func).endswith("Lambda")]
    assert not lambdas, "a Lambda layer cannot be loaded in safe mode"


def check_portable_operations(page: Subject) -> None:
    """No `@`, which NumPy or the engine may take over; no NumPy draw or sum that a compiled step would freeze."""
    tree = _tree(page)
    products = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
    ]
    assert not products, f"line {products[:1]}: write ops.matmul instead of @"
    drawing = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _draws(node)]
    assert not drawing, f"line {drawing[0].lineno}: without a seed PyTorch draws otherwise each time (core.dropout)"
    for function in _functions(tree):
        if function.name in ("call", "compute_loss"):
            calls = [_dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
            frozen = [name for name in calls if name.split(".")[0] in ("np", "numpy", "random")]
            assert not frozen, f"{function.name} calls {', '.join(frozen)}, which a compiled step computes once for all"


def _draws(call: ast.Call) -> bool:
    """Whether the call makes one of Keras's layers that draw noise, and gives it no seed."""
    keywords = {keyword.arg for keyword in call.keywords}
    noisy = re.search(r"Dropout|Noise|Random", _dotted(call.func)) or keywords & {"dropout", "recurrent_dropout"}
    return bool(noisy) and re.match(r"(keras\.)?layers\.", _dotted(call.func)) is not None and "seed" not in keywords


def check_no_draws_in_loops(page: Subject) -> None:
    """Noise is drawn before a traced loop, since a counter advanced within it leaks out of the trace on JAX."""
    tree = _tree(page)
    named = {f.name: f for f in _functions(tree)}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _dotted(call.func).rpartition(".")[2] in LOOPS and _dotted(call.func).startswith(("ops.", "keras.ops.")):
            bodies: list[Any] = [named.get(_dotted(a).rpartition(".")[2], a) for a in call.args]
            inside = [_dotted(n) for body in bodies for n in ast.walk(body) if isinstance(n, ast.Attribute)]
            drawn = [name for name in inside if ".noise." in f".{name}" or name.startswith("keras.random.")]
            assert not drawn, f"line {call.lineno}: {drawn[0]} is drawn inside the loop"


SOURCE_CHECKS = {name: f for name, f in list(globals().items()) if name.startswith("check_")}
