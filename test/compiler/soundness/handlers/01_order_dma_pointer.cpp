// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// As 01_order_dma, through a plain pointer into the ring, a lambda and a function object: the steps do not ask how.
#include "support.hpp"

struct nic_driver {
    struct nic {
        std::uint32_t* head = nullptr;
        std::function<std::uint32_t()> tail;
        std::uint32_t seen = 0;
        pci::irq_return on_irq() noexcept {
            if (head == nullptr || !tail)
                return pci::irq_return::none;
            seen += *head + tail();
            return pci::irq_return::handled;
        }
    };
    static probed<nic> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 1, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        data->tail = [ring] { return static_cast<std::uint32_t*>(ring.data())[1]; };
        data->head = static_cast<std::uint32_t*>(ring.data());
        return data;
    }
};

int main() { return clean_in_storm<nic_driver>(); }
