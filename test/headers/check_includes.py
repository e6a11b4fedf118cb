#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks who includes whom. Usage: check_includes.py INCLUDE_FOLDER -- COMPILER OPTION...

  * A layer includes only itself and the layers it stands on.
  * core and pci include none of the standard headers that cost more than they are worth there, and no other library,
    neither themselves nor through another header: the compiler is asked for what it opens. Above them, <devres/hana.hpp>
    alone includes Boost.

Exits with 0 if this holds; names each include that breaks it if not.
"""
import pathlib
import re
import subprocess
import sys

# A layer, and what it may include: the folder of that name and <devres/NAME.hpp>.
LAYERS = {
    "core": {"core"},
    "pci": {"core", "pci"},
    "sim": {"core", "pci", "sim"},
    "linux_model": {"core", "pci", "sim", "linux_model"},
    "vfio": {"core", "pci", "vfio"},
    "testing": {"core", "pci", "hana", "testing"},
    "devres": {"core", "pci"},  # the umbrella of both
    "hana": {"core", "pci", "hana"},  # where Boost.Hana is wanted
    "version": set(),
}
LEAN_LAYERS = ["core", "pci"]
OTHER_LIBRARIES = {"boost", "range", "fmt"}
TOO_DEAR = {"memory", "functional", "string", "vector", "atomic", "iostream", "memory_resource", "mutex", "thread", "chrono"}


def layer_of(header):
    """The layer of a header named as in an #include: devres/core/list.hpp, devres/sim.hpp."""
    return pathlib.PurePath(header).with_suffix("").parts[1]


def is_of_other_library(opened):
    return any(part in OTHER_LIBRARIES for part in pathlib.PurePath(opened).parts[:-1])


def written_includes(root, header):
    """The lines of a header that include something: (line number, name, whether in quotes)."""
    for number, line in enumerate((root / header).read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[2], match[1] == '"'


def check_layers(root, headers):
    for header in headers:
        layer = layer_of(header)
        if layer not in LAYERS:
            yield f"{header}: {layer} is no layer; name it and what it stands on in {pathlib.Path(__file__).name}"
            continue
        for number, included, quoted in written_includes(root, header):
            where = f"{header}:{number}"
            if quoted:
                yield f'{where}: "{included}": headers are included as <devres/...>'
            elif included.startswith("devres/"):
                allowed = LAYERS[layer] | {"version"}
                if LAYERS["devres"] < LAYERS[layer]:
                    allowed |= {"devres"}
                if layer_of(included) not in allowed:
                    yield f"{where}: {layer} must not include <{included}>"
            elif (layer in LEAN_LAYERS and included in TOO_DEAR) or (layer != "hana" and is_of_other_library(included)):
                yield f"{where}: {layer} does without <{included}>"


def check_opened(root, headers, compiler):
    """What the compiler opens for each header, with the chain of includes that leads there."""
    for header in headers:
        if layer_of(header) not in [*LEAN_LAYERS, "devres"]:
            continue
        run = subprocess.run([*compiler, f"-I{root}", "-x", "c++", "-H", "-E", "-o", "/dev/null", "-"],
                             input=f"#include <{header}>\n", stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            yield f"{header}: the compiler cannot read it:\n{run.stderr}"
            continue
        chain = []
        for dots, opened in re.findall(r"^(\.+) (.+)$", run.stderr, re.MULTILINE):
            chain[len(dots) - 1:] = [opened]
            if pathlib.PurePath(opened).name in TOO_DEAR or is_of_other_library(opened):
                yield f"{header} opens <{pathlib.PurePath(opened).name}>: " + " > ".join(chain)


def main():
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        print(__doc__, file=sys.stderr)
        return 2
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[3:]
    headers = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.hpp"))
    faults = [*check_layers(root, headers), *check_opened(root, headers, compiler)]
    for fault in faults:
        print(fault)
    print(f"{len(headers)} headers, {len(faults)} faults")
    return 1 if faults or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
