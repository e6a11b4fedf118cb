#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks what Markdown pages say of the tree that they are in: needs no compiler.

usage: check_pages.py [--commands FILE [--tool PROGRAM] [--run]] ROOT PAGE.md...

Links      within the repository lead to a file, and to a heading of it.
Listings   A block behind `<!-- listing: PATH -->` (from ROOT) is a part of that file. The parts of a file that a page shows
           are all of it, in its order, but for the line with its licence and for blank lines.
Commands   A block ```sh, or one that is indented by four spaces and says `examples/run`, `test/run` or the like, is shell. FILE
           says of each of its lines how it is tested; a line there that is on no page is a fault as well:

               run COMMAND          run by this check with --run (with its tool, where it says `examples/run`), and succeeds
               by TEST: COMMAND     what the test of that name does
               not REASON: COMMAND  cannot be run here
"""
import argparse
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
ANY_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
HIDDEN = re.compile(r"^<!-- .*?-->$", re.M | re.S)
LISTING = re.compile(r"^<!-- listing: (?P<path>\S+) -->\n(?:```\w*\n(?P<text>.*?)^```$)?", re.M | re.S)
SHELL = re.compile(r"^```sh\n(?P<fenced>.*?)^```$|(?<=\n\n)(?P<indented>(?: {4}[^\n]*\n)+)", re.M | re.S)
COMMAND = re.compile(r"(?:examples/run|test/\S*|benchmarks/run|docs/build|c?make|ctest|g\+\+|sed|\S+=\S+ \S+/run)\s?")
KNOWN = re.compile(r"(?P<how>run|by (?P<test>[^:]+):|not (?P<reason>[^:]+):) (?P<command>.+)")


def heading_anchors(text):
    """The anchors that a page has on GitHub."""
    seen, anchors = {}, set()
    for heading in re.findall(r"^#+ (.*)$", ANY_BLOCK.sub("", text), re.M):
        anchor = re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors


def link_faults(page, text):
    for target, anchor in LINK.findall(ANY_BLOCK.sub("", text)):
        path = page.parent / target if target else page
        if not path.exists():
            yield f"link to {target}: there is no such file"
        elif anchor and path.suffix == ".md" and anchor not in heading_anchors(path.read_text(encoding="utf-8")):
            yield f"link to {target}#{anchor}: there is no such heading"


def substance(text):
    """The lines that a page must show, with their numbers."""
    return [(number, line) for number, line in enumerate(text.splitlines(), 1)
            if line.strip() and "SPDX-License-Identifier" not in line]


def listing_faults(root, text):
    shown = {}
    for part in LISTING.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["text"] is None:
            yield f"line {line}: no block follows the listing of {part['path']}"
        else:
            shown.setdefault(part["path"], []).extend((line + 1 + number, each) for number, each in substance(part["text"]))
    for path, lines in shown.items():
        if not (root / path).is_file():
            yield f"listing of {path}: there is no such file"
            continue
        there = substance((root / path).read_text(encoding="utf-8"))
        for (number, is_shown), (at, is_there) in zip(lines, there):
            if is_shown != is_there:
                yield f"line {number}: shows `{is_shown.strip()}` where {path}:{at} has `{is_there.strip()}`"
                break
        else:
            if len(lines) < len(there):
                yield f"listing of {path}: ends before its line {there[len(lines)][0]}"
            elif len(lines) > len(there):
                yield f"line {lines[len(there)][0]}: shows more than {path} has"


def commands(text):
    """The commands of a page's blocks, with the numbers of their lines."""
    visible = HIDDEN.sub(lambda hidden: re.sub(r"[^\n]", "", hidden[0]), text)
    plain = ANY_BLOCK.sub(lambda block: block[0] if block[0].startswith("```sh\n") else re.sub(r"[^\n]", "", block[0]),
                          visible)
    for block in SHELL.finditer(plain):
        lines = (block["fenced"] or block["indented"]).splitlines()
        if block["indented"] and not any(COMMAND.match(line.strip()) for line in lines):
            continue
        first = plain.count("\n", 0, block.start()) + (2 if block["fenced"] else 1)
        for number, line in enumerate(lines, first):
            command = re.sub(r"\s+#.*$", "", line).strip()
            if command:
                yield number, command


class CommandTable:
    """How each command of the pages is tested."""

    def __init__(self, path):
        self.path, self.of, self.faults, self.seen = path, {}, [], set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            known = KNOWN.fullmatch(line)
            if known:
                self.of[known["command"]] = known
            elif line and not line.startswith("#"):
                self.faults.append(f"{path.name}:{number}: must be `run COMMAND`, `by TEST: COMMAND` or "
                                   f"`not REASON: COMMAND`: {line}")

    def look_up(self, page, text):
        for number, command in commands(text):
            if command in self.of:
                self.seen.add(command)
            else:
                self.faults.append(f"{page}:{number}: {self.path.name} does not say how this is tested: {command}")

    def unused(self):
        return [f"{self.path.name}: is on no page: {command}" for command in self.of if command not in self.seen]

    def run(self, root, tool):
        for command, known in self.of.items():
            if known["how"] != "run":
                continue
            shell = re.sub(r"(?<![\w/])examples/run\b", str(tool), command) if tool else command
            status, output = harness.run("bash", "-c", shell, folder=root)
            if status != 0:
                self.faults.append(f"{command}: exit {status}\n{output[-2000:]}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--commands", type=pathlib.Path)
    parser.add_argument("--tool", type=pathlib.Path)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    faults = []
    table = CommandTable(arguments.commands) if arguments.commands else None
    for page in arguments.page:
        text = page.read_text(encoding="utf-8")
        faults += [f"{page}: {fault}" for fault in (*link_faults(page, text), *listing_faults(arguments.root, text))]
        if table:
            table.look_up(os.path.relpath(page, arguments.root), text)
    if table:
        faults += table.unused()
        if arguments.run:
            table.run(arguments.root, arguments.tool)
        faults += table.faults
    return harness.verdict(faults, f"{len(arguments.page)} pages")


if __name__ == "__main__":
    sys.exit(main())
