# SPDX-License-Identifier: BSL-1.0
"""A survey as text, and as the page docs/survey.md."""
import pathlib

from survey import coverage

PAGE = pathlib.Path(__file__).with_name("page.md")
OWNERS = {
    "explicit": "pci_enable_device(), and vectors freed by hand",
    "implicit": "pcim_enable_device(), and no hand frees the vectors: devres does, as a side effect",
    "hybrid": "pcim_enable_device(), and a hand-written free beside that of devres",
    "unfreed": "pci_enable_device(), and nobody frees the vectors",
    "library": "a library enables the device",
    "none": "no vectors, or those of a library",
}


def of(survey, owner):
    return [each for each in survey.vectors if each.owner == owner]


def under_managed_handlers(survey, owner):
    """Drivers of this owner that free vectors by hand and have managed handlers, wherever they are requested."""
    return [each for each in of(survey, owner) if each.freed_in and each.handlers in ("managed", "both")]


def _outcome(survey, driver):
    return "; ".join(dict.fromkeys(survey.outcomes[program] for program in driver.programs if program in survey.outcomes))


def shares(survey, rows):
    """Rule and strictness to the share that could be written: now, and with 1, 3, 5, 10 and 15 more rows."""
    out = {}
    for rule in coverage.RULES:
        for strict in (False, True):
            best = coverage.best_additions(survey.calls, rows, rule, strict, 15)
            out[rule, strict] = [coverage.share(survey.calls, rows, rule, strict, frozenset(best[:count]))
                                 for count in (0, 1, 3, 5, 10, 15)], best
    return out


def _percent(part):
    return f"{100 * part:.1f} %"


def text(survey):
    """For a terminal."""
    rows = coverage.table()
    enabling = sum(each.enables for each in survey.calls)
    out = [f"Linux {survey.kernel}: {len(survey.vectors)} PCI drivers, {enabling} of them enable their device themselves", "",
           "Who frees their interrupt vectors"]
    for owner, words in OWNERS.items():
        out.append(f"  {owner:<9} {len(of(survey, owner)):>4}  {words}")
    both = sum(each.enable == "both" for each in of(survey, "implicit"))
    out.append(f"  {both} of the implicit ones call pci_enable_device() too (in another driver, or when they wake)")
    for owner in ("hybrid", "explicit"):
        out.append(f"  {len(under_managed_handlers(survey, owner))} of the {owner} ones have managed handlers")
    for title, drivers in (("hybrid", of(survey, "hybrid")), ("implicit", of(survey, "implicit")),
                           ("explicit, with managed handlers", under_managed_handlers(survey, "explicit"))):
        out += ["", f"{title}: file, handlers, where the hand-written free is; program of `replay`, and what Linux does with it"]
        for each in drivers:
            where = ", ".join(each.freed_in)
            out.append(f"  {each.name:<60} {each.handlers:<10}{where}".rstrip())
            for program in each.programs:
                out.append(f"      {program:<20} {survey.outcomes.get(program, '')}".rstrip())
    out += ["", "What could be written with this library, of the drivers that enable their device themselves",
            "                            now    +1     +3     +5    +10    +15 rows of the table"]
    for (rule, strict), (parts, _) in shares(survey, rows).items():
        label = f"rule {rule}, {'strict' if strict else 'lenient'}"
        out.append(f"  {label:<20}" + "".join(f"{_percent(part):>9}" for part in parts).replace(" %", "%"))
    return "\n".join(out) + "\n"


def _table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                      *("| " + " | ".join(line) + " |" for line in lines)])


def _driver_table(survey, drivers):
    return _table(("driver", "handlers", "freed by hand in", "program", "Linux"), [
        (each.name, each.handlers, ", ".join(each.freed_in) or "-",
         " ".join(f"`{program}`" for program in each.programs) or "-", _outcome(survey, each) or "-")
        for each in drivers])


def page(survey):
    """docs/survey.md: page.md, with its `@NAME@` filled in."""
    rows = coverage.table()
    hybrid, implicit = of(survey, "hybrid"), of(survey, "implicit")
    hybrid_handlers, explicit_handlers = (under_managed_handlers(survey, owner) for owner in ("hybrid", "explicit"))
    not_clean = [each for each in hybrid + implicit + explicit_handlers if _outcome(survey, each) not in ("", "clean")]
    by_row = [sum(number in each.rows for each in survey.calls) for number in range(len(rows))]
    found = shares(survey, rows)
    missing = ["; ".join(rows[number].calls for number in found[rule, strict][1][:5])
               for rule, strict in (("A", False), ("A", True), ("B", False), ("B", True))]
    values = {
        "kernel": survey.kernel,
        "drivers": len(survey.vectors),
        "enabling": sum(each.enables for each in survey.calls),
        "implicit": len(implicit),
        "implicit only": sum(each.enable == "managed" for each in implicit),
        "implicit both": sum(each.enable == "both" for each in implicit),
        "implicit old": sum(each.old for each in implicit),
        "hybrid": len(hybrid),
        "explicit": len(of(survey, "explicit")),
        "unfreed": len(of(survey, "unfreed")),
        "hybrid handlers": len(hybrid_handlers),
        "explicit handlers": len(explicit_handlers),
        "not clean": len(not_clean),
        "owners": _table(("", "drivers", ""), [(owner, str(len(of(survey, owner))), words) for owner, words in OWNERS.items()]),
        "hybrid table": _driver_table(survey, hybrid),
        "implicit table": _driver_table(survey, implicit),
        "explicit table": _driver_table(survey, explicit_handlers),
        "shares": _table(("", "now", "+ 1", "+ 3", "+ 5", "+ 10", "+ 15"), [
            (f"{rule}, {'strict' if strict else 'lenient'}", *map(_percent, parts))
            for (rule, strict), (parts, _) in found.items()]),
        "missing": _table(("", "what would help most, in order"),
                          list(zip(("A, lenient", "A, strict", "B, lenient", "B, strict"), (each or "-" for each in missing)))),
        "calls": _table(("calls", "drivers", "counts as", "here", "how"), [
            (row.calls, str(count), row.counts, row.status,
             ": ".join(filter(None, (", ".join(f"`{name}`" for name in row.here), row.how))) or "-")
            for count, row in sorted(zip(by_row, rows), key=lambda each: -each[0])]),
    }
    out = PAGE.read_text(encoding="utf-8")
    for name, value in values.items():
        out = out.replace(f"@{name}@", str(value))
    return out
