"""A model as a table of its layers and as a drawing: shapes, weights, and multiply-adds of one example.

Multiply-adds of a dense layer or convolution are positions x size of its kernels. Positions are the pixels of the
output map, of the input map for a transposed convolution, or the rows that a dense layer maps; padding counts as if
it were data. Biases, activations, pooling and normalisation count as 0.

Source: He et al. (2016), "Deep residual learning for image recognition", table 1, compares networks in this unit.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from maquette.tasks.figure import BLUE, GREY, WIDTH, Figure, canvas, finish, label

MOST_BOXES = 24  # in one drawing; of a deeper network the first and the last layers are drawn
ROW = 0.62  # inches from one box to the next
CENTRE = 0.72  # of the boxes, as a share of the drawing's width

# Of Keras's layers, by name: those whose multiply-adds follow from the size of a kernel, and those that have others.
KERNELS: tuple[str, ...] = ("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D")
KERNELS += ("SeparableConv1D", "SeparableConv2D")
TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
TABLES = ("Embedding", "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "PReLU")
PRODUCTS = ("Attention", "AdditiveAttention", "Dot")


def layers_of(model: Any, shape: Sequence[int]) -> list[dict[str, Any]]:
    """One row per call of a leaf layer, in the order of computation for an input of (1, *shape).

    The model runs once on a symbolic input, so nothing of it changes. A layer that is called again has its weights
    in its first row alone. Weights that are a model's own, and no layer's, have a row of the model's name. Networks
    that `call` does not use, such as the generator of a game, come last, with "reached" false.

    Args:
        model: a built model.
        shape: of one input, without the batch.

    Returns:
        Rows {"layer", "kind", "output": shape without the batch, "parameters", "multiply_adds": of one example, None
        where they are not known, "reached"}; the parameters add up to `model.count_params()`.
    """
    recorder = _Recorder(model)
    with recorder.listening():
        recorder.run(model, shape)
        reached = len(recorder.rows)
        recorder.run_unused(model)
    return [{**row, "reached": i < reached} for i, row in enumerate(recorder.rows)]


def total(rows: Sequence[dict[str, Any]]) -> tuple[int, list[str]]:
    """The multiply-adds of one example in all rows where they are known, and the names of the layers of the others."""
    known = sum(row["multiply_adds"] or 0 for row in rows)
    return known, list(dict.fromkeys(row["layer"] for row in rows if row["multiply_adds"] is None))


class _Recorder:
    """Notes a row at the end of each call of a model's layers while it is `listening`."""

    def __init__(self, model: Any) -> None:
        self.rows: list[dict[str, Any]] = []
        self.counted: set[int] = set()  # weights that have their row
        self.names = _names(model)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Put a listener before each layer's `call`, and take it away again."""
        before = {layer: vars(layer).get("call") for layer in self.names}
        try:
            for layer in self.names:
                vars(layer)["call"] = self._noted(layer, layer.call)
            yield
        finally:
            for layer, own in before.items():
                vars(layer).pop("call", None)
                if own is not None:
                    vars(layer)["call"] = own

    def _noted(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def noted(*inputs: Any, **options: Any) -> Any:
            outputs = call(*inputs, **options)
            self.note(layer, _shape(inputs), _shape(outputs))
            return outputs

        return noted

    def note(self, layer: Any, entered: tuple[Any, ...], left: tuple[Any, ...]) -> None:
        """Add the row of a leaf, or of a model with weights of its own."""
        inner = {id(w) for child in _children(layer) for w in child.weights}
        own = {id(w): math.prod(w.shape) for w in layer.weights if id(w) not in inner | self.counted}
        if not own and (inner or not _is_leaf(layer)):
            return
        self.counted |= set(own)
        self.rows.append(
            {
                **{"layer": self.names[layer], "kind": type(layer).__name__, "output": list(left[1:])},
                **{"parameters": sum(own.values()), "multiply_adds": multiply_adds(layer, entered, left)},
            }
        )

    def run(self, layer: Any, shape: Sequence[int]) -> None:
        """Call a layer on a symbolic input of (1, *shape); raises whatever the layer raises."""
        import keras

        start, counted = len(self.rows), set(self.counted)

        class Call(keras.Operation):
            def call(_, x: Any) -> Any:
                # A backend that fails on symbols tries again on numbers.
                self.rows, self.counted = self.rows[:start], set(counted)
                return layer(x)

        Call().compute_output_spec(keras.KerasTensor((1, *shape), dtype=layer.compute_dtype))

    def run_unused(self, layer: Any) -> None:
        """Run what lies below a layer and has weights but no row yet."""
        for child in _children(layer):
            if all(id(w) in self.counted for w in child.weights):
                continue
            shape = (child.get_build_config() or {}).get("input_shape")
            untouched = not any(id(w) in self.counted for w in child.weights)
            if untouched and shape and None not in shape[1:]:
                self.run(child, shape[1:])
            elif _is_leaf(child):
                self.note(child, (), ())
            else:
                self.run_unused(child)


def _names(model: Any) -> dict[Any, str]:
    """Every layer from the model to the leaves and its name, with its parent's before it where two are called alike."""
    found: dict[Any, str] = {model: model.name}
    waiting = [model]
    while waiting:
        parent = waiting.pop()
        new = [child for child in _children(parent) if child not in found]
        found |= {child: f"{parent.name}/{child.name}" for child in new}
        waiting += new
    often = Counter(layer.name for layer in found)
    return {layer: name if often[layer.name] > 1 else layer.name for layer, name in found.items()}


def _children(layer: Any) -> list[Any]:
    """The layers directly below; Keras's own layers, such as an LSTM with its cell, count as one."""
    import keras

    whole = type(layer).__module__.startswith("keras.") and not isinstance(layer, keras.Model)
    return [] if whole else layer._flatten_layers(include_self=False, recursive=False)


def _is_leaf(layer: Any) -> bool:
    import keras

    return not isinstance(layer, keras.Model) and not _children(layer)


def _shape(values: Any) -> tuple[Any, ...]:
    """The shape of the first array among nested values; () if there is none."""
    import keras

    return next((tuple(v.shape) for v in keras.tree.flatten(values) if hasattr(v, "shape")), ())


def multiply_adds(layer: Any, entered: tuple[Any, ...], left: tuple[Any, ...]) -> int | None:
    """Multiply-adds of one example in a layer, from the shapes (batch, ...) that enter and leave it; or None."""
    import keras

    def one_of(names: Sequence[str]) -> bool:
        return isinstance(layer, tuple(getattr(keras.layers, name) for name in names))

    if one_of(KERNELS) or one_of(TRANSPOSED):
        seen = entered if one_of(TRANSPOSED) else left
        places = seen[2:] if getattr(layer, "data_format", "") == "channels_first" else seen[1:-1]
        kernels = sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
        return math.prod(places) * kernels if left and None not in places else None
    known = type(layer).__module__.startswith("keras.") or one_of(("Dropout",))  # ours is one of Keras's with a seed
    plain = known and not (layer.weights or one_of(PRODUCTS))
    return 0 if plain or one_of(TABLES) else None


def network_figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """The layers from top to bottom, each box as wide as the logarithm of its weights, output shapes between them.

    Args:
        rows: of `layers_of`.
    """
    shown = _shortened(rows)
    picture, axes = canvas(WIDTH, ROW * len(shown) + 0.25)
    most = math.log10(max([row["parameters"] for row in rows] + [10]))
    for i, row in enumerate(shown):
        _box(axes, i, row, most)
        _arrow(axes, i, row, follows=i + 1 < len(shown) and shown[i + 1]["reached"] == row["reached"])
    axes.set(xlim=(0, 1), ylim=(len(shown) - 0.1, -0.45))
    axes.set_axis_off()
    weights = sum(row["parameters"] for row in rows)
    caption = f"{weights:,} weights. A box is as wide as the logarithm of its weights"
    caption += "." if all(row["parameters"] for row in rows) else "; grey ones have none."
    if not all(row["reached"] for row in rows):
        caption += " Dashed ones stand apart from the way of an input and are used in training or on their own."
    return finish(picture, "network", "The network, layer by layer", caption)


def _shortened(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) <= MOST_BOXES:
        return list(rows)
    half = MOST_BOXES // 2
    left = rows[half:-half]
    gap = {
        "layer": f"{len(left)} layers more",
        "kind": "",
        "output": left[-1]["output"],
        "reached": left[-1]["reached"],
    }
    return [*rows[:half], gap | {"parameters": sum(row["parameters"] for row in left)}, *rows[-half:]]


def _box(axes: Any, y: int, row: dict[str, Any], most: float) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    weights = row["parameters"]
    width = 0.2 + 0.34 * math.log10(weights) / most if weights else 0.12
    colour = BLUE if weights else GREY
    box = FancyBboxPatch(
        *((CENTRE - width / 2, y - 0.2), width, 0.4),
        boxstyle="round,pad=0,rounding_size=0.02",
        mutation_aspect=WIDTH / ROW,
        facecolor=to_rgba(colour, 0.25),
        edgecolor=colour,
        linewidth=1.2,
        linestyle="-" if row["reached"] else "--",
    )
    axes.add_patch(box)
    if weights:
        axes.text(CENTRE, y, f"{weights:,}", ha="center", va="center", fontsize=10)
    name, kind = label(row["layer"], 22), label(row["kind"], 22)
    axes.text(0, y - (0.13 if kind else 0), name, ha="left", va="center", fontsize=10, fontweight="bold")
    axes.text(0, y + 0.17, kind, ha="left", va="center", fontsize=9)


def _arrow(axes: Any, y: int, row: dict[str, Any], follows: bool) -> None:
    """The way to the next box, and what goes along it."""
    line = {"arrowstyle": "-|>" if follows else "-", "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axes.annotate("", (CENTRE, y + (0.79 if follows else 0.35)), (CENTRE, y + 0.21), arrowprops=line | {"color": "k"})
    axes.text(CENTRE + 0.03, y + 0.48, sizes(row["output"]), ha="left", va="center", fontsize=9)


def sizes(shape: Sequence[int | None]) -> str:
    """A shape as people write it, on one line: [28, 28, 6] -> "28 × 28 × 6"; a scalar is "1"."""
    return "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}".join("?" if n is None else str(n) for n in shape) or "1"
