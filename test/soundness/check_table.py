#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that docs/soundness.md names each program of this folder, once, with its verdict: usage: check_table.py PAGE"""
import pathlib
import re
import sys

ENTRY = re.compile(r"\[(\w+)\]\(\.\./test/soundness/\1\.cpp\) ([RCEVSD](?: D\d{3})?)")


def short(verdict):
    """As in the table: the letter, and the code if there is one."""
    return verdict if re.fullmatch(r"R D\d{3}", verdict) else verdict[0]


def main():
    named = ENTRY.findall(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    programs = []
    for path in sorted(pathlib.Path(__file__).parent.glob("*.cpp")):
        verdict = re.search(r"^// VERDICT: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        programs.append((path.stem, short(verdict[1])))
    wrong = sorted(set(programs) ^ set(named)) + sorted({entry for entry in named if named.count(entry) > 1})
    for name, verdict in wrong:
        print(f"{name} {verdict}: in {'the folder' if (name, verdict) in programs else 'the table'} only, or twice")
    return 1 if wrong or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
