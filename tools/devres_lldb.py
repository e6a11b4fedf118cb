# SPDX-License-Identifier: BSL-1.0
"""How lldb shows the values of devres. In lldb, or in ~/.lldbinit: command script import .../share/devres/lldb/devres_lldb.py

Addresses, errors, results, vectors and BARs as text; a release list by its length; a function in three lines.
"""
import lldb

STEPS = 5  # of `devres::release_step`
FIRST_OF_BLOCK_AND_DOOMED = 3  # `devres::detail::list_links`


def number(value):
    """What is in an integer, a pointer, an enumeration, a bool, or a std::atomic of one."""
    value = value.GetNonSyntheticValue()
    while value.GetType().GetCanonicalType().GetTypeClass() in (lldb.eTypeClassStruct, lldb.eTypeClassClass):
        value = value.GetChildAtIndex(0).GetNonSyntheticValue()
    return value.GetValueAsUnsigned()


def member(value, *path):
    for name in path:
        value = value.GetNonSyntheticValue().GetChildMemberWithName(name)
    return value


def error_name(value, _=None):
    name = (value.GetValue() or "").rpartition("::")[2]
    return name.upper() if name.startswith("e") else f"error {value.GetValueAsUnsigned()}"


def address_text(value, _=None):
    low = number(member(value, "device_function_"))
    return f"{number(member(value, 'domain_')):04x}:{number(member(value, 'bus_')):02x}:{low >> 3:02x}.{low & 7}"


def result_text(value, _=None):
    if not number(member(value, "_M_has_value")):
        return error_name(member(value, "_M_unex"))
    inner = member(value, "_M_val")
    if not inner.IsValid():
        return "success"
    return inner.GetSummary() or inner.GetValue() or "a value"


def list_text(value, _=None):
    count = 0
    process = value.GetProcess()
    for step in range(STEPS):
        end = member(value, "steps_").GetChildAtIndex(step)
        here = end.GetLoadAddress()
        at = number(member(end, "before")) & ~FIRST_OF_BLOCK_AND_DOOMED
        while at not in (here, 0) and count < 1_000_000:
            count += 1
            at = process.ReadPointerFromMemory(at, lldb.SBError()) & ~FIRST_OF_BLOCK_AND_DOOMED  # `before` is the first member
    return f"release list, {count} record" + ("" if count == 1 else "s")


def function_text(value, _=None):
    # From memory: lldb does not get at the elements of an array of atomics as g++ describes it.
    start = member(value, "config_", "dwords_").GetLoadAddress()
    word = [value.GetProcess().ReadUnsignedFromMemory(start + 4 * at, 4, lldb.SBError()) for at in range(16)]
    gone = ", gone" if number(member(value, "gone_")) else ""
    who = "in use" if number(member(value, "occupant_")) else "no driver"
    lines = [f"{address_text(member(value, 'address_'))} {word[0] & 0xffff:04x}:{word[0] >> 16:04x} "
             f"class {word[2] >> 8:06x}, {who}{gone}"]
    bars = []
    for at in range(6):
        window = member(value, "bars_").GetChildAtIndex(at)
        size, io = number(member(window, "size")), number(member(window, "io"))
        if size:
            base = word[4 + at] & ~(3 if io else 15)
            base |= word[5 + at] << 32 if number(member(window, "wide")) else 0
            bars.append(f"{at}: {'I/O ' if io else ''}{size} bytes at {base:#x}")
    lines.append("BARs " + ("; ".join(bars) if bars else "none"))
    on = [name for bit, name in ((0, "I/O"), (1, "memory"), (2, "bus mastering")) if word[1] >> bit & 1]
    vectors = number(member(value, "table_", "entries_"))
    lines.append(f"{vectors} MSI-X vector{'' if vectors == 1 else 's'}, {' and '.join(on) if on else 'nothing'} on")
    return "\n".join(lines)


def vector_text(value, _=None):
    return f"vector {number(member(value, 'value_'))}"


def bar_text(value, _=None):
    return f"BAR {number(member(value, 'value_'))}"


SUMMARIES = (
    ("^devres::errc$", error_name), ("^devres::pci::address$", address_text),
    ("^std::expected<.*, ?devres::errc ?>$", result_text), ("^devres::result<.*>$", result_text),
    ("^devres::pci::vector_index$", vector_text), ("^devres::pci::bar_number$", bar_text),
    ("^devres::list$", list_text), ("^devres::(hardware|sim)::function$", function_text),
)


def __lldb_init_module(debugger, _):
    for pattern, summary in SUMMARIES:
        debugger.HandleCommand(f"type summary add -w devres -p -x '{pattern}' -F {__name__}.{summary.__name__}")
    debugger.HandleCommand("type category enable devres")
