# SPDX-License-Identifier: BSL-1.0
"""test/kernel/run: programs on a real kernel, as JSON."""

from __future__ import annotations

import json
import sys

import boot
from arguments import Arguments
from progress import Progress

USAGE = """\
Usage: test/kernel/run [--kernel 6.1|6.12] [--device rocker|edu] [--events] [--jobs N] [PROGRAM...]
Runs programs, each in a boot of its own, and prints what the kernel does, as JSON lines: test/kernel/README.md has the
language and the keys. Without programs, those of test/kernel/scenarios.txt. Installs what is missing if it may."""


def main() -> int:
    arguments = Arguments("test/kernel/run", USAGE, flags=("--events",), values=("--kernel", "--device", "--jobs"))
    jobs = arguments.jobs()
    progress = Progress(len(jobs))
    failures = 0
    for outcome in boot.run(arguments.kernel, jobs, arguments.at_a_time):
        progress.clear()
        if isinstance(outcome, boot.BootFailed):
            failures += 1
            print(f"test/kernel/run: {outcome}", file=sys.stderr)
        else:
            for event in outcome.events if arguments.given("--events") else []:
                print(json.dumps(event))
            print(json.dumps(outcome.summary), flush=True)
        progress.step()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
