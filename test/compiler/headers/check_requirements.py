#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks what is said where devres cannot be used: usage: check_requirements.py INCLUDE_FOLDER HEADER... [older=COMPILER]... -- COMPILER -std=c++23 OPTION...

Each umbrella is compiled for an older language, those that need Boost without it, and one with each compiler that is too old: the
answer says what is needed in one line, and is a few lines in all. The last line counts: N passed, M failed.
"""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

LONGEST = 12  # lines, with the place of each error


def without_boost(compiler, folder):
    """An invocation that has every folder of headers that the compiler has, but no Boost in them."""
    _, said = harness.run(*compiler, "-E", "-v", "-x", "c++", os.devnull)
    searched = re.search(r"#include <\.\.\.> search starts here:\n(.*?)End of search list", said, re.DOTALL)[1].split("\n")
    options = ["-nostdinc", "-nostdinc++"]
    for number, name in enumerate(filter(None, map(str.strip, searched))):
        if (pathlib.Path(name) / "boost").exists():
            copy = folder / f"without_{number}"
            copy.mkdir()
            for entry in pathlib.Path(name).iterdir():
                if entry.name != "boost":
                    (copy / entry.name).symlink_to(entry)
            name = copy
        options += ["-isystem", name]
    return [compiler[0], *options, *(word for word in compiler[1:] if not word.startswith("-I"))]


def fault_of(header, wanted, compiler, folder):
    source = folder / "user.cpp"
    source.write_text(f"#include <{header}>\nint main() {{ return devres::version; }}\n", encoding="utf-8")
    status, output = harness.syntax(compiler, source)
    lines = output.splitlines()
    if status == 0:
        return "compiles"
    if not any("error:" in line and wanted in line for line in lines[:4]):
        return f"the first lines do not say: {wanted}\n{output}"
    return f"{len(lines)} lines\n{output}" if len(lines) > LONGEST else ""


def main():
    own, compiler = harness.split_arguments()
    if len(own) < 2 or not compiler:
        return harness.usage(__doc__)
    root, *headers = [word for word in own if not word.startswith("older=")]
    too_old = [word.removeprefix("older=") for word in own if word.startswith("older=")]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        older = [word.replace("-std=c++23", "-std=c++20") for word in compiler]
        boostless = without_boost(compiler, folder)
        cases = [(header, "devres needs C++23: compile with -std=c++23", [*older, f"-I{root}"]) for header in headers]
        cases += [(f"devres/{name}.hpp", "need Boost.Hana, headers only: Debian's libboost-dev", [*boostless, f"-I{root}"])
                  for name in ("testing", "hana")]
        cases += [(headers[0], "devres needs " + ("clang" if "clang" in name else "g++ 12 or later"), [*name.split(), "-std=c++2b", f"-I{root}"])
                  for name in too_old]
        for header, wanted, command in cases:
            fault = fault_of(header, wanted, command, folder)
            print(f"{header}: {fault or 'as it should be'}")
            passed, failed = passed + (not fault), failed + bool(fault)
        # Without Boost, all the rest is there.
        status, output = harness.syntax([*boostless, f"-I{root}"], "-include", "devres/sim.hpp", "-x", "c++", os.devnull)
        print(f"devres/sim.hpp without Boost: {'compiles' if status == 0 else output}")
        passed, failed = passed + (status == 0), failed + (status != 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
