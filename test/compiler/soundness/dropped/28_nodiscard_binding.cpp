// SPDX-License-Identifier: BSL-1.0
// VERDICT: R unused-result
// As 28_nodiscard, of a binding: an unbind that was refused would look like one that was not.
#include "support.hpp"

struct driver {
    static result<> probe(auto&, const pci::device_id&) { return {}; }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add({}));
#ifndef CORRECTED
    bound->unbind();
#else
    MUST(bound->unbind());
#endif
    MUST(clean(bus));
    return 0;
}
