// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D007
// A hook of the name on_remove, which nobody would call.
#include "support.hpp"

struct box {
    int n = 0;
};
struct driver {
    static probed<box> probe(auto& dev, const pci::device_id&) { return devm_emplace<box>(dev); }
#ifndef CORRECTED
    static void on_remove(box&) noexcept {}
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
