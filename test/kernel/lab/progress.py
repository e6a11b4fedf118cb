# SPDX-License-Identifier: BSL-1.0
"""A line on the terminal while something runs."""

from __future__ import annotations

import sys


class Progress:
    """Counts on stderr, if that is a terminal. Clear it before anything is printed; the next step shows it again."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._show()

    def step(self) -> None:
        self._done += 1
        self._show()

    def clear(self) -> None:
        self._write("")

    def _show(self) -> None:
        self._write(f"{self._done} of {self._total}" if self._done < self._total else "")

    @staticmethod
    def _write(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
