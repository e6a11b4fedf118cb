// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D012
// A handler is requested before the ring that it reads: the state would have to be made without its ring.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        pci::coherent_of<Device> ring;
        std::uint32_t seen = 0;
        pci::irq_return on_irq() noexcept {
            seen += *static_cast<const std::uint32_t*>(ring.data());
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 1, pci::irq_type::msix));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
        DEVRES_TRY(data->ring, pci::dmam_alloc_coherent(device, 4096));
#else
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, ring));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
#endif
        DEVRES_TRY(pci::pci_set_master(device));
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
