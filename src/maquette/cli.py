"""The command line. Importing this module, and so `--help`, imports no backend and no verb."""

import os
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

from maquette import __version__, commands, printing
from maquette.commands import app

for module in iter_modules(commands.__path__):  # each adds its commands to `app`
    import_module(f"{commands.__name__}.{module.name}")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"maquette {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before the command; `main` looks for --debug itself."""


def main() -> None:
    """Run the command line: status 2 and one line for wrong input, 1 and one line for a failure, 130 for Ctrl-C."""
    from maquette import backend

    backend.own_process()
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="maquette", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has had enough; a second failure at the flush on exit is avoided.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _fail(*printing.error_line(error))
    sys.exit(status or 0)


def _fail(text: str, status: int) -> None:
    print(f"maquette: {text}", file=sys.stderr)
    sys.exit(status)
