#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the headers against the law of law.py. 
Usage: check_law.py allowed|refused|visible|hana INCLUDE_FOLDER FOLDER -- COMPILER OPTION...

  allowed   a source with every allowed combination compiles, without a warning if the options ask for that
  refused   a source with every other combination does not: each line of its own, for the rule that the law names, and
            nothing else in it fails
  visible   `requires` answers the same for each combination
  hana      each allowed table answers for every resource as Boost.Hana's map of it (<devres/hana.hpp>) does

Each of them enumerates the combinations first, and fails if the law is not complete. The sources are left in
FOLDER. Exits with 0 if the law holds; names each combination for which it does not.
"""
import pathlib
import re
import sys

import generate
import law

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position
from harness import EVERY_ERROR, Errors, compiler_id  # noqa: E402  pylint: disable=wrong-import-position


class Source:
    """A source in a folder, and what a compiler says of it."""

    def __init__(self, folder, name, text, compiler):
        self.path = pathlib.Path(folder, name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text, encoding="utf-8")
        self.status, self.output = harness.syntax(compiler, *EVERY_ERROR[compiler_id(compiler)], self.path)
        self.errors = Errors(self.output, self.path)


def must_compile(name, combinations, text_and_first, folder, compiler, why):
    """Faults of a source in which nothing fails."""
    text, first = text_and_first
    source = Source(folder, name, text, compiler)
    errors = source.errors
    faults = []
    for line, messages in errors.of_line.items():
        if first <= line < first + len(combinations):
            one = combinations[line - first]
            faults.append(f"{one.what}: {why.format(one.verdict)}: {(errors.failed_rules.get(line) or messages)[0]}")
        else:
            faults.append(f"{name}:{line}: {messages[0]}")
    faults += errors.elsewhere
    if source.status != 0 and not faults:
        faults.append(source.output)
    return faults


def check_allowed(combinations, folder, compiler):
    allowed = [one for one in combinations if one.allowed]
    return must_compile("allowed.cpp", allowed, generate.definitions(allowed), folder, compiler, "{}, but does not compile")


def check_visible(combinations, folder, compiler):
    return must_compile("visible.cpp", combinations, generate.questions(combinations), folder, compiler,
                        "{}, but `requires` says otherwise")


def check_refused(combinations, folder, compiler):
    refused = [one for one in combinations if not one.allowed]
    text, first = generate.definitions(refused)
    errors = Source(folder, "refused.cpp", text, compiler).errors
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


def check_hana(combinations, folder, compiler):
    tables = [one for one in combinations if one.allowed and re.search(r"\bauto table\b", one.definition)]
    return must_compile("hana.cpp", tables, generate.hana(tables), folder, compiler, "{}, but Hana's map answers otherwise")


CHECKS = {"allowed": check_allowed, "refused": check_refused, "visible": check_visible, "hana": check_hana}


def read_headers(folder):
    return [path.read_text(encoding="utf-8") for layer in ("core", "pci")
            for path in sorted(pathlib.Path(folder, "devres", layer).glob("*.hpp"))]


def main():
    own, compiler = harness.split_arguments()
    if len(own) != 3 or own[0] not in CHECKS or not compiler:
        return harness.usage(__doc__)
    check, headers, folder = own
    try:
        law.check_headers(read_headers(headers))
        combinations = law.combinations()
    except law.Incomplete as incomplete:
        print(f"the law is not complete: {incomplete}")
        return 1
    faults = CHECKS[check](combinations, folder, compiler)
    allowed = sum(one.allowed for one in combinations)
    return harness.verdict(
        faults, f"{len(combinations)} combinations: {allowed} allowed, {len(combinations) - allowed} refused")


if __name__ == "__main__":
    sys.exit(main())
