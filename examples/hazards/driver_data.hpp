// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/counter.hpp"

/// switchtec, reduced: a managed handler, called with an object that remove() and the error path free.
namespace hazards::driver_data {

struct driver {
    template <class P>
    struct stdev : counter {
        pci::enabled_device<devres::managed_t, P, driver> device;
    };

    template <class P>
    static devres::result<devres::managed_ref<stdev<P>>> probe(pci::device<P, driver>& dev,
                                                               const pci::device_id&) {
#ifdef DEVRES_HAZARD
        auto& data = *new stdev<P>;  // kzalloc(), freed in remove()
#else
        DEVRES_TRY(auto data, devres::devm_emplace<stdev<P>>(dev));
#endif
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, types));
        auto event = vectors.template get<0>();
        DEVRES_TRY(pci::devm_request_irq<&stdev<P>::on_irq>(event, "switchtec", data));
        data->device = device;
        return data;
    }

    template <class P>
    static void remove(stdev<P>& data) noexcept {
        (void)pci::pci_clear_master(data.device);
    }
};

}  // namespace hazards::driver_data
