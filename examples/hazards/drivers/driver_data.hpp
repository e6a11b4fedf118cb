// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// switchtec, reduced: a managed handler, called with an object that remove() and the error path free.
namespace hazards::driver_data {

struct driver {
    template <class Device>
    struct stdev {
        pci::enabled_of<Device> device;
        std::atomic<unsigned> interrupts = 0;

        pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
    };

    template <class Device>
    static devres::probed<stdev<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, types));
        auto event = vectors.template get<0>();
#ifdef DEVRES_HAZARD
        auto& data = *new stdev<Device>{device};  // kzalloc(), freed in remove()
#else
        DEVRES_TRY(auto data, devres::devm_emplace<stdev<Device>>(dev, device));
#endif
        DEVRES_TRY(pci::devm_request_irq(event, "switchtec", data));
        return data;
    }

    template <class Device>
    static void remove(stdev<Device>& data) noexcept {
        (void)pci::pci_clear_master(data.device);
    }
};

}  // namespace hazards::driver_data
