#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the C and C++ of the tree is as clang-format has it: usage: formatted.py CLANG_FORMAT ROOT [FILE...]

Without FILEs, all that Git knows in ROOT, or all that is there if it is no clone.
"""
import pathlib
import subprocess
import sys

ENDINGS = {".c", ".cpp", ".h", ".hpp"}


def sources(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [
        path.relative_to(root) for path in root.rglob("*") if path.relative_to(root).parts[0] != "build"]
    return [root / name for name in names if name and pathlib.Path(name).suffix in ENDINGS and (root / name).is_file()]


def main():
    formatter, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    files = [pathlib.Path(name) for name in sys.argv[3:]] or sources(root)
    done = subprocess.run([formatter, "--dry-run", "--Werror", "--ferror-limit=1", *map(str, files)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="")
    print(f"{len(files)} files: {'formatted' if done.returncode == 0 else 'not formatted: clang-format-19 -i FILE'}")
    return 1 if done.returncode != 0 or not files else 0


if __name__ == "__main__":
    sys.exit(main())
