# SPDX-License-Identifier: BSL-1.0
"""How gdb shows the values of devres. In gdb, or in ~/.gdbinit: source .../share/devres/gdb/devres_gdb.py

  an address             0000:3a:00.0
  an error, a result     EBUSY; success; the value
  a vector, a BAR        vector 2, BAR 0
  a release list         its records in the order in which they would be released
  a guard or a view      irq_vectors, managed, 4 vectors; bar, the driver's; bar, empty
  a function             three lines: what it is and who has it; its BARs; its interrupts
"""
import re

import gdb
import gdb.printing

KINDS = {"coherent_kind": "dma_coherent", "streaming_kind": "dma_streaming", "vectors_kind": "irq_vectors",
         "handler_kind": "irq_handler"}
STEPS = ("users", "stop", "handlers", "code", "matter")  # of `devres::release_step`
FIRST_OF_BLOCK_AND_DOOMED = 3  # `devres::detail::list_links`
IS_OBJECT = 2  # `devres::detail::list_node`


def error_name(value):
    """EBUSY, of an errc."""
    text = value.format_string(raw=True).rpartition("::")[2]
    return text.upper() if text.startswith("e") else f"error {int(value)}"


def atomic(value):
    """What is in a std::atomic: of an integer, a pointer or an enumeration."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        fields = value.type.strip_typedefs().fields()
        member = next((field for field in fields if field.name in ("_M_b", "_M_base", "_M_i", "_M_p")), None)
        value = value[member] if member else value.cast(fields[0].type)
    return value


def address_text(value):
    low = int(value["device_function_"])
    return f"{int(value['domain_']):04x}:{int(value['bus_']):02x}:{low >> 3:02x}.{low & 7}"


def counted(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def kind_of(type_name):
    """bar, of devres::pci::detail::bar_kind."""
    name = type_name.rpartition("::")[2]
    return KINDS.get(name, name.removesuffix("_kind"))


class Text:
    """A printer that is one function."""

    def __init__(self, value, text):
        self.value, self.text = value, text

    def to_string(self):
        return self.text(self.value)


class Result:
    """std::expected<T, devres::errc>: the error, or the value."""

    def __init__(self, value):
        self.value = value
        self.kind = value.type.strip_typedefs().template_argument(0)

    def has_value(self):
        return bool(self.value["_M_has_value"])

    def to_string(self):
        if not self.has_value():
            return error_name(self.value["_M_unex"])
        if self.kind.code == gdb.TYPE_CODE_VOID:
            return "success"
        return self.value["_M_val"].format_string()


class List:
    """devres::list: its records, newest first in each step."""

    def __init__(self, value):
        self.value = value

    def records(self):
        node_type = gdb.lookup_type("devres::detail::list_node")
        link_type = gdb.lookup_type("devres::detail::list_links")
        for number, step in enumerate(STEPS):
            end = self.value["steps_"][number]
            here = int(end.address)
            at = int(end["before"]) & ~FIRST_OF_BLOCK_AND_DOOMED
            for _ in range(1_000_000):  # a list that is overwritten may have no end
                if at in (here, 0):
                    break
                link = gdb.Value(at).cast(link_type.pointer()).dereference()
                yield step, link.cast(node_type)
                at = int(link["before"]) & ~FIRST_OF_BLOCK_AND_DOOMED

    def to_string(self):
        return "release list, " + counted(sum(1 for _ in self.records()), "record")

    def children(self):
        for number, (step, node) in enumerate(self.records()):
            yield f"[{number}]", f"{step}: {record_text(node)}"

    def display_hint(self):
        return None


def record_text(node):
    """What a record is, by the function that releases it: `bar`, `object switchtec::endpoint`."""
    function = node["release"].format_string(symbols=True)
    symbol = re.search(r"<(.*)>$", function, re.S)
    name = symbol[1] if symbol else function
    name = re.sub(r"\+\d+$", "", name)
    if kind := re.match(r"devres::pci::detail::managed_resource<([\w:]+)", name):
        return kind_of(kind[1])
    for template, what in (("devres::detail::managed_box<", "object"), ("devres::detail::started_object<", "start")):
        if name.startswith(template):
            return f"{what} {template_arguments(name)[1]}"
    if "handler" in name and name.startswith("devres::"):
        return "irq_handler"
    return name


def template_arguments(name):
    """Of a<b, c<d, e> >: [b, c<d, e>]."""
    arguments, depth = [""], 0
    for letter in name[name.index("<") + 1:]:
        depth += (letter == "<") - (letter == ">")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += letter
    return [argument.strip() for argument in arguments]


def is_live(handle):
    """Whether the record that a name means is still that record."""
    return int(handle["node_"]) != 0 and int(handle["node_"]["serial"]) == int(handle["serial_"])


def base_of(value, pattern):
    """The value as the base class whose name matches, itself included; or None."""
    kind = value.type.strip_typedefs().unqualified()
    if re.match(pattern, str(kind)):
        return value.cast(kind)
    for field in kind.fields() if kind.code == gdb.TYPE_CODE_STRUCT else ():
        if field.is_base_class and (found := base_of(value.cast(field.type), pattern)) is not None:
            return found
    return None


HELD = r"devres::pci::detail::held<"


def token_text(value):
    held = base_of(value, HELD)
    kind = held.type.strip_typedefs()
    owner, about = str(kind.template_argument(0)), kind_of(str(kind.template_argument(1)))
    members = [field.name for field in kind.fields()]
    parts = [about]
    if owner.endswith("unmanaged_t"):
        if int(held["dev_"]) == 0:
            return about + ", empty"
        parts.append("the driver's")
    else:
        parts.append("managed")
        if "record_" in members and not is_live(held["record_"]):
            return f"{about}, managed, released"
    if about == "irq_vectors":
        parts.append(counted(int(held["value_"]["count"]), "vector"))
    return ", ".join(parts)


def group_text(value):
    links = base_of(value, r"devres::detail::group_links$")
    if int(links["resources"]) == 0:
        return "group, empty"
    return "group, open" if int(links["closed"]) == 0 else "group, kept"


def reference_text(value):
    if not is_live(value["record_"]):
        return "managed object, released"
    return "managed object at " + value["object_"].format_string(symbols=False, raw=True)


def named_text(what):
    return lambda value: f"{what}, " + ("live" if is_live(value["record_"]) else "released")


def function_text(value):
    dwords = [int(atomic(value["config_"]["dwords_"]["_M_elems"][at])) for at in range(16)]
    who = "no driver"
    held = []
    occupant = atomic(value["occupant_"])
    if int(occupant) != 0:
        side = occupant.cast(occupant.dynamic_type).dereference()
        names = [field.name for field in side.type.fields()]
        if "attached" in names and bool(atomic(side["attached"])):
            who = "driver attached"
        if "vectors" in names and (count := int(atomic(side["vectors"]))) != 0:
            held.append("the driver has " + counted(count, "vector"))
    gone = ", gone" if bool(atomic(value["gone_"])) else ""
    lines = [f"{address_text(value['address_'])} {dwords[0] & 0xffff:04x}:{dwords[0] >> 16:04x} "
             f"class {dwords[2] >> 8:06x}, {who}{gone}"]
    bars = []
    for number in range(6):
        window = value["bars_"][number]
        if int(window["size"]) == 0:
            continue
        base = dwords[4 + number] & ~(3 if bool(window["io"]) else 15)
        if bool(window["wide"]):
            base |= dwords[5 + number] << 32
        space = "I/O " if bool(window["io"]) else ""
        bars.append(f"{number}: {space}{int(window['size'])} bytes at {base:#x}")
    lines.append("BARs " + ("; ".join(bars) if bars else "none"))
    command = dwords[1] & 0xffff
    on = [name for bit, name in ((0, "I/O"), (1, "memory"), (2, "bus mastering")) if command >> bit & 1]
    lines.append(", ".join([counted(int(value["table_"]["entries_"]), "MSI-X vector"), *held,
                            (" and ".join(on) if on else "nothing") + " on"]))
    return "\n".join(lines)


def simple(text):
    return lambda value: Text(value, text)


PRINTERS = (
    ("errc", r"devres::errc$", simple(error_name)),
    ("result", r"std::expected<.*, ?devres::errc ?>$", Result),
    ("address", r"devres::pci::address$", simple(address_text)),
    ("vector_index", r"devres::pci::vector_index$", simple(lambda value: f"vector {int(value['value_'])}")),
    ("irq_number", r"devres::pci::irq_number$", simple(lambda value: f"irq {int(value['value_'])}")),
    ("bar_number", r"devres::pci::bar_number$", simple(lambda value: f"BAR {int(value['value_'])}")),
    ("list", r"devres::list$", List),
    ("group", r"devres::group$", simple(group_text)),
    ("action", r"devres::action$", simple(named_text("action"))),
    ("managed_ref", r"devres::managed_ref<.*>$", simple(reference_text)),
    ("irq_registration", r"devres::pci::irq_registration<devres::managed_t, .*>$", simple(named_text("irq_handler, managed"))),
    ("token", r"devres::pci::(enabled_device|bar_mapping|irq_allocation|irq_registration|"
              r"dma_allocation|dma_mapping)<.*>$", simple(token_text)),
    ("function", r"devres::hardware::function$", simple(function_text)),
)


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("devres")
    for name, pattern, printer in PRINTERS:
        collection.add_printer(name, "^" + pattern, printer)
    return collection


gdb.printing.register_pretty_printer(gdb.current_objfile(), printers(), replace=True)
