"""The one kind of error that is the user's to mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Wrong input: one line that names the file or option at fault and says what would be right.

    The command line prints the line alone and exits with status 2; every other exception is a failure of
    ours or of the machine and exits with status 1.
    """


class Stopped(Exception):
    """Ctrl-C at the command line; the message says what becomes of the run."""


def near(name: str, known: Iterable[object]) -> str:
    """The end of an error message: which of the known names may have been meant, or which there are."""
    names = {str(item).lower(): str(item) for item in known}
    asked = str(name).lower()
    begun = [item for item in names if asked and item.startswith(asked)]
    close = [names[item] for item in get_close_matches(asked, names, 3, 0.6) or begun[:3]]
    if close:
        return f"did you mean {' or '.join(repr(item) for item in close)}?"
    some = ", ".join(list(names.values())[:10])
    return f"use one of {some}{' ...' if len(names) > 10 else ''}" if some else "there is none"
