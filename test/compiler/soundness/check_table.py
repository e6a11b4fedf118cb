#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that docs/soundness.md names each program of this folder, once, with its verdict: usage: check_table.py PAGE"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

ENTRY = re.compile(r"\[(\w+)\]\(\.\./test/compiler/soundness/(\w+/\1)\.cpp\) ([RCEVSD](?: D\d{3})?)")


def short(verdict):
    """As in the table: the letter, and the code if there is one."""
    return verdict if re.fullmatch(r"R D\d{3}", verdict) else verdict[0]


def main():
    named = [entry[1:] for entry in ENTRY.findall(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))]
    here = pathlib.Path(__file__).resolve().parent
    programs = []
    for path in sorted(here.glob("*/*.cpp")):
        if path.parent.name == "run":
            continue
        verdict = re.search(r"^// VERDICT: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        programs.append((path.relative_to(here).with_suffix("").as_posix(), short(verdict[1])))
    wrong = sorted(set(programs) ^ set(named)) + sorted({entry for entry in named if named.count(entry) > 1})
    faults = [f"{name} {verdict}: in {'the folder' if (name, verdict) in programs else 'the table'} only, or twice"
              for name, verdict in wrong]
    if not programs:
        faults.append("there is no program")
    return harness.verdict(faults, f"{len(programs)} programs")


if __name__ == "__main__":
    sys.exit(main())
