// SPDX-License-Identifier: BSL-1.0
// VERDICT: S managed_ref::part: what is named is no part of the object
// What a member points to is taken for a part of the object.
#include "support.hpp"

struct channel {
    int done = 0;
    pci::irq_return on_irq() noexcept { return ++done, pci::irq_return::handled; }
};
struct driver {
    struct state {
        std::unique_ptr<channel> ch = std::make_unique<channel>();
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data.part(*data->ch)));
        return data;
    }
};

int main() {
    sim::bus bus;
    (void)pci::bind<driver>(bus, bus.add(card()));
    return 0;
}
