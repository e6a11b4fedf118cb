#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that a source needs no C++ runtime. Usage: check_freestanding.py SOURCE -- COMPILER OPTION...

Compiles it as a kernel would, looks in the object for what needs a runtime (global constructors, exceptions, RTTI, the
heap), links it with no library at all, and, where the program was built for this machine, runs it: it exits with 0.
nm and readelf (binutils) are asked.
"""
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

OPTIONS = ["-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-stack-protector", "-O2"]
LINK_OPTIONS = ["-nostdlib", "-nodefaultlibs", "-nostartfiles", "-static"]

# Mangled names, defined or not: what a program that defines these itself calls is a runtime too.
SYMBOLS = {
    r"_GLOBAL__sub_I_|__cxx_global_var_init|__cxa_atexit": "a global constructor or destructor",
    r"__cxa_(throw|rethrow|allocate_exception|begin_catch)|__gxx_personality|_Unwind_": "exceptions",
    r"_ZT[IS]|__dynamic_cast": "RTTI",
    r"_Zn[wa]|_Zd[la]|(malloc|calloc|realloc|free)$": "the heap",
    r"__cxa_guard_": "guarded local statics",
}
SECTIONS = re.compile(r"\s(\.(?:preinit_array|init_array|fini_array|ctors|dtors)\S*)\s")


def check(source, compiler, folder):
    """The faults of a source."""
    code, program = folder / "code.o", folder / "program"
    status, output = harness.compile_source(compiler, *OPTIONS, "-c", source, "-o", code)
    if status != 0:
        return [f"does not compile:\n{output}"]

    faults = []
    status, symbols = harness.run("nm", "--format=posix", code)
    if status != 0:
        return [f"nm: {symbols}"]
    for line in symbols.splitlines():
        name = line.split()[0]
        faults += [f"needs {what}: {name}" for pattern, what in SYMBOLS.items() if re.match(pattern, name)]
    status, sections = harness.run("readelf", "--sections", "--wide", code)
    if status != 0:
        return [f"readelf: {sections}"]
    faults += [f"has a global constructor or destructor: section {name}" for name in set(SECTIONS.findall(sections))]

    status, output = harness.run(*compiler, *LINK_OPTIONS, code, "-o", program)
    if status != 0:
        faults.append(f"does not link without libraries:\n{output}")
    if not faults:
        status, output = harness.run(program)
        if status != 0:
            faults.append(f"the program exits with {status}")
    return faults


def main():
    own, compiler = harness.split_arguments()
    if len(own) != 1 or not compiler:
        return harness.usage(__doc__)
    source = pathlib.Path(own[0]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        faults = check(source, compiler, pathlib.Path(folder))
    return harness.verdict([f"{source.name}: {fault}" for fault in faults], source.name)


if __name__ == "__main__":
    sys.exit(main())
