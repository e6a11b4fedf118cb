// SPDX-License-Identifier: BSL-1.0
// VERDICT: S binding::state: the driver is not bound, or a group has released the state
// The driver's state is in a group that its user releases, and then asked for by the binding.
#include "support.hpp"

struct driver {
    struct state {
        std::string name = "a name that is too long for the small buffer";
    };
    static inline devres::group kept;
    static probed<state> probe(auto& dev, const pci::device_id&) {
        devres::group all{dev};
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        all.keep();
        kept = std::move(all);
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add({}));
    MUST(bound);
    MUST(driver::kept.release());
    return bound->state().name.empty() ? 1 : 0;
}
