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
    <!-- file: NAME -->              the next block is a file, for programs to include. One that is called NAME.cpp is compiled
                                     once; the page's programs are linked with it, and find it as ./NAME.so, too.
    <!-- file: NAME = PAGE.md N -->  so is program N of another page, without its main.
    <!-- listing: PATH -->           the next block is part of that file, which has tests of its own: see check_pages.py.

All of it must compile without a warning (fragments may have unused variables). A line that is commented out and ends in
`// does not compile` is then put back, one at a time: the program, or the section, must be rejected, and the
compiler must print the code in `// does not compile (D001)`, or what the compiler-output block behind it says; no other code
comes before it.
A --program is compiled and run too, and finds the page's files.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

FORBIDDEN = re.compile(r"^(?P<indent>\s*)// (?P<code>.*\S)\s+// does not compile(?: \((?P<rule>D\d{3})\))?$")
PIECE = re.compile(
    r"^<!-- listing: [^\n]* -->\n```.*?^```$"
    r"|^```(?P<block>cpp|cpp probe|output|compiler-output)\n(?P<text>.*?)^```$"
    r"|^<!-- (?P<hidden>preamble|cpp)\n(?P<code>.*?)^-->$"
    r"|^<!-- (?P<key>check|file): (?P<value>[^\n]*) -->$"
    r"|^(?P<heading>###? [^\n]*)$", re.M | re.S)

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


class Misuse(typing.NamedTuple):
    """A section with a forbidden line put back, and what the compiler must say of it."""
    what: str
    text: str
    code: str
    rule: typing.Optional[str]
    answer: str
    expected: list


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
            elif piece["value"]:
                name, _, source = piece["value"].partition(" = ")
                if source:
                    other, number = source.split()
                    program = Page(path.parent / other).programs[int(number) - 1].text
                    self.files[name] = "#pragma once\n" + program.partition("\nint main()")[0] + "\n"
                    name = None
            elif piece["block"] == "output" and latest is not None:
                latest.output = piece["text"]
            elif piece["block"] == "compiler-output":
                latest.answer = piece["text"]
            elif piece["block"] and name:
                self.files[name], name = piece["text"], None
            elif piece["block"]:
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
        self.objects = [built for name in page.files if name.endswith(".cpp") and (built := self.compiled_once(name))]

    def compiled_once(self, name):
        """The object of a file, from which a shared library is made, too; None if it does not compile."""
        stem = self.folder / pathlib.PurePath(name).stem
        for made, options in ((f"{stem}.o", ["-fPIC", "-c", self.folder / name]), (f"{stem}.so", ["-shared", f"{stem}.o"])):
            status, said = harness.compile_source(self.compiler, f"-I{self.folder}", *options, "-o", made)
            if status != 0:
                self.faults.append(f"{name} does not compile:\n{said}")
                return None
        return f"{stem}.o"

    def compile(self, text, *options):
        source = self.folder / "snippet.cpp"
        source.write_text(text, encoding="utf-8")
        return harness.compile_source(self.compiler, f"-I{self.folder}", *options, source)

    def built_and_run(self, what, text, output=None, options=()):
        """Whether it compiles; a fault unless it also runs well."""
        program = str(self.folder / "snippet")
        status, said = self.compile(text, "-o", program, *options)
        if status != 0:
            self.faults.append(f"{what} does not compile:\n{said}")
            return False
        status, printed = harness.run(program, folder=self.folder)
        if status != 0:
            self.faults.append(f"{what} does not return 0:\n{printed}")
        if output is not None and printed != output:
            self.faults.append(f"{what} prints:\n{printed}")
        return True

    def expected(self, rule, answer):
        """What the compiler must say of a misuse."""
        lines = [line.strip() for line in answer.split("\n") if line.strip()]
        if "clang" in self.compiler[0]:
            lines = [line for line in lines if "devres[" in line]
        return lines + ([f"devres[{rule}]"] if rule else [])

    @staticmethod
    def first_code(said):
        """The first code of the library's in what the compiler says: what a reader takes for the reason."""
        found = re.search(r"devres\[D\d{3}\]", said)
        return found[0] if found else ""

    def begins_with(self, said, expected):
        """Whether the first code is the expected one, where there is one."""
        return self.first_code(said) in (self.first_code("\n".join(expected)) or self.first_code(said))

    def rejected(self, what, text, code, rule, answer, options=()):
        status, said = self.compile(text, "-fsyntax-only", *options)
        expected = self.expected(rule, answer)
        if status == 0:
            self.faults.append(f"{what} compiles with: {code}")
        elif not expected:
            self.faults.append(f"{what}: nothing says what the compiler answers to: {code}")
        for line in expected:
            if status != 0 and line not in said:
                self.faults.append(f"{what}: the compiler does not say: {line}\n{said}")
        if status != 0 and not self.begins_with(said, expected):
            self.faults.append(f"{what}: before that, the compiler says {self.first_code(said)} to: {code}\n{said}")

    def rejected_together(self, misuses, options):
        """Which of the misuses the compiler rejects as it must when it compiles all of them at once, which takes it hardly
        longer than one. Each is in a namespace, and in a file as it seems, of its own."""
        parts = []
        for number, misuse in enumerate(misuses):
            text = misuse.text.replace(f'"{self.page.path.name}"\n', f'"misuse-{number}"\n')
            parts.append(f"namespace misuse_{number} {{\n{text}}}\n")
        every = harness.EVERY_ERROR[harness.compiler_id(self.compiler)][:1]
        _, output = self.compile("".join(parts), "-fsyntax-only", *every, *options)
        said = {}
        for part in harness.parts_of(output):
            whose = re.search(r"\bmisuse-(\d+):", "\n".join(part))
            if whose is None or harness.GAVE_UP.search("\n".join(part)):
                return set()
            said.setdefault(int(whose[1]), []).extend(part)
        return {number for number, misuse in enumerate(misuses) if number in said and misuse.expected and
                all(line in "\n".join(said[number]) for line in misuse.expected) and
                self.begins_with("\n".join(said[number]), misuse.expected)}

    def check_programs(self):
        for number, snippet in enumerate(self.page.programs, 1):
            what = f"program {number}"
            if self.built_and_run(what, snippet.text, snippet.output, self.objects):
                for misuse, code, rule in snippet.misuses():
                    self.rejected(what, misuse.text, code, rule, snippet.answer)

    def check_fragments(self):
        page, options = self.page, [*FRAGMENT_OPTIONS, "-include", str(self.preamble)]
        if not page.sections:
            return
        sections = "".join(page.section_source(*numbered) for numbered in enumerate(page.sections))
        checks = " + ".join(f"section_{number}::failed_checks()" for number in range(len(page.sections)))
        if not self.built_and_run("a fragment", f"{sections}int main() {{ return {checks}; }}\n", options=options):
            return
        misuses = []
        for number, section in enumerate(page.sections):
            for index, snippet in enumerate(section):
                for misuse, code, rule in snippet.misuses():
                    text = page.section_source(number, [*section[:index], misuse, *section[index + 1:]])
                    what = f"the fragment at line {snippet.line}"
                    misuses.append(Misuse(what, text, code, rule, snippet.answer, self.expected(rule, snippet.answer)))
        held = self.rejected_together(misuses, options) if len(misuses) > 1 else set()
        for number, misuse in enumerate(misuses):
            if number not in held:
                self.rejected(misuse.what, misuse.text, misuse.code, misuse.rule, misuse.answer, options)


def main():
    own, compiler = harness.split_arguments()
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
        checker.check_programs()
        checker.check_fragments()
        for program in arguments.program:
            checker.built_and_run(program.name, f'#include "{program.resolve()}"\n')
    if not page.programs and not page.sections and "<!-- listing: " not in page.text:
        checker.faults.append("no snippet found")
    snippets = len(page.programs) + sum(map(len, page.sections))
    return harness.verdict([f"{arguments.page}: {fault}" for fault in checker.faults], f"{snippets} snippets")


if __name__ == "__main__":
    sys.exit(main())
