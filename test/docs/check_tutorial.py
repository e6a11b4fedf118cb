#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Does what docs/tutorial.md tells its reader to do: runs its cmake and ctest commands, in order, in a folder of its own.

usage: check_tutorial.py ROOT PAGE.md COMPILER

/tmp is that folder. What the last command before an ```output block prints is in the end what the block says.
"""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import check_pages  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position

OUTPUT = re.compile(r"^```output\n(.*?)^```$", re.M | re.S)


def main():
    if len(sys.argv) != 4:
        return harness.usage(__doc__)
    root, page, compiler = sys.argv[1:]
    text = pathlib.Path(page).read_text(encoding="utf-8")
    os.environ["CXX"] = compiler
    faults, printed, shown = [], {}, 0
    commands = [(line, each) for line, each in check_pages.commands(text) if each.startswith(("cmake", "ctest"))]
    with tempfile.TemporaryDirectory() as folder:
        for line, command in commands:
            status, printed[line] = harness.run("bash", "-c", command.replace("/tmp", folder), folder=root)
            if status != 0:
                faults.append(f"{page}:{line}: exit {status}\n{printed[line]}")
                break
    for block in OUTPUT.finditer(text):
        shown += 1
        before = [line for line in printed if line < text.count("\n", 0, block.start())]
        if before and not faults and not printed[before[-1]].endswith(block[1]):
            faults.append(f"{page}:{before[-1]}: prints:\n{printed[before[-1]]}")
    if len(commands) < 2 or shown == 0:
        faults.append(f"{page}: has no commands, or no output")
    return harness.verdict(faults, f"{len(commands)} commands, {shown} outputs")


if __name__ == "__main__":
    sys.exit(main())
