#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The command line of the examples' tool. Usage: cli.py DEVRES-EXAMPLES SOURCE-ROOT

A wrong use is one line on standard error that says what is wrong and where, nothing on standard output, and
exit 2. What is not clean is exit 1. Colour and progress are for terminals.
"""
import json
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


def verdicts(done):
    """What the lines at the end say: `clean` or `not clean`, of what, and what came of it."""
    lines = re.findall(r"^(clean|not clean) +(\S.*?)(?:  +(\S.*))?$", done.stdout.decode(), re.M)
    return [tuple(line) for line in lines]


def judged(done):
    return [(word, name) for word, name, _ in verdicts(done)]


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
    here = pathlib.Path("/sys/bus/pci/devices")
    own = run("lspci")
    if here.is_dir() and any(here.iterdir()):
        expect("lspci without a file is about this machine", own.returncode in (0, 1) and b"function" in own.stdout
               and own.stdout.startswith(b"== lspci /sys/bus/pci/devices: "), own)
    else:
        check("lspci without a file on a machine without PCI", own, 2, str(here))
    check("an argument that no command takes", run("switchtec", dump), 2, str(dump))
    check("two commands", run("switchtec", "vmd"), 2, "vmd")
    missing = folder / "missing.lspci"
    check("missing file", run("lspci", missing), 2, str(missing), "No such file")
    check("a directory without functions", run("lspci", folder), 2, "no function is in " + str(folder))
    check("empty file", run("lspci", file("empty", b"")), 2, "empty: no function is in it", "lspci -xxxx")
    check("text that is no dump", run("lspci", file("prose", b"hello\n")), 2, "prose: no function is in it")
    check("no hex dump", run("lspci", file("short", b"00:00.0 Host bridge: Intel\n")), 2, "short:1: ")
    bad = good.replace(b"10: 00 00", b"10: 00 zz", 1)
    line = bad[: bad.index(b"zz")].count(b"\n") + 1
    cut = run("lspci", file("bad", bad))
    expect("a digit that is none costs one function, and that is said", cut.returncode == 0
           and b"7 functions" in cut.stdout and f"is damaged (line {line}: not 16 bytes): left out".encode() in cut.stderr, cut)
    cut = run("lspci", "-", stdin=bad)
    expect("the same from standard input", cut.returncode == 0 and b"7 functions" in cut.stdout, cut)
    check("nothing on standard input", run("lspci", "-"), 2, "no function is in it")
    check("a binary", run("lspci", file("binary", bytes(range(256)) * 64)), 2, "binary:")

    both = run("lspci", dump, missing)
    expect("a wrong file is said, and costs no other", both.returncode == 2 and b"8 functions" in both.stdout
           and str(missing).encode() in both.stderr, both)
    both = run("lspci", folder / "empty", missing)
    expect("two wrong files are a line each", both.returncode == 2 and not both.stdout
           and len(both.stderr.splitlines()) == 2, both)
    check("BARs", run("lspci", dump, "-v"), 0, "memory, 32-bit", " at\n")
    twice = run("lspci", "-", "--which", "2", stdin=good + good)
    expect("functions that are there twice", twice.returncode == 0 and b"8 functions" in twice.stdout
           and b"more than once" in twice.stderr, twice)
    check("a number that is none", run("lspci", dump, "--which", "0"), 2, "--which")
    check("a wrong file, quietly", run("--quiet", "lspci", missing), 2, str(missing))

    check("a real dump", run("lspci", dump), 0, "0000:00:03.0", "8 functions", "clean")
    check("a real dump, from its folder", run("lspci", dump.name, cwd=dump.parent), 0, "8 functions")
    check("a real dump on standard input", run("lspci", "-", stdin=good), 0, "0000:00:03.0", "8 functions")
    check("CR LF", run("lspci", "-", stdin=good.replace(b"\n", b"\r\n")), 0, "8 functions", "clean")
    two = run("lspci", dump, "-", stdin=good)
    check("two dumps", two, 0)
    expect("two dumps are two verdicts", judged(two) == [("clean", f"lspci {dump}"), ("clean", "lspci -")], two)
    expect("two dumps are two tables", two.stdout.count(b"8 functions, all bound") == 2, two.stdout)

    msix = struct.pack("<BBHII", 0x11, 0, 18, 0x4, 0x1004)  # 19 vectors, table and PBA in BAR 4
    vmd = function("00:0e.0", (0x8086, 0x9A0B, 0x010400), {0: 0x80000004, 2: 0x90000000, 4: 0x84000004}, msix)
    done = run("lspci", "-", stdin=vmd)
    check("a VMD", done, 0, "8086:9a0b", "1 function, all bound; 19 vectors (19 MSI-X, 0 MSI, 0 INTx), all fired")
    expect("a VMD has its driver", re.search(r" vmd +19 MSI-X +19  yes\n", done.stdout.decode()), done.stdout)

    # A switchtec without MSI and MSI-X: its driver does not ask for INTx.
    unusable = file("unusable", function("00:01.0", (0x11F8, 0x8531, 0x058000), {0: 0x90000000}, pin=1))
    done = run("lspci", unusable)
    check("a function that its driver cannot have", done, 1, "  NO\n", "1 fault:\n  0000:00:01.0 ")
    expect("is not clean", judged(done) == [("not clean", f"lspci {unusable}")] and "1 fault" in verdicts(done)[0][2], done)
    done = run("lspci", unusable, dump, "-q")
    check("the same, quietly", done, 1, f"== lspci {unusable}: ", "\n  0000:00:01.0 switchtec: ")
    expect("quietly, a problem is all there is but for verdicts", len(done.stdout.splitlines()) == 4
           and judged(done) == [("not clean", f"lspci {unusable}"), ("clean", f"lspci {dump}")], done.stdout)

with tempfile.TemporaryDirectory() as folder:
    chart, trace = pathlib.Path(folder) / "chart.svg", pathlib.Path(folder) / "trace.json"
    check("a chart and a trace", run("switchtec", "--chart", chart, "--trace", trace), 0, "\nclean      switchtec")
    expect("docs/images/switchtec.svg is not what examples/run switchtec --chart writes",
           chart.read_bytes() == (root / "docs/images/switchtec.svg").read_bytes())
    names = [event["name"] for event in json.loads(trace.read_bytes())["traceEvents"] if event["ph"] == "X"]
    expect("the trace has what was bound twice", names.count("attached") == 2 and "enable" in names, names)
    check("a chart that cannot be written", run("switchtec", "--chart", "/nowhere/chart.svg"), 2,
          "/nowhere/chart.svg: cannot be written: No such file")
    check("a trace that cannot be written", run("switchtec", "--trace", folder), 2, folder, "cannot be written")
    check("a chart of another example", run("vmd", "--chart", chart), 2, "--chart")

with open("/dev/full", "wb") as full:
    done = run("switchtec", stdout=full)
    expect("a full disk", done.returncode == 1 and done.stderr.count(b"\n") == 1, done.stderr)

names = ["switchtec", "vmd", "rocker", "nvme", "hazards", *sorted(f"lspci {path}" for path in (root / "examples/data").glob("*.lspci"))]
done = run("switchtec")
check("switchtec", done, 0, "bind: what probe acquires", "ledger: clean\n")
expect("switchtec's verdict has its numbers",
       verdicts(done) == [("clean", "switchtec", "9 resources, released from the outside in, ledger clean")], done.stdout)
for example in ("rocker", "nvme"):
    done = run(example)
    check(example, done, 0, "ledger: clean\n")
    expect(f"{example} is clean", judged(done) == [("clean", example)], done.stdout)
check("vmd", run("vmd"), 0, "10000:00:01.0  acquired    irq_handler 3   managed", "ledger: clean\n",
      "\nclean      vmd  1600 commands ")
tour = run("hazards")
check("hazards", tour, 0, "1. Vectors freed under live managed handlers\n", "8. The second free, which is benign\n",
      "    ledger: clean\n", "\nclean      hazards  8 of 8 refused by ")
for what, count in {"  with devres, refused by ": 8, "    devres[D00": 8, "    ledger: clean": 8, "not as told": 0}.items():
    expect(f"hazards: {count} times {what!r}", tour.stdout.decode().count(f"\n{what}") == count, tour.stdout)
expect("hazards fit on a page", max(map(len, tour.stdout.decode().splitlines())) <= 110, tour.stdout)
check("hazards, quietly", run("hazards", "-q"), 0)
quiet = run("hazards", "-q")
expect("hazards, quietly, are a verdict", judged(quiet) == [("clean", "hazards")] and quiet.stdout.count(b"\n") == 1, quiet)
listed = run("hazards", "--list")
check("hazards --list", listed, 0, "vectors_freed       Vectors freed under live managed handlers\n")
expect("there are eight", listed.stdout.count(b"\n") == 8, listed.stdout)
one = run("hazards", "plain_name")
check("one hazard", one, 0, "\n2. The flag set before the allocation (v1)\n", "\nclean      hazards  1 of 1 refused by ")
expect("one hazard is no other", one.stdout.count(b"with devres, refused by") == 1, one.stdout)
check("a hazard that there is not", run("hazards", "vectors"), 2, "vectors", "plain_name")
check("a hazard and the list", run("hazards", "--list", "plain_name"), 2, "--list")
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

explained = run("replay", "--explain", "EBA4QTP:F")
check("replay --explain", explained, 0, "EBA4QTP:F, on Linux 6.1, on rocker\n", "  probe   E      pcim_enable_device()\n",
      "          A4     allocates that many vectors", "  remove  F      pci_free_irq_vectors()\n",
      "  WARNING rpe, 4x: remove_proc_entry: a vector goes, a handler is on it, and its record leaks\n")
check("replay --explain of a clean one", run("replay", "--explain", "EBA4QTP:"), 0, "  no warning\n")
check("replay in words and in JSON", run("replay", "--explain", "--events", "EBA4QTP:"), 2, "--e")

nowhere = tempfile.TemporaryDirectory()
elsewhere = nowhere.name  # the dumps are not below it, so they have long names
everything = run("all", "-v", cwd=elsewhere)
check("all -v", everything, 0, "== switchtec: ", "== vmd: ", *(f"== {name}: " for name in names[2:]))
expect("all -v ends with the verdicts", judged(everything) == [("clean", name) for name in names], everything.stdout)
check("all -v from its folder", run("all", "-v", cwd=root), 0, "clean      lspci examples/data/")

# Without a command, what matters, on one screen.
screen = run(cwd=elsewhere)
check("the first screen", screen, 0, "A fault of ownership: Vectors freed under live managed handlers\n",
      "devres[D001] managed IRQ vectors are freed by devres", "  irq_handler 1 \"switchtec-dma\" ", "\nNext\n")
expect("begins with the verdicts", judged(screen) == [("clean", name.split()[0]) for name in names]
       and all(found for _, _, found in verdicts(screen)), screen.stdout)
lines = screen.stdout.decode().splitlines()
expect("is one screen of 80 columns", max(map(len, lines)) <= 80 and len(lines) <= 48, len(lines), screen.stdout)
expect("all is the default", judged(run("all", cwd=elsewhere)) == judged(screen))
for command in re.findall(r"^  examples/run (.*?)  ", screen.stdout.decode(), re.M):
    check(f"as the first screen says: {command}", run(*command.split()), 0)
for arguments in (["--quiet"], ["-q", "all"], ["all", "--quiet"]):
    done = run(*arguments, cwd=elsewhere)
    check(" ".join(arguments), done, 0)
    expect(" ".join(arguments), judged(done) == [("clean", name) for name in names]
           and done.stdout.count(b"\n") == len(names), done.stdout)

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

forced = subprocess.run([tool, "switchtec"], stdout=subprocess.PIPE, check=False, env={**os.environ, "CLICOLOR_FORCE": "1"})
expect("colour in a pipe, where it is forced", b"\x1b[32m" in forced.stdout, forced.stdout)
for variables in ({"CLICOLOR_FORCE": "0"}, {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}):
    forced = subprocess.run([tool, "switchtec"], stdout=subprocess.PIPE, check=False, env={**os.environ, **variables})
    expect(f"no colour in a pipe: {variables}", b"\x1b" not in forced.stdout, forced.stdout)
escape = re.compile(r"\x1b\[[0-9]*m")
plain = run("switchtec", "--no-color").stdout.decode()
expect("no colour in a pipe", "\x1b" not in plain and run("switchtec").stdout.decode() == plain)
code, seen = on_terminal("switchtec")
expect("colour on a terminal", code == 0 and escape.sub("", seen) == plain, seen)
for what, part in {"a heading is bold": "\x1b[1mbind: what probe acquires, and for whom\x1b[0m\n",
                   "clean is green": "\x1b[32mclean\x1b[0m      switchtec  9",
                   "a clean ledger is green": "  ledger: \x1b[32mclean\x1b[0m\n",
                   "failed is red": "\x1b[31m0000:3a:00.0   failed ",
                   "an interrupt is dim": "\x1b[2m0000:3a:00.0   interrupt "}.items():
    expect(what, part in seen, seen)
for what, (arguments, variables) in {"--no-color": (["--no-color"], {}), "NO_COLOR": ([], {"NO_COLOR": "1"}),
                                     "a dumb terminal": ([], {"TERM": "dumb"})}.items():
    code, seen = on_terminal("switchtec", *arguments, **variables)
    expect(f"no colour: {what}", code == 0 and seen == plain, seen)
code, seen = on_terminal("lspci", dump, "--quiet")
expect("a verdict on a terminal", code == 0 and seen.startswith(f"\x1b[32mclean\x1b[0m      lspci {dump}  "), seen)
code, seen = on_terminal("lspci", "nowhere")
expect("an error on a terminal", code == 2 and seen == "nowhere: No such file or directory\n", seen)

print("command line:", f"{len(failures)} failed" if failures else "as it should be")
sys.exit(1 if failures else 0)
