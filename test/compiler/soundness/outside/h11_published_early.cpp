// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A character device is published before what its users reach is there. Instead: publish what is complete.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        std::optional<pci::bar_of<Device>> bar;
    };
    using device = pci::device<storm_platform, driver>;
    static inline std::optional<revocable<state<device>>> chdev;
    static inline std::uint32_t got = 0;
    static void ioctl() {
        if (chdev) {
            if (const auto d = chdev->try_access())
                got = d->bar->read32(0);
        }
    }
    static probed<state<device>> probe(device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<device>>(dev));
#ifndef CORRECTED
        DEVRES_TRY(chdev, devm_revocable(dev, data));
#endif
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(enabled, "litepcie"));
        data->bar.emplace(bar);
#ifdef CORRECTED
        DEVRES_TRY(chdev, devm_revocable(dev, data));
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    {
        storm_platform platform{bus, [&](const testing::interrupt_point&) { driver::ioctl(); }};
        MUST(pci::bind<driver>(platform, f)->unbind());
        driver::chdev.reset();
    }
    MUST(clean(bus));
    return 0;
}
