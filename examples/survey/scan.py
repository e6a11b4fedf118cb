# SPDX-License-Identifier: BSL-1.0
"""A survey: what was found of each driver of a tree, and its file.

The file is JSON, a line for each driver, so that the page is made again, from a table that has changed, without the tree.
"""
import concurrent.futures
import functools
import json
import os
import re
from typing import NamedTuple

from survey import coverage, modules, vectors


class Survey(NamedTuple):
    kernel: str       # the tree's version, "6.12.117"
    vectors: list     # of vectors.Vectors
    calls: list       # of coverage.Driver: the same drivers, in the same order
    outcomes: dict    # replay program -> what Linux does with it, in words


def version(root):
    """The version that the tree's Makefile says; "unknown" if it says none."""
    makefile = root / "Makefile"
    text = makefile.read_text(encoding="utf-8", errors="replace") if makefile.is_file() else ""
    found = [re.search(rf"^{name}\s*=\s*(\d+)", text, re.M) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return ".".join(each[1] for each in found if each) or "unknown"


def _examine(root, paths):
    module = modules.load(root, paths)
    return vectors.examine(module), coverage.examine(module)


def scan(root):
    """Reads the tree, with all processors."""
    found = modules.find(root)
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        examined = list(pool.map(functools.partial(_examine, root), found, chunksize=8))
    return Survey(version(root), [each for each, _ in examined], [each for _, each in examined], {})


def programs(survey):
    """The replay programs of all drivers that have one."""
    return list(dict.fromkeys(program for each in survey.vectors for program in each.programs))


def _signatures(rows):
    """What of each row decides whether a driver needs it."""
    return {row.calls: [list(row.match), list(row.hooks), row.when] for row in rows}


def save(survey, path):
    rows = coverage.table()
    lines = [json.dumps({"kernel": survey.kernel, "outcomes": survey.outcomes, "rows": _signatures(rows)})]
    for owner, calls in zip(survey.vectors, survey.calls):
        kept = {key: value for key, value in owner._asdict().items() if value not in ("none", (), False)}
        lines.append(json.dumps({**kept, "enables": calls.enables, "needs": sorted(calls.rows)}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load(path):
    """What `save` wrote, for the table as it is now; ValueError if it asks for what was not looked for."""
    first, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    rows, recorded = coverage.table(), first["rows"]
    now = _signatures(rows)
    changed = [name for name in now if now[name] != recorded.get(name)] + [name for name in recorded if name not in now]
    if changed:
        raise ValueError(f"{path.name} was made with other rows: {'; '.join(changed)}: examples/run survey --record")
    place = {row.calls: number for number, row in enumerate(rows)}
    names = list(recorded)
    absent = vectors.Vectors("", "none", "none", (), "none", False, (), False)._asdict()
    owners, calls = [], []
    for line in lines:
        enables, needs = line.pop("enables"), line.pop("needs")
        made = {**absent, **line}
        owners.append(vectors.Vectors(**{key: tuple(value) if isinstance(value, list) else value
                                         for key, value in made.items()}))
        calls.append(coverage.Driver(made["name"], enables, frozenset(place[names[number]] for number in needs)))
    return Survey(first["kernel"], owners, calls, first["outcomes"])
