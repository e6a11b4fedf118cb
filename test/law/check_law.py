#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the headers against the law of law.py. Usage: check_law.py allowed|refused|visible|hana INCLUDE_FOLDER -- COMPILER OPTION...

  allowed   a source with every allowed combination compiles, without a warning if the options ask for that
  refused   a source with every other combination does not: each line of its own, for the rule that the law names, and
            nothing else in it fails
  visible   `requires` answers the same for each combination
  hana      each allowed table answers for every resource as Boost.Hana's map of it (<devres/hana.hpp>) does

Each of them enumerates the combinations first, and fails if the law is not complete. The sources are left in the current
folder. Exits with 0 if the law holds; names each combination for which it does not.
"""
import os
import pathlib
import re
import subprocess
import sys

import generate
import law

EVERY_ERROR = {"GNU": ["-fmax-errors=0", "-fno-diagnostics-show-caret"],
               "Clang": ["-ferror-limit=0", "-fno-caret-diagnostics"]}


class Errors:
    """What a compiler says of a source: for each of its lines, the errors and the messages of the rules that failed."""

    def __init__(self, output, name):
        self.of_line = {}
        self.failed_rules = {}
        self.elsewhere = []
        line = None
        for text in output.splitlines():
            error = re.match(r"(\S+?):(\d+):\d+: error: (.*)", text)
            if error and error[1] == name:
                line = int(error[2])
                self.of_line.setdefault(line, []).append(error[3])
            elif error or re.search(r"(fatal|internal compiler|^\S+:) error: ", text):
                self.elsewhere.append(text)
            elif line is not None and self._is_failure(text):
                self.failed_rules.setdefault(line, []).append(re.search(r'"([^"]*)"', text)[1])

    @staticmethod
    def _is_failure(text):
        """Whether the line names a rule that does not hold, and not only the candidate that has it."""
        return "required for the satisfaction of 'rule<" in text or (
            "because 'rule<" in text and "evaluated to false" in text)


def compile_source(name, text, compiler, *options):
    """The compiler's status and output, for a source in the current folder."""
    pathlib.Path(name).write_text(text, encoding="utf-8")
    run = subprocess.run([*compiler, "-fsyntax-only", "-fdiagnostics-color=never", *options, name],
                         env=os.environ | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return run.returncode, run.stdout


def compiler_id(compiler):
    version = subprocess.run([compiler[0], "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return "Clang" if "clang" in version else "GNU"


def must_compile(name, combinations, text_and_first, compiler, why):
    """Faults of a source in which nothing fails."""
    text, first = text_and_first
    status, output = compile_source(name, text, compiler, *EVERY_ERROR[compiler_id(compiler)])
    errors = Errors(output, name)
    faults = []
    for line, messages in errors.of_line.items():
        if first <= line < first + len(combinations):
            one = combinations[line - first]
            faults.append(f"{one.what}: {why.format(one.verdict)}: {(errors.failed_rules.get(line) or messages)[0]}")
        else:
            faults.append(f"{name}:{line}: {messages[0]}")
    faults += errors.elsewhere
    if status != 0 and not faults:
        faults.append(output)
    return faults


def check_allowed(combinations, compiler):
    allowed = [one for one in combinations if one.allowed]
    return must_compile("allowed.cpp", allowed, generate.definitions(allowed), compiler, "{}, but does not compile")


def check_visible(combinations, compiler):
    return must_compile("visible.cpp", combinations, generate.questions(combinations), compiler,
                        "{}, but `requires` says otherwise")


def check_refused(combinations, compiler):
    refused = [one for one in combinations if not one.allowed]
    text, first = generate.definitions(refused)
    _, output = compile_source("refused.cpp", text, compiler, *EVERY_ERROR[compiler_id(compiler)])
    errors = Errors(output, "refused.cpp")
    faults = list(errors.elsewhere)
    for line in errors.of_line:
        if not first <= line < first + len(refused):
            faults.append(f"refused.cpp:{line}: {errors.of_line[line][0]}")
    for line, one in enumerate(refused, first):
        messages, rules = errors.of_line.get(line, []), errors.failed_rules.get(line, [])
        if not messages:
            faults.append(f"{one.what}: compiles, must be refused: {one.verdict}")
        elif len(messages) > 1 or not messages[0].startswith("no matching "):
            faults.append(f"{one.what}: fails for a reason of its own: {messages[-1]}")
        elif len(rules) != 1 or f"devres[{one.verdict}] " not in rules[0] or one.says not in rules[0]:
            faults.append(f"{one.what}: must be refused with {one.verdict}, `{one.says}`; says {rules}")
    return faults


def check_hana(combinations, compiler):
    tables = [one for one in combinations if one.allowed and re.search(r"\bauto table\b", one.definition)]
    return must_compile("hana.cpp", tables, generate.hana(tables), compiler, "{}, but Hana's map answers otherwise")


CHECKS = {"allowed": check_allowed, "refused": check_refused, "visible": check_visible, "hana": check_hana}


def read_headers(folder):
    return [path.read_text(encoding="utf-8") for layer in ("core", "pci")
            for path in sorted(pathlib.Path(folder, "devres", layer).glob("*.hpp"))]


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in CHECKS or sys.argv[3] != "--":
        print(__doc__, file=sys.stderr)
        return 2
    try:
        law.check_headers(read_headers(sys.argv[2]))
        combinations = law.combinations()
    except law.Incomplete as incomplete:
        print(f"the law is not complete: {incomplete}")
        return 1
    faults = CHECKS[sys.argv[1]](combinations, sys.argv[4:])
    for fault in faults:
        print(fault)
    allowed = sum(one.allowed for one in combinations)
    print(f"{len(combinations)} combinations: {allowed} allowed, {len(combinations) - allowed} refused; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
