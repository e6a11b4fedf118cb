#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks the harness: it accepts the good cases of this folder and rejects each bad one for its fault.

Usage: selftest.py --compiler-id GNU|Clang -- COMPILER OPTION...
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent

ACCEPTED = ["good", "good_else", "good_relaxed_limit", "good_several"]
REJECTED = {
    "another_error": "not in the first 20 lines of output: devres[D001] freed by devres",
    "another_rule_first": "another rule is named first: ",
    "broken_control": "the control does not compile",
    "broken_include": "the compiler gave up",
    "compiles": "the forbidden part compiles",
    "control_warns": "the control does not compile",
    "empty_expectation": "empty line EXPECT:",
    "empty_forbidden_part": "no forbidden part",
    "longer_than_it_says": "lines of output; 3 at most",
    "no_control": "no control",
    "no_expectation": "no expectation",
    "no_forbidden_part": "no forbidden part",
    "one_of_several_compiles": "the forbidden part compiles",
    "output_too_long": "lines of output; 25 at most",
    "relaxed_limit": "MAX-LINES: 26: more than 25, and no `because`",
    "text_too_late": "not in the first 20 lines of output: devres[D001] freed by devres",
    "unknown_line": "unknown line EXPECT-MSVC:",
    "unreadable_limit": "MAX-LINES: many, because it is so: not a number",
}
if "Clang" in sys.argv:
    REJECTED["expects_of_gnu_only"] = "no expectation"
else:
    ACCEPTED.append("expects_of_gnu_only")


def main():
    selftest = harness.Selftest()
    present = sorted(path.stem for path in HERE.glob("*.cpp"))
    if present != sorted([*ACCEPTED, *REJECTED]):
        selftest.faults.append("the cases of this folder are not those that selftest.py knows")
    for name in present:
        done = harness.check_file("check_case.py", HERE, HERE / f"{name}.cpp", *sys.argv[1:])
        if name in ACCEPTED:
            selftest.accepts(name, *done)
        else:
            selftest.rejects(name, REJECTED.get(name, "?"), *done)
    return selftest.verdict()


if __name__ == "__main__":
    sys.exit(main())
