# SPDX-License-Identifier: BSL-1.0
"""What the command lines of the lab have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import program
import scenarios
from boot import Job

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios.txt"
CHOICES = {"--kernel": ("6.1", "6.12"), "--device": tuple(program.DEVICES)}
DEFAULTS = {"--kernel": "6.1", "--device": "rocker", "--jobs": "2"}


class Arguments:
    """Parses sys.argv; exits with 2 and one line about the first thing wrong."""

    def __init__(self, command: str, usage: str, flags: tuple[str, ...], values: tuple[str, ...]) -> None:
        self._command = command
        self._given: dict[str, str] = {}
        self.programs: list[program.Program] = []
        rest = sys.argv[1:]
        while rest:
            argument = rest.pop(0)
            if argument in ("--help", "-h"):
                print(usage)
                sys.exit(0)
            name, equals, value = argument.partition("=")
            if name in values:
                if not equals:
                    value = rest.pop(0) if rest else ""
                self._given[name] = self._checked(name, value)
            elif argument in flags:
                self._given[argument] = ""
            elif argument.startswith("-"):
                self.fail(f"unknown option: {argument}; one of {' '.join((*flags, *values))}")
            else:
                self.programs.append(self._parse(argument))

    @property
    def kernel(self) -> str:
        return self.value("--kernel")

    @property
    def at_a_time(self) -> int:
        return int(self.value("--jobs"))

    def given(self, option: str) -> bool:
        return option in self._given

    def value(self, option: str) -> str:
        return self._given.get(option, DEFAULTS.get(option, ""))

    def jobs(self) -> list[Job]:
        """The programs of the command line, or of scenarios.txt: for the device asked for, if one is."""
        if self.programs:
            return [Job(each, self.value("--device")) for each in self.programs]
        try:
            jobs = scenarios.read(SCENARIOS)
        except scenarios.ScenarioError as error:
            self.fail(str(error))
        wanted = self._given.get("--device")
        return [job for job in jobs if wanted in (None, job.device)]

    def fail(self, message: str) -> NoReturn:
        print(f"{self._command}: {message}", file=sys.stderr)
        sys.exit(2)

    def _checked(self, option: str, value: str) -> str:
        choices = CHOICES.get(option)
        if choices and value not in choices:
            self.fail(f"{option}: no such value: {value or '(none)'}; {' or '.join(choices)}")
        if not choices and not (value.isascii() and value.isdigit() and 0 < int(value) < 1_000_000_000):
            self.fail(f"{option}: not a number: {value or '(none)'}; 1 or more")
        return value

    def _parse(self, text: str) -> program.Program:
        try:
            return program.parse(text)
        except program.ProgramError as error:
            shown = text if len(text) <= 60 else text[:57] + "..."
            self.fail(f"bad program '{shown}': {error}")
