#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that a compiler refuses a program as its VERDICT says: usage: refused.py PROGRAM -- COMPILER OPTION...

`// VERDICT: R D009` means that the first code the compiler prints is D009, within 20 lines; any other text must be in
those lines as it stands. Its control, the form that CORRECTED gives it, is compiled and run with the other programs.
"""
import os
import re
import subprocess
import sys

WITHIN = 20  # lines


def main():
    program, command = sys.argv[1], sys.argv[3:]
    with open(program, encoding="utf-8") as file:
        source = file.read()
    expected = re.search(r"^// VERDICT: R (.+)$", source, re.MULTILINE)
    if expected is None or "CORRECTED" not in source:
        print(f"{program}: no `// VERDICT: R ...`, or no corrected form")
        return 1
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"LC_ALL": "C"}
    run = subprocess.run(
        [*command, "-fsyntax-only", program],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False)
    lines = run.stdout.splitlines()
    head = "\n".join(lines[:WITHIN])
    code = re.search(r"devres\[(D\d{3})\]", head)
    wanted = expected[1]
    if run.returncode == 0:
        why = "it compiles"
    elif "fatal error:" in head or "internal compiler error" in head:
        why = "the compiler gave up"
    elif re.fullmatch(r"D\d{3}", wanted):
        why = None if code and code[1] == wanted else f"the first code is {code[1] if code else 'none'}, not {wanted}"
    else:
        why = None if wanted in head else f"not in the first {WITHIN} lines: {wanted}"
    if why is None:
        print(f"{program}: refused as expected, in {len(lines)} lines of output")
        return 0
    print(f"{program}: {why}\n{run.stdout}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
