// SPDX-License-Identifier: BSL-1.0
// VERDICT: V bar_younger_than_handler
// A managed handler is requested before the BAR and the ring that it uses; it copes with early interrupts.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        std::optional<pci::bar_of<Device>> bar{};
        std::optional<pci::coherent_of<Device>> ring{};
        std::atomic<bool> ready = false;
        unsigned sum = 0;
        pci::irq_return on_irq() noexcept {
            if (!ready)
                return pci::irq_return::none;
            sum += bar->read32(0) + *static_cast<unsigned*>(ring->data());
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "xmm", data));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "xmm"));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        data->bar.emplace(bar);
        data->ring.emplace(ring);
        data->ready = true;
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus));
    MUST(violated(bus, sim::violation_kind::bar_younger_than_handler));
    return 0;
}
