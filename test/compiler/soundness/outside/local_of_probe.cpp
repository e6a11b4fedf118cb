// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A reference member is bound to a local of probe. Instead: a value, or a managed_ref.
#include "support.hpp"

struct settings {
    std::vector<int> depths{1, 2, 3};
};
struct driver {
    struct state {
#ifndef CORRECTED
        const settings& with;
#else
        settings with;
#endif
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        const settings local;
        return devm_emplace<state>(dev, local);
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->state().with.depths.at(2) == 3);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
