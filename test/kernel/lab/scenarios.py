# SPDX-License-Identifier: BSL-1.0
"""scenarios.txt: a line is `rocker | edu | both`, a program, and a comment that tells what it is about."""

from __future__ import annotations

from pathlib import Path

import program
from boot import Job


class ScenarioError(ValueError):
    """Which line of the file is wrong, and how."""


def read(path: Path) -> list[Job]:
    jobs = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        device, _, text = line.partition("#")[0].strip().partition(" ")
        if not device:
            continue
        if device != "both" and device not in program.DEVICES:
            raise ScenarioError(f"{path.name}:{number}: no such device: {device}; rocker, edu or both")
        try:
            parsed = program.parse(text.strip())
        except program.ProgramError as error:
            raise ScenarioError(f"{path.name}:{number}: bad program '{text.strip()}': {error}") from None
        jobs += [Job(parsed, each) for each in program.DEVICES if device in ("both", each)]
    return jobs
