#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that each kind of breach of the law is found, and none where there is none.

Usage: selftest.py INCLUDE_FOLDER -- COMPILER OPTION...
"""
import dataclasses
import sys
import tempfile

import check_law
import law

import harness  # check_law.py knows where it is

(INCLUDE_FOLDER,), COMPILER = harness.split_arguments()
HEADERS = check_law.read_headers(INCLUDE_FOLDER)
COMBINATIONS = {one.what: one for one in law.combinations()}

ALLOWED = COMBINATIONS["pcim_iomap_region, enabled managed, strict, table claims it"]
D004 = COMBINATIONS["pcim_iomap_region, enabled managed, strict, table does not claim it"]
D005 = COMBINATIONS["pcim_iomap_region, enabled unmanaged, hybrid, no table"]
D006 = COMBINATIONS["allocation.get<I>, I = Min, vectors unmanaged, strict, no driver"]
D002 = COMBINATIONS["devm_revocable, object unmanaged, strict, no table"]
TABLE = COMBINATIONS["own(irq_handler = managed, minor_number = unmanaged)"]
DROPPED = COMBINATIONS["DEVRES_TRY(pci_iomap_region), dropped"]
TRUE = [ALLOWED, D002, D004, D005, D006, DROPPED, TABLE]


def broken(number, one, **changes):
    """The combination with something else expected of it, under a name of its own."""
    return dataclasses.replace(one, what=f"<{number}>", **changes)


# What is expected wrongly, and what must be said of it.
REFUSED = [
    (broken(0, ALLOWED, verdict="D005"), "compiles, must be refused: D005"),
    (broken(1, D005, verdict="D004"), "must be refused with D004"),  # which stands in the candidate's signature
    (broken(2, D004, verdict="D005", says=""), "must be refused with D005"),
    (broken(3, D004, says="pcim_iomap_region: the ownership table does not say enable"), "does not say enable`; says ["),
    (broken(4, D002, verdict="D001"), "must be refused with D001"),
    (broken(5, D005, definition=D005.definition.replace("pcim_iomap_region", "no_such_function")), "a reason of its own"),
    (broken(6, TABLE, verdict="D008"), "must be refused with D008"),
    (broken(7, DROPPED, verdict="D004"), "must be refused with D004"),
]
ALLOWED_WRONGLY = [
    (broken(0, D005, verdict=law.ALLOWED), "does not compile: devres[D005]"),
    (broken(1, TABLE, verdict=law.ALLOWED), "does not compile: devres[D002]"),
]
VISIBLE = [
    (broken(0, ALLOWED, verdict="D005"), "D005, but `requires` says otherwise"),
    (broken(1, D006, verdict=law.ALLOWED), "allowed, but `requires` says otherwise"),
]


def incomplete(expected, check, *arguments):
    try:
        check(*arguments)
    except law.Incomplete as reason:
        if expected in str(reason):
            return []
        return [f"not `{expected}`, but `{reason}`"]
    return [f"complete, without `{expected}`"]


def check_completeness():
    less = [function for function in law.FUNCTIONS if function.name != "pci_clear_master"]
    more = [*law.FUNCTIONS, law.Function("pci_new", "pci_new(dev)")]
    twice = (*law.RULES, law.rule(law.ALLOWED, "free_irq", registration=law.UNMANAGED, platform=law.HYBRID))
    idle = (*law.RULES, law.rule("D005", "pcim_gone"))
    law.check_headers(HEADERS)
    return [
        *incomplete("free_irq, registration managed, strict, table claims it: 0 rules", law.combinations, law.FUNCTIONS,
                    [one for one in law.RULES if not (one.of == ("free_irq",) and one.verdict == "D001")]),
        *incomplete("free_irq, registration unmanaged, hybrid, table claims it: 2 rules", law.combinations, law.FUNCTIONS,
                    twice),
        *incomplete("pci_new, strict, table claims it: 0 rules", law.combinations, more),
        *incomplete("a rule that decides nothing", law.combinations, law.FUNCTIONS, idle),
        *incomplete("pci_clear_master is in the headers, but not in the law", law.check_headers, HEADERS, less),
        *incomplete("devm_new is in the headers", law.check_headers,
                    [*HEADERS, "template <class D>\nresult<> devm_new(D& dev) noexcept {"]),
        *incomplete("enable_irq has 2 overloads", law.check_headers,
                    [*HEADERS, "inline auto enable_irq(int number) noexcept -> result<> {"]),
        *incomplete("no function at all", law.check_headers, ["class dma_memory;  // pci_none(dev)"]),
    ]


def check_breaches(name, check, folder, breaches, true):
    """Each breach is found for what it is, and nothing else."""
    found = check([*true, *(one for one, _ in breaches)], folder, COMPILER)
    faults = [f"{name}: {len(found)} faults of {len(breaches)}: {found}"] if len(found) != len(breaches) else []
    for one, expected in breaches:
        if not any(fault.startswith(one.what) and expected in fault for fault in found):
            faults.append(f"{name}: {one.what}: no `{expected}` in {found}")
    return faults


def main():
    with tempfile.TemporaryDirectory() as folder:
        faults = [
            *check_completeness(),
            *check_breaches("refused", check_law.check_refused, folder, REFUSED, TRUE),
            *check_breaches("allowed", check_law.check_allowed, folder, ALLOWED_WRONGLY, TRUE),
            *check_breaches("visible", check_law.check_visible, folder, VISIBLE, TRUE),
        ]
        for name, check in check_law.CHECKS.items():
            if not check(TRUE, folder, [COMPILER[0], "-std=c++23"]):  # finds no header
                faults.append(f"{name}: nothing is found where the source cannot be read")
    breaches = 8 + len(REFUSED) + len(ALLOWED_WRONGLY) + len(VISIBLE) + len(check_law.CHECKS)
    return harness.verdict(faults, f"{breaches} breaches", "FAULT: ")


if __name__ == "__main__":
    sys.exit(main())
