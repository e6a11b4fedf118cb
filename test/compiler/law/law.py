# SPDX-License-Identifier: BSL-1.0
"""The law: what compiles, and what is refused with which code.

Written from the rules and the table of diagnostics of the design, not from the headers. FUNCTIONS says what there is to
call and in which ways, RULES says what becomes of each way. Exactly one rule fits each combination: no combination is
decided by default, and the order of the rules does not matter. Where two rules of the design are broken at once, the one
about how the function is called is named first (D009, D013), then the one about what it is given (D001, D002, D003, D005,
D011), as no table could put that right; what the object is made of and can do (D010, D012) comes after the table.
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
    tables: tuple = TABLES
    platforms: tuple = (STRICT, HYBRID)

    @property
    def key(self):
        return self.name + self.form


def acquires(owner, line, name, arguments, *takes, **more):
    """A function that acquires `line` for `owner`."""
    template = {"bar<N>": "<2>", "driver_data": "<counter>", "irq_handler": "<&counter::on_irq>",
                "deferred_work": "<&counter::run>"}.get(line, "")
    return Function(name, f"{name}{template}({arguments})", takes, line, owner, **more)


PROPER = (
    acquires(MANAGED, "driver_data", "devm_emplace", "dev"),
    Function("devm_emplace", "devm_emplace<counter, minor_number>(dev)", form=" named"),
    Function("devm_emplace", "devm_emplace<shell>(dev)", line="driver_data", form=" of too few parts"),
    Function("devm_emplace", "devm_emplace<shell>(dev, object)", ("object",), "driver_data", MANAGED, form=" of a part"),
    Function("devm_emplace", "devm_emplace<beginner>(dev)", line="driver_data", form=" with another init"),
    acquires(MANAGED, "driver_data", "devm_kcalloc", "dev, 4"),
    acquires(MANAGED, "driver_data", "devm_kmemdup", "dev, nullptr, 4"),
    Function("devm_kstrdup", 'devm_kstrdup(dev, "text")', line="driver_data", owner=MANAGED),
    Function("devm_kcalloc", "devm_kcalloc<shell>(dev, 4)", line="driver_data", owner=MANAGED, form=" of what has parts"),
    acquires(MANAGED, "enable", "pcim_enable_device", "dev"),
    acquires(UNMANAGED, "enable", "pci_enable_device", "dev"),

    acquires(MANAGED, "bar<N>", "pcim_iomap_region", 'enabled, "name"', "enabled"),
    acquires(UNMANAGED, "bar<N>", "pci_iomap_region", 'enabled, "name"', "enabled"),
    acquires(MANAGED, "bar<N>", "pcim_request_region", 'enabled, "name"', "enabled"),
    acquires(UNMANAGED, "bar<N>", "pci_request_region", 'enabled, "name"', "enabled"),
    Function("pcim_iomap_region", 'pcim_iomap_region(enabled, bar_number(2), "name")', ("enabled",), "any_bar", MANAGED,
             form=" at run time"),
    Function("pci_iomap_region", 'pci_iomap_region(enabled, bar_number(2), "name")', ("enabled",), "any_bar", UNMANAGED,
             form=" at run time"),
    Function("pcim_request_region", 'pcim_request_region(enabled, bar_number(2), "name")', ("enabled",), "any_bar", MANAGED,
             form=" at run time"),
    Function("pci_request_region", 'pci_request_region(enabled, bar_number(2), "name")', ("enabled",), "any_bar", UNMANAGED,
             form=" at run time"),
    acquires(MANAGED, "any_bar", "pcim_request_all_regions", 'enabled, "name"', "enabled"),
    acquires(UNMANAGED, "any_bar", "pci_request_regions", 'enabled, "name"', "enabled"),
    acquires(UNMANAGED, "any_bar", "pci_request_selected_regions", 'enabled, 1, "name"', "enabled"),
    Function("pci_iomap", "pci_iomap(region)", ("region",), "bar<N>"),
    Function("pci_iomap", "pci_iomap<2>(regions)", ("regions",), "any_bar", form=" of several"),
    Function("pci_iomap", "pci_iomap<2>(region)", ("region",), "bar<N>", form=" of one, which"),
    Function("pci_iomap", "pci_iomap(regions)", ("regions",), "any_bar", form=" of several, not which"),
    Function("pci_iomap_range", "pci_iomap_range(region, 0, 16)", ("region",), "bar<N>"),
    Function("pci_iomap_range", "pci_iomap_range<2>(regions, 0, 16)", ("regions",), "any_bar", form=" of several"),
    Function("pci_iomap_range", "pci_iomap_range(regions, 0, 16)", ("regions",), "any_bar", form=" of several, not which"),
    acquires(MANAGED, "dma_coherent", "dmam_alloc_coherent", "enabled, 4096", "enabled"),
    acquires(UNMANAGED, "dma_coherent", "dma_alloc_coherent", "enabled, 4096", "enabled"),
    acquires(MANAGED, "dma_coherent", "dmam_pool_create", 'enabled, "name", 64', "enabled"),
    acquires(UNMANAGED, "dma_coherent", "dma_pool_create", 'enabled, "name", 64', "enabled"),
    acquires(UNMANAGED, "dma_coherent", "dma_pool_alloc", "pool", "pool"),
    acquires(UNMANAGED, "dma_coherent", "dma_pool_zalloc", "pool", "pool"),
    acquires(MANAGED, "dma_streaming", "dmam_map_single", "enabled, object", "enabled", "object"),
    acquires(MANAGED, "dma_streaming", "dmam_map_single", "enabled, mute", "enabled", "mute", form=" of no bytes"),
    acquires(MANAGED, "dma_streaming", "dmam_map_single", "enabled, object, 1, dma_direction::to_device", "enabled", "object",
             form=" one way"),
    acquires(UNMANAGED, "dma_streaming", "dma_map_single", "enabled, nullptr, 4096", "enabled"),
    acquires(UNMANAGED, "dma_streaming", "dma_map_single", "enabled, nullptr, 4096, dma_direction::from_device", "enabled",
             form=" one way"),
    acquires(MANAGED, "dma_streaming", "dmam_map_sg", "enabled, dma_direction::to_device, object, object", "enabled", "object"),
    acquires(MANAGED, "dma_streaming", "dmam_map_sg", "enabled, dma_direction::to_device, mute", "enabled", "mute",
             form=" of no bytes"),
    acquires(UNMANAGED, "dma_streaming", "dma_map_sg", "enabled, nullptr, 1, dma_direction::to_device", "enabled"),
    acquires(UNMANAGED, "dma_streaming", "dma_map_page", "enabled, nullptr, 0, 1, dma_direction::to_device", "enabled"),
    Function("dma_sync_sg_for_cpu", "dma_sync_sg_for_cpu(sg)", ("sg",), "dma_streaming"),
    Function("dma_sync_sg_for_device", "dma_sync_sg_for_device(sg)", ("sg",), "dma_streaming"),
    Function("dma_sync_single_for_cpu", "dma_sync_single_for_cpu(mapping)", ("mapping",), "dma_streaming"),
    Function("dma_sync_single_for_device", "dma_sync_single_for_device(mapping)", ("mapping",), "dma_streaming"),
    Function("dma_sync_single_range_for_cpu", "dma_sync_single_range_for_cpu(mapping, 0, 8)", ("mapping",), "dma_streaming"),
    Function("dma_sync_single_range_for_device", "dma_sync_single_range_for_device(mapping, 0, 8)", ("mapping",),
             "dma_streaming"),

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
    Function("devm_request_irq", 'devm_request_irq(vector, "name", context)', ("vector", "context"), "irq_handler", MANAGED,
             form=", on_irq"),
    Function("request_irq", 'request_irq(vector, "name", context)', ("vector", "context"), "irq_handler", UNMANAGED,
             form=", on_irq"),
    Function("devm_request_irq", 'devm_request_irq(vector, "name", mute)', ("vector", "mute"), "irq_handler", MANAGED,
             form=" of no handler"),
    Function("request_irq", 'request_irq(vector, "name", mute)', ("vector", "mute"), "irq_handler", UNMANAGED,
             form=" of no handler"),

    Function("devm_request_threaded_irq",
             'devm_request_threaded_irq<&counter::on_irq, &counter::on_irq>(vector, "name", context)',
             ("vector", "context"), "irq_handler", MANAGED),
    Function("devm_request_threaded_irq", 'devm_request_threaded_irq<nullptr, &counter::on_irq>(vector, "name", context)',
             ("vector", "context"), "irq_handler", MANAGED, form=" of one half"),
    Function("request_threaded_irq", 'request_threaded_irq<&counter::on_irq, &counter::on_irq>(vector, "name", context)',
             ("vector", "context"), "irq_handler", UNMANAGED),
    Function("devm_request_threaded_irq", 'devm_request_threaded_irq<&counter::on_irq, &counter::run>(vector, "name", context)',
             ("vector", "context"), "irq_handler", MANAGED, form=" of work"),

    *(acquires(MANAGED, "deferred_work", name, "dev, object", "object")
      for name in ("devm_work", "devm_delayed_work", "devm_timer")),
    Function("devm_work", "devm_work<&counter::on_irq>(dev, object)", ("object",), "deferred_work", MANAGED,
             form=" of a handler"),

    Function("pci_free_irq_vectors", "pci_free_irq_vectors(std::move(vectors))", ("vectors",), "irq_vectors"),
    Function("pci_free_irq_vectors", "pci_free_irq_vectors(std::move(vectors))", ("vectors",), "irq_vectors",
             form="<Min>", minimum=2),
    Function("devm_free_irq", "devm_free_irq(std::move(registration))", ("registration",), "irq_handler"),
    Function("free_irq", "free_irq(std::move(registration))", ("registration",), "irq_handler"),
    Function("synchronize_irq", "synchronize_irq(registration)", ("registration",), "irq_handler"),
    Function("disable_irq", "disable_irq(registration)", ("registration",), "irq_handler"),
    Function("enable_irq", "enable_irq(registration)", ("registration",), "irq_handler"),
    Function("disable_irq_nosync", "disable_irq_nosync(registration)", ("registration",), "irq_handler"),

    Function("pci_irq_get_affinity", "pci_irq_get_affinity(vector)", ("vector",), "irq_vectors"),
    Function("irq_set_affinity_hint", "irq_set_affinity_hint(vector, 1)", ("vector",), "irq_vectors"),
    Function("irq_update_affinity_hint", "irq_update_affinity_hint(vector, 1)", ("vector",), "irq_vectors"),
    Function("disable_irq_guard", "disable_irq_guard(registration)", ("registration",), "irq_handler"),
    Function("pci_set_master", "pci_set_master(enabled)", ("enabled",), "enable"),
    Function("pci_clear_master", "pci_clear_master(enabled)", ("enabled",), "enable"),
    Function("pci_set_mwi", "pci_set_mwi(enabled)", ("enabled",), "enable"),
    Function("pci_clear_mwi", "pci_clear_mwi(enabled)", ("enabled",), "enable"),
    Function("pci_intx", "pci_intx(enabled, false)", ("enabled",), "enable"),

    Function("allocation[I]", "vectors[1]", ("vectors",), "irq_vectors"),
    Function("allocation.at(I)", "vectors.at(1)", ("vectors",), "irq_vectors"),
    Function("allocation.get<I>", "vectors.template get<1>()", ("vectors",), "irq_vectors", form=", I < Min", minimum=2),
    Function("allocation.get<I>", "vectors.template get<2>()", ("vectors",), "irq_vectors", form=", I = Min", minimum=2),
    Function("allocation.get<I>", "vectors.template get<0>()", ("vectors",), "irq_vectors", form=", Min unknown"),

    Function("devm_revocable", "devm_revocable(dev, object)", ("object",), "driver_data"),
    Function("devm_revocable", "devm_revocable(dev, enabled)", ("enabled",), "enable", form=" of a view"),
    Function("devm_start", "devm_start(dev, object)", ("object",), "driver_data"),
    Function("devm_start", "devm_start(dev, mute)", ("mute",), "driver_data", form=" of no start"),
    Function("devm_add_action", "devm_add_action(dev, undo, nullptr)"),
    Function("devm_add_action", "devm_add_action<minor_number>(dev, undo, nullptr)", form=" named"),
    Function("devm_add_action_or_reset", "devm_add_action_or_reset(dev, undo, nullptr)"),
    Function("devm_add_action_or_reset", "devm_add_action_or_reset<minor_number>(dev, undo, nullptr)", form=" named"),
    Function("devm_remove_action", "devm_remove_action(dev, action{})"),
    Function("devm_remove_action", "devm_remove_action(dev, undo, nullptr)", form=" by function"),
    Function("devm_release_action", "devm_release_action(dev, action{})"),
    Function("devm_release_action", "devm_release_action(dev, undo, nullptr)", form=" by function"),
    Function("group", "group{dev}"),

    Function("pci_resource", "pci_resource(dev, bar_number(0))"),
    Function("dma_set_mask", "dma_set_mask(dev, 0xffff)"),
    Function("dma_set_coherent_mask", "dma_set_coherent_mask(dev, 0xffff)"),
    Function("dma_set_mask_and_coherent", "dma_set_mask_and_coherent(dev, dma_bit_mask(64))"),
    Function("dma_get_required_mask", "dma_get_required_mask(dev)"),
    Function("pci_select_bars", "pci_select_bars(dev)"),
    Function("pci_read_config_byte", "pci_read_config_byte(dev, 0)"),
    Function("pci_find_capability", "pci_find_capability(dev, 5)"),
    Function("pci_device_is_present", "pci_device_is_present(dev)"),
    Function("pci_pme_capable", "pci_pme_capable(dev, power_state::d3hot)"),
    Function("pci_enable_wake", "pci_enable_wake(dev, power_state::d3hot, true)"),
    Function("pci_wake_from_d3", "pci_wake_from_d3(dev, true)"),
    Function("pci_find_ext_capability", "pci_find_ext_capability(dev, 1)"),
    Function("pci_msix_vec_count", "pci_msix_vec_count(dev)"),
    Function("pci_read_config_word", "pci_read_config_word(dev, 0)"),
    Function("pci_read_config_dword", "pci_read_config_dword(dev, 0)"),
    Function("pci_write_config_byte", "pci_write_config_byte(dev, 0, 0)"),
    Function("pci_write_config_word", "pci_write_config_word(dev, 0, 0)"),
    Function("pci_write_config_dword", "pci_write_config_dword(dev, 0, 0)"),
)


def mistaken(function, form, call, *takes):
    """The function called in a way that is wrong whatever its table says."""
    return dataclasses.replace(function, form=function.form + form, call=call, takes=takes, owner=function.owner or MANAGED,
                               tables=(CLAIMS, NO_DRIVER), platforms=(STRICT,))


# DEVRES_TRY forgotten on what the first argument is made by.
UNWRAPPED = {"enabled": "enabled_outcome", "vector": "vector_outcome", "region": "region_outcome",
             "regions": "regions_outcome", "mapping": "mapping_outcome",
             "sg": "sg_outcome", "pool": "pool_outcome"}
OF_RESULTS = tuple(
    mistaken(one, " of a result", one.call.replace(f"({one.takes[0]}", f"({UNWRAPPED[one.takes[0]]}"),
             UNWRAPPED[one.takes[0]], *one.takes[1:])
    for one in PROPER if one.takes[:1] in (("enabled",), ("vector",), ("region",), ("regions",), ("mapping",), ("sg",), ("pool",)) and f"({one.takes[0]}" in one.call)
# As in C: the BAR's number among the arguments, flags of the interrupt.
AS_IN_C = tuple(
    mistaken(one, " as in C", call, *one.takes) for one in PROPER for call in {
        "pcim_iomap_region": ['pcim_iomap_region(enabled, 2, "name")'],
        "pci_iomap_region": ["pci_iomap_region(enabled, 2, 4096)"],
        "pcim_request_region": ['pcim_request_region(enabled, 2, "name")'],
        "pci_request_region": ['pci_request_region(enabled, 2, "name")'],
        "devm_request_irq": ['devm_request_irq<&counter::on_irq>(vector, 0, "name", context)'],
        "request_irq": ['request_irq<&counter::on_irq>(vector, 0, "name", context)'],
    }.get(one.key, []))
FUNCTIONS = (*PROPER, *OF_RESULTS, *AS_IN_C)

# The lines of a table, spelled as in a driver; what some are built on.
LINES = {
    "driver_data": "driver_data",
    "enable": "enable",
    "bar<N>": "bar<2>",
    "any_bar": "any_bar",
    "dma_coherent": "dma_coherent",
    "dma_streaming": "dma_streaming",
    "irq_vectors": "irq_vectors",
    "irq_handler": "irq_handler",
    "deferred_work": "deferred_work",
    "minor_number": "minor_number",
}
BUILT_ON = {"bar<N>": "enable", "any_bar": "enable", "dma_coherent": "enable", "dma_streaming": "enable", "irq_vectors": "enable",
            "irq_handler": "irq_vectors"}
TOUCHES_ALL = ("deferred_work", "irq_handler")


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
FIRST = ("devm_emplace", "devm_kcalloc", "devm_kmemdup", "devm_kstrdup", "pcim_enable_device", "pci_enable_device")
MANAGED_ON_ENABLED = ("pcim_iomap_region", "pcim_request_region", "pcim_request_all_regions", "dmam_alloc_coherent", "dmam_pool_create", "pcim_alloc_irq_vectors", "pcim_alloc_irq_vectors<Min>",
                      "pcim_alloc_irq_vectors_affinity")
UNMANAGED_ON_ENABLED = ("pci_iomap_region", "pci_request_region", "pci_request_regions", "pci_request_selected_regions", "dma_alloc_coherent", "dma_map_single", "dma_map_single one way", "dma_map_sg", "dma_map_page", "dma_pool_create")
MANAGED_AT_RUN_TIME = ("pcim_iomap_region at run time", "pcim_request_region at run time")
UNMANAGED_AT_RUN_TIME = ("pci_iomap_region at run time", "pci_request_region at run time")
MANAGED_MAPPING = ("dmam_map_single", "dmam_map_single one way")
UNMANAGED_VECTORS = ("pci_alloc_irq_vectors", "pci_alloc_irq_vectors<Min>", "pci_alloc_irq_vectors_affinity")
MANAGED_HANDLER = ("devm_request_irq", "devm_request_irq, on_irq", "devm_request_threaded_irq",
                   "devm_request_threaded_irq of one half")
UNMANAGED_HANDLER = ("request_irq", "request_irq, on_irq", "request_threaded_irq")
DEFERRED_WORK = ("devm_work", "devm_delayed_work", "devm_timer")
FREE_VECTORS = ("pci_free_irq_vectors", "pci_free_irq_vectors<Min>")
# What neither owner nor table has a say in: it uses what somebody has acquired, or acquires nothing that tables name.
ANYBODYS = (
    "pci_set_master", "pci_clear_master", "pci_set_mwi", "pci_clear_mwi", "pci_intx",
    "pci_device_is_present", "pci_pme_capable", "pci_enable_wake", "pci_wake_from_d3",
    "pci_read_config_byte", "pci_read_config_word", "pci_read_config_dword", "pci_find_capability", "pci_find_ext_capability",
    "pci_msix_vec_count", "pci_resource", "pci_select_bars",
    "dma_sync_sg_for_cpu", "dma_sync_sg_for_device", "dma_pool_alloc", "dma_pool_zalloc",
    "dma_sync_single_for_cpu", "dma_sync_single_for_device", "dma_sync_single_range_for_cpu", "dma_sync_single_range_for_device",
    "dma_set_mask", "dma_set_coherent_mask", "dma_set_mask_and_coherent", "dma_get_required_mask",
    "pci_iomap", "pci_iomap of several", "pci_iomap_range", "pci_iomap_range of several",
    "pci_write_config_byte", "pci_write_config_word", "pci_write_config_dword",
    "allocation[I]", "allocation.at(I)", "allocation.get<I>, I < Min",
    "synchronize_irq", "disable_irq", "enable_irq", "disable_irq_nosync", "disable_irq_guard",
    "pci_irq_get_affinity", "irq_set_affinity_hint", "irq_update_affinity_hint",
    "devm_remove_action", "devm_remove_action by function", "devm_release_action", "devm_release_action by function",
    "group")

NAMED_ACTIONS = ("devm_add_action named", "devm_add_action_or_reset named")
UNNAMED_ACTIONS = ("devm_add_action", "devm_add_action_or_reset")

D004 = "{name}: the ownership table does not say {line} = {owner}"
AT_RUN_TIME = "a BAR that is known at run time: the ownership table does not say {line} = {owner}"
NEEDS_ENABLE = "pcim_enable_device"
ON_UNMANAGED = "is built on one that the table does not make managed"
BESIDE_UNMANAGED = "say of each unmanaged line"

RULES = (
    rule(ALLOWED, ANYBODYS),

    rule(ALLOWED, FIRST, table=AGREES),
    rule("D004", FIRST, D004, table=DISAGREES),

    # An object is made of the parts that it needs, or not at all.
    rule("D004", ("devm_emplace of too few parts", "devm_emplace with another init"), D004, table=DISAGREES),
    rule("D012", "devm_emplace of too few parts", "cannot be made from these parts", table=AGREES),
    rule("D012", "devm_emplace with another init", "init() of the object", table=AGREES),
    rule(ALLOWED, "devm_emplace of a part", table=AGREES, object=MANAGED),
    rule("D012", "devm_emplace of a part", "cannot be made from these parts", table=AGREES, object=UNMANAGED),
    rule("D004", "devm_emplace of a part", D004, table=DISAGREES),

    rule("D004", "devm_kcalloc of what has parts", D004, table=DISAGREES),
    rule("D012", "devm_kcalloc of what has parts", "are plain values", table=AGREES),

    # What the table says of the driver's own: the resource that is given back is named, and claimed.
    rule(ALLOWED, "devm_emplace named", table=AGREES),
    rule("D004", "devm_emplace named", "devm_emplace: the ownership table does not say", table=DISAGREES),
    rule(ALLOWED, NAMED_ACTIONS, table=AGREES),
    rule("D004", NAMED_ACTIONS, "say which of them", table=DISAGREES),
    rule(ALLOWED, UNNAMED_ACTIONS, table=(OTHER, SILENT, NO_TABLE, NO_DRIVER)),
    rule("D004", UNNAMED_ACTIONS, "say which of them", table=CLAIMS),

    # A result is no device and no vector, a BAR is named in brackets, a handler has no flags; whatever the table says.
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] == "enabled_outcome"), "is no enabled device"),
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] == "vector_outcome"), "is no vector"),
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] in ("region_outcome", "regions_outcome")),
         "is no requested BAR"),
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] == "mapping_outcome"), "is no mapping"),
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] == "sg_outcome"), "is no mapping of pieces"),
    rule("D009", tuple(one.key for one in OF_RESULTS if one.takes[0] == "pool_outcome"), "is no pool"),
    rule("D013", ("pcim_iomap_region as in C", "pci_iomap_region as in C", "pcim_request_region as in C",
                  "pci_request_region as in C"), "which BAR is a template argument"),
    rule("D013", ("pci_iomap of one, which", "pci_iomap of several, not which", "pci_iomap_range of several, not which"),
         "requested together"),
    rule("D013", ("devm_request_irq as in C", "request_irq as in C"), "there are no flags"),

    # Who does not keep a guard has it released at once.
    rule(ALLOWED, "dropped by DEVRES_TRY", owner=MANAGED),
    rule("D009", "dropped by DEVRES_TRY", "a guard is dropped at once", owner=UNMANAGED),

    # R2: what is managed needs a managed enable.
    rule("D005", MANAGED_ON_ENABLED, NEEDS_ENABLE, enabled=UNMANAGED),
    rule(ALLOWED, MANAGED_ON_ENABLED, enabled=MANAGED, table=AGREES),
    rule("D004", MANAGED_ON_ENABLED, D004, enabled=MANAGED, table=DISAGREES),

    rule("D005", MANAGED_AT_RUN_TIME, NEEDS_ENABLE, enabled=UNMANAGED),
    rule(ALLOWED, MANAGED_AT_RUN_TIME, enabled=MANAGED, table=AGREES),
    rule("D004", MANAGED_AT_RUN_TIME, AT_RUN_TIME, enabled=MANAGED, table=DISAGREES),
    rule(ALLOWED, UNMANAGED_AT_RUN_TIME, table=AGREES),
    rule("D004", UNMANAGED_AT_RUN_TIME, AT_RUN_TIME, table=DISAGREES),

    # R2: a managed mapping needs a managed object besides.
    rule("D005", MANAGED_MAPPING, NEEDS_ENABLE, enabled=UNMANAGED),
    rule("D002", MANAGED_MAPPING, "needs a managed object", enabled=MANAGED, object=UNMANAGED),
    rule(ALLOWED, MANAGED_MAPPING, enabled=MANAGED, object=MANAGED, table=AGREES),
    rule("D004", MANAGED_MAPPING, D004, enabled=MANAGED, object=MANAGED, table=DISAGREES),
    rule("D005", ("dmam_map_single of no bytes", "dmam_map_sg", "dmam_map_sg of no bytes"), NEEDS_ENABLE, enabled=UNMANAGED),
    rule("D002", "dmam_map_single of no bytes", "needs a managed object", enabled=MANAGED, mute=UNMANAGED),
    rule("D002", "dmam_map_sg of no bytes", "maps managed objects", enabled=MANAGED, mute=UNMANAGED),
    rule("D011", ("dmam_map_single of no bytes", "dmam_map_sg of no bytes"), "map plain bytes", enabled=MANAGED, mute=MANAGED),
    rule("D002", "dmam_map_sg", "maps managed objects", enabled=MANAGED, object=UNMANAGED),
    rule(ALLOWED, "dmam_map_sg", enabled=MANAGED, object=MANAGED, table=AGREES),
    rule("D004", "dmam_map_sg", D004, enabled=MANAGED, object=MANAGED, table=DISAGREES),

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
    rule("D002", MANAGED_HANDLER, "needs managed vectors", vector=UNMANAGED),
    rule("D002", MANAGED_HANDLER, "needs a managed object", vector=MANAGED, context=UNMANAGED),
    rule(ALLOWED, MANAGED_HANDLER, vector=MANAGED, context=MANAGED, table=AGREES),
    rule("D004", MANAGED_HANDLER, D004, vector=MANAGED, context=MANAGED, table=DISAGREES),
    rule(ALLOWED, UNMANAGED_HANDLER, table=AGREES),
    rule("D004", UNMANAGED_HANDLER, D004, table=DISAGREES),

    # A handler has the form of one, and so has its thread.
    rule("D002", "devm_request_threaded_irq of work", "needs managed vectors", vector=UNMANAGED),
    rule("D002", "devm_request_threaded_irq of work", "needs a managed object", vector=MANAGED, context=UNMANAGED),
    rule("D010", "devm_request_threaded_irq of work", "not a handler and its thread", vector=MANAGED, context=MANAGED,
         table=AGREES),
    rule("D004", "devm_request_threaded_irq of work", "the ownership table does not say {line} = {owner}", vector=MANAGED,
         context=MANAGED, table=DISAGREES),
    rule("D002", "devm_request_irq of no handler", "needs managed vectors", vector=UNMANAGED),
    rule("D002", "devm_request_irq of no handler", "needs a managed object", vector=MANAGED, mute=UNMANAGED),
    rule("D010", "devm_request_irq of no handler", "not a handler", vector=MANAGED, mute=MANAGED, table=AGREES),
    rule("D004", "devm_request_irq of no handler", D004, vector=MANAGED, mute=MANAGED, table=DISAGREES),
    rule("D010", "request_irq of no handler", "not a handler", table=AGREES),
    rule("D004", "request_irq of no handler", D004, table=DISAGREES),

    # R2: deferred work needs a managed object, and has the form of work.
    rule("D002", (*DEFERRED_WORK, "devm_work of a handler"), "needs a managed object", object=UNMANAGED),
    rule(ALLOWED, DEFERRED_WORK, object=MANAGED, table=AGREES),
    rule("D004", (*DEFERRED_WORK, "devm_work of a handler"), "the ownership table does not say {line} = {owner}", object=MANAGED,
         table=DISAGREES),
    rule("D010", "devm_work of a handler", "not work", object=MANAGED, table=AGREES),

    # R2: so does access that is revoked by devres, and what devres stops.
    rule(ALLOWED, ("devm_revocable", "devm_start"), object=MANAGED),
    rule("D002", "devm_revocable", "needs a managed object", object=UNMANAGED),
    rule(ALLOWED, "devm_revocable of a view", enabled=MANAGED),
    rule("D002", "devm_revocable of a view", "needs a managed object", enabled=UNMANAGED),
    rule("D002", "devm_start", "needs a managed object", object=UNMANAGED),
    rule("D002", "devm_start of no start", "needs a managed object", mute=UNMANAGED),
    rule("D010", "devm_start of no start", "the object needs", mute=MANAGED),

    # R1: what devres owns, only devres frees. Who owns it is said by what is freed, not by the table.
    rule("D001", FREE_VECTORS, "managed IRQ vectors are freed by devres", vectors=MANAGED),
    rule(ALLOWED, FREE_VECTORS, vectors=UNMANAGED),
    rule("D001", "free_irq", "a managed handler is freed by devres", registration=MANAGED),
    rule(ALLOWED, "free_irq", registration=UNMANAGED),
    rule(ALLOWED, "devm_free_irq", registration=MANAGED),
    rule("D001", "devm_free_irq", "call free_irq", registration=UNMANAGED),

    # A vector is there or the program does not compile.
    rule("D006", ("allocation.get<I>, I = Min", "allocation.get<I>, Min unknown"), "the allocation may have fewer"),

    # Tables themselves: `upper` is the owner of the line that is built on the other, or that touches all there is: handlers.
    # What handlers are kept apart from may be the driver's; what they are built on may not.
    rule("D008", ("own, one line twice", "own, handlers twice"), "claimed twice"),
    rule(ALLOWED, ("own, one line", "own, lines apart")),
    rule(ALLOWED, ("own, one built on the other", "own, one beside the other"), upper=UNMANAGED),
    rule(ALLOWED, ("own, one built on the other", "own, one beside the other"), upper=MANAGED, lower=MANAGED),
    rule("D002", "own, one built on the other", ON_UNMANAGED, upper=MANAGED, lower=UNMANAGED),
    rule(ALLOWED, "own, one beside the other", upper=MANAGED, lower=UNMANAGED, apart="from it"),
    rule("D002", "own, one beside the other", BESIDE_UNMANAGED, upper=MANAGED, lower=UNMANAGED, apart=("", "from another")),
    rule(ALLOWED, "own, both touch all", upper=MANAGED, lower=MANAGED),
    rule(ALLOWED, "own, both touch all", upper=UNMANAGED, lower=UNMANAGED),
    rule(ALLOWED, "own, both touch all", upper=MANAGED, lower=UNMANAGED, apart="from it"),
    rule("D002", "own, both touch all", BESIDE_UNMANAGED, upper=MANAGED, lower=UNMANAGED, apart=("", "from another")),
    rule("D002", "own, both touch all", BESIDE_UNMANAGED, upper=UNMANAGED, lower=MANAGED),
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
    return {CLAIMS: f"only_{name}_{owner}", OTHER: f"only_{name}_{other}", SILENT: f"all_but_{name}_{owner}",
            NO_TABLE: "without_table", NO_DRIVER: "void"}[table]


def type_of(argument, owner, platform, driver, minimum):
    if argument in ("context", "object", "mute"):
        kind = "silence" if argument == "mute" else "counter"
        return f"managed_ref<{kind}>" if owner == MANAGED else kind
    if argument.endswith("_outcome"):
        return f"result<{type_of(argument.removesuffix('_outcome'), owner, platform, driver, minimum)}>"
    known = f", {minimum}" if argument == "vectors" else ""
    if argument == "sg":
        known = ", pci::detail::managed_pieces<2>" if owner == MANAGED else ", pci::detail::listed_pieces"
    token = {"enabled": "enabled_device", "vectors": "irq_allocation", "vector": "irq_vector",
             "registration": "irq_registration", "region": "bar_region", "regions": "bar_regions", "mapping": "dma_mapping",
             "sg": "dma_sg_mapping", "pool": "dma_pool"}[argument]
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
            for platform, table in itertools.product(function.platforms, function.tables):
                driver = driver_of(table, function.line, owner)
                types = [f"device<{platform}, {driver}>" if name == "dev" else
                         type_of(name, given[name], platform, driver, function.minimum) for name in arguments]
                signature = ", ".join(f"{kind}& {name}" for kind, name in zip(types, arguments))
                yield (function.key, {"platform": platform, "table": table, **given},
                       {"what": ", ".join([function.key, *(f"{name} {who}" for name, who in given.items()), platform, table]),
                        "definition": f"void call({signature}) {{ (void)({function.call}); }}",
                        "asks": f"callable_{number}<{', '.join(types)}>", "concept": concept},
                       {"name": function.name.removesuffix("_affinity").replace("_threaded", ""), "line": function.line, "owner": owner})


def drops():
    """Each thing that can be acquired, and is not kept by DEVRES_TRY."""
    for function in PROPER:
        if not function.owner or function.form not in ("", "<Min>") or function.line == "driver_data":
            continue
        driver = driver_of(CLAIMS, function.line, function.owner)
        arguments = (("dev",) if "dev" in re.findall(r"\w+", function.call) else ()) + function.takes
        types = [f"device<{STRICT}, {driver}>" if name == "dev" else type_of(name, MANAGED, STRICT, driver, 0)
                 for name in arguments]
        signature = ", ".join(f"{kind}& {name}" for kind, name in zip(types, arguments))
        outcome = re.sub(r"\b(\w+)\b", lambda word: f"std::declval<{types[arguments.index(word[1])]}&>()"
                        if word[1] in arguments else word[1], function.call)
        yield ("dropped by DEVRES_TRY", {"owner": function.owner},
               {"what": f"DEVRES_TRY({function.key}), dropped",
                "definition": f"result<> call({signature}) {{ DEVRES_TRY(({function.call})); return {{}}; }}",
                "asks": f"droppable<decltype({outcome})>",
                "concept": "template <class Result> concept droppable = devres::detail::kept<typename Result::value_type, 0>;"},
               {})


def relation_of(upper, lower):
    if upper == lower:
        return "one line twice"
    above = upper
    while above in BUILT_ON:
        above = BUILT_ON[above]
        if above == lower:
            return "one built on the other"
    if upper in TOUCHES_ALL and lower in TOUCHES_ALL:
        return "both touch all"
    return "one beside the other" if upper in TOUCHES_ALL else "lines apart"


def tables():
    """Every table of one or two lines, in either order. An owner of "" is a line that is not there."""
    for line, owner in itertools.product(LINES, OWNERS):
        yield table_of("own, one line", {}, [f"{LINES[line]} = {owner}"])
    for pair in itertools.combinations_with_replacement(LINES, 2):
        # The one that is built on something last, and what touches everything behind all.
        lower, upper = sorted(pair, key=lambda line: (line in TOUCHES_ALL, line in BUILT_ON))
        if BUILT_ON.get(lower) == upper:
            lower, upper = upper, lower
        for owner, other in itertools.product(OWNERS, repeat=2):
            lines = [f"{LINES[upper]} = {owner}", f"{LINES[lower]} = {other}"]
            for order in (lines, lines[::-1]):
                yield table_of(f"own, {relation_of(upper, lower)}", {"upper": owner, "lower": other, "apart": ""}, order)
    for upper, lower, owner, other, how in itertools.product(TOUCHES_ALL, LINES, OWNERS, OWNERS, ("without", "guarding")):
        if lower == upper:
            yield table_of("own, handlers twice", {},
                           [f"{upper}.{how}(minor_number) = {owner}", f"{upper} = {other}"])
            continue
        another = "bar<0>" if lower == "bar<N>" else "bar<2>"
        for apart, named in {"from it": LINES[lower], "from another": another}.items():
            lines = [f"{upper}.{how}({named}) = {owner}", f"{LINES[lower]} = {other}"]
            for order in (lines, lines[::-1]):
                yield table_of(f"own, {relation_of(upper, lower)}", {"upper": owner, "lower": other, "apart": apart},
                               order)


def table_of(key, properties, lines):
    return (key, properties,
            {"what": f"own({', '.join(lines)})", "definition": f"inline constexpr auto table = own({', '.join(lines)});",
             "asks": f"ownable<{', '.join(f'decltype({line})' for line in lines)}>",
             "concept": "template <class... Lines> concept ownable = requires { own(Lines{}...); };"}, {})


def combinations(functions=FUNCTIONS, rules=RULES):
    """Every combination, each decided by exactly one rule. Raises Incomplete."""
    made, used = [], set()
    for key, properties, combination, words in [*calls(functions), *drops(), *tables()]:
        deciding = [one for one in rules if one.fits(key, properties)]
        if len(deciding) != 1:
            raise Incomplete(f"{combination['what']}: {len(deciding)} rules decide this")
        used.add(id(deciding[0]))
        made.append(Combination(**combination, verdict=deciding[0].verdict, says=deciding[0].says.format(**words)))
    for one in rules:
        if id(one) not in used:
            raise Incomplete(f"a rule that decides nothing: {one}")
    return made


# The names that Linux gives to what acquires, frees or touches a device's resources; dma_bit_mask is arithmetic.
PUBLIC_NAME = re.compile(r"\b(?!dma_bit_mask)((?:pcim?|devm|dmam?)_\w+|(?:request|free|synchronize|disable|enable)_irq)\s*\(")


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
    return re.match(r"(?:\s|const|noexcept)*(?:->[^{;]*)?\{", text[position:]) is not None
