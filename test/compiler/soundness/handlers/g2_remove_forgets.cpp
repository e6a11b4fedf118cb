// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// remove() forgets to free a handler of the driver's own that uses a younger object through a plain pointer.
#include "support.hpp"

struct late {
    std::unique_ptr<int> p = std::make_unique<int>(7);
};
struct driver {
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::irq_vectors = managed,
                                          pci::irq_handler = unmanaged);
    template <class Device>
    struct state {
        late* l = nullptr;
        pci::irq_registration<unmanaged_t, typename Device::platform_type, driver> handler{};
        pci::irq_return on_irq() noexcept { return ++*l->p, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto l, devm_emplace<late>(dev));
        data->l = &l.get();
        DEVRES_TRY(data->handler, pci::request_irq(vectors[0], "x", *data));
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
