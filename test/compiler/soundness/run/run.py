#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the programs, each in a process of its own: usage: run.py TEST_SOUNDNESS FOLDER

What is to become of one stands in its first lines: `// VERDICT: S text` is a program that stops with that line, any other
returns 0. The last line counts: N passed, M failed.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

LONGEST = 60  # seconds


def fault_of(runner, source):
    """What is wrong with what became of a program; nothing if it is as it must be."""
    stops = re.search(r"^// VERDICT: S (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    try:
        done = subprocess.run([runner, source.stem], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return "has not ended"
    if stops:
        return "" if f"devres: {stops[1]}" in done.stdout else f"does not stop with `devres: {stops[1]}`:\n{done.stdout}"
    return "" if done.returncode == 0 else f"returns {done.returncode}:\n{done.stdout}"


def main():
    runner, folder = sys.argv[1:]
    sources = [path for path in sorted(pathlib.Path(folder).glob("*/*.cpp")) if path.parent.name != "run"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = list(pool.map(lambda source: fault_of(runner, source), sources))
    for source, fault in zip(sources, faults):
        if fault:
            print(f"{source.stem}: {fault}")
    failed = sum(map(bool, faults))
    print(f"{len(sources) - failed} passed, {failed} failed")
    return 1 if failed or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
