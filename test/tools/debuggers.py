#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What gdb and lldb show of devres' values. Usage: debuggers.py PROGRAM SOURCE-ROOT GDB LLDB

PROGRAM is debugged.cpp with debug information; each debugger stops in look() and shows what show() has.
"""
import pathlib
import re
import subprocess
import sys

program, root, gdb, lldb = sys.argv[1:]
tools = pathlib.Path(root) / "tools"
passed, failures = 0, []

BARS = "BARs 0: 4096 bytes at 0x80000000; 2: 65536 bytes at 0x80010000; 4: 4096 bytes at 0x80020000"
VALUES = {"where": "0000:00:01.0", "error": "EBUSY", "value": "7", "failed": "ENODEV", "nothing": "success",
          "found": "0000:00:01.0", "vector": "vector 2", "bar": "BAR 5"}
IN_GDB = {
    **VALUES,
    "enabled": "enable, managed",
    "registers": "bar, managed",
    "vectors": "irq_vectors, managed, 2 vectors",
    "object": r"managed object at 0x[0-9a-f]+",
    "handler": "irq_handler, managed, live",
    "mine": "bar, empty",
    "moved_to": "bar, the driver's",
    "group": "group, open",
    "records": re.escape("release list, 6 records = {[0] = stop: start (anonymous namespace)::state, "
                         "[1] = handlers: irq_handler, [2] = code: object (anonymous namespace)::state, "
                         "[3] = matter: irq_vectors, [4] = matter: bar, [5] = matter: enable}"),
    "function": re.escape(f"0000:00:01.0 1b36:0006 class 028000, driver attached\n{BARS}\n"
                          "4 MSI-X vectors, the driver has 2 vectors, memory and bus mastering on"),
}
IN_LLDB = {
    **VALUES,
    "error": "(ebusy )?EBUSY",
    "records": r"0x[0-9a-f]+ release list, 6 records",
    "function": r"0x[0-9a-f]+ " + re.escape(f"0000:00:01.0 1b36:0006 class 028000, in use\n{BARS}\n"
                                            "4 MSI-X vectors, memory and bus mastering on"),
}


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          check=False)
    return done.stdout.decode(errors="replace")


def expect(debugger, said, shown, wanted):
    global passed
    for name, text in wanted.items():
        found = re.search(shown(name) + f"(?:{text})$", said, re.M)
        if found:
            passed += 1
        else:
            failures.append(name)
            print(f"FAILED {debugger}: {name} is not shown as {text}")
    if failures:
        print(said)


def in_gdb(*commands):
    words = [word for command in commands for word in ("-ex", command)]
    return run(gdb, "-nx", "-batch", "-ex", "set style enabled off", "-ex", "set debuginfod enabled off", "-ex", "set width 0",
               "-ex", f"source {tools / 'devres_gdb.py'}", *words, program)


def in_lldb(*commands):
    words = [word for command in commands for word in ("-o", command)]
    return run(lldb, "--no-lldbinit", "-b", "-o", f"command script import {tools / 'devres_lldb.py'}", *words, program)


expect("gdb", in_gdb("break look", "run", "up", "info locals", "print function"),
       lambda name: r"^\$1 = " if name == "function" else f"^{name} = ", IN_GDB)
expect("lldb", in_lldb("breakpoint set -n look", "run", "up", "frame variable"),
       lambda name: rf"^\([^\n]*\) {name} = ", IN_LLDB)
expect("gdb without the script", run(gdb, "-nx", "-batch", "-ex", "break look", "-ex", "run", "-ex", "up", "-ex", "print where",
                                     program), lambda name: "", {"address": r"\$1 = {domain_ = .*"})
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
