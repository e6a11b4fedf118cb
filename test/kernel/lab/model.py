# SPDX-License-Identifier: BSL-1.0
"""The other side of a comparison: the same programs on the model."""

from __future__ import annotations

import json
import subprocess
from typing import Iterable

from boot import ROOT, Job, Outcome

REPLAY = ("examples/run", "replay", "--patch", "none", "--events")


class ModelFailed(Exception):
    """The model's tool does not build, or does not print what it should."""


def run(kernel: str, jobs: Iterable[Job]) -> list[Outcome]:
    """The outcomes, in the order of the jobs. Raises ModelFailed."""
    jobs = list(jobs)
    outcomes: dict[Job, Outcome] = {}
    for device in {job.device for job in jobs}:
        asked = [job for job in jobs if job.device == device]
        printed = _replay(kernel, device, asked)
        for job, outcome in zip(asked, printed):
            outcomes[job] = Outcome(job, *outcome)
    return [outcomes[job] for job in jobs]


def _replay(kernel: str, device: str, jobs: list[Job]) -> list[tuple[list[dict], dict]]:
    programs = [str(job.program) for job in jobs]
    command = [*REPLAY, "--kernel", kernel, "--device", device, *programs]
    ended = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    outcomes = []
    events: list[dict] = []
    for line in ended.stdout.splitlines():
        printed = json.loads(line)
        if "event" in printed:
            events.append(printed)
        else:
            outcomes.append((events, printed))
            events = []
    if [summary["program"] for _, summary in outcomes] != programs:
        why = ended.stderr.strip()
        raise ModelFailed(f"examples/run replay printed {len(outcomes)} of {len(programs)} programs: {why}")
    return outcomes
