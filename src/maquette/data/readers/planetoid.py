"""Reads the eight files of a Planetoid set: ind.NAME.x, y, tx, ty, allx, ally, graph and test.index.

x and y are features and classes of the nodes to train on, allx and ally those of all nodes but the ones to test, tx and
ty those of the latter, whose numbers are in test.index, in another order; graph lists each node's neighbours. The 500
nodes after those to train on are for validation. A test node without features, of which CiteSeer has 15, is given none
and no class.

The files are pickles of Python 2, which could run any code. Here their instructions are read one by one, and the few
that make lists, numbers, arrays and sparse matrices are carried out; any other one is refused.

Source: Yang, Cohen, Salakhutdinov (2016), "Revisiting semi-supervised learning with graph embeddings", section 5.
"""

import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse

from maquette.data.graph import UNKNOWN, Graph
from maquette.errors import InputError

PARTS = ("x", "y", "tx", "ty", "allx", "ally", "graph")
VALIDATION = 500


def read_planetoid(folder: str | Path, name: str = "", classes: tuple[str, ...] = ()) -> Graph:
    """Read the set `name`, or the only one, of a folder, as an undirected Graph with its public split.

    Raises:
        InputError: naming the file that is missing or damaged.
    """
    folder = Path(folder)
    found = sorted(path.name.split(".")[1] for path in folder.glob("ind.*.graph"))
    if not name and len(found) != 1:
        raise InputError(
            f"{folder} holds {len(found)} Planetoid sets: give a folder with one, ind.NAME.graph and others"
        )
    name = name or found[0]
    parts = {part: unpickled(folder / f"ind.{name}.{part}") for part in PARTS}
    order = np.loadtxt(folder / f"ind.{name}.test.index", np.int64, ndmin=1)
    total = max(len(parts["graph"]), int(order.max()) + 1)
    known, start = parts["allx"].shape[0], len(parts["y"])
    place = np.full(total, known + len(order))  # of each node among the rows of allx and tx, and one without anything
    place[:known], place[order] = np.arange(known), known + np.arange(len(order))
    nothing = sparse.csr_matrix((1, parts["allx"].shape[1]))
    features = sparse.vstack([parts["allx"], parts["tx"], nothing], "csr")[place]
    labels = np.append(np.concatenate([parts["ally"], parts["ty"]]).argmax(axis=1), UNKNOWN)[place]
    split = np.full(total, -1)
    split[:start], split[start : start + VALIDATION], split[order] = 0, 1, 2
    pairs = [(node, other) for node, others in parts["graph"].items() for other in others]
    classes = classes or tuple(str(i) for i in range(parts["ally"].shape[1]))
    own: dict[str, Any] = {"labels": labels, "classes": classes, "split": split, "name": name}
    return Graph(np.array(pairs, np.int64).reshape(-1, 2).T, total, features=features, **own).simple()


def unpickled(path: Path) -> Any:
    """The array, sparse matrix or dictionary of lists in a pickle; raises InputError naming the file for any other."""
    try:
        return _Machine().run(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path} is missing: a Planetoid set has {', '.join(PARTS)} and test.index") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no file of a Planetoid set ({error}): replace it") from error


class _Machine:
    """The instructions of a pickle that data need: a stack, a memory, and makers of arrays that `MAKERS` names."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        for instruction, value, _ in pickletools.genops(content):
            name = instruction.name
            if name in CONSTANTS:
                self.stack.append(CONSTANTS[name]())
            elif name in VALUES:
                self.stack.append(value)
            elif name == "STOP":
                return self.stack.pop()
            else:
                getattr(self, f"_{name.lower()}")(value)
        raise ValueError("it ends too early")

    def _above_mark(self) -> list[Any]:
        start = self.marks.pop()
        found, self.stack[start:] = self.stack[start:], []
        return found

    def _proto(self, value: Any) -> None:
        pass

    def _mark(self, value: Any) -> None:
        self.marks.append(len(self.stack))

    def _global(self, value: str) -> None:
        if value not in MAKERS:
            raise ValueError(f"it asks for {value}")
        self.stack.append(MAKERS[value])

    def _binput(self, value: int) -> None:
        self.memory[value] = self.stack[-1]

    def _binget(self, value: int) -> None:
        self.stack.append(self.memory[value])

    _long_binput, _long_binget = _binput, _binget

    def _tuple(self, value: Any) -> None:
        self.stack.append(tuple(self._above_mark()))

    def _tuple1(self, value: Any) -> None:
        self._gather(1)

    def _tuple2(self, value: Any) -> None:
        self._gather(2)

    def _tuple3(self, value: Any) -> None:
        self._gather(3)

    def _gather(self, count: int) -> None:
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def _append(self, value: Any) -> None:
        item = self.stack.pop()
        self.stack[-1].append(item)

    def _appends(self, value: Any) -> None:
        items = self._above_mark()
        self.stack[-1].extend(items)

    def _setitems(self, value: Any) -> None:
        items = self._above_mark()
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def _reduce(self, value: Any) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self.stack[-1](*arguments)

    _newobj = _reduce

    def _build(self, value: Any) -> None:
        state = self.stack.pop()
        self.stack[-1].fill(state)


class _Kind:
    """A NumPy dtype that is being read."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code, "="

    def fill(self, state: tuple[Any, ...]) -> None:
        self.order = state[1].replace("|", "=")


class _Array(np.ndarray):
    """An array that is being read: its bytes come after it was made."""

    def fill(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, in_columns, content = state
        content = content.encode("latin-1") if isinstance(content, str) else content
        values = np.frombuffer(content, np.dtype(kind.code).newbyteorder(kind.order))
        self.resize(shape, refcheck=False)
        self[...] = values.reshape(shape, order="F" if in_columns else "C")


class _Matrix(sparse.csr_matrix):
    """A CSR matrix that is being read."""

    def __init__(self) -> None:
        super().__init__((0, 0))

    def fill(self, state: dict[str, Any]) -> None:
        data, indices, indptr = (np.array(state[key]) for key in ("data", "indices", "indptr"))
        super().__init__((data, indices, indptr), state["_shape"])


CONSTANTS: dict[str, Any] = {
    **{"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "NONE": lambda: None},
    **{"NEWTRUE": lambda: True, "NEWFALSE": lambda: False},
}
VALUES = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINSTRING", "BINSTRING", "BINUNICODE")
MAKERS: dict[str, Any] = {
    **{"collections defaultdict": lambda kind: {}, "__builtin__ list": list, "builtins list": list},
    **{"numpy ndarray": None, "numpy dtype": _Kind, "scipy.sparse.csr csr_matrix": _Matrix},
    "numpy.core.multiarray _reconstruct": lambda *_: _Array(0),
}
