#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks compile-fail cases: usage: check_case.py CASE... --compiler-id GNU|Clang [--precompiled FOLDER] -- COMPILER OPTION...

The compiler runs in the folder of the case: folders in its options are absolute. A case is a source file with
  * a control: code that must compile, without a warning;
  * a forbidden part that must not, in `#ifdef EXPECT_FAIL` (an `#else` there belongs to the control), or several, each on
    its own, in `#if EXPECT_FAIL == 1`, `#elif EXPECT_FAIL == 2` and so on;
  * what the compiler must say of each, every text on a line of its own, within the first 20 lines of its output:
        // EXPECT: text            // EXPECT-GNU: text            // EXPECT-Clang: text
    The first `devres[` that it prints is the expected text of that kind: no other rule is named before the true one.
The whole output is 25 lines at most; `// MAX-LINES: n` asks for fewer, `// MAX-LINES: n, because ...` for more.

With --precompiled, a compiler that finds precompiled headers by itself (g++) is given those of FOLDER. It leaves out the last
line of the first chain of includes then: what does not hold with room for that is compiled again, without.

Exits with 0 if every case holds; says of each that does not why, and shows the output. The last line counts.
"""
import argparse
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

EXPECT_WITHIN = 20  # lines
LONGEST_OUTPUT = 25  # lines

# What a user's build has, so that the output is what users see.
WARNINGS = ["-Wall", "-Wextra"]


class Rejected(Exception):
    """The case does not hold: the reason and, where there is one, the compiler's output."""

    def __init__(self, reason, output=""):
        super().__init__(reason)
        self.reason = reason
        self.output = output


class Case:
    """What a case's source says about itself."""

    def __init__(self, source, compiler_id):
        self.expected = []
        self.longest_output = LONGEST_OUTPUT
        forbidden, control = self._parts(source)
        self.forbidden = sorted(forbidden)  # what EXPECT_FAIL is for each

        if not all(forbidden.values()) or not forbidden:
            raise Rejected("no forbidden part: nothing in #ifdef EXPECT_FAIL")
        if not control:
            raise Rejected("no control: no code outside of #ifdef EXPECT_FAIL")
        for key, text in re.findall(r"^// (EXPECT(?:-\w+)?|MAX-LINES):[ \t]*(.*?)[ \t]*$", source, re.MULTILINE):
            if key == "MAX-LINES":
                self._limit(text)
            elif key not in ("EXPECT", "EXPECT-GNU", "EXPECT-Clang"):
                raise Rejected(f"unknown line {key}:")
            elif not text:
                raise Rejected(f"empty line {key}:")
            elif key in ("EXPECT", f"EXPECT-{compiler_id}"):
                self.expected.append(text)
        if not self.expected:
            raise Rejected(f"no expectation: no line `// EXPECT: text` or `// EXPECT-{compiler_id}: text`")
        self.codes = [text for text in self.expected if text.startswith("devres[")]

    def _limit(self, text):
        number, because, _ = text.partition(", because ")
        if not number.isdigit() or int(number) == 0:
            raise Rejected(f"MAX-LINES: {text}: not a number")
        if int(number) > LONGEST_OUTPUT and not because:
            raise Rejected(f"MAX-LINES: {text}: more than {LONGEST_OUTPUT}, and no `because`")
        self.longest_output = int(number)

    @staticmethod
    def _parts(source):
        """The code of each forbidden part, and the code outside of them, without comments and directives."""
        source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        forbidden, control = {}, []
        inside = None  # which forbidden part this is, and at which depth of #if
        at = 0
        depth = 0
        for line in source.splitlines():
            code = re.sub(r"//.*", "", line).strip()
            begins = re.fullmatch(r"#\s*(?:ifdef\s+EXPECT_FAIL|(?:el)?if\s+EXPECT_FAIL\s*==\s*(\d+))", code)
            if re.match(r"#\s*if", code):
                depth += 1
            elif re.match(r"#\s*(else|elif)", code) and depth == at:
                inside = None
            elif re.match(r"#\s*endif", code):
                if depth == at:
                    inside, at = None, 0
                depth -= 1
            elif inside is not None:
                # A directive is forbidden code like any other: an #error or #include there may be all there is.
                forbidden[inside] += [code] if code else []
            elif code and not code.startswith("#"):
                control.append(code)
            if begins and at in (0, depth):
                inside, at = int(begins[1] or 1), depth
                forbidden.setdefault(inside, [])
        return forbidden, control


def compile_case(command, case, *options):
    """Compiles a case as a user would, but for colour and the shape of quotes. Returns the exit status and the lines of output."""
    status, output = harness.syntax(command, *WARNINGS, *options, os.path.basename(case),
                                    folder=os.path.dirname(os.path.abspath(case)))
    return status, output.splitlines()


def check(path, compiler_id, command, precompiled=None):
    """Raises Rejected unless the case holds; returns in how many lines."""
    with open(path, encoding="utf-8") as file:
        case = Case(file.read(), compiler_id)

    quick = [command[0], f"-I{precompiled}", *command[1:]] if precompiled else None
    if not quick or compile_case(quick, path, "-Werror")[0] != 0:
        status, lines = compile_case(command, path, "-Werror")
        if status != 0:
            raise Rejected("the control does not compile", lines)
    return max(check_part(case, path, f"-DEXPECT_FAIL={which}", command, quick) for which in case.forbidden)


def check_part(case, path, part, command, quick):
    """Raises Rejected unless the compiler rejects a forbidden part as it must; returns in how many lines."""
    if quick:
        try:
            return check_rejection(case, *compile_case(quick, path, part), left_out=1)
        except Rejected:
            pass
    return check_rejection(case, *compile_case(command, path, part))


def check_rejection(case, status, lines, left_out=0):
    """The same for what it has said, which may lack some lines."""
    if status == 0:
        raise Rejected("the forbidden part compiles", lines)
    for line in lines:
        if harness.GAVE_UP.search(line):
            raise Rejected("the compiler gave up: the forbidden part fails for a reason of its own", lines)
    head = lines[:EXPECT_WITHIN - left_out]
    for text in case.expected:
        if not any(text in line for line in head):
            raise Rejected(f"not in the first {EXPECT_WITHIN} lines of output: {text}", lines)
    first = next((line for line in lines if "devres[" in line), "")
    if case.codes and not any(text in first for text in case.codes):
        raise Rejected(f"another rule is named first: {first.strip()}", lines)
    if len(lines) + left_out > case.longest_output:
        raise Rejected(f"{len(lines)} lines of output; {case.longest_output} at most", lines)
    return len(lines)


def main():
    own, command = harness.split_arguments()
    parser = argparse.ArgumentParser(usage="%(prog)s CASE... --compiler-id GNU|Clang [--precompiled FOLDER] -- COMPILER OPTION...")
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--compiler-id", required=True, choices=["GNU", "Clang"])
    parser.add_argument("--precompiled")
    arguments = parser.parse_args(own)
    if not command:
        parser.error("no compiler behind --")
    passed = 0
    for case in arguments.cases:
        try:
            count = check(case, arguments.compiler_id, command, arguments.precompiled)
            print(f"{case}: rejected as expected, in {count} lines of output")
            passed += 1
        except Rejected as rejected:
            print(f"{case}: {rejected.reason}")
            for number, line in enumerate(rejected.output, 1):
                print(f"{number:4} | {line}")
    print(f"{passed} passed, {len(arguments.cases) - passed} failed")
    return 0 if passed == len(arguments.cases) else 1


if __name__ == "__main__":
    sys.exit(main())
