"""Files that are written whole or not at all."""

import errno
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maquette.errors import InputError

PARTIAL = ".partial-"  # begins the name of a file that is being written


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` which takes its place when the block ends, and is removed if it fails.

    Raises:
        InputError: naming the folder, when it is full or cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{PARTIAL}{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed process left behind in `folder`."""
    for left in folder.glob(f"{PARTIAL}*"):
        left.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Run a block that writes `path`; what the disk refuses becomes an InputError that names it."""
    try:
        yield
    except OSError as error:
        # h5py puts the system's own words into its message and leaves errno empty.
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            raise InputError(
                f"no space left in {path.parent} to write {path.name}: free some, then `maquette resume` goes on"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise InputError(f"cannot write {path}: {error.strerror}; choose another place with --out") from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON; NaN and infinities, which JSON lacks, become null."""
    write_text(path, json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


def plain(value: Any) -> Any:
    """The value in JSON's own types: tuples become lists, NumPy scalars numbers, NaN and infinities None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with nested answers as columns of their own: {"next": {"7": 0.1}} -> {"next": "7 0.1"}."""
    return {
        key: " ".join(f"{name} {share:.4g}" for name, share in value.items()) if isinstance(value, Mapping) else value
        for key, value in row.items()
    }


def read_json(path: Path, kind: str, check: Callable[[Any], bool] = lambda _: True) -> dict[str, Any]:
    """The object in a JSON file; raises InputError naming it if it is missing, broken or not what `check` wants."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing: {path.parent} is no whole {kind}; train anew") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}): restore the file, or train anew") from None
    if not isinstance(value, dict) or not check(value):
        raise InputError(f"{path} does not hold what a {kind} has: restore the file, or train anew")
    return value
