#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that check_snippets.py finds each kind of fault, and none where there is none.

usage: selftest.py COMPILER OPTION...
"""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().with_name("check_snippets.py")

# Instead of fragments.hpp: what the checker asks of a preamble, and something that compilers reject.
PREAMBLE = """
#include <type_traits>
struct outcome { int error = 0; };
template <class T = void> using result = std::conditional_t<std::is_void_v<T>, outcome, T>;
namespace pci { struct device_id {}; }
template <class Driver> bool binds_cleanly() { int dev = 1; return Driver::probe(dev, {}).error == 0; }
template <int N> void take() { static_assert(N == 1, "devres[D001] take another"); }
"""

PROGRAM = """```cpp
#include <cstdio>
template <int N> void take() { static_assert(N == 1, "devres[D001] take another"); }
int main() {
    take<1>();
    // take<2>();  // does not compile
    std::puts("taken");
}
```
"""
ANSWER = "```compiler-output\ndevres[D001] take another\n```\n"

GOOD = {
    "page.md": "# Page\n[a](other.md#a-heading), [b](#good-one), [c](https://nowhere.example/x.md#y)\n" + PROGRAM +
    ANSWER + "```output\ntaken\n```\n" + """
## Good one
<!-- preamble
#include "fraction.hpp"
-->
<!-- file: fraction.hpp -->
```cpp
#pragma once
#include <utility>
inline std::pair<int, int> half{1, 2};
```
```cpp
inline int one() { return half.first; }
```
```cpp probe
dev = one();
// take<2>();  // does not compile (D001)
if (dev != 1)
    return {1};
```
### Another section
<!-- file: counted.hpp = other.md 1 -->
<!-- cpp
inline int one() { return 1; }  // no redefinition: another namespace
-->
<!-- check: one() == 1 -->
```text
[not](a.link)
```
```cpp
#include "counted.hpp"
int main() { return count; }
```
""",
    "other.md": "# A heading\n```cpp\n#include <cstddef>\ninline int count = 0;\nint main() { return 1; }\n```\n",
}

FRAGMENT = "```cpp probe\ntake<1>();\n// take<2>();  // does not compile (D001)\n```\n"

# Pages that are not good, and what must be said of each.
BAD = {
    "no snippet": ("# Page\n```c\nint x;\n```\n", "no snippet found"),
    "a broken program": (PROGRAM.replace("puts(", "put(") + ANSWER, "program 1 does not compile"),
    "a program with a warning": (PROGRAM.replace("take<1>()", "int unused = 1; take<1>()") + ANSWER, "unused"),
    "a program that fails": (PROGRAM.replace('std::puts("taken")', "return 1") + ANSWER, "program 1 does not return 0"),
    "another output": (PROGRAM + "```output\nnot taken\n```\n" + ANSWER, "program 1 prints:\ntaken"),
    "a forbidden line in a program that compiles": (PROGRAM.replace("take<2>", "take<1>", 1) + ANSWER,
                                                    "program 1 compiles with: take<1>();"),
    "another text": (PROGRAM + ANSWER.replace("another", "something"), "does not say: devres[D001] take something"),
    "no text": (PROGRAM, "nothing says what the compiler answers to: take<2>();"),
    "a broken fragment": (FRAGMENT.replace("take<1>()", "tak<1>()"), "page.md:2"),
    "a broken fragment in a later section": ("## A\n" + FRAGMENT + "## B\n```cpp\nint x = y;\n```\n", "page.md:8"),
    "a broken hidden fragment": (FRAGMENT + "<!-- cpp\nint x = y;\n-->\n", "page.md:6"),
    "a probe that fails": (FRAGMENT.replace("take<1>()", "return {1}"), "page.md:2: does not hold"),
    "a check that fails": ("```cpp\nint x = 1;\n```\n<!-- check: x == 2 -->\n", "page.md:4: does not hold"),
    "a forbidden line in a fragment that compiles": (FRAGMENT.replace("take<2>", "take<1>"),
                                                     "the fragment at line 2 compiles with: take<1>();"),
    "a forbidden line of a later section that compiles": (
        "## A\n" + FRAGMENT + "## B\n" + FRAGMENT.replace("take<2>", "take<1>"),
        "the fragment at line 8 compiles with"),
    "another code": (FRAGMENT.replace("(D001)", "(D002)"), "does not say: devres[D002]"),
    "a section without the other's names": ("## A\n```cpp\nint x = 1;\n```\n## B\n```cpp\nint z = x;\n```\n",
                                            "page.md:7"),
    "a link to nowhere": (FRAGMENT + "[a](nowhere.md)\n", "link to nowhere.md: there is no such file"),
    "a link to no heading": (FRAGMENT + "[a](other.md#b)\n", "link to other.md#b: there is no such heading"),
}


def run(page, *options):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (GOOD | {"page.md": page, "preamble.hpp": PREAMBLE}).items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        pathlib.Path(folder, "extra.cpp").write_text('#include "fraction.hpp"\nint main() { return half.first; }\n',
                                                     encoding="utf-8")
        own = ["--preamble", "FOLDER/preamble.hpp", *options, "FOLDER/page.md"]
        done = subprocess.run([sys.executable, CHECK, *(option.replace("FOLDER", folder) for option in own),
                               "--", *sys.argv[1:], "-Wall", "-Wextra", "-Werror"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout


def main():
    faults = []
    status, output = run(GOOD["page.md"])
    if status != 0:
        faults.append(f"the good page is rejected: {output}")
    status, output = run(GOOD["page.md"], "--program", "FOLDER/extra.cpp")
    if status != 1 or "extra.cpp does not return 0" not in output:
        faults.append(f"a program beside the page that fails: {output}")
    for name, (page, expected) in BAD.items():
        status, output = run(page)
        if status != 1 or expected not in output:
            faults.append(f"{name}: not found with `{expected}`: {output}")
    for fault in faults:
        print("FAULT:", fault)
    print(f"{len(BAD) + 2} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
