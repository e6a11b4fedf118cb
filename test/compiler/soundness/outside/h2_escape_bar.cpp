// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A BAR mapping that user space holds outlives the driver. Instead: a revocable of the view.
#include "support.hpp"

struct driver;
using device = pci::device<sim::bus, driver>;
#ifndef CORRECTED
inline std::optional<pci::bar_mapping<managed_t, sim::bus, driver>> user_mapping;
#else
inline std::optional<revocable<pci::bar_mapping<managed_t, sim::bus, driver>>> user_mapping;
#endif
struct driver {
    static result<> probe(device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(enabled, "tt"));
#ifndef CORRECTED
        user_mapping.emplace(bar);
#else
        DEVRES_TRY(user_mapping, devm_revocable(dev, bar));
#endif
        return {};
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
#ifndef CORRECTED
    MUST(user_mapping->read32(0) == 0);
#else
    MUST(!user_mapping->try_access());
    user_mapping.reset();
#endif
    MUST(clean(bus));
    return 0;
}
