# SPDX-License-Identifier: BSL-1.0
"""test/kernel/compare: programs on a real kernel and on the model, and the differences."""

from __future__ import annotations

import random
import sys
from typing import Iterator

import boot
import differences
import generate
import model
from arguments import Arguments
from boot import BootFailed, Job
from program import DEVICES, Program
from progress import Progress
from shrink import shrink

USAGE = """\
Usage: test/kernel/compare [--kernel 6.1|6.12] [--device rocker|edu] [--jobs N] [--random N [--seed S]] [PROGRAM...]
Runs programs on a real kernel and on devres::linux_model, and prints where they disagree: in a key of the summary, in
the order of the releases, in the other events. The texts of warnings and messages are not compared.
Without programs, those of test/kernel/scenarios.txt; with --random N, N random ones, and the ones that disagree are
shrunk. The last line counts: N compared, M differ."""

SHRINK_BOOTS = 60  # for one program


def compare(kernel: str, jobs: list[Job], at_a_time: int) -> Iterator[tuple[Job, list[str] | BootFailed]]:
    """The differences of each program, or why there is nothing to compare. Raises ModelFailed."""
    models = model.run(kernel, jobs)
    for expected, outcome in zip(models, boot.run(kernel, jobs, at_a_time)):
        yield expected.job, outcome if isinstance(outcome, BootFailed) else differences.between(outcome, expected)


def shrunk(kernel: str, job: Job, at_a_time: int) -> Job:
    def disagree(programs: list[Program]) -> list[bool]:
        results = compare(kernel, [Job(each, job.device) for each in programs], at_a_time)
        return [bool(found) and not isinstance(found, BootFailed) for _, found in results]

    return Job(shrink(job.program, disagree, at_a_time, SHRINK_BOOTS), job.device)


def show(job: Job, lines: list[str], note: str = "") -> None:
    print(f"{note}{job.device} {job.program}")
    for line in lines:
        print(f"  {line}")
    sys.stdout.flush()


def choose(arguments: Arguments) -> list[Job]:
    if not arguments.given("--random"):
        if arguments.given("--seed"):
            arguments.fail("--seed: only with --random N")
        return arguments.jobs()
    if arguments.programs:
        arguments.fail(f"--random: no programs with it: {arguments.programs[0]}")
    seed = int(arguments.value("--seed") or random.randrange(1, 1_000_000))
    print(f"seed {seed}", flush=True)
    devices = [arguments.value("--device")] if arguments.given("--device") else list(DEVICES)
    return generate.jobs(int(arguments.value("--random")), seed, devices)


def main() -> int:
    arguments = Arguments(
        "test/kernel/compare", USAGE, flags=(), values=("--kernel", "--device", "--jobs", "--random", "--seed")
    )
    kernel, at_a_time = arguments.kernel, arguments.at_a_time
    jobs = choose(arguments)
    progress = Progress(len(jobs))
    compared = failed = 0
    differ: list[Job] = []
    for job, found in compare(kernel, jobs, at_a_time):
        progress.clear()
        if isinstance(found, BootFailed):
            failed += 1
            print(f"test/kernel/compare: {found}", file=sys.stderr)
        else:
            compared += 1
            if found:
                differ.append(job)
                show(job, found)
        progress.step()
    if arguments.given("--random"):
        for job in differ:
            smallest = shrunk(kernel, job, at_a_time)
            for _, found in compare(kernel, [smallest], at_a_time):
                show(smallest, found if isinstance(found, list) else [str(found)], f"{job.program} shrinks to: ")
    print(f"{compared} compared, {len(differ)} differ")
    return 1 if differ or failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except model.ModelFailed as failure:
        print(f"test/kernel/compare: {failure}", file=sys.stderr)
        sys.exit(1)
