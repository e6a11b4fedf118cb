// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A registration is asked whether its handler is there, after the unbind. Instead: ask a revocable, or while bound.
#include "support.hpp"

std::function<bool()> listening;
struct sensor {
    pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
};
struct driver {
    static probed<sensor> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<sensor>(dev));
        DEVRES_TRY(auto handler, pci::devm_request_irq(vectors[0], "s", data));
#ifndef CORRECTED
        listening = [handler] { return static_cast<bool>(handler); };
#else
        (void)handler;
        DEVRES_TRY(auto shown, devm_revocable(dev, data));
        listening = [shown] { return static_cast<bool>(shown.try_access()); };
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && listening());
    MUST(bound->unbind());
    MUST(!listening());
    listening = nullptr;
    MUST(clean(bus));
    return 0;
}
