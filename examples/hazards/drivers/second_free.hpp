// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>

#include "hazards/drivers/counter.hpp"

/// remove() frees its own handlers, and then vectors that devres frees too.
namespace hazards::second_free {

struct driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable         = devres::managed,
        pci::irq_vectors    = devres::managed,
        pci::irq_handler    = devres::unmanaged);

    template <class Device>
    struct state {
        using platform = typename Device::platform_type;

        pci::vectors_of<Device> vectors;
        std::array<pci::irq_registration<devres::unmanaged_t, platform, driver>, 4> handlers{};
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
            DEVRES_TRY(data->handlers[i], pci::request_irq(vectors[i], "hazard", data));
        }
        return data;
    }

    template <class Device>
    static void remove(state<Device>& data) noexcept {
        for (auto& handler : data.handlers)
            (void)pci::free_irq(std::move(handler));
#ifdef DEVRES_HAZARD
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
#endif
    }
};

}  // namespace hazards::second_free
