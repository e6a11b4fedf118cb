// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// Vectors in a group, after an allocation outside of it.
namespace hazards::group_around {

struct driver {
    static devres::probed<counter> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devres::devm_emplace<counter>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        const auto take_vectors = [&]() -> devres::result<> {
            DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
            for (unsigned i = 0; i != vectors.size(); ++i) {
                DEVRES_TRY(pci::devm_request_irq(vectors[i], "hazard", data));
            }
            return {};
        };

#ifdef DEVRES_HAZARD
        DEVRES_TRY(auto first, pci::pcim_alloc_irq_vectors(device, 4, 4, types));
        (void)pci::pci_free_irq_vectors(std::move(first));
#else
        {
            devres::group attempt{dev};  // released at the end of the block
            DEVRES_TRY(pci::pcim_alloc_irq_vectors(device, 4, 4, types));
        }
#endif
        devres::group interrupts{dev};
        DEVRES_TRY(take_vectors());
        DEVRES_TRY(interrupts.release());
        DEVRES_TRY(take_vectors());
        return data;
    }
};

}  // namespace hazards::group_around
