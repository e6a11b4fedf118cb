// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A handler of a child has a plain reference to the parent's object, and the parent is unbound first. Instead: a revocable.
#include "support.hpp"

struct parent_driver {
    struct hub {
        std::vector<std::atomic<int>> counts = std::vector<std::atomic<int>>(4);
        revocable<hub> users{};
        pci::irq_return on_irq() noexcept { return ++counts.at(0), pci::irq_return::handled; }
    };
    static probed<hub> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<hub>(dev));
        DEVRES_TRY(data->users, devm_revocable(dev, data));
        return data;
    }
};
static parent_driver::hub* the_hub = nullptr;
struct child_driver {
    template <class Device>
    struct port {
#ifndef CORRECTED
        pci::irq_registration<unmanaged_t, typename Device::platform_type, child_driver> handler{};
#else
        revocable<parent_driver::hub> up{};
        pci::irq_return on_irq() noexcept {
            const auto hub = up.try_access();
            return hub ? hub->on_irq() : pci::irq_return::none;
        }
#endif
    };
    template <class Device>
    static probed<port<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<port<Device>>(dev));
        DEVRES_TRY(data->handler, pci::request_irq(vectors[0], "port", *the_hub));
#else
        DEVRES_TRY(auto data, devm_emplace<port<Device>>(dev, the_hub->users));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "port", data));
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto parent = pci::bind<parent_driver>(bus, bus.add({}));
    MUST(parent);
    the_hub = &parent->state();
    auto child = pci::bind<child_driver>(bus, f);
    MUST(child);
    f.raise(0U);
    MUST(the_hub->counts.at(0) == 1);
    MUST(parent->unbind());
    f.raise(0U);
    MUST(child->unbind());
    MUST(clean(bus));
    return 0;
}
