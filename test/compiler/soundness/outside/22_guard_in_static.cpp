// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A list of adapters, as many C drivers have one, with guards in it. Instead: the guards in the state, a revocable in the list.
#include "support.hpp"

struct card_driver {
    template <class Device>
    struct card {
        pci::enabled_device<unmanaged_t, typename Device::platform_type, card_driver> device{};
        pci::bar_mapping<unmanaged_t, typename Device::platform_type, card_driver> registers{};
    };
    template <class Device>
#ifndef CORRECTED
    static inline std::map<int, card<Device>> cards;
#else
    static inline std::map<int, revocable<card<Device>>> cards;
#endif
    template <class Device>
    static probed<card<Device>> probe(Device& dev, const pci::device_id&) {
        card<Device> made;
        DEVRES_TRY(made.device, pci::pci_enable_device(dev));
        DEVRES_TRY(made.registers, pci::pci_iomap_region<0>(made.device, "card"));
#ifndef CORRECTED
        cards<Device>.emplace(0, std::move(made));
        return devm_emplace<card<Device>>(dev);
#else
        DEVRES_TRY(auto data, devm_emplace<card<Device>>(dev, std::move(made)));
        DEVRES_TRY(auto shown, devm_revocable(dev, data));
        cards<Device>.emplace(0, shown);
        return data;
#endif
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    MUST(pci::bind<card_driver>(bus, function)->unbind());
    card_driver::cards<pci::device<sim::bus, card_driver>>.clear();
    MUST(clean(bus));
    return 0;
}
