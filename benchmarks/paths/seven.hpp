// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/devres.hpp>

#include "paths.h"

namespace devres::benchmarks {

using namespace devres::pci;

/// A driver that has devres own an enable, a BAR, DMA memory, a vector, its data, a handler and an action.
struct seven_driver {
    template <class Device>
    struct state {
        bar_of<Device> registers;
        coherent_of<Device> ring;
        unsigned interrupts = 0;
        irq_return on_irq() noexcept {
            ++interrupts;
            return irq_return::handled;
        }
    };

    template <class Device>
    static probed<state<Device>> probe(Device& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(auto registers, pcim_iomap_region<0>(enabled, "seven"));
        DEVRES_TRY(auto ring, dmam_alloc_coherent(enabled, 4096));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, ring));
        DEVRES_TRY(devm_request_irq(vectors[0], "seven", data));
        DEVRES_TRY(devm_add_action(dev, &paths_action, nullptr));
        return data;
    }
};

}  // namespace devres::benchmarks
