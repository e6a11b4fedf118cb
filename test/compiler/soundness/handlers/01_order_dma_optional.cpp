// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// As 01_order_dma, through an optional that is filled after the handler is there.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        std::optional<pci::coherent_of<Device>> ring;
        std::uint32_t seen = 0;
        pci::irq_return on_irq() noexcept {
            if (!ring)
                return pci::irq_return::none;
            seen += *static_cast<const std::uint32_t*>(ring->data());
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 1, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        data->ring.emplace(ring);
        return data;
    }
};

int main() { return clean_in_storm<nic_driver>(); }
