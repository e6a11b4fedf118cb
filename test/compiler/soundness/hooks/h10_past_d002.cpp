// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// D002 got past: the handler's object is managed, and holds a plain pointer that remove() frees. Instead: unique_ptr.
#include "support.hpp"

struct controller {
    std::atomic<int> n = 0;
};
struct driver {
    struct state {
#ifndef CORRECTED
        controller* spi = nullptr;
#else
        std::unique_ptr<controller> spi = std::make_unique<controller>();
#endif
        pci::irq_return on_irq() noexcept { return ++spi->n, pci::irq_return::handled; }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
#ifndef CORRECTED
        data->spi = new controller;
#endif
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "spi", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
#ifndef CORRECTED
    static void remove(state& data) noexcept { delete data.spi; }
#endif
};

int main() { return clean_in_storm<driver>(); }
