// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// remove() frees what the handler uses, and the handler after that. Instead: neither; both are members, and go in order.
#include "support.hpp"

struct specific {
    int dma_ints = 0;
};
struct driver {
    template <class Device>
    struct state {
        std::unique_ptr<specific> chip = std::make_unique<specific>();
        pci::irq_registration<unmanaged_t, typename Device::platform_type, driver> handler{};
        pci::irq_return on_irq() noexcept { return ++chip->dma_ints, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(data->handler, pci::request_irq(vectors.template get<0>(), "marian", *data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(auto& data) noexcept {
        data.chip.reset();
        data.handler = {};
    }
#endif
};

int main() { return clean_in_storm<driver>(); }
