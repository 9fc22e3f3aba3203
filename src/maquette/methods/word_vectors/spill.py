"""Arrays that need not fit into memory: written part by part to a temporary file, and mapped from there.

The file has no name, and is gone with the array. It lies where Python keeps temporary files, which the environment's
TMPDIR decides; where that is held in memory itself, name a folder on a disk.

Example:
    >>> import numpy as np
    >>> from maquette.methods.word_vectors.spill import spill
    >>> spill((np.arange(n) for n in (2, 3)), np.int32).tolist()
    [0, 1, 0, 1, 2]
"""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np


def spill(parts: Iterable[Any], dtype: Any) -> Any:
    """The parts (n,) one after the other as an array of the dtype: (the sum of n,)."""
    return spill_columns(((part,) for part in parts), dtype)[0]


def spill_columns(parts: Iterable[Sequence[Any]], *dtypes: Any) -> list[Any]:
    """The same for parts of several arrays: one array of each dtype."""
    with ExitStack() as open_files:
        files = [open_files.enter_context(tempfile.TemporaryFile()) for _ in dtypes]
        for part in parts:
            for file, values, dtype in zip(files, part, dtypes, strict=True):
                np.asarray(values, dtype).tofile(file)
        for file in files:
            file.flush()
        mapped = zip(files, dtypes, strict=True)
        return [np.memmap(file, dtype, "r+") if file.tell() else np.zeros(0, dtype) for file, dtype in mapped]
