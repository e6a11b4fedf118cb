#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the tests in a run of CTest: usage: count.py LAST_TEST_LOG. Prints how many passed and how many failed.

A test of CTest is as many as it says itself, in a line of Catch2's or `N passed, M failed`, and one if it says nothing. One
that fails has at least one failure.
"""
import pathlib
import re
import sys

SAYS = [
    (re.compile(r"^(\d+) passed, (\d+) failed$", re.M), lambda found: (int(found[1]), int(found[2]))),
    (re.compile(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)$", re.M), lambda found: (int(found[1]), 0)),
    (re.compile(r"^test cases: +\d+(.*)$", re.M), lambda found: tuple(
        sum(map(int, re.findall(rf"\| +(\d+) {what}\b(?! as expected)", found[1]))) for what in ("passed", "failed"))),
]


def counted(output, held):
    """How many tests are behind a test of CTest, from what it printed and whether it held."""
    passed, failed = int(held), int(not held)
    for pattern, numbers in SAYS:
        if found := list(pattern.finditer(output)):
            passed, failed = numbers(found[-1])
            break
    return passed, failed if held else max(failed, 1)


def main():
    log = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
    counts = []
    for test in re.split(r"^\d+/\d+ Testing: ", log, flags=re.M)[1:]:
        output = re.search(r"^Output:\n-+\n(.*?)^<end of output>$", test, re.M | re.S)
        counts.append(counted(output[1] if output else "", re.search(r"^Test Passed\.$", test, re.M) is not None))
    print(sum(passed for passed, _ in counts), sum(failed for _, failed in counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
