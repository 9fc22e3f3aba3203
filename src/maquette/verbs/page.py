"""HTML pages that stand alone: templates, inline style and drawings, and numbers as people write them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from maquette import files
from maquette.tasks.figure import Figure

TEMPLATES = Path(__file__).with_name("templates")
WIDE = 420.0  # points; a drawing above this takes a whole row of the page


def write(path: Path, template: str, **values: Any) -> Path:
    """Fill a template, with every value escaped, and write it to `path`."""
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    files.write_text(path, _environment().get_template(template).render(css=_safe(css), **values))
    return path


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "duration": duration, "words": words, "is_number": _is_number}
    return environment


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def drawing(figure: Figure) -> dict[str, Any]:
    """What a template shows of a figure."""
    width = float(figure.svg.split('viewBox="', 1)[1].split('"', 1)[0].split()[2])
    return {
        **{"name": figure.name, "title": figure.title, "caption": figure.caption},
        **{"svg": _safe(figure.svg), "wide": width > WIDE},
    }


def number(value: Any) -> str:
    """A number to four digits, whole ones with separators of thousands; other things as they are, None as a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "–"
    if not _is_number(value):
        return str(value)
    if isinstance(value, int) or 1e4 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def duration(seconds: float) -> str:
    """Seconds as "0.42 s", "12.3 s", "4 min 10 s" or "1 h 12 min"."""
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def words(name: str) -> str:
    """A metric's or table's name as words: test_log_loss -> test log loss."""
    return name.replace("_", " ")


def headline(metrics: Mapping[str, Any], names: list[str]) -> str:
    """The first of `names` that was measured, else the first metric, else ''."""
    measured = [name for name, measure in metrics.items() if measure.get("value") is not None]
    return next((name for name in names if name in measured), measured[0] if measured else "")
