// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Two functions share an INTx line: both handlers are asked.
#include "support.hpp"

struct box {
    std::atomic<int> n = 0;
    pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
};
struct driver {
    static probed<box> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::intx));
        DEVRES_TRY(auto data, devm_emplace<box>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& a = bus.add({.intx = true, .address = pci::address(0, 3, 0, 0)});
    auto& b = bus.add({.intx = true, .address = pci::address(0, 3, 0, 1)});
    auto x = pci::bind<driver>(bus, a);
    auto y = pci::bind<driver>(bus, b);
    MUST(x && y);
    a.raise(0U);
    MUST(x->state().n == 1);
    MUST(x->unbind() && y->unbind());
    MUST(clean(bus));
    return 0;
}
