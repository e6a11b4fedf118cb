// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// The plain name on a managed device, where a flag of the device decides who frees.
namespace hazards::plain_name {

struct driver {
    static devres::probed<counter> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
#ifdef DEVRES_HAZARD
        DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors(device, 4, 4, types));
#else
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
#endif
        DEVRES_TRY(auto data, devres::devm_emplace<counter>(dev));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "hazard", data));
        }
        return data;
    }
};

}  // namespace hazards::plain_name
