# SPDX-License-Identifier: BSL-1.0
"""What differs between two outcomes of one program."""

from __future__ import annotations

import difflib
import json
import re

from boot import Outcome
from events import MESSAGES, Event

PROBE_FAILED = re.compile(r"probe (of|with driver) .* failed")


def _comparable(event: Event) -> str:
    """An event without what may differ: the text of a warning, the names and numbers in a message."""
    event = {key: value for key, value in event.items() if key != "text" or event["event"] == "message"}
    if "text" in event:
        found = MESSAGES.search(event["text"])
        event["text"] = PROBE_FAILED.sub("probe failed", found[0]) if found else event["text"]
    return json.dumps(event)


def _sequence(title: str, kernel: list[str], model: list[str]) -> list[str]:
    if kernel == model:
        return []
    changes = [line for line in difflib.unified_diff(kernel, model, n=2, lineterm="")][2:]
    return [f"{title}: - kernel, + model", *(f"  {line}" for line in changes)]


def between(kernel: Outcome, model: Outcome) -> list[str]:
    """Lines to print; none if the outcomes agree."""
    lines = []
    for key in [*kernel.summary, *(key for key in model.summary if key not in kernel.summary)]:
        missing = "(no such key)"
        ours, theirs = kernel.summary.get(key, missing), model.summary.get(key, missing)
        if ours != theirs or type(ours) is not type(theirs):
            lines.append(f"{key}: kernel {json.dumps(ours)}, model {json.dumps(theirs)}")

    def releases(outcome: Outcome) -> list[str]:
        return [event["node"] for event in outcome.events if event["event"] == "release"]

    def others(outcome: Outcome) -> list[str]:
        return [_comparable(event) for event in outcome.events if event["event"] != "release"]

    return [
        *lines,
        *_sequence("releases", releases(kernel), releases(model)),
        *_sequence("other events", others(kernel), others(model)),
    ]
