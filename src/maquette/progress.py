"""What a person or a program sees while something long runs: a bar, plain lines, or JSON lines."""

import json
import sys
from typing import Any, Literal

from maquette import files

Style = Literal["auto", "bar", "lines", "json", "quiet"]


def chosen(style: Style) -> Style:
    """The style itself, or for "auto" a bar on a terminal and lines elsewhere."""
    return style if style != "auto" else ("bar" if sys.stderr.isatty() else "lines")


def say(style: Style, text: str, **event: Any) -> None:
    """One message: `text` for a person, `event` for a program."""
    style = chosen(style)
    if style == "json":
        print(json.dumps(files.plain(event)), flush=True)
    elif style != "quiet":
        print(text, file=sys.stderr, flush=True)
