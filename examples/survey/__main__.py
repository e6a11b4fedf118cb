# SPDX-License-Identifier: BSL-1.0
"""usage: examples/run survey [TREE] [--record | --spatch] [--json]

Over a kernel tree (without one, that of Debian's linux-source, which is installed): who frees the interrupt vectors of each PCI
driver, what Linux does with it, and how many drivers could be written with this library. See docs/survey.md.
"""
import argparse
import json
import pathlib
import sys

from survey import coverage, replay, report, scan, spatch

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "linux.jsonl"
DOCUMENT = HERE.parents[1] / "docs/survey.md"


def wrong(message):
    print(f"survey: {message}", file=sys.stderr)
    return 2


def main():
    parser = argparse.ArgumentParser(prog="examples/run survey", description=__doc__.partition("\n\n")[2])
    parser.add_argument("tree", type=pathlib.Path, nargs="?", metavar="TREE")
    parser.add_argument("--replay", metavar="TOOL", help=argparse.SUPPRESS)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="a line of JSON for each driver that has vectors")
    what.add_argument("--spatch", action="store_true",
                      help="run the semantic patches on the drivers found, and say where they and the survey differ")
    what.add_argument("--record", action="store_true", help=f"keep what is found in {RECORD.name} and make docs/survey.md of it")
    what.add_argument("--page", action="store_true", help="docs/survey.md, of what was recorded, on standard output: needs no tree")
    asked = parser.parse_args()
    try:
        coverage.table()
        if asked.page:
            sys.stdout.write(report.page(scan.load(RECORD)))
            return 0
    except ValueError as error:
        return wrong(error)
    if asked.tree is None:
        return wrong("no TREE")
    root = asked.tree.resolve()
    if not any((root / folder).is_dir() for folder in ("drivers", "sound")):
        return wrong(f"{asked.tree}: no kernel tree: it has no folder drivers/")
    found = scan.scan(root)
    if asked.spatch:
        return spatch.compare(root, found)
    if asked.replay:
        found = found._replace(outcomes=replay.outcomes(asked.replay, found.kernel, scan.programs(found)))
    if asked.json:
        for each in found.vectors:
            if each.owner != "none":
                print(json.dumps({**each._asdict(), "outcomes": [found.outcomes.get(program) for program in each.programs]}))
    elif asked.record:
        scan.save(found, RECORD)
        DOCUMENT.write_text(report.page(scan.load(RECORD)), encoding="utf-8")
    else:
        sys.stdout.write(report.text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
