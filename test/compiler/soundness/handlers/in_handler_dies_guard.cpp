// SPDX-License-Identifier: BSL-1.0
// VERDICT: S a guard dies inside a handler
// A guard dies inside a handler of its device, where no call could answer that it would wait for itself.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::irq_registration<unmanaged_t, typename Device::platform_type, driver> handler{};
        devres::group g{};
        pci::irq_return on_irq() noexcept {
            handler = {};
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        devres::group g(dev);
        DEVRES_TRY(data->handler, pci::request_irq(vectors[0], "x", data));
        data->g = std::move(g);
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    f.raise(0U);
    return 0;
}
