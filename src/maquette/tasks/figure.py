"""A picture of a report: one SVG that takes the colours of the page it stands on."""

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

INK = "#000000"  # black, matplotlib's own colour of text and lines, is written as `currentColor`
# Accents that stand out from white and from near-black alike.
BLUE, ORANGE, GREY = "#3f7fd6", "#d9622b", "#8a8f98"
WIDTH = 4.8  # inches: two figures side by side on a desk, one on a telephone
PIXELS = 60_000  # of all pictures in one figure together, which keeps the figure below 300 kB
LINE = 0.19  # of the width of a picture is a line of text below it
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


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


def canvas(width: float = WIDTH, height: float = 3.6, **grid: Any) -> tuple[Any, Any]:
    """A matplotlib figure and its axes in the report's style; `grid` goes to `Figure.subplots`."""
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    style: Any = {
        **{"axes.facecolor": "none", "axes.linewidth": 0.8, "font.size": 10},
        **{"axes.spines.top": False, "axes.spines.right": False},
    }
    with matplotlib.rc_context(style):
        figure = Canvas(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        return figure, figure.subplots(**grid)


def finish(figure: Any, name: str, title: str, caption: str) -> Figure:
    """Write a matplotlib figure as a Figure; what was drawn in black becomes `currentColor`."""
    import matplotlib
    from matplotlib.legend import Legend

    for legend in figure.findobj(Legend):
        legend.set_frame_on(False)
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "maquette", "image.composite_image": False}
    buffer = io.StringIO()
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # The browser has letters that the font used for measuring lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return Figure(name, title, caption, _inline(buffer.getvalue(), name, title))


def _inline(svg: str, name: str, title: str) -> str:
    """An SVG file's text made fit to stand in a page beside others."""
    text = svg[svg.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>", "", text, count=1, flags=re.DOTALL)  # it would apply to the whole page
    text = re.sub(r"'DejaVu Sans'[^;\"]*", FONT, text)
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)
    # Matplotlib leaves the fill of black text and shapes out: they inherit the root's.
    root = f'<svg role="img" aria-label="{escape(title)}" fill="currentColor" stroke-linejoin="round" '
    return text.replace("<svg ", root, 1)


def label(text: Any, most: int = 16) -> str:
    """Text of the user's data, cut to `most` letters, in which matplotlib finds no formula and XML no fault."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in str(text))
    clean = clean if len(clean) <= most else clean[: most - 1] + "…"
    return clean.replace("$", r"\$")


def shade(colour: str = BLUE, most: float = 0.6) -> Any:
    """A colour map from nothing to `colour`; at most so strong that text in `currentColor` is read on it."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    return LinearSegmentedColormap.from_list("shade", [(*to_rgb(colour), 0.0), (*to_rgb(colour), most)])


def pictures(axes: Any, x: np.ndarray, columns: int, texts: Sequence[str] = (), lines: int = 0) -> None:
    """Draw pictures (n, height, width, channels) in rows of `columns`, each over its text of `lines` lines.

    Pictures are uint8, or real numbers in [0, 1]; one channel is grey. Large ones are drawn smaller.
    """
    x = _fitting(_bytes(x))
    tall = x.shape[1] / x.shape[2]
    step = tall + 0.08 + LINE * lines
    for i, picture in enumerate(x):
        left, top = (i % columns) * 1.08, (i // columns) * step
        place = {"extent": (left, left + 1, top + tall, top), "interpolation": "none"}
        axes.imshow(picture.squeeze(-1) if picture.shape[-1] == 1 else picture, cmap="gray", vmin=0, vmax=255, **place)
        for line, text in enumerate(texts[i].split("\n") if lines else ()):
            axes.text(left + 0.5, top + tall + LINE * (line + 0.85), text, ha="center", fontsize=9)
    rows = -(-len(x) // columns)
    axes.set(xlim=(0, columns * 1.08 - 0.08), ylim=(rows * step, 0), aspect="equal")
    axes.set_axis_off()


def pictures_height(x: np.ndarray, columns: int, lines: int = 0, width: float = WIDTH) -> float:
    """The height in inches of a canvas of `width` for `pictures`."""
    step = x.shape[1] / x.shape[2] + 0.08 + LINE * lines
    return max(0.6, -(-len(x) // columns) * step * width / (columns * 1.08 - 0.08))


def _bytes(x: np.ndarray) -> np.ndarray:
    return x if x.dtype == np.uint8 else (np.clip(np.nan_to_num(x), 0, 1) * 255 + 0.5).astype("uint8")


def _fitting(x: np.ndarray) -> np.ndarray:
    height, width = x.shape[1:3]
    scale = (PIXELS / (len(x) * height * width)) ** 0.5
    if scale >= 1:
        return x
    from PIL import Image

    size = max(1, int(width * scale)), max(1, int(height * scale))
    return np.stack([np.asarray(Image.fromarray(p.squeeze()).resize(size, Image.Resampling.BOX)) for p in x])
