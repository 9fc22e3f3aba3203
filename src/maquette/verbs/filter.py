"""Filter a picture: write the result, or a figure that shows it beside every filtered version.

A filter is a page of `maquette.methods.image` whose METHOD takes a picture and needs nothing else. It is named as its
file, with arguments after a colon; several that follow each other are joined by a plus:

    median-filter      median-filter:size=5      noise:kind=salt-and-pepper,amount=0.2+median-filter:size=5
"""

import ast
import base64
import inspect
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from maquette import catalog, files
from maquette.errors import InputError, near

SUFFIXES = (".png", ".html")
LONGEST = 480  # pixels of a side in a figure; a larger picture is made smaller before it is filtered
_SPLIT = re.compile(r",(?![^(\[]*[)\]])")  # a comma, but not the one in size=(3,5)


@dataclass(frozen=True)
class Filter:
    """A filter with its arguments.

    Attributes:
        text: as the user wrote it.
        page: its page.
        arguments: given ones, by name.
    """

    text: str
    page: catalog.Page
    arguments: dict[str, Any]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.page.load().METHOD(x, **self.arguments))

    def settings(self) -> str:
        """The first argument and the given ones, such as "size=3"."""
        first = next(iter(_arguments(self.page).items()))
        used = {first[0]: first[1].default, **self.arguments}
        return ", ".join(f"{name}={value}" for name, value in used.items() if value is not None)


@cache
def filters() -> dict[str, catalog.Page]:
    """The pages that can filter a picture, by the name of their file."""
    pages = {name: page for name, page in catalog.pages("methods").items() if page.file.parent.name == "image"}
    return {name: page for name, page in pages.items() if _takes_a_picture(page.load().METHOD)}


def _takes_a_picture(method: Callable[..., Any]) -> bool:
    first, *rest = inspect.signature(method).parameters.values()
    return first.name == "picture" and all(one.default is not one.empty for one in rest)


def _arguments(page: catalog.Page) -> dict[str, inspect.Parameter]:
    return dict(list(inspect.signature(page.load().METHOD).parameters.items())[1:])


def filter_pictures(names: Sequence[str], paths: Sequence[str | Path], out: str | Path) -> list[dict[str, Any]]:
    """Filter pictures one after the other, each into a file of its own.

    Args:
        names: filters as above; none stands for every filter there is.
        paths: the pictures.
        out: for one picture a file that ends in .png or .html, or for any number a folder: NAME-FILTER.png for one
            filter, NAME.html for several.

    Returns:
        Rows {"picture", "filters", "out"}, one per picture; `filters` is empty where all were asked for.

    Raises:
        InputError: as `filter_picture`, and for two pictures whose results would have one name.
    """
    pictures = [Path(path) for path in paths]
    targets = _targets(names, pictures, Path(out))
    for i, target in enumerate(targets):
        if target in targets[:i]:
            first = pictures[targets.index(target)]
            raise InputError(f"{first} and {pictures[i]} would both become {target}: filter one at a time")
    for path, target in zip(pictures, targets, strict=True):
        filter_picture(names, path, target)
    return [
        {"picture": str(path), "filters": list(names), "out": str(target)}
        for path, target in zip(pictures, targets, strict=True)
    ]


def _targets(names: Sequence[str], paths: Sequence[Path], out: Path) -> list[Path]:
    if out.suffix and not out.is_dir():
        if len(paths) > 1:
            raise InputError(f"--out {out}: {len(paths)} pictures need a folder, not a file")
        return [out]
    steps = [one.page.name.replace("_", "-") for one in parse(names[0])] if len(names) == 1 else []
    return [out / ("-".join([path.stem, *steps]) + (".png" if steps else ".html")) for path in paths]


def filter_picture(names: Sequence[str], path: str | Path, out: str | Path) -> Path:
    """Filter the picture in `path` and write `out`.

    Results that are no pictures are shown from black to white: edges as lines, magnitudes from 0 to the largest,
    signed slopes around grey; of several channels the largest is taken.

    Args:
        names: filters as above; none stands for every filter there is, with its own arguments.
        path: the picture; it is laid on white where it is transparent, and read with 8 bits a channel.
        out: .png for the result of one filter, at full size; .html for a page that shows the picture beside the
            result of every filter, at most 480 pixels a side.

    Returns:
        The path of `out`.

    Raises:
        InputError: naming the filter, the argument or the file at fault.
    """
    path, out = Path(path), Path(out)
    chains = [parse(name) for name in names or [name.replace("_", "-") for name in filters()]]
    x = read(path)
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"--out {out}: end it in .png or .html")
    if suffix == ".png" and len(chains) > 1:
        raise InputError(f"--out {out}: a PNG holds one result, not {len(chains)}; end it in .html")
    if out.exists() and path.exists() and out.samefile(path):
        raise InputError(f"--out {out}: that is the picture itself; choose another name")
    try:
        result = _png(shown(_run(chains[0], x))) if suffix == ".png" else _page(path.name, chains, x).encode()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    with files.replacing(out) as temporary:
        temporary.write_bytes(result)
    return out


def parse(text: str) -> list[Filter]:
    """ "noise:amount=0.2+median-filter" -> the filters in order; raises InputError naming what is unknown."""
    return [_filter(part.strip()) for part in re.split(r"\+(?=\s*[a-zA-Z])", text)]


def _filter(text: str) -> Filter:
    name, _, rest = text.partition(":")
    page = filters().get(name.strip().replace("-", "_"))
    if page is None:
        known = [one.replace("_", "-") for one in filters()]
        raise InputError(f"there is no filter called {name!r}: {near(name, known)}")
    known, given = [key for key in _arguments(page) if key != "batch"], {}
    for pair in _SPLIT.split(rest) if rest else ():
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise InputError(f"{name}:{pair}: write arguments as key=value, with commas between")
        if key not in known:
            raise InputError(f"{name}:{key}: the filter has no such argument; {near(key, known)}")
        given[key] = _value(value)
    return Filter(text, page, given)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _run(chain: Sequence[Filter], x: np.ndarray) -> np.ndarray:
    for one in chain:
        try:
            x = one(x)
        except InputError as error:
            raise InputError(f"{one.text}: {error}") from error
    return x


def read(path: Path) -> np.ndarray:
    """The picture in a file, uint8 (height, width) if it is grey, else (height, width, 3); raises InputError."""
    from PIL import Image, ImageOps

    from maquette.data.readers.images import read_pictures

    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'does not exist'}; give one picture")
    try:
        with Image.open(path) as opened:
            width, height = ImageOps.exif_transpose(opened).size
            channels = 1 if opened.mode in ("1", "L", "LA") or opened.mode.startswith("I") else 3
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        width = height = channels = 1  # the reader finds the same fault, and says which
    x = read_pictures(path, height, width, channels)[1][0]
    return x[..., 0] if channels == 1 else x


def _smaller(x: np.ndarray) -> np.ndarray:
    from PIL import Image

    scale = LONGEST / max(x.shape[:2])
    if scale >= 1:
        return x
    size = max(1, round(x.shape[1] * scale)), max(1, round(x.shape[0] * scale))
    return np.asarray(Image.fromarray(x).resize(size, Image.Resampling.LANCZOS))


def shown(y: np.ndarray) -> np.ndarray:
    """A filter's result as bytes: a picture as it is, a mask or slopes (height, width[, channels]) in grey."""
    if y.dtype == np.uint8:
        return y
    y = y.astype(float)
    if y.ndim == 3:
        y = np.take_along_axis(y, np.abs(y).argmax(-1)[..., np.newaxis], -1)[..., 0]
    y = y / max(np.abs(y).max(), np.finfo(float).tiny)
    return np.rint(255 * (y if y.min() >= 0 else 0.5 + 0.5 * y)).astype(np.uint8)


@dataclass(frozen=True)
class _Card:
    """One picture of a figure: its title, settings, sentences, and PNG."""

    title: str
    settings: str
    says: str
    width: int
    height: int
    png: bytes

    @property
    def source(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


def _card(title: str, says: str, x: np.ndarray, settings: str = "") -> _Card:
    return _Card(title, settings, says, x.shape[1], x.shape[0], _png(x))


def _png(x: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(x).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _about(x: np.ndarray, small: np.ndarray) -> str:
    size = f"{x.shape[1]} x {x.shape[0]} pixels, {'grey' if x.ndim == 2 else 'colour'}"
    return f"The picture: {size}" + (f", filtered at {small.shape[1]} x {small.shape[0]}." if x is not small else ".")


def _result(chain: Sequence[Filter], x: np.ndarray) -> _Card:
    from maquette.methods.image.quality import psnr

    y = _run(chain, x)
    says = chain[-1].page.summary
    if y.dtype == x.dtype and y.shape == x.shape and (y != x).any():
        says += f" PSNR to the picture: {psnr(y, x):.1f} dB."
    title = " + ".join(one.text.partition(":")[0] for one in chain)
    return _card(title, says, shown(y), "; ".join(filter(None, (one.settings() for one in chain))))


_STYLE = """
:root { color-scheme: light dark; --ink: #1a1c20; --soft: #5d636d; --paper: #fff; --line: #dcdfe4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a2a8b3; --paper: #15171b; --line: #32363d; } }
body { margin: 2rem auto; padding: 0 1.25rem; max-width: 90rem; color: var(--ink); background: var(--paper);
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
h1 { font-size: 1.35rem; font-weight: 600; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 1.75rem 1.25rem; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; border-radius: 3px; outline: 1px solid var(--line); }
figcaption { margin-top: .5rem; }
b { display: block; font-weight: 600; overflow-wrap: anywhere; }
code { display: block; font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
figcaption span { font-size: .87rem; color: var(--soft); }
"""


def _page(name: str, chains: Sequence[Sequence[Filter]], x: np.ndarray) -> str:
    small = _smaller(x)
    cards = [_card(name, _about(x, small), small), *(_result(chain, small) for chain in chains)]
    title = f"{name} and {len(chains)} filter{'s' * (len(chains) > 1)}"
    figures = "\n".join(
        f'<figure><img src="{card.source}" width="{card.width}" height="{card.height}" alt="{escape(card.title)}">'
        f"<figcaption><b>{escape(card.title)}</b>"
        + (f"<code>{escape(card.settings)}</code>" if card.settings else "")
        + f"<span>{escape(card.says)}</span></figcaption></figure>"
        for card in cards
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<h1>{escape(title)}</h1>\n<main>\n{figures}\n</main>"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}<style>{_STYLE}</style></head>\n<body>{body}</body>\n</html>\n'
    )
