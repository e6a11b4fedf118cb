// SPDX-License-Identifier: BSL-1.0
// VERDICT: R ownership_table
// A table that own() would refuse is written as a type.
#include "support.hpp"

struct driver {
#ifndef CORRECTED
    static constexpr ownership_table<claim<pci::irq_vectors_t, unmanaged_t>, claim<pci::irq_handler_t, managed_t>>
        ownership{};
#else
    static constexpr auto ownership = own(pci::irq_vectors = managed, pci::irq_handler = managed);
#endif
    static result<> probe(auto&, const pci::device_id&) { return {}; }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
