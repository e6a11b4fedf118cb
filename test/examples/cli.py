#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The command line of the examples' tool. Usage: cli.py DEVRES-EXAMPLES SOURCE-ROOT

A wrong use is one line on standard error that says what is wrong and where, nothing on standard output, and
exit 2. What is not clean is exit 1. Colour and progress are for terminals.
"""
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile

tool, root = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
dump = root / "examples/data/qemu-q35-verbose.lspci"
good = dump.read_bytes()
failures = []


def run(*arguments, stdin=b"", cwd=None, stdout=subprocess.PIPE):
    command = [tool, *map(str, arguments)]
    return subprocess.run(command, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=120, cwd=cwd)


def on_terminal(*arguments, **variables):
    """What is seen on a terminal that standard output and standard error are."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    ours, theirs = pty.openpty()
    command = [tool, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, close_fds=True,
                               env={**environment, "TERM": "xterm", **variables})
    os.close(theirs)
    seen = b""
    try:
        while more := os.read(ours, 65536):
            seen += more
    except OSError:  # EIO: the other end is closed
        pass
    os.close(ours)
    return process.wait(120), seen.decode().replace("\r\n", "\n")


def function(where, ids, bars, capabilities=b"", pin=0):
    """The dump of a function with these capabilities, the first of them at 0x80."""
    vendor, device, class_code = ids
    config = bytearray(256)
    config[0:4] = struct.pack("<HH", vendor, device)
    config[8:12] = struct.pack("<I", class_code << 8)
    for number, bar in bars.items():
        config[0x10 + 4 * number : 0x14 + 4 * number] = struct.pack("<I", bar)
    if capabilities:
        config[0x06], config[0x34] = 0x10, 0x80
        config[0x80 : 0x80 + len(capabilities)] = capabilities
    config[0x3d] = pin
    lines = [f"{i:02x}: " + config[i : i + 16].hex(" ") for i in range(0, 256, 16)]
    return "\n".join([f"{where} Device", *lines, "", ""]).encode()


def expect(what, good, *seen):
    if not good:
        failures.append(what)
        print(f"FAILED {what}", *(repr(text)[:1500] for text in seen), sep="\n  ")


def check(what, done, code, *parts):
    """`parts` stand in the one line of standard error, or, where the exit code is 0 or 1, in standard output."""
    error, output = done.stderr.decode(), done.stdout.decode()
    wrong = []
    if done.returncode != code:
        wrong.append(f"exit {done.returncode} instead of {code}")
    if code in (0, 1):
        if error:
            wrong.append("standard error is not empty")
        wrong += [f"no {part!r} in the output" for part in parts if part not in output]
    else:
        if len(error.splitlines()) != 1 or not error.endswith("\n"):
            wrong.append(f"{len(error.splitlines())} lines on standard error instead of 1")
        if output:
            wrong.append("standard output is not empty")
        wrong += [f"no {part!r} on standard error" for part in parts if part not in error]
    if wrong:
        failures.append(what)
        print(f"FAILED {what}: {', '.join(wrong)}\n  stdout: {output[:300]!r}\n  stderr: {error[:600]!r}")


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)

    def file(name, content):
        (folder / name).write_bytes(content)
        return folder / name

    check("unknown command", run("frobnicate"), 2, "frobnicate")
    check("unknown option", run("lspci", "--frobnicate", dump), 2, "--frobnicate")
    check("lspci without a file", run("lspci"), 2)
    check("an argument that no command takes", run("switchtec", dump), 2, str(dump))
    check("two commands", run("switchtec", "vmd"), 2, "vmd")
    missing = folder / "missing.lspci"
    check("missing file", run("lspci", missing), 2, str(missing), "No such file")
    check("directory instead of a file", run("lspci", folder), 2, str(folder), "directory")
    check("empty file", run("lspci", file("empty", b"")), 2, "empty: no function found", "lspci -xxxx")
    check("text that is no dump", run("lspci", file("prose", b"hello\n")), 2, "prose: no function found")
    check("no hex dump", run("lspci", file("short", b"00:00.0 Host bridge: Intel\n")), 2, "short:1: ")
    bad = good.replace(b"10: 00 00", b"10: 00 zz", 1)
    line = bad[: bad.index(b"zz")].count(b"\n") + 1
    check("a digit that is none", run("lspci", file("bad", bad)), 2, f"bad:{line}: ")
    check("the same from standard input", run("lspci", "-", stdin=bad), 2, f":{line}: ")
    check("nothing on standard input", run("lspci", "-"), 2, "no function found")
    check("a binary", run("lspci", file("binary", bytes(range(256)) * 64)), 2, "binary:")

    check("a good and a wrong file", run("lspci", dump, missing), 2, str(missing))
    check("two wrong files", run("lspci", folder / "bad", missing), 2, f"bad:{line}: ")
    check("a wrong file, quietly", run("--quiet", "lspci", missing), 2, str(missing))

    check("a real dump", run("lspci", dump), 0, "0000:00:03.0", "8 functions", "clean")
    check("a real dump, from its folder", run("lspci", dump.name, cwd=dump.parent), 0, "8 functions")
    check("a real dump on standard input", run("lspci", "-", stdin=good), 0, "0000:00:03.0", "8 functions")
    check("CR LF", run("lspci", "-", stdin=good.replace(b"\n", b"\r\n")), 0, "8 functions", "clean")
    two = run("lspci", dump, "-", stdin=good)
    check("two dumps", two, 0, f"clean      lspci {dump}\n", "clean      lspci -\n")
    expect("two dumps are two tables", two.stdout.count(b"8 functions, all bound") == 2, two.stdout)

    msix = struct.pack("<BBHII", 0x11, 0, 18, 0x4, 0x1004)  # 19 vectors, table and PBA in BAR 4
    vmd = function("00:0e.0", (0x8086, 0x9A0B, 0x010400), {0: 0x80000004, 2: 0x90000000, 4: 0x84000004}, msix)
    done = run("lspci", "-", stdin=vmd)
    check("a VMD", done, 0, "8086:9a0b", "1 function, all bound; 19 vectors (19 MSI-X, 0 MSI, 0 INTx), all fired")
    expect("a VMD has its driver", re.search(r" vmd +19 MSI-X +19  yes\n", done.stdout.decode()), done.stdout)

    # A switchtec without MSI and MSI-X: its driver does not ask for INTx.
    unusable = file("unusable", function("00:01.0", (0x11F8, 0x8531, 0x058000), {0: 0x90000000}, pin=1))
    check("a function that its driver cannot have", run("lspci", unusable), 1, "  NO\n", "1 fault:\n  0000:00:01.0 ",
          f"not clean  lspci {unusable}\n")
    done = run("lspci", unusable, dump, "-q")
    check("the same, quietly", done, 1, f"== lspci {unusable}: ", "\n  0000:00:01.0 switchtec: ")
    expect("quietly, a problem is all there is but for verdicts", len(done.stdout.splitlines()) == 4
           and done.stdout.endswith(f"\nnot clean  lspci {unusable}\nclean      lspci {dump}\n".encode()), done.stdout)

with open("/dev/full", "wb") as full:
    done = run("switchtec", stdout=full)
    expect("a full disk", done.returncode == 1 and done.stderr.count(b"\n") == 1, done.stderr)

names = ["switchtec", "vmd", "rocker", "nvme", "hazards", *sorted(f"lspci {path}" for path in (root / "examples/data").glob("*.lspci"))]
check("switchtec", run("switchtec"), 0, "bind: what probe acquires", "ledger: clean\n", "\nclean      switchtec\n")
for example in ("rocker", "nvme"):
    check(example, run(example), 0, "ledger: clean\n", f"\nclean      {example}\n")
check("vmd", run("vmd"), 0, "10000:00:01.0  acquired    irq_handler 3   managed", "ledger: clean\n",
      "\nclean      vmd\n")
tour = run("hazards")
check("hazards", tour, 0, "1. Vectors freed under live managed handlers\n", "8. The second free, which is benign\n",
      "    ledger: clean\n", "\nclean      hazards\n")
for what, count in {"  with devres, refused by ": 8, "    devres[D00": 8, "    ledger: clean": 8, "not as told": 0}.items():
    expect(f"hazards: {count} times {what!r}", tour.stdout.decode().count(f"\n{what}") == count, tour.stdout)
expect("hazards fit on a page", max(map(len, tour.stdout.decode().splitlines())) <= 110, tour.stdout)
check("hazards, quietly", run("hazards", "-q"), 0)
expect("hazards, quietly, are a verdict", run("hazards", "-q").stdout == b"clean      hazards\n")
page = run("hazards", "--markdown")
check("docs/ownership.md", page, 0, "# Ownership faults in Linux drivers\n")
expect("docs/ownership.md is not what examples/run hazards --markdown writes",
       page.stdout == (root / "docs/ownership.md").read_bytes())
check("a page of another example", run("switchtec", "--markdown"), 2, "--markdown")

# What the page calls confirmed is run on the real kernel and compared: `both | rocker | edu`, the program, `# why`.
scenarios = set()
for line in (root / "test/kernel/scenarios.txt").read_text(encoding="utf-8").splitlines():
    device, _, program = line.partition("#")[0].strip().partition(" ")
    scenarios |= {(each, program.strip()) for each in (["rocker", "edu"] if device == "both" else [device])}
confirmed = re.findall(r"^Confirmed on 6\.1 by `([^`]+)` on (rocker|edu)\b", page.stdout.decode(), re.M)
expect("each hazard is confirmed", len(confirmed) == 8, confirmed)
for program, device in confirmed:
    expect(f"add to test/kernel/scenarios.txt: {device} {program}", (device, program) in scenarios)

nowhere = tempfile.TemporaryDirectory()
elsewhere = nowhere.name  # the dumps are not below it, so they have long names
everything = run("all", cwd=elsewhere)
check("all", everything, 0, "== switchtec: ", "== vmd: ", *(f"== {name}: " for name in names[2:]),
      "\n\n" + "".join(f"clean      {name}\n" for name in names))
expect("all is the default", run(cwd=elsewhere).stdout == everything.stdout)
check("all from its folder", run("all", cwd=root), 0, "clean      lspci examples/data/")
for arguments in (["--quiet"], ["-q", "all"], ["all", "--quiet"]):
    done = run(*arguments, cwd=elsewhere)
    check(" ".join(arguments), done, 0)
    expect(" ".join(arguments), done.stdout.decode() == "".join(f"clean      {name}\n" for name in names), done.stdout)

# No test machine has a function there, nor must it have one for vfio-pci.
for arguments, says in {
    ("vfio",): "ADDRESS or --list is required",
    ("vfio", "4:0"): "4:0: is no address of a PCI function: must be as in 0000:04:00.0",
    ("vfio", "ffff:ff:1f.7"): "ffff:ff:1f.7: there is no such PCI function",
    ("vfio", "--list", "ffff:ff:1f.7"): "--list",
}.items():
    check(" ".join(arguments), run(*arguments), 2, says)
check("vfio --list", run("vfio", "--list"), 0)

help_text = run("--help")
check("--help", help_text, 0, "all ", "switchtec ", "vmd ", "rocker ", "nvme ", "hazards ", "lspci ", "vfio ", "FILE...", "-h,--help ", "-q,--quiet ",
      "--no-color ", "NO_COLOR", "Exit code")
check("lspci --help", run("lspci", "--help"), 0, "FILE", "standard input")
expect("help fits on a page", max(map(len, help_text.stdout.decode().splitlines())) <= 110, help_text.stdout)

# Within a chapter, a word for what happened is always in the same place, and so is the owner.
for example in ("switchtec", "vmd"):
    for chapter in run(example).stdout.decode().split("\n\n"):
        for words in (r"acquired|released|called|failed|interrupt|attached|detached", r"(?:un)?managed"):
            trace = [text for text in chapter.splitlines() if re.match(r"  [0-9a-f]+:[0-9a-f]{2}:", text)]
            places = {found.start(1) for text in trace if (found := re.search(rf" ({words})( |$)", text))}
            expect(f"{example}: columns stay where they are", len(places) <= 1, chapter)

escape = re.compile(r"\x1b\[[0-9]*m")
plain = run("switchtec", "--no-color").stdout.decode()
expect("no colour in a pipe", "\x1b" not in plain and run("switchtec").stdout.decode() == plain)
code, seen = on_terminal("switchtec")
expect("colour on a terminal", code == 0 and escape.sub("", seen) == plain, seen)
for what, part in {"a heading is bold": "\x1b[1mbind: what probe acquires, and for whom\x1b[0m\n",
                   "clean is green": "\x1b[32mclean\x1b[0m      switchtec\n",
                   "a clean ledger is green": "  ledger: \x1b[32mclean\x1b[0m\n",
                   "failed is red": "\x1b[31m0000:3a:00.0   failed ",
                   "an interrupt is dim": "\x1b[2m0000:3a:00.0   interrupt "}.items():
    expect(what, part in seen, seen)
for what, (arguments, variables) in {"--no-color": (["--no-color"], {}), "NO_COLOR": ([], {"NO_COLOR": "1"}),
                                     "a dumb terminal": ([], {"TERM": "dumb"})}.items():
    code, seen = on_terminal("switchtec", *arguments, **variables)
    expect(f"no colour: {what}", code == 0 and seen == plain, seen)
code, seen = on_terminal("lspci", dump, "--quiet")
expect("a verdict on a terminal", code == 0 and seen.endswith(f"\x1b[32mclean\x1b[0m      lspci {dump}\n"), seen)
code, seen = on_terminal("lspci", "nowhere")
expect("an error on a terminal", code == 2 and seen == "nowhere: No such file or directory\n", seen)

print("command line:", f"{len(failures)} failed" if failures else "as it should be")
sys.exit(1 if failures else 0)
