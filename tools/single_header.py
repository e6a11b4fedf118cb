#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes one header of several: usage: single_header.py INCLUDE_FOLDER UMBRELLA... > HEADER

What devres's headers include of devres takes their place; what they include of others stays, once. Each header keeps a guard of
its own, so that two headers made by this can be included together, in either order. The same input gives the same bytes.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r"#\s*include\s*<(devres/[^>]+)>")
OTHER = re.compile(r"#include <[^>]+>")
LICENCE = "// SPDX-License-Identifier: BSL-1.0"


class Writer:
    def __init__(self, root):
        self.root = root
        self.written = set()
        self.others = set()
        self.lines = []

    def write(self, header):
        """A header, behind what it includes."""
        if header in self.written:
            return
        self.written.add(header)
        guard = "DEVRES_SINGLE_" + re.sub(r"\W", "_", header.removeprefix("devres/").removesuffix(".hpp")).upper()
        self.lines += ["", f"// <{header}>", f"#ifndef {guard}", f"#define {guard}"]
        depth = 0  # of conditions: what is included in one is not known to be included
        for line in (self.root / header).read_text(encoding="utf-8").splitlines():
            stripped = line.strip()
            included = INCLUDE.match(stripped)
            if re.match(r"#\s*if", stripped):
                depth += 1
            elif re.match(r"#\s*endif", stripped):
                depth -= 1
            if stripped in ("#pragma once", "#pragma GCC system_header", LICENCE):
                continue
            if included and (self.root / included[1]).exists():
                self.write(included[1])
            elif OTHER.fullmatch(stripped) and depth == 0:
                if stripped not in self.others:
                    self.others.add(stripped)
                    self.lines.append(line)
            else:
                self.lines.append(line)
        self.lines.append(f"#endif  // {guard}")


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, *umbrellas = sys.argv[1:]
    writer = Writer(pathlib.Path(root))
    for umbrella in umbrellas:
        writer.write(umbrella)
    version = re.findall(r"#define DEVRES_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                         (writer.root / "devres/version.hpp").read_text(encoding="utf-8"))
    names = ", ".join(f"<{umbrella}>" for umbrella in umbrellas)
    head = [LICENCE, f"// devres {'.'.join(version)}: {names} in one header, made by tools/single_header.py. Do not edit.", "#pragma once"]
    text = "\n".join(head + writer.lines) + "\n"
    sys.stdout.write(re.sub(r"\n{3,}", "\n\n", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
