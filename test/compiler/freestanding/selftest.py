#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that check_freestanding.py finds each thing that needs a runtime. Usage: selftest.py COMPILER OPTION..."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent

GOOD = "int exercise() noexcept { return 0; }\n"

# The code, and what must be said of it.
BAD = {
    "a global constructor": ("volatile int number; int global = number;\n" + GOOD, "needs a global constructor or destructor"),
    "a global destructor": ("struct s { ~s(); }; s::~s() { asm(\"\"); } s global;\n" + GOOD, "global constructor or destructor"),
    "a throw": ("int exercise() noexcept { throw 1; }\n", "does not compile"),
    "the throwing of a library": ("extern \"C\" void __cxa_throw(void*, void*, void*);\n"
                                  "int exercise() noexcept { __cxa_throw(nullptr, nullptr, nullptr); return 0; }\n",
                                  "needs exceptions: __cxa_throw"),
    "typeid": ("#include <typeinfo>\nint exercise() noexcept { return typeid(int).name()[0]; }\n", "does not compile"),
    "RTTI of a library": ("extern const char info asm(\"_ZTI1s\");\nint exercise() noexcept { return info; }\n",
                          "needs RTTI: _ZTI1s"),
    "operator new": ("int* kept; int exercise() noexcept { kept = new int(0); return *kept; }\n", "needs the heap: _Znwm"),
    "an operator new of its own": ("void* operator new(std::size_t) { return nullptr; }\n" + GOOD, "needs the heap: _Znwm"),
    "a virtual destructor": ("struct s { virtual ~s(); }; s::~s() {}\n" + GOOD, "needs the heap: _ZdlPv"),
    "malloc": ("extern \"C\" void* malloc(std::size_t);\nvoid* kept;\n"
               "int exercise() noexcept { kept = malloc(1); return 0; }\n", "needs the heap: malloc"),
    "a function of a library": ("extern \"C\" int puts(const char*);\nint exercise() noexcept { return puts(\"\"); }\n",
                                "does not link without libraries"),
    "a failing exercise": ("int exercise() noexcept { return 3; }\n", "the program exits with 3"),
}


def run(text):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "source.cpp")
        source.write_text(f'#include "start.hpp"\n{text}', encoding="utf-8")
        return harness.check_file("check_freestanding.py", __file__, source, "--", *sys.argv[1:], f"-I{HERE}")


def main():
    selftest = harness.Selftest()
    selftest.accepts("the good source", *run(GOOD))
    for name, (text, expected) in BAD.items():
        selftest.rejects(name, expected, *run(text))
    return selftest.verdict()


if __name__ == "__main__":
    sys.exit(main())
