// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// remove() frees, through a pointer, what the managed handler uses. Instead: free it in the destructor, or share as const.
#include "support.hpp"

struct ring {
    int head = 0;
};
struct nic {
    std::unique_ptr<ring> rx = std::make_unique<ring>();
    pci::irq_return on_irq() noexcept { return ++rx->head, pci::irq_return::handled; }
};
struct nic_driver {
    static probed<nic> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<nic>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(nic& data) noexcept { data.rx.reset(); }
#endif
};

int main() { return clean_in_storm<nic_driver>(); }
