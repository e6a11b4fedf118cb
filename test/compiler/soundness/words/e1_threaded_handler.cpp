// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D010
// The thread of a handler that says how much it did, as an int.
#include "support.hpp"

struct box {
    int n = 0;
    pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
    int on_int() noexcept { return ++n; }
};
struct driver {
    static probed<box> probe(auto& dev, const pci::device_id& id) {
        DEVRES_TRY(auto data, devm_emplace<box>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::all));
#ifndef CORRECTED
        DEVRES_TRY((pci::devm_request_threaded_irq<&box::on_irq, &box::on_int>(vectors[0], "x", data)));
#else
        DEVRES_TRY((pci::devm_request_threaded_irq<&box::on_irq, &box::on_irq>(vectors[0], "x", data)));
#endif
        (void)id, (void)vectors;
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
