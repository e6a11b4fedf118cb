#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks who includes whom. Usage: check_includes.py INCLUDE_FOLDER -- COMPILER OPTION...

  * A layer includes only itself and the layers it stands on.
  * core and pci include none of the standard headers that cost more than they are worth there, and no other library,
    neither themselves nor through another header: the compiler is asked for what it opens. Above them, <devres/hana.hpp>
    alone includes Boost.
  * <devres/devres.hpp>, <devres/dma_pool.hpp>, <devres/platform.hpp> and <devres/any_platform.hpp> include every header of core
    and pci that is for users: those that are in no detail/.
  * A header begins with its main sentence, a /// before its first declaration, and has 300 lines at the most.

Exits with 0 if this holds; names each include that breaks it if not.
"""
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

# A layer, and what it may include: the folder of that name and <devres/NAME.hpp>.
LAYERS = {
    "core": {"core"},
    "pci": {"core", "pci"},
    "print": {"core", "pci", "print"},
    "hardware": {"core", "pci", "print", "hardware"},
    "sim": {"core", "pci", "hardware", "sim"},
    "linux_model": {"core", "pci", "hardware", "linux_model"},
    "vfio": {"core", "pci", "vfio"},
    "testing": {"core", "pci", "print", "hana", "testing"},
    "devres": {"core", "pci"},  # the umbrella of both, for drivers
    "dma_pool": {"core", "pci"},  # and what few of them need
    "platform": {"core", "pci"},  # and what platforms share
    "any_platform": {"core", "pci"},  # and what drivers need that are compiled once
    "hana": {"core", "pci", "hana"},  # where Boost.Hana is wanted
    "version": set(),
}
UMBRELLAS = ["dma_pool", "platform", "any_platform"]  # beside that for drivers
LEAN_LAYERS = ["core", "pci"]
NO_HEADER = "devres/stop_reading_here"  # behind an #error: a compiler does not go on after it
MAX_LINES = 300
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
            elif included == NO_HEADER:
                pass
            elif included.startswith("devres/"):
                allowed = LAYERS[layer] | {"version"}
                if LAYERS["devres"] < LAYERS[layer] or layer in UMBRELLAS:
                    allowed |= {"devres"}
                if layer_of(included) not in allowed:
                    yield f"{where}: {layer} must not include <{included}>"
            elif (layer in LEAN_LAYERS and included in TOO_DEAR) or (layer != "hana" and is_of_other_library(included)):
                yield f"{where}: {layer} does without <{included}>"


def check_umbrella(root, headers):
    if "devres/devres.hpp" not in headers:
        return
    umbrellas = [f"devres/{name}.hpp" for name in ["devres", *UMBRELLAS]]
    included = {name for umbrella in umbrellas if umbrella in headers for _, name, _ in written_includes(root, umbrella)}
    for header in headers:
        if layer_of(header) in LEAN_LAYERS and "/detail/" not in header and header not in included:
            yield f"devres/devres.hpp: <{header}> is missing"


def check_shape(root, headers):
    for header in headers:
        lines = (root / header).read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            yield f"{header}: {len(lines)} lines, {MAX_LINES} are the most"
        code = [line for line in lines if line and not re.match(r"#|// |//$|namespace |\}|class \w+;|struct \w+;|template <", line)]
        if code and not code[0].startswith("///"):
            yield f"{header}: does not begin with its main sentence, but with: {code[0]}"


def opened_by(root, headers, compiler):
    """Whether the compiler can read the headers, and what it says of what it opens for them."""
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as source:
        source.write("".join(f"#include <{header}>\n" for header in headers))
        source.flush()
        status, said = harness.compile_source(compiler, f"-I{root}", "-H", "-E", "-o", "/dev/null", source.name)
    return status == 0, said


def check_opened(root, headers, compiler):
    """What the compiler opens for the lean headers, with the chain of includes that leads there. They are read together, each
    where it comes first; one by one only to tell which of them cannot be read."""
    lean = [header for header in headers if layer_of(header) in [*LEAN_LAYERS, "devres"]]
    readable, said = opened_by(root, lean, compiler)
    if not readable:
        for header in lean:
            readable, alone = opened_by(root, [header], compiler)
            if not readable:
                yield f"{header}: the compiler cannot read it:\n{alone}"
    chain = []
    for dots, opened in re.findall(r"^(\.+) (.+)$", said, re.MULTILINE):
        chain[len(dots) - 1:] = [opened]
        if pathlib.PurePath(opened).name in TOO_DEAR or is_of_other_library(opened):
            first = pathlib.Path(chain[0])
            header = first.relative_to(root).as_posix() if first.is_relative_to(root) else first.name
            yield f"{header} opens <{pathlib.PurePath(opened).name}>: " + " > ".join(chain)


def main():
    own, compiler = harness.split_arguments()
    if len(own) != 1 or not compiler:
        return harness.usage(__doc__)
    root = pathlib.Path(own[0])
    headers = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.hpp"))
    faults = [*check_layers(root, headers), *check_umbrella(root, headers), *check_shape(root, headers),
              *check_opened(root, headers, compiler)]
    if not headers:
        faults.append("there is no header")
    return harness.verdict(faults, f"{len(headers)} headers")


if __name__ == "__main__":
    sys.exit(main())
