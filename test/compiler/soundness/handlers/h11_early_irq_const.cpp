// SPDX-License-Identifier: BSL-1.0
// VERDICT: R step
// As h11_early_irq, with the state shared as const: there is nothing to be set later.
#include "support.hpp"

struct driver {
    struct state {
        const int* step = nullptr;
        std::atomic<int>* n = nullptr;
        pci::irq_return on_irq() const noexcept { return *n += *step, pci::irq_return::handled; }
    };
    static inline const int step = 1;
    static inline std::atomic<int> n = 0;
    static probed<const state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::pci_set_master(device));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<const state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "adis", data));
        data->step = &step;
#else
        DEVRES_TRY(auto data, devm_emplace<const state>(dev, &step, &n));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "adis", data));
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
