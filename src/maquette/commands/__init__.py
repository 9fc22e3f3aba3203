"""The commands: each file registers its own on `app`, and imports no backend and no verb before one is called."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maquette.errors import Stopped


class _Commands(typer.core.TyperGroup):
    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt as stop:
            raise Stopped(str(stop) or "nothing has been trained yet") from None


app = typer.Typer(
    name="maquette",
    cls=_Commands,
    help="Classic deep-learning systems as small, working models: train, score, compare, export.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
Data = Annotated[str | None, typer.Option(help="A built-in data set, or the path of your own data.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, such as epochs=3. Repeatable.")
]
Backend = Annotated[str, typer.Option(help="auto, tensorflow, jax or torch.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON lines for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Write results only.")]
