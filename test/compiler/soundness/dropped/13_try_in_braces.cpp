// SPDX-License-Identifier: BSL-1.0
// VERDICT: R expected
// Two TRYs in one braced initializer, the obvious way to fill a struct of guards; the second fails.
#include "support.hpp"

struct map_driver {
    template <class Device>
    using guard = pci::bar_mapping<unmanaged_t, typename Device::platform_type, map_driver>;
    template <class Device>
    struct maps {
        guard<Device> control{}, data{};
    };
    template <class Device>
    static probed<maps<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto state, devm_emplace<maps<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        *state = maps<Device> {
            .control = DEVRES_TRY(pci::pci_iomap_region<0>(device, "control"))
            , .data = DEVRES_TRY(pci::pci_iomap_region<2>(device, "data"))
        };
#else
        DEVRES_TRY(auto control, pci::pci_iomap_region<0>(device, "control"));
        DEVRES_TRY(auto data, pci::pci_iomap_region<2>(device, "data"));
        *state = maps<Device>{.control = std::move(control), .data = std::move(data)};
#endif
        return state;
    }
};

int main() {
    sim::bus bus;
    MUST(pci::bind<map_driver>(bus, bus.add(card())).error() == errc::einval);
    MUST(clean(bus));
    return 0;
}
