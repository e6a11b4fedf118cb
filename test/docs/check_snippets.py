#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compiles and runs the C++ of a Markdown page with the compiler of this tree, and holds the page to what it says.

usage: check_snippets.py [--preamble FILE] [--program FILE.cpp]... PAGE.md -- COMPILER OPTION...

What a page may contain:

    ```cpp          with an #include: a program, which must return 0. Without: a fragment, compiled behind the preamble
                    in a namespace that it shares with the other fragments of its section (## or ### heading).
    ```cpp probe    the body of a driver's probe, which is given `dev` and `id`. The preamble has a
                    `binds_cleanly<Driver>()`, which must say true.
    ```output       what the program before it prints.
    ```compiler-output   lines that the compiler prints for the forbidden line before it. A compiler that words it
                    differently (clang) must print those with a devres[...] text.

    <!-- preamble   what the fragments of the page need besides the preamble: includes.
    <!-- cpp        a fragment that readers need not see.
    <!-- check: EXPRESSION -->       must be true, in the namespace of the section.
    <!-- file: NAME -->              the next block is also a file, for programs to include.
    <!-- file: NAME = PAGE.md N -->  so is program N of another page, without its main.

All of it must compile without a warning (fragments may have unused variables). A line that is commented out and ends in
`// does not compile` is then put back, one at a time: the program, or the section, must be rejected, and the
compiler must print the code in `// does not compile (D001)`, or what the compiler-output block behind it says.
A --program is compiled and run too, and finds the page's files. Links within the repository must lead somewhere.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

FORBIDDEN = re.compile(r"^(?P<indent>\s*)// (?P<code>.*\S)\s+// does not compile(?: \((?P<rule>D\d{3})\))?$")
PIECE = re.compile(
    r"^```(?P<block>cpp|cpp probe|output|compiler-output)\n(?P<text>.*?)^```$"
    r"|^<!-- (?P<hidden>preamble|cpp)\n(?P<code>.*?)^-->$"
    r"|^<!-- (?P<key>check|file): (?P<value>[^\n]*) -->$"
    r"|^(?P<heading>###? [^\n]*)$", re.M | re.S)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
ANY_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)

# Fragments show calls, not what becomes of their results.
FRAGMENT_OPTIONS = ["-Wno-unused-variable", "-Wno-unused-but-set-variable"]


class Snippet:
    """C++ of the page, and where it stands."""

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line
        self.answer = ""  # the compiler-output block behind it
        self.output = None

    def misuses(self):
        """The text with each forbidden line put back, the line's code, and the number of its rule, if it says one."""
        lines = self.text.split("\n")
        for place, line in enumerate(lines):
            if found := FORBIDDEN.match(line):
                changed = lines[:place] + [found["indent"] + found["code"]] + lines[place + 1:]
                yield Snippet(self.kind, "\n".join(changed), self.line), found["code"], found["rule"]


class Page:
    """A page, taken apart."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.programs, self.sections, self.files, self.preamble = [], [[]], {}, ""
        latest, name = None, None
        for piece in PIECE.finditer(self.text):
            line = self.text.count("\n", 0, piece.start()) + 2
            if piece["heading"]:
                self.sections.append([])
            elif piece["hidden"] == "preamble":
                self.preamble += piece["code"]
            elif piece["hidden"]:
                self.sections[-1].append(Snippet("cpp", piece["code"], line))
            elif piece["key"] == "check":
                self.sections[-1].append(Snippet("check", piece["value"], line - 1))
            elif piece["key"]:
                name, _, source = piece["value"].partition(" = ")
                if source:
                    other, number = source.split()
                    program = Page(path.parent / other).programs[int(number) - 1].text
                    self.files[name] = "#pragma once\n" + program.partition("\nint main()")[0] + "\n"
                    name = None
            elif piece["block"] == "output":
                latest.output = piece["text"]
            elif piece["block"] == "compiler-output":
                latest.answer = piece["text"]
            elif name:
                self.files[name], name = piece["text"], None
            else:
                latest = Snippet(piece["block"], piece["text"], line)
                is_program = "#include" in piece["text"]
                (self.programs if is_program else self.sections[-1]).append(latest)
        self.sections = [section for section in self.sections if section]

    def place(self, line):
        return f'#line {line} "{self.path.name}"\n'

    def section_source(self, number, snippets):
        """The section as C++: a namespace with a function that says how many of its checks do not hold."""
        parts, checks = [f"namespace section_{number} {{\n"], []
        for index, snippet in enumerate(snippets):
            if snippet.kind == "check":
                checks.append(snippet)
            elif snippet.kind == "cpp probe":
                parts.append(f"struct probe_{index} {{ static result<> probe([[maybe_unused]] auto& dev,"
                             " [[maybe_unused]] const pci::device_id& id) {\n" + self.place(snippet.line) +
                             snippet.text + "return {}; } };\n")
                checks.append(Snippet("check", f"binds_cleanly<probe_{index}>()", snippet.line))
            else:
                parts.append(self.place(snippet.line) + snippet.text)
        parts.append("inline int failed_checks() {\nint failed = 0;\n")
        for check in checks:
            parts.append(f"{self.place(check.line)}if (!({check.text})) ++failed, "
                         f'std::puts("{self.path.name}:{check.line}: does not hold");\n')
        return "".join([*parts, "return failed;\n}\n}\n"])


class Checker:
    """Runs the compiler in a folder with the page's files, and collects what is wrong."""

    def __init__(self, page, compiler, folder, preamble):
        self.page, self.compiler, self.folder, self.faults = page, compiler, folder, []
        self.preamble = folder / "preamble.hpp"
        self.preamble.write_text("#include <cstdio>\n" + preamble + page.preamble, encoding="utf-8")
        for name, text in page.files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def compile(self, text, *options):
        source = self.folder / "snippet.cpp"
        source.write_text(text, encoding="utf-8")
        return self.run([*self.compiler, f"-I{self.folder}", *options, str(source)])

    @staticmethod
    def run(command):
        return subprocess.run(command, capture_output=True, text=True, check=False,
                              env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})

    def built_and_run(self, what, text, output=None, options=()):
        """Whether it compiles; a fault unless it also runs well."""
        program = str(self.folder / "snippet")
        built = self.compile(text, "-o", program, *options)
        if built.returncode != 0:
            self.faults.append(f"{what} does not compile:\n{built.stderr}")
            return False
        ran = self.run([program])
        if ran.returncode != 0:
            self.faults.append(f"{what} does not return 0:\n{ran.stdout}{ran.stderr}")
        if output is not None and ran.stdout != output:
            self.faults.append(f"{what} prints:\n{ran.stdout}")
        return True

    def rejected(self, what, text, code, rule, answer, options=()):
        built = self.compile(text, "-fsyntax-only", *options)
        expected = [line.strip() for line in answer.split("\n") if line.strip()]
        if "clang" in self.compiler[0]:
            expected = [line for line in expected if "devres[" in line]
        if rule:
            expected.append(f"devres[{rule}]")
        if built.returncode == 0:
            self.faults.append(f"{what} compiles with: {code}")
        elif not expected:
            self.faults.append(f"{what}: nothing says what the compiler answers to: {code}")
        for line in expected:
            if built.returncode != 0 and line not in built.stderr:
                self.faults.append(f"{what}: the compiler does not say: {line}\n{built.stderr}")

    def check_programs(self):
        for number, snippet in enumerate(self.page.programs, 1):
            what = f"program {number}"
            if self.built_and_run(what, snippet.text, snippet.output):
                for misuse, code, rule in snippet.misuses():
                    self.rejected(what, misuse.text, code, rule, snippet.answer)

    def check_fragments(self):
        page, options = self.page, [*FRAGMENT_OPTIONS, "-include", str(self.preamble)]
        if not page.sections:
            return
        if any(True for section in page.sections for snippet in section for _ in snippet.misuses()):
            # Precompiled, as each forbidden line is a compilation of its own: g++ and clang find it by its name.
            self.run([*self.compiler, *FRAGMENT_OPTIONS, "-x", "c++-header", f"-I{self.folder}", str(self.preamble),
                      "-o", f"{self.preamble}.gch"])
        sections = "".join(page.section_source(*numbered) for numbered in enumerate(page.sections))
        checks = " + ".join(f"section_{number}::failed_checks()" for number in range(len(page.sections)))
        if not self.built_and_run("a fragment", f"{sections}int main() {{ return {checks}; }}\n", options=options):
            return
        for number, section in enumerate(page.sections):
            for index, snippet in enumerate(section):
                for misuse, code, rule in snippet.misuses():
                    changed = [*section[:index], misuse, *section[index + 1:]]
                    self.rejected(f"the fragment at line {snippet.line}", page.section_source(number, changed), code,
                                  rule, snippet.answer, options)

    def check_links(self):
        for target, anchor in LINK.findall(ANY_BLOCK.sub("", self.page.text)):
            path = self.page.path.parent / target if target else self.page.path
            if not path.exists():
                self.faults.append(f"link to {target}: there is no such file")
            elif anchor and path.suffix == ".md":
                headings = re.findall(r"^#+ (.*)$", ANY_BLOCK.sub("", path.read_text(encoding="utf-8")), re.M)
                if anchor not in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]:
                    self.faults.append(f"link to {target}#{anchor}: there is no such heading")


def main():
    own, compiler = sys.argv[1:], []
    if "--" in own:
        own, compiler = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--preamble", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, action="append", default=[])
    parser.add_argument("page", type=pathlib.Path)
    arguments = parser.parse_args(own)
    if not compiler:
        parser.error("no compiler")
    page = Page(arguments.page)
    preamble = f'#include "{arguments.preamble.resolve()}"\n' if arguments.preamble else ""
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(page, compiler, pathlib.Path(folder), preamble)
        checker.check_links()
        checker.check_programs()
        checker.check_fragments()
        for program in arguments.program:
            checker.built_and_run(program.name, f'#include "{program.resolve()}"\n')
    if not page.programs and not page.sections:
        checker.faults.append("no snippet found")
    for fault in checker.faults:
        print(f"{arguments.page}: {fault}")
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
