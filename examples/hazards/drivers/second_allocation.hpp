// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// A second allocation while the first is in use, with INTx to fall back to.
namespace hazards::second_allocation {

struct driver {
    struct state : counter {
        devres::errc refused{};  // why the second allocation failed
    };

    static devres::probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, types));
        DEVRES_TRY(auto data, devres::devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "hazard", data));
#ifdef DEVRES_HAZARD
        DEVRES_TRY(auto more, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::all));
#else
        auto more = pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::all);
        if (!more)
            data->refused = more.error();
#endif
        return data;
    }
};

}  // namespace hazards::second_allocation
