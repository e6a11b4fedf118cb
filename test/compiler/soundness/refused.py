#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that a compiler refuses programs as their VERDICTs say: usage: refused.py UNIT PROGRAM... -- COMPILER OPTION...

`// VERDICT: R D009` means that the first code the compiler prints is D009, within 20 lines; any other text must be in
those lines as it stands. Its control, the form that CORRECTED gives it, is compiled and run with the other programs.

What a compiler does to refuse one is above all to instantiate what support.hpp uses. So the programs are compiled together
first, each in a namespace of its own, as the file UNIT. One of which that does not say all is compiled alone.
The last line counts: N passed, M failed.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

WITHIN = 20  # lines


def expectation(source):
    """What the compiler must say, or None if the program does not say so."""
    text = source.read_text(encoding="utf-8")
    expected = re.search(r"^// VERDICT: R (.+)$", text, re.MULTILINE)
    return expected[1] if expected and "CORRECTED" in text else None


def fault_of(wanted, status, lines):
    """Why the program is not refused as it must be, or None."""
    head = "\n".join(lines[:WITHIN])
    code = re.search(r"devres\[(D\d{3})\]", head)
    if status == 0:
        return "it compiles"
    if harness.GAVE_UP.search(head):
        return "the compiler gave up"
    if re.fullmatch(r"D\d{3}", wanted):
        return None if code and code[1] == wanted else f"the first code is {code[1] if code else 'none'}, not {wanted}"
    return None if wanted in head else f"not in the first {WITHIN} lines: {wanted}"


def together(unit, sources, compiler):
    """What the compiler says of each program, in one run for all: nothing, where that cannot be told."""
    unit.parent.mkdir(parents=True, exist_ok=True)
    read_once = '#include <devres/devres.hpp>\n#include "support.hpp"\n'  # no longer a chain of files than users see
    unit.write_text(read_once + "".join(f'namespace p_{source.stem} {{\n#include "{source}"\n}}\n' for source in sources),
                    encoding="utf-8")
    every = harness.EVERY_ERROR[harness.compiler_id(compiler)][:1]
    _, output = harness.syntax(compiler, *every, unit)
    said = {source: [] for source in sources}
    for part in harness.parts_of(output):
        whose = [source for line in part for source in sources if f"{source}:" in line]
        if not whose or harness.GAVE_UP.search("\n".join(part)):
            return {source: [] for source in sources}
        said[whose[0]] += [line for line in part if f"{unit}:" not in line]
    return said


def main():
    own, compiler = harness.split_arguments()
    if len(own) < 2 or not compiler:
        return harness.usage(__doc__)
    unit, *sources = [pathlib.Path(name).resolve() for name in own]
    said = together(unit, sources, compiler) if len(sources) > 1 else {}
    failed = 0
    for source in sources:
        wanted, why, lines = expectation(source), "no `// VERDICT: R ...`, or no corrected form", []
        if wanted:
            lines = said.get(source)
            why = fault_of(wanted, 1, lines) if lines else "unknown"
            if why:
                status, output = harness.syntax(compiler, source)
                lines = output.splitlines()
                why = fault_of(wanted, status, lines)
        if why:
            failed += 1
            print("\n".join([f"{source}: {why}", *lines]))
        else:
            print(f"{source.stem}: refused as expected, in {len(lines)} lines of output")
    print(f"{len(sources) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
