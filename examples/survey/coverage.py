# SPDX-License-Identifier: BSL-1.0
"""How many drivers could be written with this library: the calls of each, looked up in calls.toml.

A call counts by its name, wherever in the module it stands: whether it is ever made is not known. Of a helper library that the driver
calls (libata, comedi, the core of snd) nothing is counted.
"""
import fnmatch
import functools
import pathlib
import re
import tomllib
from typing import NamedTuple

from survey import source

TABLE = pathlib.Path(__file__).with_name("calls.toml")
# The rules: which rows count.
LIFETIME = {"lifetime"}
MORE = LIFETIME | {"streaming DMA", "hooks, runtime PM", "masks, power"}
RULES = {"A": LIFETIME, "B": MORE}
COUNTS = MORE | {"question", "deferred work", "not counted"}
STATUS = ("yes", "partly", "no")
ENABLES = {"pci_enable_device", "pci_enable_device_mem", "pci_enable_device_io", "pcim_enable_device"}

_FLAGS_AT = {"request_irq": 2, "devm_request_irq": 3, "request_threaded_irq": 3, "devm_request_threaded_irq": 4,
             "request_any_context_irq": 2, "devm_request_any_context_irq": 3}
_THREAD_AT = {"request_threaded_irq": 2, "devm_request_threaded_irq": 3, "pci_request_irq": 3}


def _argument(call, at):
    return call.arguments[at] if at is not None and at < len(call.arguments) else ""


def _flags(call):
    return _argument(call, _FLAGS_AT.get(call.name))


def _threaded(call):
    return _argument(call, _THREAD_AT.get(call.name)) not in ("", "NULL", "0")


def _fixed_bar(call):
    """A number, or a name in capitals."""
    return re.fullmatch(r"\(?[0-9A-Z][0-9A-Za-z_]*\)?", _argument(call, 1)) is not None


def _run_time_bar(call):
    if call.name == "pcim_iomap_regions":  # a mask
        return re.search(r"[a-z]", re.sub(r"\bBIT\b", "", _argument(call, 1))) is not None
    return not _fixed_bar(call)


def _one_object(call):
    return re.fullmatch(r"sizeof\s*\(?[^*+]*\)?|sizeof\s*\(?\s*\*[^*+]*\)?", _argument(call, 1)) is not None


# What a row's `when` asks of a call, and of whether it stands in a netpoll function.
TESTS = {
    "shared": lambda call, netpoll: "IRQF_SHARED" in _flags(call),
    "no_flags": lambda call, netpoll: _flags(call) == "0" or (call.name == "pci_request_irq" and not _threaded(call)),
    "other_flags": lambda call, netpoll: "IRQF_SHARED" not in _flags(call) and _flags(call) not in ("", "0"),
    "threaded": lambda call, netpoll: _threaded(call),
    "fixed_bar": lambda call, netpoll: _fixed_bar(call),
    "run_time_bar": lambda call, netpoll: _run_time_bar(call),
    "one_object": lambda call, netpoll: _one_object(call),
    "many_objects": lambda call, netpoll: not _one_object(call),
    "netpoll": lambda call, netpoll: netpoll,
    "not_netpoll": lambda call, netpoll: not netpoll,
}


class Row(NamedTuple):
    calls: str
    counts: str
    status: str
    match: tuple
    hooks: tuple
    when: str
    here: tuple
    how: str


@functools.lru_cache(maxsize=None)
def table(path=TABLE):
    """The rows of calls.toml; ValueError, with all that is wrong with them."""
    rows, wrong = [], []
    for each in tomllib.loads(path.read_text(encoding="utf-8")).get("row", []):
        name = each.get("calls", "?")
        row = Row(name, each.pop("counts", ""), each.pop("status", ""), tuple(each.pop("match", ())),
                  tuple(each.pop("hooks", ())), each.pop("when", ""), tuple(each.pop("here", ())), each.pop("how", ""))
        each.pop("calls", None)
        wrong += [f"{name}: no such key: {key}" for key in each]
        if row.counts not in COUNTS:
            wrong.append(f"{name}: counts = {row.counts!r}: must be one of {', '.join(sorted(COUNTS))}")
        if row.status not in STATUS:
            wrong.append(f"{name}: status = {row.status!r}: must be one of {', '.join(STATUS)}")
        if row.when and row.when not in TESTS:
            wrong.append(f"{name}: when = {row.when!r}: must be one of {', '.join(TESTS)}")
        if not row.match and not row.hooks:
            wrong.append(f"{name}: neither match nor hooks")
        if row.status == "yes" and not row.here:
            wrong.append(f"{name}: status is yes, and here names nothing")
        if row.calls in {other.calls for other in rows}:
            wrong.append(f"{name}: is there twice")
        rows.append(row)
    if wrong:
        raise ValueError("\n".join(f"{path.name}: {each}" for each in wrong))
    return tuple(rows)


class _Names:
    """The names that some row matches; each with its rows."""

    def __init__(self, rows):
        self.exact, self.patterns, self.unknown = {}, [], set()
        for number, row in enumerate(rows):
            for name in row.match:
                if "*" in name:
                    self.patterns.append((re.compile(fnmatch.translate(name)), number))
                else:
                    self.exact.setdefault(name, set()).add(number)

    def __contains__(self, name):
        return bool(self.rows(name))

    def rows(self, name):
        if name not in self.exact:
            if name in self.unknown:
                return ()
            found = {number for pattern, number in self.patterns if pattern.match(name)}
            if not found:
                self.unknown.add(name)
                return ()
            self.exact[name] = found
        return self.exact[name]


@functools.lru_cache(maxsize=None)
def _names(rows):
    return _Names(rows)


def _in_netpoll(text, at):
    """Whether the function that `at` is in is a netpoll function: the last line before it that begins one says so."""
    head = re.compile(r"^[A-Za-z_][^;\n]*?(\w+)\s*\(", re.M)
    name = None
    for found in head.finditer(text, max(0, at - 3000), at):
        name = found[1]
    return name is not None and re.search(r"netpoll|poll_controller|poll_cont", name) is not None


class Driver(NamedTuple):
    name: str
    enables: bool       # calls pci_enable_device or pcim_enable_device
    rows: frozenset     # numbers of the rows of which it makes a call, or has a hook


def examine(module, rows=None):
    """Which rows of the table this module needs."""
    rows = rows or table()
    names, found, enables = _names(rows), set(), False
    for text in module.files.values():
        for call in source.calls(text, names):
            enables = enables or call.name in ENABLES
            netpoll = None
            for number in names.rows(call.name):
                when = rows[number].when
                if when in ("netpoll", "not_netpoll"):
                    netpoll = _in_netpoll(text, call.at) if netpoll is None else netpoll
                if not when or TESTS[when](call, netpoll):
                    found.add(number)
        fields = {field for each in source.initialisers(text, "pci_driver") for field in each}
        found.update(number for number, row in enumerate(rows) if fields & set(row.hooks))
        if re.search(r"\b(SET_RUNTIME_PM_OPS|RUNTIME_PM_OPS|DEFINE_RUNTIME_DEV_PM_OPS|UNIVERSAL_DEV_PM_OPS)\b"
                     r"|\.runtime_(suspend|resume|idle)\b", text):
            found.update(number for number, row in enumerate(rows) if "runtime" in row.hooks)
    netpoll = next((number for number, row in enumerate(rows) if row.when == "netpoll"), None)
    if any(rows[number].when == "not_netpoll" for number in found):
        found.discard(netpoll)
    return Driver(module.name, enables, frozenset(found))


def share(drivers, rows, rule, strict, better=frozenset()):
    """The part of the drivers that enable their device of which no counted row is in the way, if the rows `better` were "yes"."""
    stops = {number for number, row in enumerate(rows) if row.counts in RULES[rule] and number not in better
             and (row.status == "no" or (strict and row.status == "partly"))}
    counted = [each for each in drivers if each.enables]
    return sum(not (each.rows & stops) for each in counted) / len(counted) if counted else 0.0


def best_additions(drivers, rows, rule, strict, count):
    """The rows that would help most if they became "yes", one after the other: each the best after those before it."""
    chosen = []
    stops = {number for number, row in enumerate(rows) if row.counts in RULES[rule]
             and (row.status == "no" or (strict and row.status == "partly"))}
    left = [each.rows & stops for each in drivers if each.enables]
    while len(chosen) < count and any(left):
        # What alone stands in the way counts most; a row that stands with others in the way counts for a part.
        weight = {}
        for needs in left:
            for number in needs:
                weight[number] = weight.get(number, 0) + (1 if len(needs) == 1 else 0.3 ** len(needs))
        best = max(sorted(weight), key=weight.get)
        chosen.append(best)
        left = [needs - {best} for needs in left]
    return chosen
