// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D012
// get<1>() of vectors that are not there yet.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        pci::vectors_of<Device, 2> vectors;
        pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(pci::devm_request_irq(data->vectors.template get<1>(), "nic", data));
        DEVRES_TRY(data->vectors, pci::pcim_alloc_irq_vectors<2>(device, 8, pci::irq_type::msix));
#else
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<2>(device, 8, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, vectors));
        DEVRES_TRY(pci::devm_request_irq(data->vectors.template get<1>(), "nic", data));
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
