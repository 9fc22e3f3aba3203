"""Read and count texts that grow, and measure that memory does not: numbers of words and co-occurrence cells.

    python benchmarks/streaming.py [--megabytes 64,128,256] [--limit 400]

Writes texts of the given sizes, of 50,000 words by Zipf's law, and for each has a process of its own number it and
count its cells through files. The process may hold at most `--limit` MiB of data (Linux's RLIMIT_DATA, which leaves
mapped files out), and would die of more. Prints words per second, and the largest amount of memory of its own that it
held at any time beside the size of the text.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

WORDS, BUDGET = 50_000, 64  # MiB that cells may take


def write_text(path: Path, megabytes: int) -> None:
    """A text with a sentence of 20 words a line."""
    random, words = np.random.default_rng(0), np.array([f"w{i:05}" for i in range(WORDS)])
    share = np.cumsum(1 / np.arange(1, WORDS + 1))
    with path.open("w", encoding="ascii") as stream:
        while stream.tell() < megabytes << 20:
            drawn = words[np.searchsorted(share, random.random((5000, 20)) * share[-1])]
            stream.write("\n".join(map(" ".join, drawn)) + "\n")


class Peak(threading.Thread):
    """Watches how much memory of its own the process holds, in MiB, mapped files left out."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest, self.over = 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            held = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
            self.largest = max(self.largest, int(held[1]) / 1024 if held else 0)


def read(path: Path, limit: int) -> dict[str, float]:
    """Number, window and count a text within the limit."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))
    from maquette.data.readers.text import map_text
    from maquette.methods.word_vectors.cooccurrence import cooccurrence
    from maquette.methods.word_vectors.text_numbers import number_text

    peak = Peak()
    peak.start()
    times = [time.perf_counter()]
    tokens, vocabulary = number_text(map_text(path), 5)
    times.append(time.perf_counter())
    counts = cooccurrence(tokens, len(vocabulary.words), 5, "harmonic", memory=BUDGET << 20)
    times.append(time.perf_counter())
    peak.over.set()
    words = int(vocabulary.counts.sum())
    read, counted = np.diff(times)
    facts = {"text MiB": path.stat().st_size / 2**20, "memory MiB": peak.largest, "words": words}
    return facts | {"words/s read": words / read, "words/s counted": words / counted, "cells": counts.nnz}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", default="64,128,256")
    parser.add_argument("--limit", type=int, default=400, help="MiB of data that the process may hold")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(json.dumps(read(Path(given.run), given.limit)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in map(int, given.megabytes.split(",")):
            path = Path(folder) / f"{megabytes}.txt"
            write_text(path, megabytes)
            command = [sys.executable, __file__, "--run", str(path), "--limit", str(given.limit)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            print("  ".join(f"{key} {value:,.0f}" for key, value in json.loads(done.stdout).items()), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
