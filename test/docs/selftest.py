#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that check_snippets.py, check_pages.py, check_site.py and check_tutorial.py find each kind of fault, and none where there is none.

usage: selftest.py COMPILER OPTION...
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

# Instead of fragments.hpp: what the checker asks of a preamble, and something that compilers reject.
PREAMBLE = """
#include <type_traits>
struct outcome { int error = 0; };
template <class T = void> using result = std::conditional_t<std::is_void_v<T>, outcome, T>;
namespace pci { struct device_id {}; }
template <class Driver> bool binds_cleanly() { int dev = 1; return Driver::probe(dev, {}).error == 0; }
template <int N> void take() { static_assert(N == 1, "devres[D001] take another"); }
template <int N> void take_wrongly() { static_assert(N == 1, "devres[D004] no"); static_assert(N == 1, "devres[D001] so"); }
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
    "page.md": "# Page\n" + PROGRAM +
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
<!-- listing: counted.hpp -->
```cpp
no C++ that a compiler sees;
```
```cpp
#include "counted.hpp"
int main() { return count; }
```
### Compiled once
<!-- file: twice.cpp -->
```cpp
int twice(int n);
int twice(int n) { return 2 * n; }
```
```cpp
#include <cstdio>
int twice(int n);
int main() {
    std::FILE* const library = std::fopen("twice.so", "rb");
    return twice(2) == 4 && library != nullptr ? std::fclose(library) : 1;
}
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
    "another code first": (FRAGMENT.replace("take<2>", "take_wrongly<2>"), "before that, the compiler says devres[D004]"),
    "another code": (FRAGMENT.replace("(D001)", "(D002)"), "does not say: devres[D002]"),
    "a section without the other's names": ("## A\n```cpp\nint x = 1;\n```\n## B\n```cpp\nint z = x;\n```\n",
                                            "page.md:7"),
    "a broken file that is compiled once": (FRAGMENT + "<!-- file: once.cpp -->\n```cpp\nint x = y;\n```\n",
                                            "once.cpp does not compile"),
}


# A page for check_pages.py, with what it says of the tree, and how its commands are tested.
GOOD_TREE = {
    "page.md": """# Page
[a](other.md#a-heading), [b](#page), [c](https://nowhere.example/x.md#y), [d](other.md#a-heading-1)
<!-- listing: src/half.hpp -->
```cpp
int one;
```
and
<!-- listing: src/half.hpp -->
```cpp

int two;
```
```text
[not](a.link)

    test/run nothing
```

    true      # a drawing

    test/run --all   # tests

```sh
test -e page.md  # is it there?
```
<!-- hidden

    test/run hidden
-->
""",
    "other.md": "# A heading\n```cpp\n# no heading\n```\n# A heading\n",
    "src/half.hpp": "// SPDX-License-Identifier: BSL-1.0\n\nint one;\nint two;\n",
    "commands.txt": "# a comment\nnot it runs this: test/run --all\nrun test -e page.md\n",
}

# What is changed in which file, and what must be said of it.
BAD_TREES = {
    "a link to nowhere": ("page.md", "(other.md#", "(nowhere.md#", "link to nowhere.md: there is no such file"),
    "a link to no heading": ("page.md", "#a-heading)", "#b)", "link to other.md#b: there is no such heading"),
    "a link to the third of two headings": ("page.md", "heading-1", "heading-2", "other.md#a-heading-2: there is no such"),
    "a line that its file has otherwise": ("page.md", "int two;", "int too;",
                                           "line 11: shows `int too;` where src/half.hpp:4 has `int two;`"),
    "a line that its file has not": ("src/half.hpp", "int two;\n", "", "line 11: shows more than src/half.hpp has"),
    "a listing that leaves something out": ("src/half.hpp", "int two;", "int two;\nint three;",
                                            "listing of src/half.hpp: ends before its line 5"),
    "a listing of no file": ("page.md", "src/half.hpp", "src/third.hpp", "listing of src/third.hpp: there is no such file"),
    "a listing without a block": ("page.md", "\n```cpp\nint one", "\n\n```cpp\nint one", "line 3: no block follows"),
    "a command that nobody tests": ("page.md", "--all ", "--every ", "page.md:21: commands.txt does not say how this is "
                                    "tested: test/run --every"),
    "a command that is on no page": ("commands.txt", "run test", "run echo\nrun test", "is on no page: echo"),
    "a command that fails": ("page.md", "-e page.md", "-e nothing", "does not say how this is tested: test -e nothing"),
    "a command that is run and fails": ("commands.txt", "run test", "run false", "false -e page.md: exit 1"),
    "a line of commands.txt that says nothing": ("commands.txt", "run test", "test", "commands.txt:3: must be `run COMMAND`"),
}


def run_pages(change=None):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in GOOD_TREE.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace(*change[1:3]) if change and name == change[0] else text, encoding="utf-8")
        return harness.check_file("check_pages.py", __file__, "--commands", f"{folder}/commands.txt", "--run", folder,
                                  f"{folder}/page.md", f"{folder}/other.md")


# A site for check_site.py.
GOOD_SITE = {
    "index.html": """<a href="sub/a%20page.html#there">x</a> <a href="#here">y</a> <p id="here"><a href="https://nowhere.example/">z</a>
<script src="search/searchdata.js">document.write('<a href="nothing.html">');</script>
""",
    "sub/a page.html": "<a name=\"there\" href=\"../index.html#here\">",
    "search/searchdata.js": "",
    "search/all_0.js": "['here_0',['here',['../index.html#here',1,'']]]",
    "warnings.txt": "",
    "include/a.hpp": """// here
namespace n {
namespace detail {
void not_here();
}  // namespace detail
struct forward;
[[nodiscard]] inline std::expected<int, int> here(int a);
}  // namespace n
""",
    "include/detail/b.hpp": "void not_here();\n",
}

BAD_SITES = {
    "a link to no page": ("index.html", "a%20page", "page", "index.html: link to sub/page.html#there: there is no such file"),
    "a link to no place": ("index.html", "#there", "#nowhere", "there is no such place in it"),
    "a link to no place of the page itself": ("index.html", "#here", "#nowhere", "index.html: link to #nowhere: there is no"),
    "a script that is not there": ("index.html", "searchdata.js", "data.js", "link to search/data.js: there is no such file"),
    "a search that leads nowhere": ("search/all_0.js", "#here", "#nowhere", "search/all_0.js: link to ../index.html#nowhere"),
    "a function that is lost": ("include/a.hpp", "here(int", "lost(int", "a.hpp: lost is not found in it"),
    "a type that is lost": ("include/a.hpp", "struct forward;", "struct lost : here {", "a.hpp: lost is not found in it"),
    "a member without a word": ("warnings.txt", "", "a.hpp:1: warning: Member f is not documented.", "f is not documented"),
}


def run_site(change=None, without=None):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in GOOD_SITE.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True, parents=True)
            if name != without:
                path.write_text(text.replace(*change[1:3], 1) if change and name == change[0] else text, encoding="utf-8")
        return harness.check_file("check_site.py", __file__, folder, f"{folder}/warnings.txt", f"{folder}/include")


# A page for check_tutorial.py.
GOOD_TUTORIAL = "# Page\n\n    cmake -E echo one\n    cmake -E echo two\n\n```output\ntwo\n```\n"

BAD_TUTORIALS = {
    "a command that fails": ("echo one", "false", "page.md:3: exit 1"),
    "another output": ("echo two", "echo three", "page.md:4: prints:\nthree"),
    "a page without commands": ("cmake -E", "echo", "has no commands"),
    "a page without output": ("output", "text", "has no commands, or no output"),
}


def run_tutorial(page):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "page.md").write_text(page, encoding="utf-8")
        return harness.check_file("check_tutorial.py", __file__, folder, f"{folder}/page.md", sys.argv[1])


def run(page, *options):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (GOOD | {"page.md": page, "preamble.hpp": PREAMBLE}).items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        pathlib.Path(folder, "extra.cpp").write_text('#include "fraction.hpp"\nint main() { return half.first; }\n',
                                                     encoding="utf-8")
        own = ["--preamble", "FOLDER/preamble.hpp", *options, "FOLDER/page.md"]
        return harness.check_file("check_snippets.py", __file__, *(option.replace("FOLDER", folder) for option in own),
                                  "--", *sys.argv[1:], "-Wall", "-Wextra", "-Werror")


def main():
    selftest = harness.Selftest()
    selftest.accepts("the good page", *run(GOOD["page.md"]))
    selftest.rejects("a program beside the page that fails", "extra.cpp does not return 0",
                     *run(GOOD["page.md"], "--program", "FOLDER/extra.cpp"))
    for name, (page, expected) in BAD.items():
        selftest.rejects(name, expected, *run(page))
    selftest.accepts("the good tree", *run_pages())
    for name, (*change, expected) in BAD_TREES.items():
        selftest.rejects(name, expected, *run_pages(change))
    selftest.accepts("the good tutorial", *run_tutorial(GOOD_TUTORIAL))
    for name, (*change, expected) in BAD_TUTORIALS.items():
        selftest.rejects(name, expected, *run_tutorial(GOOD_TUTORIAL.replace(*change)))
    selftest.accepts("the good site", *run_site())
    selftest.rejects("a site that cannot be searched", "it cannot be searched", *run_site(without="search/searchdata.js"))
    for name, (*change, expected) in BAD_SITES.items():
        selftest.rejects(name, expected, *run_site(change))
    return selftest.verdict()


if __name__ == "__main__":
    sys.exit(main())
