#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that headers compile alone: usage: check_alone.py INCLUDE_FOLDER HEADER... -- COMPILER OPTION...

Each is compiled in a source that includes it, twice, and nothing before it. At its end g++ is stopped: what it does there takes
it longer than to read the header, and is to instantiate what the header's own inline functions use. clang does it.
The last line counts: N passed, M failed.
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

END = "the header has been read"


def fault_of(header, compiler, folder, stops):
    """What the compiler says of the header alone; nothing if it compiles."""
    source = folder / "alone.cpp"
    source.write_text(f"#include <{header}>\n#include <{header}>\n" + (f'static_assert(false, "{END}");\n' if stops else ""), encoding="utf-8")
    status, output = harness.syntax(compiler, *(["-Wfatal-errors"] if stops else []), source)
    if not stops:
        return "" if status == 0 else output
    errors = [line for line in output.splitlines() if "error:" in line]
    return "" if len(errors) == 1 and errors[0].endswith(f"static assertion failed: {END}") else output


def main():
    own, compiler = harness.split_arguments()
    if len(own) < 2 or not compiler:
        return harness.usage(__doc__)
    root, *headers = own
    compiler = [*compiler, f"-I{root}"]
    stops = harness.compiler_id(compiler) == "GNU"
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for header in headers:
            if fault := fault_of(header, compiler, pathlib.Path(folder), stops):
                failed += 1
                print(f"{header}: does not compile alone:\n{fault}")
        if stops:  # it has not come to write down what it has read
            source = pathlib.Path(folder, "all.cpp")
            source.write_text("".join(f"#include <{header}>\n" for header in headers), encoding="utf-8")
            harness.compile_source(compiler, "-E", "-o", "/dev/null", source)
    print(f"{len(headers) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
