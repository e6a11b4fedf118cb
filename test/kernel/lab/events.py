# SPDX-License-Identifier: BSL-1.0
"""From the guest's trace to the events and the summary of ../README.md."""

from __future__ import annotations

import itertools
import re
from typing import Any, Iterator

from program import Program

Event = dict[str, Any]

FLAGS = ("msix_enabled", "msi_enabled", "is_managed", "is_msi_managed")
STATE_KEYS = ("vectors_live", "handlers_live", *FLAGS, "enable_cnt")

DIED, HANGS = 1, 2  # what a bind or an unbind ends in, if not in 0 or -errno: see ../guest/init.c

# Nodes of the driver core around a probe.
NOT_OURS = ("devm_kzalloc_release", "devm_pinctrl_release")

MESSAGES = re.compile(
    r"can't enable MSI|Flags mismatch irq|Resources present before probing|probe (?:of|with driver) .* failed"
)
OOPS = re.compile(r"BUG: |kernel BUG at |Oops: |general protection fault|invalid opcode: |stack segment: ")
RIP = re.compile(r"RIP: [0-9a-f]+:([\w.]+)\+0x")
WARNING = re.compile(r"WARNING: CPU: \d+ PID: \d+ at (\S+):\d+ ([\w.]+)\+0x")

KIND_OF_TEXT = (
    ("remove_proc_entry: removing non-empty directory 'irq/", "rpe"),
    ("Trying to free already-free IRQ", "already_free"),
    ("disabling already-disabled device", "already_disabled"),
)
KIND_OF_FUNCTION = {
    "msi_device_data_release": "msi_data",
    "__pci_enable_msix_range": "double_enable",
    "__pci_enable_msi_range": "double_enable",
    "irq_domain_remove": "irq_domain",
    "pci_msi_shutdown": "msi_shutdown",
    "pci_msix_shutdown": "msi_shutdown",
    "pci_disable_msi": "msi_shutdown",
    "pci_disable_msix": "msi_shutdown",
}
KIND_OF_FILE = {"drivers/base/devres.c": "devres_warn", "kernel/irq/devres.c": "devres_warn"}


class BadTrace(Exception):
    """The guest did not run the program to its end."""


def _function(name: str) -> str:
    return name.split(".")[0]


def _oops_printed(log: str) -> str | None:
    """The function of an oops. It is on the console only: the first thing an oops does is to switch tracing off."""
    begin = OOPS.search(log)
    function = RIP.search(log, begin.end()) if begin else None
    return _function(function[1]) if function else None


def _kind(text: str, file: str, function: str) -> str:
    for part, kind in KIND_OF_TEXT:
        if part in text:
            return kind
    return KIND_OF_FUNCTION.get(function) or KIND_OF_FILE.get(file, "other")


def _lines(log: str) -> Iterator[tuple[str, str]]:
    """The trace as pairs of an event's name and its text."""
    parts = re.split(r"^lab trace (?:begins|ends)\s*$", log, flags=re.MULTILINE)
    if len(parts) != 3:
        raise BadTrace("no trace, or not all of it")
    counted = re.search(r"entries-in-buffer/entries-written: (\d+)/(\d+)", parts[1])
    if not counted or counted[1] != counted[2]:
        raise BadTrace("events were lost")
    for line in parts[1].splitlines():
        match = re.match(r"\s*\S.*-\d+\s+\[\d+\] \S+\s+\d+\.\d+: (\w+): (.*)$", line)
        if match:
            yield match[1], match[2].rstrip()


def _state(text: str) -> Event:
    values = {key: int(value) for key, value in (pair.split("=") for pair in text.split())}
    return {key: bool(values[key]) if key in FLAGS else values[key] for key in STATE_KEYS}


def _field(text: str, name: str) -> str:
    """The value of a kprobe event's argument."""
    match = re.search(rf"\b{name}=(\S+)", text)
    return match[1] if match else "0"


class Reader:
    """Reads the lines of one boot in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.result: int | None = None  # of the last probe
        self.state: Event | None = None
        self.rebind: int | None = None
        self.oops: str | None = None
        self.finished = False

        self._in_rebind = False
        self._operation = ""
        self._vector = 0  # that is being requested
        self._nodes: dict[str, str] = {}  # names by address
        self._handlers = (0, 1, 0, 0)  # address, size of one, number of a driver's, number of drivers
        self._free: Event | None = None  # whose vectors are being counted
        self._freeing = 0  # dev_id of a free_irq that has not returned
        self._cut = False  # in the lines of a warning before its place
        self._cut_text = ""
        self._oops_printed: str | None = None

    def read(self, log: str) -> None:
        self._oops_printed = _oops_printed(log)
        for name, text in _lines(log):
            if text.startswith("lab: "):
                self._lab(text.removeprefix("lab: "))
            else:
                self._kernel(name, text)

    def _add(self, event: str, **keys: Any) -> Event:
        added = {"event": event, **keys}
        self.events.append(added)
        return added

    # What the module and init tell.

    def _lab(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        match word:
            case ">":
                self._operation = rest
            case "<":
                if self._operation[0] in "Aai":
                    self._add("alloc", result=int(rest))
                self._operation = ""
            case "handlers":
                address, *sizes = rest.split()
                self._handlers = int(address, 16), *map(int, sizes)
            case "requesting":
                self._vector = int(rest)
            case "fire":
                vector, handled = map(int, rest.split())
                self._add("fire", vector=vector, handled=handled)
            case "state":
                self._add("state", **_state(rest))
            case "bind":
                self.result = None
                self._add("bind", driver=rest.split()[1])
            case "probe":
                self._probed(int(rest))
            case "bound":
                self._bound(int(rest), self.result)
            case "unbind":
                self._add("unbind")
            case "unbound":
                self._died(int(rest))
                if self.oops is None:
                    self._add("unbound")
            case "end":
                self.state = _state(rest.partition("state ")[2])
                self.finished = self.oops is not None
            case "rebind":
                self._in_rebind = True
                self._add("rebind")
            case "rebound":
                self._bound(int(rest), self.rebind)
                self.finished = True
                if self.oops is not None:
                    self.rebind = None

    def _probed(self, result: int) -> None:
        if self._in_rebind:
            self.rebind = result
        else:
            self.result = result
        self._add("probe", result=result)

    def _bound(self, result: int, of_probe: int | None) -> None:
        self._died(result)
        if self.oops is None and result < 0:
            if of_probe is None:  # the driver core did not call it
                self._probed(result)
            self._add("unbound")

    def _died(self, how: int) -> None:
        if how == HANGS:
            raise BadTrace("the bind or the unbind hangs")
        if how == DIED:
            if self._oops_printed is None:
                raise BadTrace("the process that binds died, and the kernel does not say where")
            self.oops = self._oops_printed
            self._add("oops", function=self.oops)

    # What the kernel tells.

    def _kernel(self, name: str, text: str) -> None:
        match name:
            case "console":
                self._printed(text)
            case "devres_log":
                self._devres(text)
            case "requested" if self._operation in ("Q", "q"):
                self._add("request", vector=self._vector, result=int(_field(text, "result")))
            case "free_irq":
                self._freeing = int(_field(text, "dev_id"), 16)
            case "free_irq_end":
                self._freed(found=_field(text, "name") != "0x0")
            case "teardown" if self._operation[:1] not in ("A", "a", "i"):  # those undo what they did, if they fail
                self._free = self._add("free", vectors=0)
            case "teardown_end":
                self._free = None
            case "free_descs" if self._free is not None:
                self._free["vectors"] += int(_field(text, "count"))

    def _devres(self, text: str) -> None:
        _, what, address, name = text.split(" ", 4)[:4]
        if name in NOT_OURS:
            return
        if what == "ADD":
            self._nodes[address] = self._node(name)
            self._add("add", node=self._nodes[address])
            return
        node = self._nodes.pop(address, name)
        self._add("remove" if what == "REM" else "release", node=node)

    def _node(self, name: str) -> str:
        """6.1 logs every action as devm_action_release, 6.12 by its function."""
        letter = self._operation[:1]
        if letter == "K":
            return f"action {self._operation[1:]}"
        if name == "devm_irq_release":
            return f"{name} {self._vector}"
        if name == "devm_action_release":
            return "pcim_disable_device" if letter == "E" else "pcim_msi_release"
        return name

    def _freed(self, found: bool) -> None:
        base, size, of_driver, drivers = self._handlers
        index = (self._freeing - base) // size
        if 0 <= index < of_driver * drivers:
            self._add("free_irq", vector=index % of_driver, found=found)

    def _printed(self, text: str) -> None:
        if "[ cut here ]" in text:
            self._cut, self._cut_text = True, ""
        elif match := WARNING.search(text):
            file, function = match[1], _function(match[2])
            warning = self._cut_text or f"{function} at {file}"
            self._add("warning", kind=_kind(self._cut_text, file, function), text=warning)
            self._cut = False
        elif self._cut:
            self._cut_text = (self._cut_text + " " + text).strip()
        elif MESSAGES.search(text):
            self._add("message", text=text)


def outcome(program: Program, kernel: str, device: str, log: str) -> tuple[list[Event], Event]:
    """The events and the summary of a boot, from what its console printed. Raises BadTrace."""
    reader = Reader()
    reader.read(log)
    if not reader.finished or reader.state is None:
        raise BadTrace("the guest stopped before the end of the program")
    state = reader.state
    events = list(itertools.takewhile(lambda event: event["event"] != "rebind", reader.events))
    warnings = [event["kind"] for event in events if event["event"] == "warning"]
    summary: Event = {"program": str(program), "kernel": kernel, "patch": "none", "device": device}
    summary |= {"probe": reader.result, "warnings": warnings}
    summary |= state | {"oops": reader.oops, "rebind": reader.rebind}
    return events, summary
