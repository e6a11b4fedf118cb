// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/counter.hpp"

/// remove() frees vectors that managed handlers are registered on.
namespace hazards::vectors_freed {

struct driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data                   = devres::managed,
        pci::enable                           = devres::managed,
        pci::irq_vectors                      = devres::managed,
        pci::irq_handler(devres::driver_data) = devres::managed);

    template <class P>
    struct state : counter {
        pci::irq_allocation<devres::managed_t, P, driver> vectors;
    };

    template <class P>
    static devres::result<devres::managed_ref<state<P>>> probe(pci::device<P, driver>& dev,
                                                               const pci::device_id&) {
        DEVRES_TRY(auto data, devres::devm_emplace<state<P>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(data->vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
        for (unsigned i = 0; i != data->vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq<&state<P>::on_irq>(data->vectors[i], "hazard", data));
        }
        return data;
    }

#ifdef DEVRES_HAZARD
    template <class P>
    static void remove(state<P>& data) noexcept {
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }
#endif
};

}  // namespace hazards::vectors_freed
