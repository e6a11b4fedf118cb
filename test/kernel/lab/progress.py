# SPDX-License-Identifier: BSL-1.0
"""A line on the terminal while something runs."""

from __future__ import annotations

import sys


class Progress:
    """Counts on stderr; silent if that is no terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shows = sys.stderr.isatty()
        self._show()

    def step(self) -> None:
        self.end()
        self._done += 1
        self._show()

    def end(self) -> None:
        if self._shows:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        if self._shows and self._done < self._total:
            print(f"{self._done} of {self._total}", end="", file=sys.stderr, flush=True)
