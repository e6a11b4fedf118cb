# SPDX-License-Identifier: BSL-1.0
"""Runs programs in the guest: a boot for each, for a leak outlives everything but the machine."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator

import events
from program import Program, rebind_driver

LAB = Path(__file__).resolve().parent
ROOT = LAB.parent.parent.parent
TIMEOUT = 90  # seconds; a boot takes about three

QEMU = (
    "qemu-system-x86_64 -M q35 -accel tcg -cpu max -m 256 -smp 1 -nodefaults -no-user-config -display none "
    "-serial stdio -no-reboot"
).split()
DEVICE = {"rocker": "rocker,name=lab,addr=3", "edu": "edu,addr=3"}
COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check rodata=off cryptomgr.notests"


@dataclass(frozen=True)
class Job:
    program: Program
    device: str


@dataclass(frozen=True)
class Outcome:
    job: Job
    events: list[events.Event]
    summary: events.Event


class BootFailed(Exception):
    """A program has no outcome: which, why, and where the log is."""


def prepare(kernel: str) -> Path:
    """The folder of the guest. Exits with 2 if there cannot be one; the script has said why."""
    prepared = subprocess.run([LAB / "prepare", kernel], stdout=subprocess.PIPE, text=True)
    if prepared.returncode != 0:
        sys.exit(2)
    return ROOT / prepared.stdout.strip()


def run_one(guest: Path, kernel: str, job: Job) -> Outcome:
    """Raises BootFailed."""
    log, why = _boot(guest, job)
    try:
        if why:
            raise events.BadTrace(why)
        return Outcome(job, *events.outcome(job.program, kernel, job.device, log))
    except events.BadTrace as bad:
        path = _keep_log(kernel, job, log)
        raise BootFailed(f"'{job.program}' on {job.device}: {bad}; its log: {path}") from None


def _boot(guest: Path, job: Job) -> tuple[str, str]:
    """What the console printed, and what went wrong, if something did."""
    append = f"{COMMAND_LINE} -- {job.program} {rebind_driver(job.device)}"
    command = [*QEMU, "-kernel", guest / "vmlinux", "-initrd", guest / "initrd", "-append", append]
    command += ["-device", DEVICE[job.device]]
    why = ""
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT
        )
        log = ended.stdout
        if ended.returncode != 0:
            why = f"QEMU ended with {ended.returncode}"
    except subprocess.TimeoutExpired as expired:
        log = expired.stdout or b""
        why = f"no end after {TIMEOUT} s"
    return log.decode(errors="replace").replace("\r", ""), why


def _keep_log(kernel: str, job: Job, text: str) -> Path:
    folder = ROOT / "build" / "lab" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    name = str(job.program).replace(":", "_").replace(" ", "-")[:100]
    path = folder / f"{kernel}-{job.device}-{name}.log"
    path.write_text(text)
    return path.relative_to(ROOT)


def run(kernel: str, jobs: Iterable[Job], at_a_time: int) -> Iterator[Outcome | BootFailed]:
    """The outcomes, in the order of the jobs."""
    guest = prepare(kernel)

    def attempt(job: Job) -> Outcome | BootFailed:
        for last in (False, True):  # the guest's clock is the host's: a busy host can break a boot
            try:
                return run_one(guest, kernel, job)
            except BootFailed as failed:
                if last:
                    return failed
        raise AssertionError

    with ThreadPoolExecutor(at_a_time) as pool:
        yield from pool.map(attempt, jobs)
