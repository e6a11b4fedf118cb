# SPDX-License-Identifier: BSL-1.0
"""The law: what compiles, and what is refused with which code.

Written from the three rules and the table of diagnostics of the design, not from the headers. FUNCTIONS says what there is
to call and in which ways, RULES says what becomes of each way. Exactly one rule fits each combination: no combination is
decided by default, and the order of the rules does not matter. Where two rules of the design are broken at once, the one
about what the call is given is named (D001, D002, D003, D005), as no table could put that right.
"""
import dataclasses
import itertools
import re

MANAGED, UNMANAGED = "managed", "unmanaged"
OWNERS = (MANAGED, UNMANAGED)

# The platforms: on a hybrid one, a managed device makes its vectors managed.
STRICT, HYBRID = "strict", "hybrid"

# What the driver's ownership table says of the resource that is acquired or freed.
CLAIMS, OTHER, SILENT = "table claims it", "table claims it for the other owner", "table does not claim it"
NO_TABLE, NO_DRIVER = "no table", "no driver"
TABLES = (CLAIMS, OTHER, SILENT, NO_TABLE, NO_DRIVER)
AGREES, DISAGREES = (CLAIMS, NO_TABLE, NO_DRIVER), (OTHER, SILENT)


@dataclasses.dataclass(frozen=True)
class Function:
    """A way to call something. `form` tells it from other ways to call the same."""
    name: str
    call: str
    takes: tuple = ()  # the arguments that have an owner
    line: str = "minor_number"  # in a table; the default is one that says nothing of what is called
    owner: str = ""  # of what is acquired; none: that of the first argument
    form: str = ""
    minimum: int = 0  # of the vectors, where an allocation is taken

    @property
    def key(self):
        return self.name + self.form


def acquires(owner, line, name, arguments, *takes, **more):
    """A function that acquires `line` for `owner`."""
    template = {"bar<N>": "<2>", "driver_data": "<counter>", "irq_handler": "<&counter::on_irq>"}.get(line, "")
    return Function(name, f"{name}{template}({arguments})", takes, line, owner, **more)


FUNCTIONS = (
    acquires(MANAGED, "driver_data", "devm_emplace", "dev"),
    acquires(MANAGED, "enable", "pcim_enable_device", "dev"),
    acquires(UNMANAGED, "enable", "pci_enable_device", "dev"),

    acquires(MANAGED, "bar<N>", "pcim_iomap_region", 'enabled, "name"', "enabled"),
    acquires(UNMANAGED, "bar<N>", "pci_iomap_region", 'enabled, "name"', "enabled"),
    acquires(MANAGED, "dma_coherent", "dmam_alloc_coherent", "enabled, 4096", "enabled"),
    acquires(UNMANAGED, "dma_coherent", "dma_alloc_coherent", "enabled, 4096", "enabled"),
    acquires(MANAGED, "dma_streaming", "dmam_map_single", "enabled, object", "enabled", "object"),
    acquires(UNMANAGED, "dma_streaming", "dma_map_single", "enabled, nullptr, 4096", "enabled"),

    acquires(MANAGED, "irq_vectors", "pcim_alloc_irq_vectors", "enabled, 1, 8, irq_type::msix", "enabled"),
    acquires(UNMANAGED, "irq_vectors", "pci_alloc_irq_vectors", "enabled, 1, 8, irq_type::msix", "enabled"),
    Function("pcim_alloc_irq_vectors", "pcim_alloc_irq_vectors<2>(enabled, 8, irq_type::msix)", ("enabled",),
             "irq_vectors", MANAGED, form="<Min>"),
    Function("pci_alloc_irq_vectors", "pci_alloc_irq_vectors<2>(enabled, 8, irq_type::msix)", ("enabled",),
             "irq_vectors", UNMANAGED, form="<Min>"),
    acquires(MANAGED, "irq_vectors", "pcim_alloc_irq_vectors_affinity", "enabled, 1, 8, irq_type::msix, irq_affinity{}",
             "enabled"),
    acquires(UNMANAGED, "irq_vectors", "pci_alloc_irq_vectors_affinity", "enabled, 1, 8, irq_type::msix, irq_affinity{}",
             "enabled"),

    acquires(MANAGED, "irq_handler", "devm_request_irq", 'vector, "name", context', "vector", "context"),
    acquires(UNMANAGED, "irq_handler", "request_irq", 'vector, "name", context', "vector", "context"),

    Function("pci_free_irq_vectors", "pci_free_irq_vectors(std::move(vectors))", ("vectors",), "irq_vectors"),
    Function("pci_free_irq_vectors", "pci_free_irq_vectors(std::move(vectors))", ("vectors",), "irq_vectors",
             form="<Min>", minimum=2),
    Function("devm_free_irq", "devm_free_irq(std::move(registration))", ("registration",), "irq_handler"),
    Function("free_irq", "free_irq(std::move(registration))", ("registration",), "irq_handler"),

    Function("pci_set_master", "pci_set_master(enabled)", ("enabled",), "enable"),
    Function("pci_clear_master", "pci_clear_master(enabled)", ("enabled",), "enable"),

    Function("allocation[I]", "vectors[1]", ("vectors",), "irq_vectors"),
    Function("allocation.at(I)", "vectors.at(1)", ("vectors",), "irq_vectors"),
    Function("allocation.get<I>", "vectors.template get<1>()", ("vectors",), "irq_vectors", form=", I < Min", minimum=2),
    Function("allocation.get<I>", "vectors.template get<2>()", ("vectors",), "irq_vectors", form=", I = Min", minimum=2),
    Function("allocation.get<I>", "vectors.template get<0>()", ("vectors",), "irq_vectors", form=", Min unknown"),

    Function("devm_revocable", "devm_revocable(dev, object)", ("object",), "driver_data"),
    Function("devm_add_action", "devm_add_action(dev, undo, nullptr)"),
    Function("devm_add_action_or_reset", "devm_add_action_or_reset(dev, undo, nullptr)"),
    Function("devm_remove_action", "devm_remove_action(dev, action{})"),
    Function("devm_remove_action", "devm_remove_action(dev, undo, nullptr)", form=" by function"),
    Function("devm_release_action", "devm_release_action(dev, action{})"),
    Function("devm_release_action", "devm_release_action(dev, undo, nullptr)", form=" by function"),
    Function("group", "group{dev}"),

    Function("pci_read_config_byte", "pci_read_config_byte(dev, 0)"),
    Function("pci_read_config_word", "pci_read_config_word(dev, 0)"),
    Function("pci_read_config_dword", "pci_read_config_dword(dev, 0)"),
    Function("pci_write_config_byte", "pci_write_config_byte(dev, 0, 0)"),
    Function("pci_write_config_word", "pci_write_config_word(dev, 0, 0)"),
    Function("pci_write_config_dword", "pci_write_config_dword(dev, 0, 0)"),
)

# The lines of a table, spelled as in a driver; what some are built on.
LINES = {
    "driver_data": "driver_data",
    "enable": "enable",
    "bar<N>": "bar<2>",
    "dma_coherent": "dma_coherent",
    "dma_streaming": "dma_streaming",
    "irq_vectors": "irq_vectors",
    "irq_handler": "irq_handler",
    "minor_number": "minor_number",
}
BUILT_ON = {"bar<N>": "enable", "dma_coherent": "enable", "dma_streaming": "enable", "irq_vectors": "enable",
            "irq_handler": "irq_vectors"}


@dataclasses.dataclass(frozen=True)
class Rule:
    """What becomes of the combinations of some functions that have the properties of `where`."""
    verdict: str
    of: tuple
    where: dict
    says: str = ""  # in the diagnostic, besides the code

    def fits(self, key, properties):
        return key in self.of and all(
            properties[name] == value or (isinstance(value, tuple) and properties[name] in value)
            for name, value in self.where.items())


def rule(verdict, of, says="", **where):
    return Rule(verdict, of if isinstance(of, tuple) else (of,), where, says)


ALLOWED = "allowed"

# What only a device is needed for; what is managed and built on an enabled device; the same, unmanaged.
FIRST = ("devm_emplace", "pcim_enable_device", "pci_enable_device")
MANAGED_ON_ENABLED = ("pcim_iomap_region", "dmam_alloc_coherent", "pcim_alloc_irq_vectors", "pcim_alloc_irq_vectors<Min>",
                      "pcim_alloc_irq_vectors_affinity")
UNMANAGED_ON_ENABLED = ("pci_iomap_region", "dma_alloc_coherent", "dma_map_single")
UNMANAGED_VECTORS = ("pci_alloc_irq_vectors", "pci_alloc_irq_vectors<Min>", "pci_alloc_irq_vectors_affinity")
FREE_VECTORS = ("pci_free_irq_vectors", "pci_free_irq_vectors<Min>")
# What neither owner nor table has a say in: it uses what somebody has acquired, or acquires nothing that tables name.
ANYBODYS = (
    "pci_set_master", "pci_clear_master",
    "pci_read_config_byte", "pci_read_config_word", "pci_read_config_dword",
    "pci_write_config_byte", "pci_write_config_word", "pci_write_config_dword",
    "allocation[I]", "allocation.at(I)", "allocation.get<I>, I < Min",
    "devm_add_action", "devm_add_action_or_reset",
    "devm_remove_action", "devm_remove_action by function", "devm_release_action", "devm_release_action by function",
    "group")

D004 = "{name}: the ownership table does not say {line} = {owner}"
NEEDS_ENABLE = "pcim_enable_device"
ON_UNMANAGED = "touches or is built on one that the table does not make managed"

RULES = (
    rule(ALLOWED, ANYBODYS),

    rule(ALLOWED, FIRST, table=AGREES),
    rule("D004", FIRST, D004, table=DISAGREES),

    # R2: what is managed needs a managed enable.
    rule("D005", MANAGED_ON_ENABLED, NEEDS_ENABLE, enabled=UNMANAGED),
    rule(ALLOWED, MANAGED_ON_ENABLED, enabled=MANAGED, table=AGREES),
    rule("D004", MANAGED_ON_ENABLED, D004, enabled=MANAGED, table=DISAGREES),

    # R2: a managed mapping needs a managed object besides.
    rule("D005", "dmam_map_single", NEEDS_ENABLE, enabled=UNMANAGED),
    rule("D002", "dmam_map_single", "needs a managed object", enabled=MANAGED, object=UNMANAGED),
    rule(ALLOWED, "dmam_map_single", enabled=MANAGED, object=MANAGED, table=AGREES),
    rule("D004", "dmam_map_single", D004, enabled=MANAGED, object=MANAGED, table=DISAGREES),

    # What is unmanaged may stand on either.
    rule(ALLOWED, UNMANAGED_ON_ENABLED, table=AGREES),
    rule("D004", UNMANAGED_ON_ENABLED, D004, table=DISAGREES),

    # R3: nor do vectors become managed behind the driver's back.
    rule("D003", UNMANAGED_VECTORS, "call pcim_alloc_irq_vectors", enabled=MANAGED, platform=HYBRID),
    rule(ALLOWED, UNMANAGED_VECTORS, enabled=MANAGED, platform=STRICT, table=AGREES),
    rule("D004", UNMANAGED_VECTORS, D004, enabled=MANAGED, platform=STRICT, table=DISAGREES),
    rule(ALLOWED, UNMANAGED_VECTORS, enabled=UNMANAGED, table=AGREES),
    rule("D004", UNMANAGED_VECTORS, D004, enabled=UNMANAGED, table=DISAGREES),

    # R2: a managed handler needs managed vectors and a managed object; an unmanaged one takes any.
    rule("D002", "devm_request_irq", "needs managed vectors", vector=UNMANAGED),
    rule("D002", "devm_request_irq", "needs a managed object", vector=MANAGED, context=UNMANAGED),
    rule(ALLOWED, "devm_request_irq", vector=MANAGED, context=MANAGED, table=AGREES),
    rule("D004", "devm_request_irq", D004, vector=MANAGED, context=MANAGED, table=DISAGREES),
    rule(ALLOWED, "request_irq", table=AGREES),
    rule("D004", "request_irq", D004, table=DISAGREES),

    # R2: so does access that is revoked by devres.
    rule(ALLOWED, "devm_revocable", object=MANAGED),
    rule("D002", "devm_revocable", object=UNMANAGED),

    # R1: what devres owns, only devres frees. Who owns it is said by what is freed, not by the table.
    rule("D001", FREE_VECTORS, "managed IRQ vectors are freed by devres", vectors=MANAGED),
    rule(ALLOWED, FREE_VECTORS, vectors=UNMANAGED),
    rule("D001", "free_irq", "a managed handler is freed by devres", registration=MANAGED),
    rule(ALLOWED, "free_irq", registration=UNMANAGED),
    rule(ALLOWED, "devm_free_irq", registration=MANAGED),
    rule("D001", "devm_free_irq", "call free_irq", registration=UNMANAGED),

    # A vector is there or the program does not compile.
    rule("D006", ("allocation.get<I>, I = Min", "allocation.get<I>, Min unknown"), "the allocation may have fewer"),

    # Tables themselves: `upper` is the owner of the line that is built on, or touches, the other.
    rule("D008", "own, one line twice", "claimed twice"),
    rule(ALLOWED, ("own, one line", "own, lines apart")),
    rule(ALLOWED, "own, one built on the other", upper=UNMANAGED),
    rule(ALLOWED, "own, one built on the other", upper=MANAGED, lower=MANAGED),
    rule("D002", "own, one built on the other", ON_UNMANAGED, upper=MANAGED, lower=UNMANAGED),
    rule(ALLOWED, "own, one touches the other", upper=UNMANAGED),
    rule(ALLOWED, "own, one touches the other", upper=MANAGED, lower=MANAGED),
    rule("D002", "own, one touches the other", ON_UNMANAGED, upper=MANAGED, lower=(UNMANAGED, "")),
)


class Incomplete(Exception):
    """A combination that no rule, or more than one, decides; a rule for nothing; a function that is not in the table."""


@dataclasses.dataclass(frozen=True)
class Combination:
    """One thing to compile, and what is to become of it."""
    what: str
    definition: str  # a declaration that makes it
    asks: str  # the concept that asks whether it can be made, and its arguments
    concept: str  # and its definition
    verdict: str
    says: str = ""

    @property
    def allowed(self):
        return self.verdict == ALLOWED


def driver_of(table, line, owner):
    """The type of a driver with such a table: see generate.drivers."""
    other = UNMANAGED if owner == MANAGED else MANAGED
    name = re.sub(r"\W", "", line)
    return {CLAIMS: f"{name}_{owner}", OTHER: f"{name}_{other}", SILENT: f"all_but_{name}_{owner}",
            NO_TABLE: "without_table", NO_DRIVER: "void"}[table]


def type_of(argument, owner, platform, driver, minimum):
    if argument in ("context", "object"):
        return "managed_ref<counter>" if owner == MANAGED else "counter"
    known = f", {minimum}" if argument == "vectors" else ""
    token = {"enabled": "enabled_device", "vectors": "irq_allocation", "vector": "irq_vector",
             "registration": "irq_registration"}[argument]
    return f"{token}<{owner}_t, {platform}, {driver}{known}>"


def calls(functions):
    """Every way to call every function: its key, its properties, and the combination without its verdict."""
    for number, function in enumerate(functions):
        arguments = (("dev",) if "dev" in re.findall(r"\w+", function.call) else ()) + function.takes
        placeholders = ", ".join(f"class T{i}" for i in range(len(arguments)))
        parameters = ", ".join(f"T{i}& {name}" for i, name in enumerate(arguments))
        concept = (f"template <{placeholders}> concept callable_{number} = "
                   f"requires({parameters}) {{ {function.call}; }};  // {function.key}")
        for owners in itertools.product(OWNERS, repeat=len(function.takes)):
            given = dict(zip(function.takes, owners))
            owner = function.owner or next(iter(owners), MANAGED)
            for platform, table in itertools.product((STRICT, HYBRID), TABLES):
                driver = driver_of(table, function.line, owner)
                types = [f"device<{platform}, {driver}>" if name == "dev" else
                         type_of(name, given[name], platform, driver, function.minimum) for name in arguments]
                signature = ", ".join(f"{kind}& {name}" for kind, name in zip(types, arguments))
                yield (function.key, {"platform": platform, "table": table, **given},
                       {"what": ", ".join([function.key, *(f"{name} {who}" for name, who in given.items()), platform, table]),
                        "definition": f"void call({signature}) {{ (void)({function.call}); }}",
                        "asks": f"callable_{number}<{', '.join(types)}>", "concept": concept},
                       {"name": function.name, "line": function.line, "owner": owner})


def relation_of(upper, lower):
    if upper == lower:
        return "one line twice"
    while upper in BUILT_ON:
        upper = BUILT_ON[upper]
        if upper == lower:
            return "one built on the other"
    return "lines apart"


def tables():
    """Every table of one or two lines, in either order. An owner of "" is a line that is not there."""
    for line, owner in itertools.product(LINES, OWNERS):
        yield table_of("own, one line", {}, [f"{LINES[line]} = {owner}"])
    for pair in itertools.combinations_with_replacement(LINES, 2):
        lower, upper = sorted(pair, key=lambda line: line in BUILT_ON)  # the one that is built on something last
        if BUILT_ON.get(lower) == upper:
            lower, upper = upper, lower
        for owner, other in itertools.product(OWNERS, repeat=2):
            lines = [f"{LINES[upper]} = {owner}", f"{LINES[lower]} = {other}"]
            for order in (lines, lines[::-1]):
                yield table_of(f"own, {relation_of(upper, lower)}", {"upper": owner, "lower": other}, order)
    for touched, owner, other in itertools.product(LINES, OWNERS, (*OWNERS, "")):
        if touched == "irq_handler":
            continue
        lines = [f"irq_handler({LINES[touched]}) = {owner}", *([f"{LINES[touched]} = {other}"] if other else [])]
        for order in ([lines, lines[::-1]] if other else [lines]):
            yield table_of("own, one touches the other", {"upper": owner, "lower": other}, order)


def table_of(key, properties, lines):
    return (key, properties,
            {"what": f"own({', '.join(lines)})", "definition": f"inline constexpr auto table = own({', '.join(lines)});",
             "asks": f"ownable<{', '.join(f'decltype({line})' for line in lines)}>",
             "concept": "template <class... Lines> concept ownable = requires { own(Lines{}...); };"}, {})


def combinations(functions=FUNCTIONS, rules=RULES):
    """Every combination, each decided by exactly one rule. Raises Incomplete."""
    made, used = [], set()
    for key, properties, combination, words in [*calls(functions), *tables()]:
        deciding = [one for one in rules if one.fits(key, properties)]
        if len(deciding) != 1:
            raise Incomplete(f"{combination['what']}: {len(deciding)} rules decide this")
        used.add(id(deciding[0]))
        made.append(Combination(**combination, verdict=deciding[0].verdict, says=deciding[0].says.format(**words)))
    for one in rules:
        if id(one) not in used:
            raise Incomplete(f"a rule that decides nothing: {one}")
    return made


# The names that Linux gives to what acquires, frees or touches a device's resources.
PUBLIC_NAME = re.compile(r"\b((?:pcim?|devm|dmam?)_\w+|(?:request|free)_irq)\s*\(")


def check_headers(sources, functions=FUNCTIONS):
    """Every function of the headers with such a name is in the table, in at least as many forms as it has overloads."""
    text = "\n".join(re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", source) for source in sources)
    types = set(re.findall(r"\b(?:class|struct)\s+(?:[A-Z_]+\s+)?(\w+)", text))
    found = {name: 0 for name in PUBLIC_NAME.findall(text) if name not in types}
    if not found:
        raise Incomplete("the headers have no function at all")
    for match in PUBLIC_NAME.finditer(text):
        if match[1] in found and is_definition(text, match.end()):
            found[match[1]] += 1
    for name, overloads in found.items():
        forms = sum(function.name == name for function in functions)
        if forms == 0:
            raise Incomplete(f"{name} is in the headers, but not in the law")
        if forms < overloads:
            raise Incomplete(f"{name} has {overloads} overloads in the headers, and {forms} forms in the law")


def is_definition(text, position):
    """Whether a body follows the parameters that begin at `position`."""
    depth = 1
    while depth != 0:
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return re.match(r"(?:\s|const|noexcept)*\{", text[position:]) is not None
