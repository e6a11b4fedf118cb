#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes a translation unit that is several sources, each in a namespace of its own: usage: unity.py UNIT SOURCE...

What a compiler does before and after a test (it loads the precompiled header, and instantiates what the library's own inline
functions use) takes it longer than the test. The includes of the sources stand first, where there is no namespace; met again
behind it they are empty. What must be in the global namespace, such as an operator new, is no source for a unit.
"""
import pathlib
import re
import sys


def includes(source):
    """The includes of a source that do not depend on a condition, as they read from elsewhere."""
    depth = 0
    for line in source.read_text(encoding="utf-8").splitlines():
        directive = re.match(r"\s*#\s*(if|endif|include)\w*\s*(?:([<\"])([^>\"]+)[>\"])?", line)
        if not directive:
            continue
        kind, quote, name = directive.groups()
        depth += {"if": 1, "endif": -1}.get(kind, 0)
        if kind == "include" and depth == 0 and name:
            beside = source.parent / name
            if quote == '"':
                yield f'#include "{beside.resolve() if beside.exists() else name}"'
            else:
                yield f"#include <{name}>"


def unit(sources):
    lines = dict.fromkeys(line for source in sources for line in includes(source))
    for source in sources:
        name = re.sub(r"\W", "_", source.stem)
        lines[f'namespace unit_{name} {{\n#include "{source.resolve()}"\n}}'] = None
    return "\n".join(lines) + "\n"


def main():
    target, sources = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    text = unit(sources)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
