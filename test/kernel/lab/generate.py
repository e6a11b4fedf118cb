# SPDX-License-Identifier: BSL-1.0
"""Random programs: drivers that are nearly right, and chaos."""

from __future__ import annotations

import random

from boot import Job
from program import DEVICES, Driver, Operation, Program

SENSIBLE = 0.5  # of the drivers

WEIGHTS = {
    "E": 6, "e": 4, "d": 3, "B": 4, "A": 10, "a": 2, "i": 4, "F": 6, "I": 3, "Q": 8, "V": 4, "q": 5, "f": 4,
    "M": 2, "m": 1, "G": 4, "g": 3, "R": 3, "r": 2, "K": 4, "T": 3, "P": 3, "X": 1,
}  # fmt: skip


def jobs(count: int, seed: int, devices: list[str]) -> list[Job]:
    """No two are the same."""
    source = random.Random(seed)
    found: dict[Job, None] = {}
    while len(found) < count:
        device = source.choice(devices)
        found[Job(_program(source, device), device)] = None
    return list(found)


def _program(source: random.Random, device: str) -> Program:
    while True:
        drivers = tuple(_driver(source, device) for _ in range(source.choice((1, 1, 2))))
        if 4 <= sum(len(driver.probe) + len(driver.remove) for driver in drivers) <= 14:
            return Program(drivers)


def _driver(source: random.Random, device: str) -> Driver:
    if source.random() < SENSIBLE:
        return _sensible(source, device)
    probe = [_operation(source, device, _letter(source)) for _ in range(source.randint(2, 8))]
    if source.random() < 0.8:  # else hardly anything succeeds
        probe[:0] = [Operation(source.choice("EEe")), Operation("B")]
    remove = [_operation(source, device, _letter(source, in_remove=True)) for _ in range(source.randint(0, 4))]
    return Driver(tuple(probe), tuple(remove))


def _sensible(source: random.Random, device: str) -> Driver:
    """A driver as one would write it, then up to two mistakes."""
    enable, request = source.choice("Ee"), source.choice("Qq")
    allocate = Operation(source.choice("AAi"), DEVICES[device])
    probe = [Operation(enable), Operation("B"), allocate, Operation(request), Operation("T")]
    remove = []
    if request == "q" or source.random() < 0.3:
        remove.append(Operation("V" if request == "Q" else "f"))
    if enable == "e" or source.random() < 0.3:
        remove.append(Operation("F"))
    if enable == "e":
        remove.append(Operation("d"))
    if source.random() < 0.25:
        start = source.randint(0, len(probe) - 1)
        probe.insert(source.randint(start + 1, len(probe)), Operation("g"))
        probe.insert(start, Operation("G"))
        remove.insert(source.randint(0, len(remove)), Operation(source.choice("RRr")))
    for _ in range(source.randint(0, 2)):
        _mistake(source, device, *((remove, True) if remove and source.random() < 0.5 else (probe, False)))
    return Driver(tuple(probe), tuple(remove))


def _mistake(source: random.Random, device: str, operations: list[Operation], in_remove: bool) -> None:
    at = source.randrange(len(operations))
    match source.choice(("drop", "repeat", "swap", "insert", "insert")):
        case "drop" if len(operations) > 1:
            del operations[at]
        case "repeat":
            operations.insert(at, operations[at])
        case "swap":
            other = source.randrange(len(operations))
            operations[at], operations[other] = operations[other], operations[at]
        case _:
            operations.insert(at, _operation(source, device, _letter(source, in_remove)))


def _letter(source: random.Random, in_remove: bool = False) -> str:
    letter = source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return "F" if in_remove and letter == "X" else letter


def _operation(source: random.Random, device: str, letter: str) -> Operation:
    vectors = DEVICES[device]
    if letter in "Aai":
        return Operation(letter, source.choice((vectors, vectors, vectors, 1, source.randint(0, vectors + 1))))
    if letter == "K":
        return Operation(letter, source.randint(1, 9))
    if letter in "GgRr" and source.random() < 0.4:
        return Operation(letter, source.randint(1, 2))
    return Operation(letter)
