# SPDX-License-Identifier: BSL-1.0
"""The programs of the lab: ../README.md describes them."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "EedBFIQVqfMmTPX"
NUMBERED = {"A": (0, 2048), "a": (0, 2048), "i": (0, 2048), "K": (0, 999)}
GROUPS = {letter: (1, 9) for letter in "GgRr"}
MAX_DRIVERS = 16
MAX_LENGTH = 1000  # the program is an argument of the guest's kernel

DEVICES = {"rocker": 4, "edu": 1}  # the vectors of each


class ProgramError(ValueError):
    """What is wrong with a program, where, and what would be right."""


@dataclass(frozen=True)
class Operation:
    letter: str
    number: int | None = None

    def __str__(self) -> str:
        return self.letter + ("" if self.number is None else str(self.number))


@dataclass(frozen=True)
class Driver:
    probe: tuple[Operation, ...]
    remove: tuple[Operation, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.probe)) + ":" + "".join(map(str, self.remove))


@dataclass(frozen=True)
class Program:
    drivers: tuple[Driver, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.drivers))


def rebind_driver(device: str) -> str:
    return f"EBA{DEVICES[device]}QTP:"


def parse(text: str) -> Program:
    """Raises ProgramError with a position that counts from 1."""
    if len(text) > MAX_LENGTH:
        raise ProgramError(f"position {MAX_LENGTH + 1}: a program has at most {MAX_LENGTH} characters")
    drivers = []
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        end = text.find(" ", position)
        end = len(text) if end < 0 else end
        if len(drivers) == MAX_DRIVERS:
            raise ProgramError(f"position {position + 1}: a program has at most {MAX_DRIVERS} drivers")
        drivers.append(_driver(text, position, end))
        position = end
    if not drivers:
        raise ProgramError("position 1: no driver; a driver is PROBE:REMOVE, for example EBA4QTP:")
    return Program(tuple(drivers))


def _driver(text: str, start: int, end: int) -> Driver:
    colon = text.find(":", start, end)
    if colon < 0:
        raise ProgramError(f"position {end + 1}: expected : between the operations of probe and remove")
    probe = _operations(text, start, colon)
    remove = _operations(text, colon + 1, end, in_remove=True)
    return Driver(probe, remove)


def _operations(text: str, start: int, end: int, in_remove: bool = False) -> tuple[Operation, ...]:
    operations = []
    position = start
    while position < end:
        letter = text[position]
        digits = position + 1
        while digits < end and text[digits] in "0123456789":
            digits += 1
        number = text[position + 1 : digits]
        operations.append(_operation(letter, number, position + 1, in_remove))
        position = digits
    return tuple(operations)


def _operation(letter: str, number: str, position: int, in_remove: bool) -> Operation:
    if letter == ":":
        raise ProgramError(f"position {position}: a second : in a driver; put a blank between drivers")
    if letter == "X" and in_remove:
        raise ProgramError(f"position {position}: X is for a probe only; a remove cannot fail")
    if letter in PLAIN:
        if number:
            raise ProgramError(f"position {position}: {letter} takes no number; write {letter}")
        return Operation(letter)
    limits = NUMBERED.get(letter) or GROUPS.get(letter)
    if limits is None:
        letters = PLAIN + "".join((*NUMBERED, *GROUPS))
        raise ProgramError(f"position {position}: no such operation: {letter}; one of {letters}")
    if not number:
        if letter in NUMBERED:
            raise ProgramError(f"position {position}: {letter} needs a number; for example {letter}{limits[0] + 4}")
        return Operation(letter)
    if not limits[0] <= int(number) <= limits[1]:
        raise ProgramError(f"position {position}: {letter}{number}: the number is {limits[0]} to {limits[1]}")
    return Operation(letter, int(number))
