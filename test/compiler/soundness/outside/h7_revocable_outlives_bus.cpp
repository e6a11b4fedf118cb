// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A file closes after the platform that its access has its memory from. Instead: the platform outlives every access.
#include "support.hpp"

struct dev_state {
    int n = 0;
};
struct driver {
    static inline revocable<dev_state>* slot = nullptr;
    static probed<dev_state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<dev_state>(dev));
        DEVRES_TRY(*slot, devm_revocable(dev, data));
        return data;
    }
};

int main() {
#ifdef CORRECTED
    sim::bus bus;
#endif
    revocable<dev_state> file;  // a user's
    driver::slot = &file;
    {
#ifndef CORRECTED
        sim::bus bus;
#endif
        auto bound = pci::bind<driver>(bus, bus.add(card()));
        MUST(bound && bound->unbind());
    }
    MUST(!file.try_access());
#ifdef CORRECTED
    file = {};
    MUST(clean(bus));
#endif
    return 0;
}
