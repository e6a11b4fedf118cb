# SPDX-License-Identifier: BSL-1.0
"""Who frees a driver's interrupt vectors, and the replay program that does with a device what the driver does.

All of it is by name and over the whole module, but for the program: that is a walk from the driver's probe and remove through the
functions of the module in the order of their text. Conditions are not looked at, a function is entered once, one that is called
through a pointer is not entered, and what a probe frees is on the path of an error.
"""
import re
from typing import NamedTuple

from survey import source

ENABLE = {"pcim_enable_device": "E", "pci_enable_device": "e", "pci_enable_device_mem": "e", "pci_enable_device_io": "e"}
ALLOCATE = {"pci_alloc_irq_vectors", "pci_alloc_irq_vectors_affinity"}
ALLOCATE_OLD = {"pci_enable_msi", "pci_enable_msix_range", "pci_enable_msix_exact"}
FREE = {"pci_free_irq_vectors"}
FREE_OLD = {"pci_disable_msi", "pci_disable_msix"}
REQUEST_MANAGED = {"devm_request_irq", "devm_request_threaded_irq", "devm_request_any_context_irq"}
REQUEST = {"request_irq", "request_threaded_irq", "request_any_context_irq", "pci_request_irq"}
FREE_HANDLER_MANAGED = {"devm_free_irq"}
FREE_HANDLER = {"free_irq", "pci_free_irq"}
ACTION = {"devm_add_action", "devm_add_action_or_reset"}
OTHER = {"pci_disable_device", "pci_set_master"}
NAMES = frozenset().union(ENABLE, ALLOCATE, ALLOCATE_OLD, FREE, FREE_OLD, REQUEST_MANAGED, REQUEST, FREE_HANDLER_MANAGED,
                          FREE_HANDLER, ACTION, OTHER)


class Vectors(NamedTuple):
    name: str
    enable: str           # "managed", "unmanaged", "both"; "none": a library's, or nobody's
    owner: str            # "implicit", "hybrid", "explicit", "unfreed", "library"; "none" if it allocates none
    freed_in: tuple       # of "remove", "action", "probe error", "retry", "elsewhere": from where the hand-written free is reached
    handlers: str         # "managed", "unmanaged", "both", "none"
    old: bool             # allocates with pci_enable_msi and the like only
    programs: tuple       # of examples/run replay, one for each driver of the module that enables and allocates in its probe
    remove_disables: bool  # pci_disable_device in remove, though the enable is managed


def _both(managed, unmanaged):
    return {(True, False): "managed", (False, True): "unmanaged", (True, True): "both", (False, False): "none"}[
        bool(managed), bool(unmanaged)]


class _Code:
    """A module's functions and what they call."""

    def __init__(self, module):
        self.module, self.functions, self.calls = module, {}, []
        for path, text in module.files.items():
            for function in source.functions(text):
                self.functions.setdefault(function.name, []).append((path, function))
        self.known = NAMES | set(self.functions)
        self.all = [call for text in module.files.values() for call in source.calls(text, NAMES)]
        self.cache = {}

    def named(self, names):
        return any(call.name in names for call in self.all)

    def walk(self, name, path=None, entered=None):
        """The calls that lead out of the module, from this function on."""
        entered = set() if entered is None else entered
        places = self.functions.get(name, ())
        place = next((each for each in places if each[0] == path), places[0] if places else None)
        if place is None or place in entered:
            return
        entered.add(place)
        if place not in self.cache:
            self.cache[place] = list(source.calls(self.module.files[place[0]], self.known, place[1].begin, place[1].end))
        for call in self.cache[place]:
            if call.name in self.functions:
                yield from self.walk(call.name, place[0], entered)
            else:
                yield call

    def drivers(self):
        """What probe and remove of each driver of the module call."""
        out = []
        for path, text in self.module.files.items():
            for fields in source.initialisers(text, "pci_driver"):
                probe, remove = (list(self.walk(fields.get(hook, "").strip("("), path)) for hook in ("probe", "remove"))
                out.append((probe, remove))
        return out


def _allocation(call):
    """The operation that allocates as this call does: 4 stands for several."""
    if call.name == "pci_enable_msi":
        return "A1"
    if call.name in ALLOCATE_OLD:
        return "A4"
    count = call.arguments[2] if len(call.arguments) > 2 else ""
    flags = call.arguments[3] if len(call.arguments) > 3 else ""
    number = "1" if count == "1" else "4"
    return ("i" if re.search(r"PCI_IRQ_(ALL_TYPES|INTX|LEGACY)", flags) else "A") + number


def _letter(call):
    """The operation of a replay program that does what this call does; "" for others."""
    if call.name in ALLOCATE | ALLOCATE_OLD:
        return _allocation(call)
    for names, letter in ((REQUEST_MANAGED, "Q"), (REQUEST, "q"), (FREE_HANDLER_MANAGED, "V"), (FREE_HANDLER, "f"),
                          (FREE | FREE_OLD, "F")):
        if call.name in names:
            return letter
    return {**ENABLE, "pci_set_master": "B", "pci_disable_device": "d"}.get(call.name, "")


def _first_of_each(calls, letters):
    """The operations of these letters, each kind where it comes first."""
    out, seen = [], set()
    for call in calls:
        letter = _letter(call)
        kind = {"i": "A", "e": "E", "q": "Q"}.get(letter[:1], letter[:1])
        if kind and letter[0] in letters and kind not in seen:
            seen.add(kind)
            out.append(letter)
    return "".join(out)


def _released(code, probe):
    """What devres does at the unbind that frees handlers or vectors by functions of the driver's: its actions, newest first.

    A managed handler that is newer than such an action has gone by then: `V`.
    """
    out, done = "", ""
    for call in reversed(probe):
        if call.name in REQUEST_MANAGED and "V" not in out:
            out += "V"
        elif call.name in ACTION and len(call.arguments) > 1:
            frees = _first_of_each(code.walk(call.arguments[1].lstrip("&")), "VfF")
            frees = "".join(letter for letter in frees if letter not in out)
            if frees:
                out += frees
                done = out
    return done


def _program(code, probe, remove):
    """The replay program of a driver with this probe and this remove; "" if it has none."""
    does, undoes = _first_of_each(probe, "EeBAiQq"), _first_of_each(remove, "VfFd")
    undoes += "".join(letter for letter in _released(code, probe) if letter not in undoes)
    if not re.search(r"[Ee].*[Ai]\d", does):
        return ""
    if "Q" in does:
        undoes = undoes.replace("f", "")
    where = _freed_in(code, probe, remove)
    if where == ("retry",):
        again = [_letter(call) for call in probe if call.name in ALLOCATE | ALLOCATE_OLD]
        does = does.replace(again[0], again[0] + "F" + again[-1])
    elif where == ("probe error",):
        return does + _first_of_each(probe, "VfF") + "X:"
    return f"{does}TP:{undoes}"


def _freed_in(code, probe, remove):
    """Where hand-written code frees vectors, of what is reached from probe and remove."""
    places = []
    if any(call.name in FREE | FREE_OLD for call in remove):
        places.append("remove")
    if "F" in _released(code, probe):
        places.append("action")
    order = [_letter(call)[:1] for call in probe]
    frees = [at for at, letter in enumerate(order) if letter == "F"]
    allocations = [at for at, letter in enumerate(order) if letter in ("A", "i")]
    if frees:
        places.append("retry" if allocations and frees[-1] < allocations[-1] else "probe error")
    return tuple(places)


def examine(module):
    """What this module's drivers do with interrupt vectors."""
    code = _Code(module)
    managed = code.named({"pcim_enable_device"})
    enable = _both(managed, code.named(set(ENABLE) - {"pcim_enable_device"}))
    frees = code.named(FREE | FREE_OLD)
    if not code.named(ALLOCATE | ALLOCATE_OLD):
        owner = "none"
    elif enable == "none":
        owner = "library"
    elif managed:
        owner = "hybrid" if frees else "implicit"
    else:
        owner = "explicit" if frees else "unfreed"
    handlers = _both(code.named(REQUEST_MANAGED), code.named(REQUEST))
    drivers = code.drivers() if owner not in ("none", "library") else []
    programs = [_program(code, probe, remove) for probe, remove in drivers]
    freed_in = {place for probe, remove in drivers for place in _freed_in(code, probe, remove)}
    return Vectors(
        module.name, enable, owner,
        tuple(sorted(freed_in)) or (("elsewhere",) if frees and drivers else ()),
        handlers, not code.named(ALLOCATE),
        tuple(dict.fromkeys(filter(None, programs))),
        any("E" in _first_of_each(probe, "E") and "d" in _first_of_each(remove, "d") for probe, remove in drivers))
