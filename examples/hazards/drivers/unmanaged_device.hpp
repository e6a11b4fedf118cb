// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// The managed name on a device that the driver enabled itself.
namespace hazards::unmanaged_device {

struct driver {
    static devres::probed<counter> probe(auto& dev, const pci::device_id&) {
#ifdef DEVRES_HAZARD
        DEVRES_TRY(auto device, pci::pci_enable_device(dev));
#else
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#endif
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
        DEVRES_TRY(auto data, devres::devm_emplace<counter>(dev));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "hazard", data));
        }
        return data;
    }
};

}  // namespace hazards::unmanaged_device
