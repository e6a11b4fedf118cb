// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// remove() frees vectors that managed handlers are registered on.
namespace hazards::vectors_freed {

struct driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable         = devres::managed,
        pci::irq_vectors    = devres::managed,
        pci::irq_handler    = devres::managed);

    template <class Device>
    struct state {
        pci::vectors_of<Device> vectors;
        std::atomic<unsigned> interrupts = 0;

        pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
    };

    template <class Device>
    static devres::probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
        DEVRES_TRY(auto data, devres::devm_emplace<state<Device>>(dev, vectors));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "hazard", data));
        }
        return data;
    }

#ifdef DEVRES_HAZARD
    template <class Device>
    static void remove(state<Device>& data) noexcept {
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }
#endif
};

}  // namespace hazards::vectors_freed
