#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds docs/conversion.md to what compilers say of examples/conversion.

usage: check_conversion.py PAGE.md EXAMPLES_FOLDER -- COMPILER OPTION...

What the page may contain, each before a block:

    <!-- table: NAME_before.hpp -->     the block is what the file says of ownership: the lines of the interrupts' owner
                                        and of the table.
    <!-- diff: NAME -->                the block is how NAME_after.hpp differs from NAME_before.hpp. In what they say of
                                        ownership, they differ in one word.
    <!-- edit: FILE | OLD | NEW -->     the block is what the compiler answers if OLD, which FILE has once, reads NEW:
                                        for each error the line it is at, and behind it, indented, what the rule says.
                                        These are all the errors there are.
    <!-- hybrid: FILE | OLD | NEW -->   likewise, on a platform where vectors of a managed device are managed.
    <!-- alone: FILE | OLD | NEW -->   likewise, for the file with nothing that binds the driver.

OLD and NEW may be the same: the file as it is. The errors are those of a compilation of bind.cpp.
"""
import difflib
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent

PIECE = re.compile(r"^<!-- (table|diff|edit|hybrid|alone): ([^\n]*) -->\n+```\w+\n(.*?)^```$", re.M | re.S)


def ownership(text):
    """The lines of a driver that say who frees what."""
    owner = re.search(r"^using interrupts = .*\n", text, re.M)
    table = re.search(r"^    static constexpr auto ownership = .*?;\n", text, re.M | re.S)
    return owner[0] + table[0]


def difference(before, after):
    """How one text differs from the other, each place behind a line @@."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join([re.sub(r"^@@ .*", "@@", line) for line in lines][2:])


def patched(text, patch):
    """The text with a difference applied, or None if it does not fit."""
    for place in re.split(r"^@@\n", patch, flags=re.M)[1:]:
        old, new = ("".join(line[1:] + "\n" for line in place.splitlines() if line[0] == sign) for sign in "-+")
        if not old or text.count(old) != 1:
            return None
        text = text.replace(old, new)
    return text


def words_changed(before, after):
    """The words that differ, as pairs."""
    one, other = (re.findall(r"\w+|[^\w\s]", text) for text in (before, after))
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return [(one[a:b], other[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]


def answers(block):
    """What a block says: pairs of a line of code and a rule's text."""
    pairs = []
    for line in block.splitlines():
        if line.strip().startswith("devres["):
            pairs[-1][1] += line.strip()
        elif line.startswith("    ") and pairs and pairs[-1][1]:
            pairs[-1][1] += " " + line.strip()
        elif line.strip():
            pairs.append([line.strip(), ""])
    return [tuple(pair) for pair in pairs]


class Checker:
    def __init__(self, examples, compiler, folder):
        self.examples, self.compiler, self.folder, self.faults = examples, compiler, folder, []

    def read(self, name):
        return (self.examples / name).read_text(encoding="utf-8")

    def check_table(self, name, block):
        if ownership(self.read(name)).split() != block.split():
            self.faults.append(f"{name}: the table is not the one that the page shows")

    def check_diff(self, name, block):
        before, after = self.read(f"{name}_before.hpp"), self.read(f"{name}_after.hpp")
        if patched(before, block) != after:
            self.faults.append(f"{name}: before and after differ in:\n{difference(before, after)}")
        words = words_changed(ownership(before), ownership(after))
        if words != [(["unmanaged_t"], ["managed_t"])]:
            self.faults.append(f"{name}: the tables differ in more than the word: {words}")

    def errors_of(self, name, text, *how):
        """What the compiler says of a file that reads so."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        _, output = harness.syntax(
            self.compiler, *harness.EVERY_ERROR[harness.compiler_id(self.compiler)], f'-DCONVERSION_HEADER="{path}"',
            f"-DCONVERSION_DRIVER=conversion::{name.partition('_')[0]}::driver", *how)
        return harness.Errors(output, path)

    def check_edit(self, what, block, *how):
        name, old, new = what.split(" | ")
        text = self.read(name)
        if text.count(old) != 1:
            self.faults.append(f"{name}: has `{old}` {text.count(old)} times")
            return
        edited = text.replace(old, new)
        errors = self.errors_of(name, edited, *how)
        lines = edited.splitlines()
        said = sorted((lines[number - 1].strip(), " ".join(errors.failed_rules.get(number, messages)))
                      for number, messages in errors.of_line.items())
        if not said or said != sorted(answers(block)) or errors.elsewhere:
            self.faults.append("\n".join([f"{what}: the compiler says", *map("\n    ".join, said), *errors.elsewhere]))

    def check(self, kind, what, block):
        bind = str(HERE / "bind.cpp")
        if kind == "table":
            self.check_table(what, block)
        elif kind == "diff":
            self.check_diff(what, block)
        elif kind == "edit":
            self.check_edit(what, block, bind)
        elif kind == "hybrid":
            self.check_edit(what, block, "-DCONVERSION_HYBRID", bind)
        else:
            self.check_edit(what, block, "-x", "c++", "-include", str(self.folder / what.split(" | ")[0]), "/dev/null")


def main():
    own, compiler = harness.split_arguments()
    if len(own) != 2 or not compiler:
        return harness.usage(__doc__)
    page, examples = map(pathlib.Path, own)
    pieces = PIECE.findall(page.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(examples, compiler, pathlib.Path(folder))
        for piece in pieces:
            checker.check(*piece)
    for needed in ("diff: switchtec", "diff: vmd"):
        if needed not in [f"{kind}: {what}" for kind, what, _ in pieces]:
            checker.faults.append(f"the page has no <!-- {needed} -->")
    return harness.verdict(checker.faults, f"{len(pieces)} claims of the page checked")


if __name__ == "__main__":
    sys.exit(main())
