# SPDX-License-Identifier: BSL-1.0
"""Looks for the smallest program that still disagrees."""

from __future__ import annotations

from typing import Callable, Iterator

from program import Driver, Program


def _smaller(program: Program) -> Iterator[Program]:
    """Without one driver; then without one operation, from the end on."""
    drivers = program.drivers
    if len(drivers) > 1:
        for d in range(len(drivers)):
            yield Program(drivers[:d] + drivers[d + 1 :])
    for d, driver in reversed(list(enumerate(drivers))):
        for o in reversed(range(len(driver.remove))):
            yield _replace(program, d, Driver(driver.probe, driver.remove[:o] + driver.remove[o + 1 :]))
        for o in reversed(range(len(driver.probe))):
            yield _replace(program, d, Driver(driver.probe[:o] + driver.probe[o + 1 :], driver.remove))


def _replace(program: Program, index: int, driver: Driver) -> Program:
    return Program(program.drivers[:index] + (driver,) + program.drivers[index + 1 :])


def shrink(program: Program, disagree: Callable[[list[Program]], list[bool]], at_a_time: int, budget: int) -> Program:
    """The smallest that was found with `budget` programs tried, `at_a_time` together."""
    tried = {program}
    while budget > 0:
        candidates = [each for each in dict.fromkeys(_smaller(program)) if each not in tried]
        found = None
        while candidates and found is None and budget > 0:
            batch, candidates = candidates[:at_a_time], candidates[at_a_time:]
            tried.update(batch)
            budget -= len(batch)
            found = next((each for each, differs in zip(batch, disagree(batch)) if differs), None)
        if found is None:
            break
        program = found
    return program
