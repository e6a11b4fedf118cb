#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the checks that start compilers share: how one is run and read, and how a verdict is kept and told.

As a program:
  harness.py record RESULT DEPENDENCIES -- CHECK ARGUMENT...
      runs a check and keeps what came of it in the file RESULT, and in DEPENDENCIES, as a rule of make, which files compilers
      read for it: the build runs it again when one of them has changed, and never fails by it.
  harness.py report RESULT...
      shows what was kept of the checks that do not hold, and counts: N passed, M failed. A check that is several says so itself.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# A check that is being recorded has its compilers write the files that they read into this folder.
DEPENDENCIES = "DEVRES_CHECK_DEPENDENCIES"

# All errors, a line each.
EVERY_ERROR = {"GNU": ["-fmax-errors=0", "-fno-diagnostics-show-caret"],
               "Clang": ["-ferror-limit=0", "-fno-caret-diagnostics"]}

# Begins what stands before an error or a note.
CONTEXT = re.compile(r"In file included from |\s+from |.*: (In |At )|.*\s(required|recursively required) (from|by) ")
GAVE_UP = re.compile(r"fatal error:|internal compiler error|PLEASE submit a bug report")


def run(*command, folder=None):
    """The status and the output of a program, in English, whatever the width of the terminal."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"LC_ALL": "C"}
    done = subprocess.run([str(word) for word in command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def compile_source(compiler, *arguments, folder=None):
    """Runs a compiler, without colours. The status and the output."""
    options = ["-fdiagnostics-color=never"]
    if kept := os.environ.get(DEPENDENCIES):
        handle, name = tempfile.mkstemp(dir=kept)
        os.close(handle)
        options += ["-MMD", "-MF", name, "-MT", "check"]
    return run(*compiler, *options, *arguments, folder=folder)


def syntax(compiler, *arguments, folder=None):
    """Has a compiler say what it thinks of a source."""
    return compile_source(compiler, "-fsyntax-only", *arguments, folder=folder)


def compiler_id(compiler):
    """GNU or Clang, as CMake calls them."""
    return "Clang" if "clang" in run(compiler[0], "--version")[1] else "GNU"


def parts_of(output):
    """The output, in parts: an error with what stands before and behind it."""
    parts, context = [], []
    for line in output.splitlines():
        if re.search(r": error: ", line):
            parts.append([*context, line])
        elif CONTEXT.match(line) or not parts:
            context.append(line)
            continue
        else:
            parts[-1] += [*context, line]
        context = []
    return parts


class Errors:
    """What a compiler says of a source: for each of its lines, the errors and the messages of the rules that failed."""

    def __init__(self, output, name):
        self.of_line = {}
        self.failed_rules = {}
        self.elsewhere = []
        line = None
        for text in output.splitlines():
            error = re.match(r"(\S+?):(\d+):\d+: error: (.*)", text)
            if error and error[1] == str(name):
                line = int(error[2])
                self.of_line.setdefault(line, []).append(error[3])
            elif error or re.search(r"(fatal|internal compiler|^\S+:) error: ", text):
                self.elsewhere.append(text)
            elif line is not None and self._is_failure(text):
                self.failed_rules.setdefault(line, []).append(re.search(r'"([^"]*)"', text)[1])

    @staticmethod
    def _is_failure(text):
        """Whether the line names a rule that does not hold, and not only the candidate that has it."""
        return "required for the satisfaction of 'rule<" in text or (
            "because 'rule<" in text and "evaluated to false" in text)


def split_arguments(arguments=None):
    """A check's own arguments, and the compiler's invocation behind --."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if "--" not in words:
        return words, []
    return words[:words.index("--")], words[words.index("--") + 1:]


def usage(text):
    print(text, file=sys.stderr)
    return 2


def verdict(faults, summary, mark=""):
    """Prints what does not hold, and a line that counts; the exit status of the check."""
    for fault in faults:
        print(f"{mark}{fault}")
    print(f"{summary}; {len(faults)} faults")
    return 1 if faults else 0


class Selftest:
    """Runs a check on what is good and on what is broken in one way each."""

    def __init__(self):
        self.faults, self.count = [], 0

    def accepts(self, what, status, output):
        self.count += 1
        if status != 0:
            self.faults.append(f"{what} is rejected: {output}")

    def rejects(self, what, expected, status, output):
        self.count += 1
        if status != 1 or expected not in output:
            self.faults.append(f"{what}: not rejected with `{expected}`: {output}")

    def verdict(self):
        return verdict(self.faults, f"{self.count} cases", "FAULT: ")


def check_file(name, path, *arguments):
    """Runs a check as CTest would. The status and the output."""
    return run(sys.executable, "-B", pathlib.Path(path).resolve().with_name(name), *arguments)


def dependencies_in(folder):
    """The files that still exist of those that compilers read."""
    read = set()
    for rule in pathlib.Path(folder).iterdir():
        text = rule.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        read.update(word.replace("\\ ", " ") for word in re.findall(r"(?:\\ |\S)+", text.partition(":")[2]))
    return sorted(name for name in read if os.path.isabs(name) and os.path.exists(name))


def record(result, dependencies, check):
    with tempfile.TemporaryDirectory() as folder:
        os.environ[DEPENDENCIES] = folder
        status, output = run(*check)
        read = dependencies_in(folder)
    # A file that is here now may be one that the check made for itself. One that reads nothing depends on this.
    read = [name.replace(" ", "\\ ") for name in read if not name.startswith(tempfile.gettempdir() + "/")]
    read = read or [str(pathlib.Path(__file__).resolve())]
    pathlib.Path(dependencies).write_text(f"{result}: {' '.join(read)}\n", encoding="utf-8")
    kept = pathlib.Path(result)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(f"{'passed' if status == 0 else 'failed'}\n{output}", encoding="utf-8")
    return 0


def report(results):
    passed = failed = 0
    for result in map(pathlib.Path, results):
        kept = result.read_text(encoding="utf-8") if result.exists() else f"failed\nthe build has not come to it: {result}\n"
        held, _, output = kept.partition("\n")
        several = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
        passed += int(several[1]) if several else held == "passed"
        failed += max(int(several[2]) if several else 0, held != "passed")
        if held != "passed":
            print(f"--- {result.stem}\n{output}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    own, check = split_arguments()
    if own[:1] == ["record"] and len(own) == 3 and check:
        return record(*own[1:], check)
    if own[:1] == ["report"]:
        return report(own[1:])
    return usage(__doc__)


if __name__ == "__main__":
    sys.exit(main())
