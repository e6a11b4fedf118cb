// SPDX-License-Identifier: BSL-1.0
// VERDICT: V detached_with_resources
// As 22_guard_in_static: the ledger reports it at the unbind. The guards are never destroyed here, which would be undefined.
#include "support.hpp"

struct card_driver {
    template <class Device>
    struct card {
        pci::enabled_device<unmanaged_t, typename Device::platform_type, card_driver> device{};
        pci::bar_mapping<unmanaged_t, typename Device::platform_type, card_driver> registers{};
    };
    static inline void* kept = nullptr;
    template <class Device>
    static result<> probe(Device& dev, const pci::device_id&) {
        auto* const made = new card<Device>;
        kept = made;
        DEVRES_TRY(made->device, pci::pci_enable_device(dev));
        DEVRES_TRY(made->registers, pci::pci_iomap_region<0>(made->device, "card"));
        return {};
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    MUST(pci::bind<card_driver>(bus, function)->unbind());
    for (const auto& wrong : bus.ledger().violations())
        MUST(wrong.kind == sim::violation_kind::detached_with_resources);
    MUST(bus.ledger().violations().size() == 2);
    return 0;
}
