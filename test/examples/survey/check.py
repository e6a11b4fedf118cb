#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""examples/survey on the small tree beside this file. Usage: check.py SOURCE-ROOT [DEVRES-EXAMPLES]

The tree's drivers are of every class; what must not count is in comments, strings, members and `#if 0`. docs/survey.md must be what
is recorded, for the table as it is; each name that the table says stands for a call must be a public one.
"""
import pathlib
import re
import shutil
import subprocess
import sys

root = pathlib.Path(sys.argv[1]).resolve()
tool = sys.argv[2] if len(sys.argv) > 2 else None
sys.path.insert(0, str(root / "examples"))
from survey import __main__ as command  # noqa: E402  pylint: disable=wrong-import-position
from survey import coverage, kbuild, replay, report, scan, source, spatch  # noqa: E402  pylint: disable=wrong-import-position

TREE = root / "test/examples/survey/tree"
failures = 0


def expect(what, seen, wanted):
    global failures  # pylint: disable=global-statement
    if seen != wanted:
        failures += 1
        print(f"FAILED {what}\n  is     {seen!r}\n  must be {wanted!r}")


# Source.
expect("strip", source.strip('a /* b\n"c" */ d // e\n"f(" \'"\' g'), 'a \n d  \n"" 0 g')
expect("#if 0", source.strip("#if 0\na\n#if X\nb\n#else\nc\n#endif\nd\n#else\ne\n#endif\n").split(), ["e", "#endif"])
code = "int f(int a)\n{\n\tg(h(1, 2), (3, 4));\n\tp->g(5); q.g(6);\n}\nstatic void\nk(void) __releases(x)\n{\n}\n"
expect("calls", [call.arguments for call in source.calls(code, {"g"})], [("h(1, 2)", "(3, 4)")])
expect("functions", [each.name for each in source.functions(code)], ["f", "k"])
expect("a declaration is no call", list(source.calls("static int g(int);\nint g(int a)\n{\n}\n", {"g"})), [])

# Kbuild.
makefile = kbuild.Makefile("obj-$(CONFIG_A) += a.o b.o\na-y := x.o $(more) \\\n $(addprefix d/, y.o)\na-$(CONFIG_Z) += z.o\n"
                           "more := m.o\nlone-y := n.o\n")
expect("composite", [makefile.linked_with(name) for name in ("x.o", "z.o")], [{"d/y.o", "m.o", "x.o", "z.o"}] * 2)
expect("alone", (makefile.linked_with("b.o"), makefile.linked_with("n.o")), (set(), set()))

# The table, and the tree.
try:
    rows = coverage.table()
except ValueError as error:
    sys.exit(f"FAILED the table\n{error}\n1 failed")
survey = scan.scan(TREE)
NAMED = {each.name.split("/")[-1]: each for each in survey.vectors}
NEEDS = {each.name.split("/")[-1]: {rows[number].calls for number in each.rows} for each in survey.calls}
WANTED = {
    "explicit.c": ("unmanaged", "explicit", ("probe error", "remove"), "unmanaged", ("eBA4qTP:fFd",), False),
    "implicit.c": ("managed", "implicit", (), "managed", ("EBA4QTP:",), False),
    "hybrid.c": ("managed", "hybrid", ("probe error", "remove"), "unmanaged", ("Ei1qTP:fF",), False),
    "handlers.c": ("managed", "hybrid", ("remove",), "managed", ("EBA4QTP:Fd",), True),
    "action.c": ("managed", "hybrid", ("action",), "managed", ("EA1QTP:VF",), False),
    "failing.c": ("managed", "hybrid", ("probe error",), "managed", ("EA4QFX:",), False),
    "retry.c": ("managed", "hybrid", ("retry",), "none", ("EA4FA1TP:",), False),
    "unfreed.c": ("unmanaged", "unfreed", (), "none", ("eA1TP:d",), False),
    "macro.c": ("managed", "hybrid", ("elsewhere",), "none", ("EA4TP:",), False),
    "hub_main.c": ("managed", "hybrid", ("remove",), "managed", ("EA4QTP:F",), False),
    "pair_first.c": ("both", "hybrid", ("remove",), "none", ("EA1TP:", "eA1TP:Fd"), False),
    "helped.c": ("none", "none", (), "none", (), False),
}
expect("drivers", sorted(NAMED), sorted(WANTED))
for name, wanted in WANTED.items():
    each = NAMED.get(name)
    seen = each and (each.enable, each.owner, each.freed_in, each.handlers, each.programs, each.remove_disables)
    expect(name, seen, wanted)
expect("version", survey.kernel, "6.12.0")
CALLS = {name: {row.calls for row in rows if name in (row.when, *row.hooks, *row.match)}
         for name in ("shared", "other_flags", "threaded", "netpoll", "not_netpoll", "shutdown", "pm", "err_handler",
                      "dma_set_mask_and_coherent", "synchronize_irq", "pci_free_irq_vectors")}
for name, key, there in (("explicit.c", "shared", True), ("hybrid.c", "shared", False), ("action.c", "other_flags", True),
                         ("handlers.c", "threaded", True), ("hub_main.c", "netpoll", True),
                         ("hub_main.c", "not_netpoll", False), ("hub_main.c", "shutdown", True), ("hub_main.c", "pm", True),
                         ("helped.c", "err_handler", True), ("hub_main.c", "dma_set_mask_and_coherent", True),
                         ("hub_main.c", "synchronize_irq", False), ("hub_main.c", "pci_free_irq_vectors", True)):
    expect(f"{name}: {key}", bool(NEEDS.get(name, set()) & CALLS[key]), there)

# The shares.
two = (coverage.Row("a", "lifetime", "no", ("a",), (), "", (), ""), coverage.Row("b", "lifetime", "partly", ("b",), (), "", (), ""),
       coverage.Row("c", "masks, power", "no", ("c",), (), "", (), ""))
some = [coverage.Driver(str(number), enables, frozenset(needs))
        for number, (enables, needs) in enumerate(((True, {0}), (True, {1}), (True, {2}), (True, ()), (False, {0})))]
expect("shares", [coverage.share(some, two, rule, strict) for rule in "AB" for strict in (False, True)], [.75, .5, .5, .25])
expect("with one more", coverage.share(some, two, "A", True, frozenset({0})), .75)
expect("additions", coverage.best_additions(some, two, "A", True, 5), [0, 1])

# What is said of a replay, and with the tool what it does.
quiet = {"oops": None, "warnings": [], "vectors_live": 0, "handlers_live": 0, "rebind": 0}
expect("clean", replay.in_words(quiet), "clean")
expect("not clean", replay.in_words({**quiet, "warnings": ["rpe", "rpe"], "rebind": -22}),
       "handlers leaked under freed vectors; the next bind fails (-22)")
expect("profiles", [replay.profile(kernel) for kernel in ("6.1.192", "6.10", "6.12.117", "7.0", "unknown")],
       ["6.1", "6.1", "6.12", "6.18", "6.12"])
if tool:
    done = replay.outcomes(tool, "6.12", ["EA1QTP:VF", "EA4QTP:F", "eA1TP:d"])
    expect("replay", (done["EA1QTP:VF"], done["EA4QTP:F"]), ("clean", "handlers leaked under freed vectors"))

# The semantic patches, where there is a spatch: all but what is in a header.
if shutil.which("spatch"):
    MARKED = {"hybrid": {"action", "failing", "handlers", "hybrid", "macro", "retry"}, "implicit": {"implicit"},
              "handlers": {"action", "failing", "handlers"}}
    misc = sorted((TREE / "drivers/misc").glob("*.c"))
    for patch, names in MARKED.items():
        seen = spatch.marked(patch, TREE, [[path] for path in misc])
        expect(f"{patch}.cocci", {path.stem for path in seen}, names)
else:
    print("spatch is missing: the semantic patches are not tested")

# The page is what was recorded, for the table as it is; the table's names are public.
try:
    recorded = scan.load(command.RECORD)
except ValueError as error:
    expect("the record", str(error), "")
else:
    page = report.page(recorded)
    expect("@NAME@ left on the page", re.findall(r"@[\w ]+@", page), [])
    if page != command.DOCUMENT.read_text(encoding="utf-8"):
        expect("docs/survey.md", "other than recorded", "what `examples/run survey --page` prints")
    if tool:
        expect("outcomes", replay.outcomes(tool, recorded.kernel, list(recorded.outcomes)), recorded.outcomes)
public = "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / "include").rglob("*.hpp")))
for row in rows:
    for name in row.here:
        expect(f"calls.toml: {row.calls}: {name} is in include/", bool(re.search(rf"\b{name}\b", public)), True)

# The command line.
for arguments, words in ((["/"], "no kernel tree"), ([], "no TREE")):
    done = subprocess.run([sys.executable, "-B", "-m", "survey", *arguments], cwd=root / "examples", capture_output=True, text=True,
                          check=False)
    expect(f"survey {arguments}", (done.returncode, done.stdout, words in done.stderr), (2, "", True))

print(f"{failures} failed")
sys.exit(failures != 0)
