// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D003
// Unmanaged vectors on a managed device, on the model of Linux.
#include "support.hpp"

struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::all));
#else
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::all));
#endif
        return vectors.size() == 1 ? result<>() : fail(errc::eio);
    }
};
inline bool on(linux_model::kernel& kernel, linux_model::pci_dev& function) {
    return pci::bind<driver>(kernel, function).has_value();
}

int main() {
    (void)&on;
    return 0;
}
