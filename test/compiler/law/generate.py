# SPDX-License-Identifier: BSL-1.0
"""Sources that make the law's combinations, each on a line of its own."""
import re

from law import LINES, MANAGED, OWNERS, UNMANAGED

PRELUDE = """\
// SPDX-License-Identifier: BSL-1.0
// Generated: see test/compiler/law.
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using strict = complete_archetype;
struct hybrid : complete_archetype {
    static constexpr bool hybrid_irq_vectors = true;
};
static_assert(platform<strict> && platform<hybrid>);

struct counter {
    irq_return on_irq() noexcept { return irq_return::handled; }
    void run() noexcept {}
    void start() noexcept {}
    void stop() noexcept {}
};
struct silence {  // has no handler and no start, and is not plain bytes
    int on_irq() noexcept { return 1; }
    void stop() {}
    void start() noexcept {}
    ~silence() {}
};
struct shell {  // has a part
    managed_ref<counter> part;
};
struct beginner {
    int init() noexcept { return 0; }
};
inline constexpr resource<struct minor_number_tag> minor_number;
inline void undo(void*) {}
"""


def driver(name, lines):
    table = f" static constexpr auto ownership = own({', '.join(lines)}); " if lines else ""
    return f"struct {name} {{{table}}};"


def drivers():
    """For each line of a table and owner: a driver whose table has only this line, and one whose table has all but this."""
    yield driver("without_table", [])
    for line, spelled in LINES.items():
        name = re.sub(r"\W", "", line)
        for owner in OWNERS:
            other = UNMANAGED if owner == MANAGED else MANAGED
            # What is said of one BAR says nothing of another.
            rest = {"bar<0>": other} if line == "bar<N>" else {}
            yield driver(f"only_{name}_{owner}", [f"{key} = {value}" for key, value in {spelled: owner, **rest}.items()])
            rest = ["bar<0>"] if line == "bar<N>" else []
            rest += [one for one in LINES.values() if one != spelled and not (line == "bar<N>" and one == "any_bar")]
            yield driver(f"all_but_{name}_{owner}", [f"{one} = {owner}" for one in rest])


def source(lines, before=()):
    """A source, and the number of the first of `lines` in it."""
    head = PRELUDE.splitlines() + ["", *drivers(), "", *before]
    return "\n".join([*head, *lines]) + "\n", len(head) + 1


def definitions(combinations):
    """Makes the combinations."""
    return source([re.sub(r"\b(call|table)\b", rf"\1_{number}", one.definition, count=1)
                   for number, one in enumerate(combinations)])


def questions(combinations):
    """Asks with `requires` for each combination whether it can be made, and asserts the answer."""
    concepts = dict.fromkeys(one.concept for one in combinations)
    return source([f"static_assert({'' if one.allowed else '!'}{one.asks});" for one in combinations], concepts)


AGREES = """\
#include <devres/hana.hpp>

template <class Resource, class... Claims>
constexpr bool agrees_on(const ownership_table<Claims...>& table) {
    using said = ownership_table<Claims...>;
    using map = decltype(hana_map(table));
    constexpr auto key = boost::hana::type_c<Resource>;
    if constexpr (decltype(boost::hana::contains(std::declval<map>(), key))::value) {
        using owner = std::remove_cvref_t<decltype(std::declval<map>()[key])>;
        using other = std::conditional_t<std::is_same_v<owner, managed_t>, unmanaged_t, managed_t>;
        return said::template has<Resource> && said::template says<Resource, owner>() &&
               !said::template says<Resource, other>();
    } else {
        return !said::template has<Resource> && !said::template says<Resource, managed_t>() &&
               !said::template says<Resource, unmanaged_t>();
    }
}
"""


def hana(tables):
    """Asserts of each table that it answers for every resource as Boost.Hana's map of it does."""
    resources = [f"std::remove_const_t<decltype({line})>" for line in LINES.values()]
    agrees = [*AGREES.splitlines(), "constexpr bool agrees(const auto& table) {",
              f"    return {' && '.join(f'agrees_on<{one}>(table)' for one in resources)};", "}"]
    return source([re.sub(r"\btable\b", f"table_{number}", one.definition, count=1) +
                   f" static_assert(agrees(table_{number}));" for number, one in enumerate(tables)], agrees)
