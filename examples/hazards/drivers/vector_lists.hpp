// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hazards/drivers/counter.hpp"

/// VMD, reduced: managed handlers that walk lists, whose SRCU remove() cleans up.
namespace hazards::vector_lists {

/// The lists of child interrupts, one for each vector: here they only count.
inline constexpr devres::resource<struct irq_lists_tag> irq_lists;

struct driver {
    static constexpr auto ownership = devres::own(
        pci::enable      = devres::managed,
        pci::irq_vectors = devres::managed,
#ifdef DEVRES_HAZARD
        irq_lists        = devres::unmanaged,
#else
        irq_lists        = devres::managed,
#endif
        pci::irq_handler = devres::managed);

    static devres::probed<counter> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 4, pci::irq_type::msix));
        DEVRES_TRY(auto lists, (devres::devm_emplace<counter, irq_lists>(dev)));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "vmd", lists));
        }
        return lists;
    }
};

}  // namespace hazards::vector_lists
