"""A picture of a report: one SVG that takes the colours of the page it stands on."""

import io
from dataclasses import dataclass
from typing import Any

INK = "#010203"  # drawn in this colour, written as `currentColor`


@dataclass(frozen=True)
class Figure:
    """A drawn picture.

    Attributes:
        name: its file name without ending.
        title: a few words.
        caption: one sentence that says what to see.
        svg: the drawing, its text and lines in `currentColor`.
    """

    name: str
    title: str
    caption: str
    svg: str


def canvas(width: float = 6.0, height: float = 3.6, **grid: Any) -> tuple[Any, Any]:
    """A matplotlib figure and its axes in the report's style; `grid` goes to `Figure.subplots`."""
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    style = {
        **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
        **{"axes.labelcolor": INK, "axes.edgecolor": INK, "axes.titlecolor": INK, "axes.facecolor": "none"},
        **{"axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "font.size": 10},
        **{"legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "maquette", "image.cmap": "gray"},
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(style):
        figure = Canvas(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        return figure, figure.subplots(**grid)


def finish(figure: Any, name: str, title: str, caption: str) -> Figure:
    """Write a matplotlib figure as a Figure."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "maquette"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return Figure(name, title, caption, text[text.index("<svg") :].replace(INK, "currentColor"))
